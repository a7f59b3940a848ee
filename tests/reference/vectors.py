"""Twin of `kernels/base/vectors.py`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Arrays = tuple[Array, ...]

TINY, FAINT = 1e-30, 1e-60


def flushed(x: Any, floor: float = TINY) -> Any:
    """0 where |x| <= floor, else x."""
    return np.where(np.abs(x) <= floor, 0.0, x)


def running_mean(rate: float, sample: Any, mean: Any) -> Any:
    """mean + rate (x - mean)."""
    return mean + rate * (sample - mean)
