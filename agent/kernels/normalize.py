"""Online normalisation of observations and rewards (Welford 1962; Elsayed et al. 2024, arXiv 2410.14606)."""

from __future__ import annotations

import math

from numpy.typing import NDArray

from .jit import kernel

# Deviations below this share of the mean are rounding, not signal.
RELATIVE_FLOOR = 1e-5
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
def reward_scale(count: float, mean: float, m2: float) -> float:
    """Return the factor 1 / deviation by which a reward is multiplied.

    `mean` and `m2` belong to the running *discounted sum* of rewards G <- discount G + r, whose spread is that of
    returns; its mean is estimated too, not taken to be zero. The reward itself is only scaled, never shifted.
    """
    return 1.0 / deviation(count, mean, m2)
