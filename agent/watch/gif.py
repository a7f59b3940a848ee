"""A GIF that is written frame by frame, in fixed memory, and stays below a number of bytes."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import GifImagePlugin, Image

from .colors import own_colors
from .layout import DEFAULT_SIZE, Box
from .unfinished import Unfinished

# Viewers slow down what is faster.
MOST_FRAMES_A_SECOND = 15
# Bytes for 300 steps at the default size, some less than are promised.
BYTES, STEPS = 1_900_000, 300
TRANSPARENT = 255
LOOP = b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"


class Gif:
    """A film in a GIF file.

    Frames have their own palettes: the colors of the panel, and what the picture of the environment needs. Of each only
    the rectangle that has changed is written. A frame is left out, and the one before lasts longer, while the file is
    ahead of the bytes that it may have had by then.

    Parameters
    ----------
    path : Path
    size : (int, int)
    fps : float
        Steps a second.
    steps : int
        Steps of the film.

    Attributes
    ----------
    frames, nbytes : int
        What was written.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: float, steps: int) -> None:
        self._file = Unfinished(path)
        self._fps, self._steps = fps, steps
        self._every = max(1, int(np.ceil(fps / MOST_FRAMES_A_SECOND)))
        area = size[0] * size[1] / (DEFAULT_SIZE[0] * DEFAULT_SIZE[1])
        self._budget = BYTES * max(1.0, steps / STEPS) * max(1.0, area)
        self._shown: NDArray[np.uint8] | None = None
        self._waiting, self._since = b"", 0.0
        self._first = self._largest = 0
        self.frames = 0
        self.nbytes = self._file.write(b"GIF89a" + struct.pack("<HHBBB", *size, 0, 0, 0) + LOOP)

    def due(self, step: int) -> bool:
        """Return whether a frame of this step, from 1, is to be drawn: of the first and last in any case."""
        if step in (1, self._steps):
            return True
        # The last frame is written in any case, and may be larger than any before.
        allowed = self._first + self._largest + (self._budget - self._first - 3 * self._largest) * step / self._steps
        return step % self._every == 0 and self.nbytes + len(self._waiting) + self._largest <= allowed

    def show(self, image: Image.Image, picture: Box | None, step: int) -> None:
        """Add a frame; `picture` is where the environment is in it."""
        self._flush(step)
        indexed, colors = _indexed(image, picture)
        shades = colors[indexed]
        box = (0, 0, *image.size)
        if self._shown is not None:
            same = (shades == self._shown).all(axis=2)
            rows, columns = np.flatnonzero(~same.all(axis=1)), np.flatnonzero(~same.all(axis=0))
            if rows.size == 0:
                return
            box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
            part = slice(box[1], box[3]), slice(box[0], box[2])
            plain, sparse = indexed[part], np.where(same[part], np.uint8(TRANSPARENT), indexed[part])
            self._waiting = min((_encoded(kind, colors, box) for kind in (plain, sparse)), key=len)
        else:
            self._waiting = _encoded(indexed, colors, box)
            self._first = len(self._waiting)
        self._largest = max(self._largest, len(self._waiting))
        self._shown = shades

    def close(self, step: int) -> None:
        """End the film at a step, and give the file its name."""
        self._flush(step + self._fps)  # the last frame is seen for a second
        self.nbytes += self._file.write(b";")
        self._file.finish()

    def discard(self) -> None:
        """Remove what was written."""
        self._file.discard()

    def _flush(self, step: float) -> None:
        """Write the frame that waits, now that it is known how long it lasts."""
        if not self._waiting:
            return
        now = 100.0 * step / self._fps
        if self.frames == 0:
            self._since = 100.0 / self._fps
        lasts = max(2, round(now - self._since))
        self._since += lasts
        control = b"!\xf9\x04" + struct.pack("<BHBB", 1 | 1 << 2, min(lasts, 65535), TRANSPARENT, 0)
        self.nbytes += self._file.write(control + self._waiting)
        self._waiting = b""
        self.frames += 1


def _indexed(image: Image.Image, picture: Box | None) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the frame as indices, (height, width), and its palette, (256, 3)."""
    colors = np.zeros((256, 3), np.uint8)
    own = own_colors()
    count = TRANSPARENT - len(own)
    found = np.zeros((0, 3), np.uint8)
    if picture is not None:
        there = image.crop(picture).quantize(count, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        found = np.array(there.getpalette("RGB"), np.uint8).reshape(-1, 3)[:count]
    colors[: len(own)] = own
    colors[len(own) : len(own) + len(found)] = found
    palette = Image.new("P", (1, 1))
    palette.putpalette(colors.tobytes())
    indexed = np.array(image.quantize(palette=palette, dither=Image.Dither.NONE))
    indexed[indexed == TRANSPARENT] = TRANSPARENT - 1 if not colors[TRANSPARENT - 1].any() else 0
    return indexed, colors


def _encoded(indices: NDArray[np.uint8], colors: NDArray[np.uint8], box: tuple[int, int, int, int]) -> bytes:
    """Return a frame as GIF has it, with its palette, without what says how long it lasts."""
    image = Image.fromarray(np.ascontiguousarray(indices), "P")
    image.putpalette(colors.tobytes())
    return b"".join(GifImagePlugin.getdata(image, box[:2], include_color_table=True))
