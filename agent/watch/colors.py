"""The colors of a frame: told apart by the color-blind, and by their brightness alone in print."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Color: TypeAlias = tuple[int, int, int]

BACKGROUND: Color = (16, 18, 22)
FIELD: Color = (0, 0, 0)  # behind spikes and curves
GRID: Color = (70, 74, 82)
TEXT: Color = (200, 204, 210)
STRONG: Color = (255, 255, 255)
# Of Okabe and Ito, the blue lighter than theirs.
MEMORY: Color = (240, 228, 66)
LAYER: Color = (130, 200, 245)
VALUE: Color = (86, 180, 233)
ERROR: Color = (230, 159, 0)
REWARD: Color = (240, 228, 66)
BAR: Color = (0, 158, 115)

# Levels of brightness that payloads are drawn in; the first is silence.
LEVELS = 8
# Brightness of the smallest payload: a spike is seen, whatever it carries.
FAINTEST = 0.3


def ramp(color: Color, levels: int = LEVELS, behind: Color = FIELD, faintest: float = FAINTEST) -> NDArray[np.uint8]:
    """Return `levels` colors from `behind` to `color`, (levels, 3); the second is `faintest` of the way there."""
    shares = np.append(0.0, np.linspace(faintest, 1.0, levels - 1))[:, None]
    mixed: NDArray[np.uint8] = np.rint((1.0 - shares) * behind + shares * np.array(color)).astype(np.uint8)
    return mixed


def own_colors() -> NDArray[np.uint8]:
    """Return the colors that a frame has whatever the environment looks like, (n, 3), those of letters among them."""
    letters = [ramp(color, 7, BACKGROUND, 1 / 6) for color in (TEXT, STRONG, MEMORY, LAYER, VALUE, ERROR)]
    single = np.array([BACKGROUND, FIELD, GRID, TEXT, STRONG, VALUE, ERROR, REWARD, BAR], np.uint8)
    found: NDArray[np.uint8] = np.unique(np.concatenate([single, ramp(MEMORY), ramp(LAYER), *letters]), axis=0)
    return found
