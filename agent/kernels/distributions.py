"""Policies: a categorical distribution for each discrete factor of an action, a clipped Gaussian for each control.

A control is drawn as ``u = mean + std n`` and clipped to its bounds, so that the bounds carry the mass beyond
them. Both gradients are those of the logarithm of this clipped distribution (Fujita and Maeda 2018, arXiv 1802.07564),
on a natural scale: ``std d log pi / d mean`` and ``d log pi / d log std``, which stay of order 1 however
narrow the policy becomes.
"""

from __future__ import annotations

import math

from numpy.typing import NDArray

from .base.jit import kernel
from .base.rng import uniform

HALF_LOG_2PI = 0.9189385332046727
INVERSE_SQRT_2PI = 0.3989422804014327
INVERSE_SQRT_2 = 0.7071067811865476
# Bounds on the logarithm of the std, in units of the initial one.
LOG_STD_LOW, LOG_STD_HIGH = -4.0, 1.0
# From here on a continued fraction is closer than the polynomial.
FAR_TAIL = 2.0


@kernel
def softmax(preferences: NDArray, probabilities: NDArray) -> None:
    """Write ``pi_k = exp(p_k - max p) / sum exp(p - max p)`` to `probabilities`, (K,) float64, in place."""
    largest = preferences[0]
    for k in range(preferences.shape[0]):
        largest = max(largest, preferences[k])
    total = 0.0
    for k in range(preferences.shape[0]):
        probabilities[k] = math.exp(preferences[k] - largest)
        total += probabilities[k]
    for k in range(preferences.shape[0]):
        probabilities[k] /= total


@kernel
def sample(probabilities: NDArray, words: NDArray) -> int:
    """Draw an index by inverting the cumulative sum; `words` is the random state, advanced in place."""
    threshold = uniform(words)
    total = 0.0
    last = 0
    for k in range(probabilities.shape[0]):
        total += probabilities[k]
        if probabilities[k] > 0.0:
            last = k
            if threshold < total:
                return k
    return last


@kernel
def log_probability_gradient(probabilities: NDArray, action: int, out: NDArray) -> None:
    """Write ``d log pi(action) / dp_k = 1[k = action] - pi_k`` to `out`, (K,) float32, in place."""
    for k in range(probabilities.shape[0]):
        out[k] = -probabilities[k]
    out[action] += 1.0


@kernel
def _far_tail_hazard(b: float) -> float:
    fraction = b
    for k in range(24, 0, -1):
        fraction = b + k / fraction
    return fraction


@kernel
def _tail_series(b: float) -> float:
    """Return ``2 (1 - Phi(|b|)) exp(b^2 / 2)``."""
    t = 1.0 / (1.0 + 0.3275911 * INVERSE_SQRT_2 * abs(b))
    return t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))


@kernel
def tail_hazard(b: float) -> float:
    """Return ``phi(b) / (1 - Phi(b))``, density over upper tail of a standard normal, to 1e-5, b any finite number.

    Only exp is used, so that the same lines run where there is no erfc: a polynomial for erfc (Abramowitz and Stegun
    1964, 7.1.26), and Laplace's continued fraction in the far tail.
    """
    if b > FAR_TAIL:
        return _far_tail_hazard(b)
    if b >= 0.0:
        return 2.0 * INVERSE_SQRT_2PI / _tail_series(b)
    falling = math.exp(-0.5 * b * b)
    return INVERSE_SQRT_2PI * falling / (1.0 - 0.5 * _tail_series(b) * falling)


@kernel
def log_tail(b: float) -> float:
    """Return ``log(1 - Phi(b))``, as `tail_hazard` approximates it, finite for any finite b."""
    if b >= 0.0:
        return -0.5 * b * b - HALF_LOG_2PI - math.log(tail_hazard(b))
    return math.log(1.0 - 0.5 * _tail_series(b) * math.exp(-0.5 * b * b))


@kernel
def side_beyond(drawn: float, low: float, high: float) -> float:
    """Return 1 for a draw above `high`, -1 for one below `low`, 0 for one that is not clipped."""
    if drawn > high:
        return 1.0
    return -1.0 if drawn < low else 0.0


@kernel
def distance_beyond(side: float, mean: float, std: float, low: float, high: float) -> float:
    """Return how many stds out from the mean the bound on that side lies, negative if the mean is beyond it."""
    return (high - mean) / std if side > 0.0 else (mean - low) / std


@kernel
def control_log_probability(noise: float, mean: float, std: float, low: float, high: float) -> float:
    """Return log pi of a control: the density of its draw, or, if it was clipped, the mass at the bound."""
    side = side_beyond(mean + std * noise, low, high)
    if side == 0.0:
        return -0.5 * noise * noise - HALF_LOG_2PI - math.log(std)
    return log_tail(distance_beyond(side, mean, std, low, high))


@kernel
def control_gradient(noise: float, mean: float, std: float, low: float, high: float, out: NDArray) -> None:
    """Write ``std d log pi / d mean`` and ``d log pi / d log std`` to `out`, (2,) float64, in place.

    ::

        n,   n^2 - 1                        within the bounds
        side h(b),   b h(b)                 clipped to the bound b stds out on that side, h the hazard
    """
    side = side_beyond(mean + std * noise, low, high)
    if side == 0.0:
        out[0], out[1] = noise, noise * noise - 1.0
    else:
        b = distance_beyond(side, mean, std, low, high)
        hazard = tail_hazard(b)
        out[0], out[1] = side * hazard, b * hazard
