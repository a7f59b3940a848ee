"""Online normalization of observations and rewards (Welford 1962; Elsayed et al. 2024, arXiv 2410.14606)."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray

from .base.arrays import view
from .base.jit import FAINT, HUGE, TINY, kernel
from .base.vectors import flushed
from .layout import places_of, running_of

SETTINGS = ("normalize_rewards", "observation_clip", "statistics_horizon")

# Standard deviations below this share of the mean are rounding, not signal.
RELATIVE_FLOOR = 1e-5
# Entries of the statistics of returns.
COUNT, SUM, SUM_OF_SQUARES, HELD, ONES, SQUARES = range(6)
RETURNS_SIZE = 6
# Added to a variance, so that nothing is divided by 0.
EPSILON = 1e-30


@kernel
def kept(horizon: float, count: float) -> float:
    """Return the share of all sums that is kept when a sample comes: 1 until there are `horizon`, then 1 - 1/horizon.

    Up to then statistics are those of all samples, and later of about the last `horizon`, with weights that decay, so
    that they can follow a world that changes however old they are.
    """
    # Half a sample apart, so that rounding does not decide.
    return 1.0 if count < horizon - 0.5 else 1.0 - 1.0 / horizon


@kernel
def welford(keep: float, count: float, mean: NDArray, m2: NDArray, sample: NDArray) -> None:
    """Add one sample to a running mean and a running sum of squared deviations.

    ::

        mean <- mean + (x - mean) / count
        m2   <- keep m2 + (x - mean_old) (x - mean_new)      both flushed: with `keep` below 1 they decay

    Parameters
    ----------
    keep : float
        Weight of all earlier samples, see `kept`.
    count : float
        Number of samples, or sum of their weights, *including* this one, at least 1.
    mean, m2 : (k,) float64 arrays, modified in place
    sample : (k,) float64 array
    """
    for j in range(sample.shape[0]):
        apart = sample[j] - mean[j]
        mean[j] = flushed(mean[j] + apart / count, FAINT)
        m2[j] = flushed(keep * m2[j] + apart * (sample[j] - mean[j]), FAINT)


@kernel
def variance(count: float, m2: float) -> float:
    """Return the unbiased variance m2 / (count - 1); 1 while fewer than two samples are known."""
    if count < 2.0:
        return 1.0
    return m2 / (count - 1.0)


@kernel
def std(count: float, mean: float, m2: float) -> float:
    """Return ``sqrt(var + (1e-5 mean)^2 + 1e-30)``, what a running sample is scaled by."""
    floor = RELATIVE_FLOOR * mean
    return math.sqrt(variance(count, m2) + floor * floor + EPSILON)


@kernel
def standardize(
    count: float, mean: NDArray, m2: NDArray, clip: float, chosen: NDArray, sample: NDArray, out: NDArray
) -> None:
    """Write ``clip((x - mean) / std, -clip, clip)`` to `out`, (k,) float32, in place; x where `chosen` is 0.

    Flushed: an entry that has become 0 for good has a mean that decays, and would pass through denormal numbers, which
    every neuron then has to multiply.
    """
    for j in range(sample.shape[0]):
        if chosen[j] == 0.0:
            out[j] = flushed(sample[j], TINY)
            continue
        scaled = (sample[j] - mean[j]) / std(count, mean[j], m2[j])
        out[j] = flushed(min(max(scaled, -clip), clip), TINY)


@kernel
def add_reward(returns: NDArray, horizon: float, discount: float, reward: float) -> None:
    """Add a reward to the sum and the sum of squares of the returns of all ticks so far, in place.

    A tick t of this episode has the return ``G_t = sum_k discount^(k-t) r_k``, as far as it is known. One more reward
    changes all of them at once::

        n       <- keep n + 1
        ones    <- keep discount ones + 1                 sum over t of keep^(k-t) discount^(k-t)
        squares <- keep discount^2 squares + 1            sum over t of keep^(k-t) discount^(2(k-t))
        sum G   <- keep sum G + r ones
        sum G^2 <- keep sum G^2 + r (2 keep discount held + r squares)
        held    <- keep discount held + r squares         sum over t of keep^(k-t) discount^(k-t) G_t

    Sums of rewards are flushed: without any, they decay.

    Parameters
    ----------
    returns : (6,) float64 array, modified in place
        Number of ticks, sum of G, sum of G^2 over all episodes; held, ones, squares of this one.
    horizon : float
        Ticks that are remembered, which is where `keep` comes from, see `kept`.
    """
    keep = kept(horizon, returns[COUNT])
    returns[ONES] = keep * discount * returns[ONES] + 1.0
    returns[SQUARES] = keep * discount * discount * returns[SQUARES] + 1.0
    held, fresh = keep * discount * returns[HELD], reward * returns[SQUARES]
    returns[COUNT] = keep * returns[COUNT] + 1.0
    returns[SUM] = flushed(keep * returns[SUM] + reward * returns[ONES], FAINT)
    returns[SUM_OF_SQUARES] = flushed(keep * returns[SUM_OF_SQUARES] + reward * (2.0 * held + fresh), FAINT)
    returns[HELD] = flushed(held + fresh, FAINT)


@kernel
def forget_episode(returns: NDArray) -> None:
    """Let the next reward begin an episode, in place."""
    returns[HELD] = returns[ONES] = returns[SQUARES] = 0.0


@kernel
def moments(returns: NDArray) -> tuple[float, float]:
    """Return mean and sum of squared deviations of the returns that `add_reward` has summed up, at least one."""
    mean = returns[SUM] / returns[COUNT]
    return mean, max(returns[SUM_OF_SQUARES] - mean * returns[SUM], 0.0)


@kernel
def reward_scale(returns: NDArray) -> float:
    """Return the factor 1 / std of returns by which a reward is multiplied; it is never shifted.

    The sums are those of `add_reward`. Elsayed et al. 2024 take the std of a discounted sum that runs forward,
    ``G <- discount G + r``, instead. Where rewards come evenly that is the same; where the only one comes at the end of
    L ticks, the sum is 0 at all of them but the last, and rewards come out larger by sqrt(L) or so.
    """
    mean, m2 = moments(returns)
    return 1.0 / std(returns[COUNT], mean, m2)


@kernel
def returns_differ(returns: NDArray) -> bool:
    """Return whether returns so far differ by more than rounding, so that their std is a unit to measure values in."""
    if returns[COUNT] < 2.0:
        return False
    mean, m2 = moments(returns)
    floor = RELATIVE_FLOOR * mean
    return variance(returns[COUNT], m2) > floor * floor + EPSILON


@kernel
def observe(settings: Any, ints: NDArray, reals: NDArray, floats: NDArray, update: bool) -> None:
    """Take the observation in the staging area into the statistics if `update`, and write it to the input, in place."""
    places, running = places_of(ints), running_of(reals)
    raw = view(reals, places.staging)
    for j in range(raw.shape[0]):
        raw[j] = min(max(raw[j], -HUGE), HUGE)
    mean, m2 = view(reals, places.observation_mean), view(reals, places.observation_m2)
    if update:
        keep = kept(settings.statistics_horizon, running.observation_count)
        running.observation_count = keep * running.observation_count + 1.0
        welford(keep, running.observation_count, mean, m2, raw)
    chosen, x = view(reals, places.standardized), view(floats, places.input)
    standardize(running.observation_count, mean, m2, settings.observation_clip, chosen, raw, x)


@kernel
def scale_reward(settings: Any, ints: NDArray, reals: NDArray, reward: float) -> tuple[float, float]:
    """Return the reward in units of the std of returns, which take it in, and what values change by; in place.

    The second is what a value in the unit of before is multiplied by: std before / std now, or 1 if that is larger or
    there was no unit. A unit that shrinks, as a large reward becomes one of many, does so slowly enough to be learned;
    following it would let values grow without end where rewards cease and statistics forget.
    """
    reward = min(max(reward, -HUGE), HUGE)
    if settings.normalize_rewards == 0.0:
        return reward, 1.0
    returns = view(reals, places_of(ints).returns)
    before = 1.0 / reward_scale(returns) if returns_differ(returns) else 0.0
    add_reward(returns, settings.statistics_horizon, settings.discount, reward)
    now = reward_scale(returns)
    return reward * now, min(before * now, 1.0) if before > 0.0 else 1.0
