"""Slow, readable twin of what the actor draws: random numbers, categories and clipped Gaussian controls, in float64.

A control with bounds l and h is u = mean + std n, n standard normal, clipped to them, so that each bound carries
the mass beyond it:

    log pi = -n^2/2 - log(std) - log(2 pi)/2            l <= u <= h
    log pi = log(1 - Phi(b)), b = (h - mean)/std        u > h
    log pi = log(1 - Phi(b)), b = (mean - l)/std        u < l

Outputs beyond their range act, and have the gradient, as if they were on its bound.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

Array = NDArray[np.float64]

# The logarithm of a std, in units of the initial one, stays in between.
LOG_STD = (-4.0, 1.0)
# Share of what an output is beyond its range that is taken back in a tick.
HOLD_RATE = 0.1
# How many stds beyond a bound a mean may lie.
REACH = 3


# ---- random numbers


def next_uint32(words: list[int]) -> int:
    """xoshiro128++: result = rotl(s0 + s3, 7) + s0 mod 2^32; the four words are advanced in place."""
    s0, s1, s2, s3 = words
    total, last = (s0 + s3) % 2**32, s1 ^ s3
    words[:] = s0 ^ s1 ^ s3, s0 ^ s1 ^ s2, s0 ^ s2 ^ ((s1 << 9) % 2**32), ((last << 11) | (last >> 21)) % 2**32
    return (((total << 7) | (total >> 25)) + s0) % 2**32


def uniform(words: list[int]) -> float:
    """(a 2^26 + b) / 2^53, a the upper 27 bits of one draw, b the upper 26 bits of the next."""
    a, b = next_uint32(words) >> 5, next_uint32(words) >> 6
    return (a * 2**26 + b) / 2**53


def normal(words: list[int]) -> float:
    """Polar method: a point of the unit disc, at (x, y), s = x^2 + y^2, gives x sqrt(-2 ln(s)/s)."""
    x, y = (2 * uniform(words) - 1 for _ in range(2))
    s = x**2 + y**2
    return x * math.sqrt(-2 * math.log(s) / s) if 0 < s < 1 else normal(words)


# ---- categories


def softmax(preferences: Array) -> Array:
    """pi_k = exp p_k / sum exp p."""
    return np.exp(preferences - preferences.max()) / np.exp(preferences - preferences.max()).sum()


def log_probability_gradient(probabilities: Array, action: int) -> Array:
    """d log pi(action) / d p_k = 1[k = action] - pi_k."""
    return np.eye(probabilities.size)[action] - probabilities


def sample(probabilities: Array, words: list[int]) -> int:
    """The first k with u < pi_0 + ... + pi_k, u uniform; the last possible k if rounding leaves none."""
    k = int(np.searchsorted(np.cumsum(probabilities), uniform(words), side="right"))
    return min(k, int(np.flatnonzero(probabilities)[-1]))


# ---- controls


def std_of(initial: float, output: float) -> float:
    """initial exp(output), the output clipped to -4 .. 1."""
    return initial * math.exp(np.clip(output, *LOG_STD))


def mean_of(output: float, std: float, low: float, high: float) -> float:
    """The output, but at most 3 stds beyond a bound."""
    return float(np.clip(output, low - REACH * std, high + REACH * std))


def next_noise(slow: float, correlation: float, share: float, words: list[int]) -> tuple[float, float]:
    """s' = correlation s + sqrt(1 - correlation^2) xi and n = sqrt(share) s' + sqrt(1 - share) xi'; xi comes first."""
    slow = correlation * slow + math.sqrt(1 - correlation**2) * normal(words)
    return slow, math.sqrt(share) * slow + math.sqrt(1 - share) * normal(words)


def tail(b: float) -> float:
    """1 - Phi(b)."""
    return math.erfc(b / math.sqrt(2)) / 2


def log_tail(b: float) -> float:
    """log(1 - Phi(b)), for b below 37; if that is near 0, from the other tail."""
    return math.log1p(-tail(-b)) if b < 0 else math.log(tail(b))


def hazard(b: float) -> float:
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
        return side * hazard(b) if side else (u - self.mean) / self.std

    def std_gradient(self, u: float) -> float:
        """d log pi / d log std: n^2 - 1; beyond a bound, b hazard(b)."""
        b, side = self.beyond(u)
        return b * hazard(b) if side else ((u - self.mean) / self.std) ** 2 - 1


# ---- spaces


class Parts(NamedTuple):
    """What an action consists of: categories of each factor; center, scale, low and high of each control, (4, n)."""

    choices: tuple[int, ...]
    controls: Array

    @property
    def offsets(self) -> NDArray[np.int_]:
        """First preference of each factor, then the first mean."""
        return np.cumsum([0, *self.choices])


def leaves_of(space: Any) -> Iterator[Any]:
    """Elementary spaces, in their order."""
    if isinstance(space, spaces.Dict | spaces.Tuple):
        for part in space.values() if isinstance(space, spaces.Dict) else space:
            yield from leaves_of(part)
    else:
        yield space


def control(low: float, high: float) -> tuple[float, float, float, float]:
    """Center, scale and bounds of what is drawn: 0 is the middle between two bounds, 1 away from the only one, or 0."""
    below, above = math.isfinite(low), math.isfinite(high)
    if below and above:
        return (low + high) / 2, (high - low) / 2, -1.0, 1.0
    if below:
        return low + 1, 1.0, -1.0, math.inf
    return (high - 1 if above else 0.0), 1.0, -math.inf, 1.0 if above else math.inf


