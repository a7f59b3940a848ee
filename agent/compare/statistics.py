"""What may be said of scores of several runs in several environments, with intervals, by rliable's definitions.

Agarwal, Schwarzer, Castro, Courville and Bellemare (2021), Deep reinforcement learning at the edge of the statistical
precipice. Intervals are percentiles of a bootstrap that is stratified: of each environment as many runs are drawn as it
has. SciPy draws; where each environment is a sample of its own, its bootstrap is the stratified one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..aggregate import interquartile_means

Scores = NDArray[np.float64]
# Samples drawn for an interval, as rliable draws them: of a number, and of each point of a curve.
DRAWS, CURVE_DRAWS = 50_000, 2_000
# Numbers of a batch of samples: 32 MB.
BATCH = 4_000_000


class Estimate(NamedTuple):
    """A statistic, or several, and its 95 % interval; the bounds are NaN where an environment has a single run."""

    value: Any
    low: Any
    high: Any


def overall_iqm(scores: Sequence[Scores], draws: int = DRAWS, seed: int = 0) -> Estimate:
    """Return the interquartile mean of all runs in all environments; `scores` has the runs of one environment each."""

    def statistic(*drawn: Scores, axis: int = -1) -> Scores:
        return interquartile_means(np.concatenate(drawn, axis=-1))

    return _interval(scores, statistic, draws, seed)


def probability_of_improvement(
    ours: Sequence[Scores], theirs: Sequence[Scores], draws: int = DRAWS, seed: int = 0
) -> Estimate:
    """Return how likely a run of ours is better than one of theirs in an environment that is drawn; ties count half.

    That is the mean over environments of the statistic of Mann and Whitney, over the number of pairs.
    """
    better = [(x[:, None] > y) + 0.5 * (x[:, None] == y) for x, y in zip(ours, theirs, strict=True)]
    count = len(better)

    def statistic(*drawn: NDArray[np.intp], axis: int = -1) -> Scores:
        # Runs are drawn by their numbers, since which of two is better does not have to be looked up again and again.
        shares = [
            ((_counts(x, matrix.shape[0]) @ matrix) * _counts(y, matrix.shape[1])).sum(axis=-1) / matrix.size
            for x, y, matrix in zip(drawn[:count], drawn[count:], better, strict=True)
        ]
        return np.asarray(np.mean(shares, axis=0))

    numbers = [np.arange(len(x)) for x in (*ours, *theirs)]
    return _interval(numbers, statistic, draws, seed)


def performance_profile(scores: Sequence[Scores], levels: Scores, draws: int = CURVE_DRAWS, seed: int = 0) -> Estimate:
    """Return the share of all runs whose score is above each level."""

    def statistic(*drawn: Scores, axis: int = -1) -> Scores:
        together = np.concatenate(drawn, axis=-1)
        return np.array([(together > level).mean(axis=-1) for level in levels])

    return _interval(scores, statistic, draws, seed)


def _counts(drawn: NDArray[np.intp], size: int) -> Scores:
    """Return how often each of so many runs is among those that were drawn, (..., drawn) to (..., size)."""
    rows = drawn.reshape(-1, drawn.shape[-1])
    offsets = size * np.arange(len(rows))[:, None]
    counts = np.bincount((rows + offsets).ravel(), minlength=size * len(rows))
    return counts.reshape(*drawn.shape[:-1], size).astype(np.float64)


def _interval(samples: Sequence[NDArray[Any]], statistic: Callable[..., Scores], draws: int, seed: int) -> Estimate:
    from scipy.stats import bootstrap

    value = statistic(*samples)
    if min(map(len, samples)) < 2:
        nothing = np.full_like(value, np.nan)
        return Estimate(value, nothing, nothing)
    found = bootstrap(
        samples, statistic, vectorized=True, paired=False, n_resamples=draws, method="percentile",
        batch=max(1, min(draws, BATCH // sum(map(len, samples)))), rng=np.random.default_rng(seed),
    ).confidence_interval  # fmt: skip
    return Estimate(value, found.low, found.high)
