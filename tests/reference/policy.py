"""Twin of `kernels/policy.py`: what the actor draws.

Outputs beyond their range act, and have the gradient, as if they were on its bound.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import distributions, rng
from .distributions import Clipped
from .spaces import Parts
from .vectors import Array

if TYPE_CHECKING:
    from .agent import ReferenceAgent

# Share of what an output is beyond its range that is taken back in a tick.
RESTRAIN_RATE = 0.1
# Std of the policy in which what somebody else does is likely or not.
NARROW = 0.02
# How many stds beyond a bound a mean may lie.
REACH = 3


def std_of(initial: float, output: float) -> float:
    """initial exp(output), the output clipped to -4 .. 1."""
    return initial * math.exp(np.clip(output, *distributions.LOG_STD))


def mean_of(output: float, std: float, low: float, high: float) -> float:
    """The output, but at most 3 stds beyond a bound."""
    return float(np.clip(output, low - REACH * std, high + REACH * std))


def next_noise(slow: float, correlation: float, share: float, words: list[int]) -> tuple[float, float]:
    """s' = correlation s + sqrt(1 - correlation^2) xi and n = sqrt(share) s' + sqrt(1 - share) xi'; xi comes first."""
    slow = correlation * slow + math.sqrt(1 - correlation**2) * rng.normal(words)
    return slow, math.sqrt(share) * slow + math.sqrt(1 - share) * rng.normal(words)


class Draw(NamedTuple):
    """One action: indices, then values of controls; what it was drawn from; gradient of log pi, on its own scale."""

    action: Array
    probabilities: Array
    noise: Array
    slow_noise: Array
    stds: Array
    log_probability: float
    gradient: Array


def control(mean: float, exponent: float, low: float, high: float, initial_std: float) -> Clipped:
    """The Gaussian of one control, by its two outputs."""
    std = std_of(initial_std, exponent)
    return distributions.Clipped(mean_of(mean, std, low, high), std, low, high)


def gaussians(output: Array, parts: Parts, initial_std: float) -> list[Clipped]:
    """Those of all controls: behind the preferences come all means, then all stds."""
    means, exponents = np.split(output[parts.offsets[-1] :], 2)
    pairs = zip(means, exponents, *parts.controls[2:], strict=True)
    return [control(*given, initial_std) for given in pairs]


def taken_noise(policy: Clipped, taken: float) -> float:
    """Narrow stds from the mean to what somebody else does instead, within the bounds; more than 3 count as 3."""
    return float(np.clip((np.clip(taken, policy.low, policy.high) - policy.mean) / NARROW, -REACH, REACH))


def take(probabilities: list[Array], policies: list[Clipped], parts: Parts, slow: Array, given: Array) -> Draw:
    """What somebody else does in the place of a draw: 1 - pi for their categories, n for means, nothing for stds."""
    center, scale = parts.controls[:2]
    n = len(parts.choices)
    pairs = list(zip(probabilities, given[:n].astype(int), strict=True))
    noise = np.array([taken_noise(*pair) for pair in zip(policies, (given[n:] - center) / scale, strict=True)])
    gradients = [distributions.log_probability_gradient(*pair) for pair in pairs]
    return Draw(
        given,
        np.concatenate([*probabilities, []]),
        noise,
        slow,
        np.full(noise.size, NARROW),
        0.0,
        np.concatenate([*gradients, noise, np.zeros(noise.size)]),
    )


def sample_action(
    output: Array,
    parts: Parts,
    slow: Array,
    correlation: float,
    config: Any,
    words: list[int],
    given: Array | None = None,
) -> Draw:
    """Outputs are preferences, means, logarithms of stds; all factors are drawn first, then all controls.

    Unless the action is `given`: then nothing is drawn, and its log-probability counts as 0.
    """
    preferences = np.split(output, parts.offsets[1:])[:-1]
    probabilities = [distributions.softmax(part) for part in preferences]
    policies = gaussians(output, parts, config.initial_std)
    center, scale, low, high = parts.controls
    if given is not None:
        return take(probabilities, policies, parts, slow, given)
    indices = [distributions.sample(part, words) for part in probabilities]
    noises = [next_noise(s, correlation, config.correlated_noise_fraction, words) for s in slow]
    slow, noise = np.array(noises).reshape(-1, 2).T
    u = np.array([policy.mean + policy.std * n for policy, n in zip(policies, noise, strict=True)])
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
                *(
                    distributions.log_probability_gradient(part, index)
                    for part, index in zip(probabilities, indices, strict=True)
                ),
                [policy.mean_gradient(drawn) for policy, drawn in pairs],
                [config.std_lr_scale * policy.std_gradient(drawn) for policy, drawn in pairs],
            ]
        ),
    )


def excess(output: Array, parts: Parts, config: Any) -> Array:
    """What each output is beyond its range; a preference's ends log(min_probability_ratio) below the largest one."""
    means = [policy.mean for policy in gaussians(output, parts, config.initial_std)]
    exponents = np.clip(output[output.size - len(means) :], *distributions.LOG_STD)
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


def move_output(change: Array, seen: Array) -> Array:
    """change_k z / |z|^2, the change of weights that changes output k by so much; z (K, F), a row an output."""
    return change[:, None] * seen / (seen**2).sum(axis=1, keepdims=True)


def keep_free(agent: ReferenceAgent, rows: Array) -> None:
    """Leave nothing but the bias, which is behind the spikes, to free stds; `rows`: one an output."""
    if agent.config.std == "free":
        rows[len(rows) - agent.parts.controls.shape[1] :, : agent.bias] = 0.0


def restrain_outputs(agent: ReferenceAgent) -> None:
    """Readout rows of outputs beyond their range move back, preferences fade; feedback does not follow."""
    arrays, c = agent.arrays, agent.config
    found = arrays["actor/output"]
    change = -RESTRAIN_RATE * excess(found, agent.parts, c) - c.preference_decay * apart(found, agent.parts)
    seen = np.tile(arrays["actor/features"], (change.size, 1))
    keep_free(agent, seen)
    arrays["actor/w"] = arrays["actor/w"] + move_output(change, seen)


def action_scale(parts: Parts, stds: Array) -> float:
    """Mean of the stds of all controls and of a 1 for each factor."""
    return float(np.mean([1.0] * len(parts.choices) + list(stds)))
