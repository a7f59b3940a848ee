"""Twin of `kernels/tick.py`: the order of what happens in a step of the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import clearing, forward, learn, normalize, policy, vectors
from .vectors import Array, Arrays

if TYPE_CHECKING:
    from .agent import ReferenceAgent

HUGE = 1e18
ACTING, FOLLOWING = 1, 2
DRAWN = ("action", "probabilities", "noise", "slow_noise", "stds")


def tick(
    agent: ReferenceAgent,
    reward: float | None,
    observation: Any,
    learning: bool,
    discount: float,
    last: bool = False,
    given: Array | None = None,
) -> Array:
    """Values in the new unit; delta = r + discount value - value_tm1; then action; then learning.

    With an action that is `given`, and at the end after one, the actor is pushed by 1 instead of delta, but not at the
    begin of an episode.
    """
    c, s, arrays = agent.config, agent.scalars, agent.arrays
    agent.imitates = given is not None or (last and s["stale"] == FOLLOWING)
    agent.push = float(reward is not None)
    if learning and s["stale"] != FOLLOWING * agent.imitates:
        clearing.clear_traces(agent)
    value, delta = 0.0, 0.0
    s["reward_sum"] += np.clip(reward or 0.0, -HUGE, HUGE)
    gradients: Arrays = ()
    if observation is not None:
        x = normalize.observe(agent, observation, learning)
        for net in ("actor", "critic"):
            forward.forward(agent, net, x, learning)
        value = float(arrays["critic/output"][0])
    if learning and reward is not None:
        reward, factor = normalize.scale_reward(agent, reward)
        value, s["value_tm1"] = factor * value, factor * s["value_tm1"]
        arrays["critic/w"] = factor * arrays["critic/w"]
        reward -= c.entropy_bonus * s["log_probability_tm1"]
        before = s["delta"]
        s["delta"] = delta = float(vectors.flushed(reward + discount * value - s["value_tm1"]))
        sums = {"error_sum": abs(delta), "error_squares": delta**2, "error_products": delta * before}
        s.update({name: s[name] + new for name, new in sums.items()})
    if not last:
        # No reward: an episode begins, with noise that knows nothing of the last one.
        correlation = c.noise_correlation if reward is not None else 0.0
        drawn = policy.sample_action(
            arrays["actor/output"], agent.parts, arrays["slow_noise"], correlation, c, agent.words, given
        )
        arrays.update({name: getattr(drawn, name) for name in DRAWN})
        gradients = drawn.gradient, np.ones(1)
        s["value_tm1"], s["log_probability_tm1"] = value, drawn.log_probability
    elif observation is not None and c.keep_state:
        gradients = np.zeros(arrays["actor/output"].size), np.zeros(1)  # credit and traces live on; nothing new
    s["stale"] = float(FOLLOWING * agent.imitates if learning else ACTING)
    if learning:
        learn.learn(agent, delta, gradients)
        if not last and c.lr_policy > 0:
            policy.restrain_outputs(agent)
    if last:
        arrays["returns"] = normalize.forget_episode(arrays["returns"])
    found: Array = arrays["action"]
    return found
