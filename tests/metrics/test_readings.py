"""A row of metrics: means since the row before, worked out here once more from every step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from synaptick.metrics import Readings

from ..support.common import SIZE, make_agent

PAIR = spaces.Dict({"go": spaces.Discrete(3), "turn": spaces.Box(-1.0, 1.0, (2,))})


@pytest.mark.parametrize(
    "action", [spaces.Discrete(3), spaces.Box(-1.0, 1.0, (2,)), PAIR], ids=["index", "box", "both"]
)
def test_a_row_has_the_means_since_the_last_one(action: Any) -> None:
    agent, rng = make_agent(layers=(9, 8), memory=6, action=action), np.random.default_rng(0)
    agent.start(rng.normal(size=SIZE))
    readings = Readings(agent)
    for stretch in (1, 40, 7):
        rewards, errors = [], [agent.td_error]
        for _ in range(stretch):
            rewards.append(float(rng.normal()))
            agent.step(rewards[-1], rng.normal(size=SIZE))
            errors.append(agent.td_error)
        row = readings.read(2.0 * agent.ticks, 5, 1.5, 12.0, (3.0, 9.0))
        assert tuple(row) == readings.columns
        new = np.array(errors[1:])
        expected = {
            "step": agent.ticks,
            "episodes": 5,
            "mean_return": 1.5,
            "reward_rate": np.mean(rewards),
            "td_error": np.abs(new).mean(),
            "td_error_correlation": (new * np.array(errors[:-1])).sum() / (new**2).sum(),
            "value": agent.value,
            "ticks_per_second": 0.5,
            "tick_us_p99": 9.0,
            "state_bytes": agent.nbytes,
            "actor/0/retention": agent.arena.views["actor/0/keep"].mean(),
            "critic/2/spike_rate": agent.spike_rates["critic"][2],
        }
        for name, value in expected.items():
            assert row[name] == pytest.approx(value, rel=1e-9), name
        chances = agent.arena.views["probabilities"]
        entropy = -(chances * np.log(chances)).sum() if chances.size else None
        assert row["entropy"] == (None if entropy is None else pytest.approx(entropy))
        assert (row["std"] is None) == (agent.arena.views["stds"].size == 0)
        z = agent.arena.views["critic/1/z"]
        assert row["critic/1/payload"] == (pytest.approx(z[z > 0].mean()) if z.any() else None)


def test_the_slow_mean_of_the_reward_follows_slowly() -> None:
    agent = make_agent(layers=(8,), memory=0)
    agent.start(np.zeros(SIZE))
    readings, seen = Readings(agent), []
    for reward in (1.0, 1.0, 0.0, 0.0):
        for _ in range(10):
            agent.step(reward, np.zeros(SIZE))
        seen.append(readings.read(0.0)["reward_rate_slow"])
    assert seen == pytest.approx([1.0, 1.0, 0.9, 0.81])


def test_without_a_step_there_is_no_mean() -> None:
    agent = make_agent(layers=(8,), memory=0)
    row = Readings(agent).read(1.0)
    assert row["reward_rate"] is row["td_error"] is row["td_error_correlation"] is None
    assert row["step"] == 0
    assert agent.arena.running.reward_sum == 0.0
