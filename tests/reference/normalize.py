"""Twin of `kernels/normalize.py`: statistics of observations and of returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import spaces, vectors
from .vectors import Array

if TYPE_CHECKING:
    from .agent import ReferenceAgent


def kept(horizon: float, count: float) -> float:
    """1 until there are `horizon` samples, then 1 - 1/horizon."""
    return 1.0 if count < horizon - 0.5 else 1 - 1 / horizon


def welford(keep: float, count: float, mean: Any, m2: Any, sample: Any) -> tuple[Any, Any]:
    """mean' = mean + (x - mean)/n, m2' = keep m2 + (x - mean)(x - mean'), n counting this sample."""
    new = vectors.flushed(vectors.running_mean(1 / count, sample, mean), vectors.FAINT)
    return new, vectors.flushed(keep * m2 + (sample - mean) * (sample - new), vectors.FAINT)


def variance(count: float, m2: Any) -> Any:
    """m2 / (n - 1); 1 before the second sample."""
    return m2 / (count - 1) if count >= 2 else np.ones_like(m2)


def std(count: float, mean: Any, m2: Any) -> Any:
    """sqrt(var + (1e-5 mean)^2 + 1e-30)."""
    return np.sqrt(variance(count, m2) + (1e-5 * mean) ** 2 + 1e-30)


def standardize(count: float, mean: Array, m2: Array, clip: float, sample: Array) -> Array:
    """clip((x - mean) / std, -clip, clip)."""
    return np.clip((sample - mean) / std(count, mean, m2), -clip, clip)


def add_reward(returns: Array, horizon: float, discount: float, reward: float) -> Array:
    """[n, sum G, sum G^2, sum d^(k-t) G_t, sum d^(k-t), sum d^(2(k-t))] with one reward more; d the discount.

    Each sum is over ticks t with weights keep^(k-t).
    """
    returns = kept(horizon, returns[0]) * returns
    count, total, of_squares, held, ones, squares = returns
    ones, squares = 1 + discount * ones, 1 + discount**2 * squares
    total, of_squares = total + reward * ones, of_squares + 2 * reward * discount * held + reward**2 * squares
    sums = vectors.flushed(np.array([total, of_squares, discount * held + reward * squares]), vectors.FAINT)
    return np.array([count + 1, *sums, ones, squares])


def forget_episode(returns: Array) -> Array:
    """The sums of all episodes; those of this one, 0."""
    return np.concatenate([returns[:3], np.zeros(3)])


def moments(returns: Array) -> tuple[float, float]:
    """mean G and sum (G - mean G)^2, of the returns of all ticks."""
    count, total, of_squares = returns[:3]
    return float(total / count), float(max(of_squares - total**2 / count, 0.0))


def reward_scale(returns: Array) -> float:
    """1 / std of G."""
    return float(1 / std(returns[0], *moments(returns)))


def observe(agent: ReferenceAgent, observation: Any, learn: bool) -> Array:
    """The encoded observation, its continuous entries standardized; only learning changes the statistics."""
    arrays, s, c = agent.arrays, agent.scalars, agent.config
    x = spaces.encoded(agent.spaces[0], observation)
    if learn:
        keep = kept(c.statistics_horizon, s["observation_count"])
        s["observation_count"] = keep * s["observation_count"] + 1
        found = welford(keep, s["observation_count"], arrays["observation_mean"], arrays["observation_m2"], x)
        arrays.update(observation_mean=found[0], observation_m2=found[1])
    standard = standardize(
        s["observation_count"], arrays["observation_mean"], arrays["observation_m2"], c.observation_clip, x
    )
    found_x: Array = vectors.flushed(np.where(agent.is_number & c.normalize_observations, standard, x))
    return found_x


def returns_differ(returns: Array) -> bool:
    """Whether var G > (1e-5 mean G)^2 + 1e-30, of two returns or more."""
    if returns[0] < 2:
        return False
    mean, m2 = moments(returns)
    return bool(variance(returns[0], m2) > (1e-5 * mean) ** 2 + 1e-30)


def scale_reward(agent: ReferenceAgent, reward: float) -> tuple[float, float]:
    """r divided by the std of the returns of all ticks, and that std before over that now if it grew."""
    c, arrays = agent.config, agent.arrays
    if not c.normalize_rewards:
        return reward, 1.0
    before = reward_scale(arrays["returns"]) if returns_differ(arrays["returns"]) else None
    arrays["returns"] = add_reward(arrays["returns"], c.statistics_horizon, c.discount, reward)
    now = reward_scale(arrays["returns"])
    return reward * now, 1.0 if before is None else min(now / before, 1.0)
