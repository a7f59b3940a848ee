"""A histogram of durations in constant memory whose percentiles have a stated relative precision."""

from __future__ import annotations

from typing import Any

import numpy as np

# Cells for each doubling of a duration: a cell is less than 1 % wide.
_CELL_BITS = 7
_PER_DOUBLING = 1 << _CELL_BITS
# The last cell begins at 2^40 ns, 18 minutes; what is longer is counted there.
_CELLS = (40 - _CELL_BITS) * _PER_DOUBLING + 1


class Histogram:
    """Durations in nanoseconds, in logarithmic cells that are each cut into 128 linear ones (as HdrHistogram's are).

    A percentile is right to `PRECISION` of itself, and exact below 256 ns; count, least, greatest and mean are exact.
    Durations from 2^40 ns (18 minutes) on share the last cell, negative ones count as 0. Counting keeps no memory.

    Attributes
    ----------
    least, greatest : int
        Nanoseconds; 0 before the first.
    """

    PRECISION = 1.0 / 256.0

    def __init__(self) -> None:
        self._counts = np.zeros(_CELLS, np.int64)
        self._counts.fill(0)  # zeros alone would take its memory page by page, while a run is measured
        self._cells = self._counts.data
        self._number = self._sum = self.least = self.greatest = 0

    def add(self, nanoseconds: int) -> None:
        """Count one duration."""
        if nanoseconds < 0:
            nanoseconds = 0
        shift = max(nanoseconds.bit_length() - _CELL_BITS - 1, 0)
        self._cells[min((shift << _CELL_BITS) + (nanoseconds >> shift), _CELLS - 1)] += 1
        if nanoseconds > self.greatest:
            self.greatest = nanoseconds
        if nanoseconds < self.least or not self._number:
            self.least = nanoseconds
        self._number += 1
        self._sum += nanoseconds

    @property
    def count(self) -> int:
        """Durations counted."""
        return self._number

    @property
    def mean(self) -> float | None:
        """Mean duration, nanoseconds; None if there are none."""
        return self._sum / self._number if self._number else None

    @property
    def nbytes(self) -> int:
        """Bytes of the cells; the same however many durations there are."""
        return int(self._counts.nbytes)

    def quantile(self, share: float) -> float | None:
        """Return the duration, nanoseconds, that this share (0 to 1) of all does not exceed; None if there are none."""
        if not self._number:
            return None
        cell = int(np.searchsorted(np.cumsum(self._counts), max(1, int(np.ceil(share * self._number)))))
        shift = max((cell >> _CELL_BITS) - 1, 0)
        middle = ((cell - (shift << _CELL_BITS)) << shift) + ((1 << shift) - 1) / 2
        return float(min(max(middle, self.least), self.greatest))

    def merge(self, other: Histogram) -> None:
        """Add all that another one has counted, in place."""
        if not other._number:
            return
        self._counts += other._counts
        self.least = min(self.least, other.least) if self._number else other.least
        self.greatest = max(self.greatest, other.greatest)
        self._number += other._number
        self._sum += other._sum

    def reset(self) -> None:
        """Forget all that was counted, in place."""
        self._counts.fill(0)
        self._number = self._sum = self.least = self.greatest = 0

    def to_dict(self) -> dict[str, Any]:
        """Return count, and least, mean, p50, p99, p99.9 and greatest in microseconds (None if there are none)."""
        values = {
            "min": self.least if self._number else None,
            "mean": self.mean,
            "p50": self.quantile(0.5),
            "p99": self.quantile(0.99),
            "p99.9": self.quantile(0.999),
            "max": self.greatest if self._number else None,
        }
        in_us = {name: None if value is None else float(np.round(value / 1e3, 3)) for name, value in values.items()}
        return {"count": self._number, **in_us}
