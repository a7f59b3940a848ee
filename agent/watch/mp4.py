"""An MP4 film, written frame by frame by ffmpeg."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .layout import Box
from .unfinished import Unfinished


class Mp4:
    """A film in an MP4 file: every step is a frame.

    Parameters
    ----------
    path : Path
    fps : float
        Steps, and frames, a second.

    Attributes
    ----------
    frames, nbytes : int
        What was written; bytes are known when it is closed.
    """

    def __init__(self, path: Path, fps: float) -> None:
        import imageio.v2

        self._file = Unfinished(path)
        self._file.release()
        self.frames = self.nbytes = 0
        self._writer: Any = imageio.v2.get_writer(
            self._file.temporary, format="FFMPEG", mode="I", fps=fps, macro_block_size=2, ffmpeg_log_level="error"
        )

    def due(self, step: int) -> bool:
        """Return whether a frame of this step is to be drawn."""
        return True

    def show(self, image: Image.Image, picture: Box | None, step: int) -> None:
        """Add a frame."""
        self._writer.append_data(np.asarray(image))
        self.frames += 1

    def close(self, step: int) -> None:
        """End the film, and give the file its name."""
        self._writer.close()
        self.nbytes = self._file.temporary.stat().st_size
        self._file.finish()

    def discard(self) -> None:
        """Remove what was written."""
        self._writer.close()
        self._file.discard()
