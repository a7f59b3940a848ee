"""Curves over steps: trailing means, fewer points, and what several runs have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..aggregate import bootstrap_interval, interquartile_mean
from .read import Column

# More points than a panel has pixels are only slow to draw, and make large files.
MOST_POINTS = 400
# Of an interval, each of whose points takes DRAWS samples of the runs.
BAND_POINTS = 60
DRAWS = 1000


class Curve(NamedTuple):
    """Values over steps, without NaN."""

    steps: Column
    values: Column


class Band(NamedTuple):
    """The interquartile mean of several curves, and its 95 % interval."""

    steps: Column
    mean: Column
    low: Column
    high: Column


def curve_of(steps: Column, values: Column) -> Curve:
    """Return a curve through all values that are finite."""
    finite = np.isfinite(values) & np.isfinite(steps)
    return Curve(steps[finite], values[finite])


def trailing_mean(values: Column, window: int) -> Column:
    """Return the mean of each value and those before it, `window` in all, or as many as there are."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    ends = np.arange(1, len(values) + 1)
    begins = np.maximum(ends - window, 0)
    means: Column = (sums[ends] - sums[begins]) / (ends - begins)
    return means


def thinned(curve: Curve, most: int = MOST_POINTS) -> Curve:
    """Return at most so many points: means of successive stretches of the curve."""
    if len(curve.steps) <= most:
        return curve
    bounds = np.linspace(0, len(curve.steps), most + 1).astype(int)
    counts = np.diff(bounds)
    return Curve(*(np.add.reduceat(part, bounds[:-1]) / counts for part in curve))


def band_of(curves: Sequence[Curve], interval: bool) -> Band | None:
    """Return what curves have in common over the steps that all of them have; None if there are none.

    Without `interval`, its bounds are the mean itself.
    """
    first, last = max(curve.steps[0] for curve in curves), min(curve.steps[-1] for curve in curves)
    if last < first:
        return None
    steps = np.linspace(first, last, BAND_POINTS if interval else MOST_POINTS // 2)
    values = np.array([np.interp(steps, *curve) for curve in curves]).T
    mean = np.array([interquartile_mean(row) for row in values])
    if not interval:
        return Band(steps, mean, mean, mean)
    bounds = np.array([bootstrap_interval(row, interquartile_mean, DRAWS) for row in values])
    return Band(steps, mean, bounds[:, 0], bounds[:, 1])
