"""Where frames go: a file or a window."""

from __future__ import annotations

from typing import Any, Protocol

from .layout import Box


class Closed(Exception):
    """Whoever watches has closed the window."""


class Screen(Protocol):
    """A film or a window.

    Attributes
    ----------
    frames, nbytes : int
        Frames shown or written, and bytes of the file.
    """

    frames: int
    nbytes: int

    def due(self, step: int) -> bool:
        """Return whether a frame of this step, from 1, is to be drawn."""

    def show(self, image: Any, picture: Box | None, step: int) -> None:
        """Take a frame; `picture` is where the environment is in it. May raise `Closed`."""

    def close(self, step: int) -> None:
        """End after a step."""

    def discard(self) -> None:
        """End, and leave nothing."""