def parts_of(space: Any) -> Parts:
    """The factors and controls of an action space."""
    choices: list[int] = []
    controls: list[tuple[float, ...]] = []
    for leaf in leaves_of(space):
        if isinstance(leaf, spaces.Discrete):
            choices.append(int(leaf.n))
        elif isinstance(leaf, spaces.Box):
            controls += [control(*map(float, pair)) for pair in zip(leaf.low.flat, leaf.high.flat, strict=True)]
        else:
            choices += [2] * leaf.n if isinstance(leaf, spaces.MultiBinary) else leaf.nvec.ravel().tolist()
    return Parts(tuple(choices), np.array(controls).reshape(-1, 4).T)


def encoded(space: Any, observation: Any) -> Array:
    """Numbers as they are, integers with their bounds brought to 0 and 1; categories as one-hot vectors."""
    if isinstance(space, spaces.Dict | spaces.Tuple):
        keys = space if isinstance(space, spaces.Dict) else range(len(space))
        return np.concatenate([encoded(space[key], observation[key]) for key in keys])
    x = np.ravel(observation).astype(float)
    if isinstance(space, spaces.Discrete | spaces.MultiDiscrete):
        counts = np.ravel(space.n if isinstance(space, spaces.Discrete) else space.nvec)
        index = (x - np.ravel(space.start)).astype(int)
        return np.concatenate([np.eye(n)[k] for k, n in zip(index, counts, strict=True)])
    if isinstance(space, spaces.Box) and space.dtype.kind in "iu":
        low, high = space.low.ravel().astype(float), space.high.ravel().astype(float)
        return (x - low) / (high - low)
    return x


def is_number(space: Any) -> NDArray[np.bool_]:
    """Which entries of an encoded observation are continuous: those of Boxes."""
    return np.concatenate([np.full(spaces.flatdim(leaf), isinstance(leaf, spaces.Box)) for leaf in leaves_of(space)])


# ---- the actor's outputs


class Draw(NamedTuple):
    """One action: indices, then values of controls; what it was drawn from; gradient of log pi, on its own scale."""

    action: Array
    probabilities: Array
    noise: Array
    slow_noise: Array
    stds: Array
    log_probability: float
    gradient: Array


def gaussians(output: Array, parts: Parts, initial_std: float) -> list[Clipped]:
    """The policy of each control, by its two outputs, behind the preferences: all means, then all stds."""
    means, exponents = np.split(output[parts.offsets[-1] :], 2)
    found = []
    for mean, exponent, low, high in zip(means, exponents, *parts.controls[2:], strict=True):
        std = std_of(initial_std, exponent)
        found.append(Clipped(mean_of(mean, std, low, high), std, low, high))
    return found


def sample_action(output: Array, parts: Parts, slow: Array, correlation: float, config: Any, words: list[int]) -> Draw:
    """Outputs are preferences, means, logarithms of stds; all factors are drawn first, then all controls."""
    preferences = np.split(output, parts.offsets[1:])[:-1]
    probabilities = [softmax(part) for part in preferences]
    indices = [sample(part, words) for part in probabilities]
    noises = [next_noise(s, correlation, config.correlated_noise_fraction, words) for s in slow]
    slow, noise = np.array(noises).reshape(-1, 2).T
    policies = gaussians(output, parts, config.initial_std)
    u = np.array([policy.mean + policy.std * n for policy, n in zip(policies, noise, strict=True)])
    center, scale, low, high = parts.controls
    pairs = list(zip(policies, u, strict=True))
    return Draw(
        np.concatenate([indices, center + scale * np.clip(u, low, high)]),
        np.concatenate([*probabilities, []]),
        noise,
        slow,
        np.array([policy.std for policy in policies]),
        sum(math.log(part[index]) for part, index in zip(probabilities, indices, strict=True))
        + sum(policy.log_probability(drawn) for policy, drawn in pairs),
        np.concatenate(
            [
                *(log_probability_gradient(part, index) for part, index in zip(probabilities, indices, strict=True)),
                [policy.mean_gradient(drawn) for policy, drawn in pairs],
                [config.std_lr_scale * policy.std_gradient(drawn) for policy, drawn in pairs],
            ]
        ),
    )


def excess(output: Array, parts: Parts, config: Any) -> Array:
    """What each output is beyond its range; a preference's ends log(min_probability_ratio) below the largest one."""
    means = [policy.mean for policy in gaussians(output, parts, config.initial_std)]
    exponents = np.clip(output[output.size - len(means) :], *LOG_STD)
    lowest = np.log(config.min_probability_ratio) if config.min_probability_ratio else -np.inf
    factors = [output[begin:end] for begin, end in pairwise(parts.offsets)]
    kept = [np.maximum(factor, factor.max() + lowest) for factor in factors]
    return output - np.concatenate([*kept, means, exponents])


def apart(output: Array, parts: Parts) -> Array:
    """How far each preference is from the mean of its factor; 0 for means and stds."""
    found = np.zeros_like(output)
    for begin, end in pairwise(parts.offsets):
        found[begin:end] = output[begin:end] - output[begin:end].mean()
    return found


def hold_change(change: Array, seen: Array) -> Array:
    """change_k z / |z|^2, the change of weights that changes output k by so much; z (K, F), a row an output."""
    return change[:, None] * seen / (seen**2).sum(axis=1, keepdims=True)


def action_scale(parts: Parts, stds: Array) -> float:
    """Mean of the stds of all controls and of a 1 for each factor."""
    return float(np.mean([1.0] * len(parts.choices) + list(stds)))
