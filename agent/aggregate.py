"""Summaries over seeds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray


def interquartile_mean(values: ArrayLike) -> float:
    """Return the mean of the middle half; a quarter of the values, rounded down, is cut off at each end."""
    return float(interquartile_means(np.ravel(values)))


def interquartile_means(values: ArrayLike) -> NDArray[np.float64]:
    """Return the interquartile mean over the last axis, (..., n) to (...)."""
    given = np.asarray(values, dtype=np.float64)
    count = given.shape[-1]
    cut = count // 4
    # In parts and no further in order: what is cut off and what is not is all that matters.
    parts = np.partition(given, [cut, count - cut - 1], axis=-1) if cut else given
    means: NDArray[np.float64] = parts[..., cut : count - cut].mean(axis=-1)
    return means


def bootstrap_interval(
    values: ArrayLike,
    statistic: Callable[[NDArray[np.float64]], float] = lambda sample: float(sample.mean()),
    draws: int = 10_000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the 95 % interval of a statistic: percentiles of it over samples drawn with replacement."""
    sample = np.asarray(values, dtype=np.float64)
    drawn = np.random.default_rng(seed).choice(sample, (draws, sample.size))
    low, high = np.percentile([statistic(row) for row in drawn], [2.5, 97.5])
    return float(low), float(high)
