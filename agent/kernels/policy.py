"""Categorical policy: probabilities, sampling and the gradient of the log-probability."""

from __future__ import annotations

import math

from numpy.typing import NDArray

from .jit import kernel
from .rng import uniform


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
