"""Twin of `kernels/distributions.py`: categories and clipped Gaussian controls.

A control with bounds l and h is u = mean + std n, n standard normal, clipped to them, so that each bound carries
the mass beyond it:

    log pi = -n^2/2 - log(std) - log(2 pi)/2            l <= u <= h
    log pi = log(1 - Phi(b)), b = (h - mean)/std        u > h
    log pi = log(1 - Phi(b)), b = (mean - l)/std        u < l
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from . import rng
from .vectors import Array

# The logarithm of a std, in units of the initial one, stays in between.
LOG_STD = (-4.0, 1.0)


def softmax(preferences: Array) -> Array:
    """pi_k = exp p_k / sum exp p."""
    return np.exp(preferences - preferences.max()) / np.exp(preferences - preferences.max()).sum()


def log_probability_gradient(probabilities: Array, action: int) -> Array:
    """d log pi(action) / d p_k = 1[k = action] - pi_k."""
    return np.eye(probabilities.size)[action] - probabilities


def sample(probabilities: Array, words: list[int]) -> int:
    """The first k with u < pi_0 + ... + pi_k, u uniform; the last possible k if rounding leaves none."""
    k = int(np.searchsorted(np.cumsum(probabilities), rng.uniform(words), side="right"))
    return min(k, int(np.flatnonzero(probabilities)[-1]))


def tail(b: float) -> float:
    """1 - Phi(b)."""
    return math.erfc(b / math.sqrt(2)) / 2


def log_tail(b: float) -> float:
    """log(1 - Phi(b)), for b below 37; if that is near 0, from the other tail."""
    return math.log1p(-tail(-b)) if b < 0 else math.log(tail(b))


def tail_hazard(b: float) -> float:
    """phi(b) / (1 - Phi(b)), for b below 37, where the tail is still a number."""
    return math.exp(-(b**2) / 2) / math.sqrt(2 * math.pi) / tail(b)


class Clipped(NamedTuple):
    """The Gaussian of one control."""

    mean: float
    std: float
    low: float
    high: float

    def beyond(self, u: float) -> tuple[float, int]:
        """b and the side (-1, 1) of the bound that u lies beyond; side 0 if it lies between them."""
        if u > self.high:
            return (self.high - self.mean) / self.std, 1
        if u < self.low:
            return (self.mean - self.low) / self.std, -1
        return math.nan, 0

    def log_probability(self, u: float) -> float:
        """Log of the density of u, or of the mass at the bound that it lies beyond."""
        b, side = self.beyond(u)
        if side:
            return log_tail(b)
        n = (u - self.mean) / self.std
        return -(n**2) / 2 - math.log(self.std) - math.log(2 * math.pi) / 2

    def mean_gradient(self, u: float) -> float:
        """Std d log pi / d mean: n = (u - mean)/std; beyond a bound, its hazard towards that side."""
        b, side = self.beyond(u)
        return side * tail_hazard(b) if side else (u - self.mean) / self.std

    def std_gradient(self, u: float) -> float:
        """d log pi / d log std: n^2 - 1; beyond a bound, b hazard(b)."""
        b, side = self.beyond(u)
        return b * tail_hazard(b) if side else ((u - self.mean) / self.std) ** 2 - 1
