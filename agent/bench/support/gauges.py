"""Gauges for runs of any length: what they keep is as large after 10^9 readings as after one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Numbers that are looked at in one go, so that what a scan needs does not grow with the state.
_CHUNK = 1 << 15
_SIGN_AND_EXPONENT = {4: (0x7FFFFFFF, 0x007FFFFF), 8: (0x7FFFFFFFFFFFFFFF, 0x000FFFFFFFFFFFFF)}


class Line:
    """The least-squares line through points that come one by one, with their first, last, least and greatest value.

    Attributes
    ----------
    points : int
    first, last, least, greatest : int
    """

    def __init__(self) -> None:
        self.points = 0
        self.first = self.last = self.least = self.greatest = 0
        self._x = self._y = self._xx = self._xy = 0.0

    def add(self, x: float, y: int) -> None:
        """Add a point."""
        if not self.points:
            self.first = self.least = self.greatest = y
        self.points += 1
        self.last, self.least, self.greatest = y, min(self.least, y), max(self.greatest, y)
        # Values are taken from the first: the mean of many large ones would lose the little by which they differ.
        apart, before = float(y - self.first), x - self._x
        self._x += before / self.points
        self._y += (apart - self._y) / self.points
        self._xx += before * (x - self._x)
        self._xy += before * (apart - self._y)

    @property
    def slope(self) -> float | None:
        """Slope of the line; None until there are two points at different x."""
        return self._xy / self._xx if self._xx > 0.0 else None


class Scanner:
    """Counts numbers in arrays that are not finite, and denormal ones, with work space of a fixed size."""

    def __init__(self) -> None:
        self._bits: dict[int, NDArray[Any]] = {4: np.zeros(_CHUNK, np.uint32), 8: np.zeros(_CHUNK, np.uint64)}
        self._flags = np.zeros(_CHUNK, np.bool_)

    def count(self, numbers: NDArray[np.floating]) -> tuple[int, int]:
        """Return how many of a vector of float32 or float64 numbers are not finite, and how many denormal."""
        non_finite = denormal = 0
        for first in range(0, numbers.size, _CHUNK):
            chunk = numbers[first : first + _CHUNK]
            bits, flags = self._bits[chunk.itemsize][: chunk.size], self._flags[: chunk.size]
            np.isfinite(chunk, out=flags)
            non_finite += chunk.size - int(np.count_nonzero(flags))
            # Without its sign, the pattern of a denormal number is from 1 to the greatest mantissa; 0 wraps around.
            unsigned, mantissa = _SIGN_AND_EXPONENT[chunk.itemsize]
            np.bitwise_and(chunk.view(bits.dtype), bits.dtype.type(unsigned), out=bits)
            np.subtract(bits, bits.dtype.type(1), out=bits)
            np.less(bits, bits.dtype.type(mantissa), out=flags)
            denormal += int(np.count_nonzero(flags))
        return non_finite, denormal
