"""What a curve of performance says about a change: level, dip, time to recover, area lost, what was forgotten, trend.

A curve is the performance on a grid of points that divide a *stretch*, the steps in one world, into equal parts.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Points of a curve that are averaged before one of them counts as recovered or as lowest: a single one is a few
# episodes. The level is the mean of the last fifth.
SMOOTH, LAST = 3, 5
RECOVERED = 0.9
ROUNDING = 1e-12

Curve = NDArray[np.float64]


def filled(sums: ArrayLike, counts: ArrayLike) -> Curve | None:
    """Return the means at the points of a curve, None if there is nothing to tell any of them from.

    A point at which nothing ended has the value of the one before it; those before the first, that of the first.
    """
    sums, counts = np.asarray(sums, np.float64), np.asarray(counts, np.float64)
    known = np.flatnonzero(counts)
    if not known.size:
        return None
    means = sums[known] / counts[known]
    before = np.searchsorted(known, np.arange(len(counts)), side="right") - 1
    curve: Curve = means[np.maximum(before, 0)]
    return curve


def level(curve: Curve) -> float:
    """Return the mean of the last fifth of a curve; what rounding leaves of 0 is 0."""
    end = curve[-max(len(curve) // LAST, 1) :]
    mean = float(end.mean())
    return mean if abs(mean) > ROUNDING * float(np.abs(end).max()) else 0.0


def smoothed(curve: Curve) -> Curve:
    """Return the mean of each point and the two that follow it, fewer at the end."""
    ends = np.minimum(np.arange(len(curve)) + SMOOTH, len(curve))
    sums = np.concatenate([[0.0], np.cumsum(curve)])
    means: Curve = (sums[ends] - sums[:-1]) / (ends - np.arange(len(curve)))
    return means


def lowest(curve: Curve) -> float:
    """Return the least value of the smoothed curve."""
    return float(smoothed(curve).min())


def recovery(curve: Curve, reference: float) -> int | None:
    """Return after how many points the smoothed curve first has 90 % of a reference; None if it never has.

    A share of a reference that is not above 0 means nothing; then, too, it is None.
    """
    if reference <= 0.0:
        return None
    reached = np.flatnonzero(smoothed(curve) >= RECOVERED * reference)
    return int(reached[0]) if reached.size else None


def area_lost(curve: Curve, reference: float) -> float | None:
    """Return what is missing below a reference until recovery, or until the end if there is none.

    In points at the reference: 2 means that as much was lost as two points without any return would lose. None where
    the reference is not above 0.
    """
    if reference <= 0.0:
        return None
    until = recovery(curve, reference)
    return float((1.0 - curve[:until] / reference).sum())


def trend(worlds: Sequence[Hashable], levels: ArrayLike) -> float | None:
    """Return the slope of levels over their number, by least squares with an intercept for each world.

    Worlds differ in what can be reached in them, and the order in which they come would look like a trend. None if
    none was met twice.
    """
    values = np.asarray(levels, np.float64)
    numbers = np.arange(len(values), dtype=np.float64)
    for world in set(worlds):
        here = np.array([other == world for other in worlds])
        numbers[here] -= numbers[here].mean()
        values = np.where(here, values - values[here].mean(), values)
    spread = float(numbers @ numbers)
    return float(numbers @ values) / spread if spread > 0.0 else None
