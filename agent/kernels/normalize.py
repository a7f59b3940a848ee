"""Online normalisation of observations and rewards (Welford 1962; Elsayed et al. 2024, arXiv 2410.14606)."""

from __future__ import annotations

import math

from numpy.typing import NDArray

from .jit import kernel

# Deviations below this share of the mean are rounding, not signal.
RELATIVE_FLOOR = 1e-5
# Entries of the statistics of returns.
COUNT, SUM, SUM_OF_SQUARES, HELD, ONES, SQUARES = range(6)
RETURNS_SIZE = 6
# Added to a variance, so that nothing is divided by 0.
EPSILON = 1e-30


@kernel
def welford(count: float, mean: NDArray, m2: NDArray, sample: NDArray) -> None:
    """Add one sample to a running mean and a running sum of squared deviations.

    ::

        mean <- mean + (x - mean) / count
        m2   <- m2 + (x - mean_old) (x - mean_new)

    Parameters
    ----------
    count : float
        Number of samples *including* this one, at least 1.
    mean, m2 : (k,) float64 arrays, modified in place
    sample : (k,) float64 array
    """
    for j in range(sample.shape[0]):
        deviation = sample[j] - mean[j]
        mean[j] += deviation / count
        m2[j] += deviation * (sample[j] - mean[j])


@kernel
def variance(count: float, m2: float) -> float:
    """Return the unbiased variance m2 / (count - 1); 1 while fewer than two samples are known."""
    if count < 2.0:
        return 1.0
    return m2 / (count - 1.0)


@kernel
def deviation(count: float, mean: float, m2: float) -> float:
    """Return ``sqrt(var + (1e-5 mean)^2 + 1e-30)``, what a running sample is scaled by."""
    floor = RELATIVE_FLOOR * mean
    return math.sqrt(variance(count, m2) + floor * floor + EPSILON)


@kernel
def standardize(
    count: float, mean: NDArray, m2: NDArray, clip: float, chosen: NDArray, sample: NDArray, out: NDArray
) -> None:
    """Write ``clip((x - mean) / deviation, -clip, clip)`` to `out`, (k,) float32, in place; x where `chosen` is 0."""
    for j in range(sample.shape[0]):
        if chosen[j] == 0.0:
            out[j] = sample[j]
            continue
        scaled = (sample[j] - mean[j]) / deviation(count, mean[j], m2[j])
        out[j] = min(max(scaled, -clip), clip)


@kernel
def add_reward(returns: NDArray, discount: float, reward: float) -> None:
    """Add a reward to the sum and the sum of squares of the returns of all ticks so far, in place.

    A tick t of this episode has the return ``G_t = sum_k discount^(k-t) r_k``, as far as it is known. One more reward
    changes all of them at once::

        ones    <- discount ones + 1                      sum over t of discount^(k-t)
        squares <- discount^2 squares + 1                 sum over t of discount^(2(k-t))
        sum G   <- sum G + r ones
        sum G^2 <- sum G^2 + r (2 discount held + r squares)
        held    <- discount held + r squares              sum over t of discount^(k-t) G_t

    Parameters
    ----------
    returns : (6,) float64 array, modified in place
        Number of ticks, sum of G, sum of G^2 over all episodes; held, ones, squares of this one.
    """
    returns[ONES] = discount * returns[ONES] + 1.0
    returns[SQUARES] = discount * discount * returns[SQUARES] + 1.0
    held, fresh = discount * returns[HELD], reward * returns[SQUARES]
    returns[COUNT] += 1.0
    returns[SUM] += reward * returns[ONES]
    returns[SUM_OF_SQUARES] += reward * (2.0 * held + fresh)
    returns[HELD] = held + fresh


@kernel
def forget_episode(returns: NDArray) -> None:
    """Let the next reward begin an episode, in place."""
    returns[HELD] = returns[ONES] = returns[SQUARES] = 0.0


@kernel
def reward_scale(returns: NDArray) -> float:
    """Return the factor 1 / deviation of returns by which a reward is multiplied; it is never shifted.

    The sums are those of `add_reward`. Elsayed et al. 2024 take the deviation of a discounted sum that runs forward,
    ``G <- discount G + r``, instead. Where rewards come evenly that is the same; where the only one comes at the end of
    L ticks, the sum is 0 at all of them but the last, and rewards come out larger by sqrt(L) or so.
    """
    mean = returns[SUM] / returns[COUNT]
    m2 = max(returns[SUM_OF_SQUARES] - mean * returns[SUM], 0.0)
    return 1.0 / deviation(returns[COUNT], mean, m2)
