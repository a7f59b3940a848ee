"""Environments so small that the right values and the best policy are known, and an agent that finds them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from synaptick.agent import make_env, run
from synaptick.envs.probes import MatchMemory

from .common import COORDINATE, train, values

SEEDS = range(5)
RAW = {"normalize_observations": False, "normalize_rewards": False}
MEMORYLESS = {"recurrent": False, "tau_min": 0.01, "tau_max": 0.01, "adaptive_fraction": 0.0, "reset_strength": 0.0}
# A larger rate than .002 ends in a cycle around the right value.
RULES: dict[str, dict[str, Any]] = {"bounded": {}, "coordinate": {**COORDINATE, "lr_value": 0.002}}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("probe", "steps", "known"),
    [
        ("ConstantReward", 2000, {0.0: 1.0}),
        ("ObservedReward", 3000, {-1.0: -1.0, 1.0: 1.0}),
        ("DelayedReward", 4000, {0.0: 0.9, 1.0: 1.0}),
    ],
)
def test_known_values_are_learned(probe: str, steps: int, known: dict[float, float], rule: str) -> None:
    for seed in SEEDS:
        env = make_env(f"synaptick/{probe}-v0")
        agent = train(env, steps, seed, discount=0.9, **RAW, **RULES[rule])
        found = values(agent, env)
        assert set(found) == set(known)
        for observation, value in known.items():
            np.testing.assert_allclose(found[observation], value, atol=0.05, err_msg=f"seed {seed}")


def test_an_untrained_agent_knows_no_value() -> None:
    env = make_env("synaptick/ObservedReward-v0")
    found = values(train(env, 1, 0, lr_value=0.0, **RAW), env)
    assert abs(np.mean(found[1.0]) - 1.0) > 0.3
    assert abs(np.mean(found[-1.0]) + 1.0) > 0.3


class Blind(MatchMemory):
    """Shows a cue that has nothing to do with the one that counts."""

    def _first(self) -> float:
        return self._draw_cue()


def returns(env: Any, steps: int, **changes: Any) -> list[float]:
    """Return the mean return of 100 episodes of the learned, sampled policy, for each seed."""
    length = 3 if isinstance(env.unwrapped, MatchMemory) else 1
    found = []
    for seed in SEEDS:
        tally = run(train(env, steps, seed, **changes), env, 100 * length, seed=99, learn=False)
        assert tally.episodes == 100
        found.append(tally.mean_return or 0.0)
    return found


@pytest.mark.parametrize("rule", RULES)
def test_an_action_that_fits_the_observation_is_learned(rule: str) -> None:
    assert min(returns(make_env("synaptick/MatchObservation-v0"), 3000, **RULES[rule])) > 0.9


def test_an_action_that_fits_the_memory_is_learned() -> None:
    found = returns(make_env("synaptick/MatchMemory-v0"), 12000)
    assert np.mean(found) > 0.9
    assert min(found) > 0.6


def test_without_information_nothing_can_be_learned() -> None:
    """Otherwise the tests above would prove nothing: the return of 100 coin flips has a deviation of .1."""
    found = returns(Blind(), 12000)
    assert max(np.abs(found)) < 0.4
    assert abs(np.mean(found)) < 0.2


@pytest.mark.parametrize("layers", [(16,), (16, 16)])
def test_a_memoryless_configuration_cannot_remember(layers: tuple[int, ...]) -> None:
    found = returns(make_env("synaptick/MatchMemory-v0"), 12000, layers=layers, **MEMORYLESS)
    assert max(np.abs(found)) < 0.4
