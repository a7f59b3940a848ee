"""A window that shows frames as they come."""

from __future__ import annotations

import os
import sys

from PIL import Image

from ..errors import ConfigError
from .layout import Box
from .screen import Closed

# What says where a window may be, on Linux.
SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")


class Window:
    """A window (pygame).

    Parameters
    ----------
    size : (int, int)
    fps : float
        Steps, and frames, a second, at most.
    title : str

    Attributes
    ----------
    frames, nbytes : int
        Frames shown; nothing is written.

    Raises
    ------
    ConfigError
        If there is no screen.
    """

    def __init__(self, size: tuple[int, int], fps: float, title: str) -> None:
        import pygame

        self._pygame, self._fps = pygame, fps
        self.frames = self.nbytes = 0
        try:
            # Asked for a window where there is none, some of SDL's drivers complain on their own.
            if sys.platform == "linux" and not any(os.environ.get(name) for name in SCREENS):
                raise pygame.error(f"none of {', '.join(SCREENS)} is set")
            pygame.display.init()
            if pygame.display.get_driver() in ("dummy", "offscreen"):
                raise pygame.error("its driver draws nowhere")
            self._screen = pygame.display.set_mode(size)
        except pygame.error as error:
            raise ConfigError(f"there is no screen ({error}); give --gif FILE or --mp4 FILE") from error
        pygame.display.set_caption(title)
        self._clock = pygame.time.Clock()

    def due(self, step: int) -> bool:
        """Return whether a frame of this step is to be drawn."""
        return True

    def show(self, image: Image.Image, picture: Box | None, step: int) -> None:
        """Show a frame; raise `Closed` if the window was closed, or Escape pressed."""
        pygame = self._pygame
        for event in pygame.event.get():
            if event.type == pygame.QUIT or (event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE):
                raise Closed
        self._screen.blit(pygame.image.frombuffer(image.tobytes(), image.size, "RGB"), (0, 0))
        pygame.display.flip()
        self._clock.tick(self._fps)
        self.frames += 1

    def close(self, step: int) -> None:
        """Close the window."""
        self._pygame.display.quit()

    def discard(self) -> None:
        """Close the window."""
        self._pygame.display.quit()
