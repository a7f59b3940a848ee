"""Environments so small that the right values and the best policy are known, and an agent that finds them."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from gymnasium import Env, spaces
from synaptick import make_env, run
from synaptick.envs.tasks.probes import MatchMemory

from ..support.common import tiers, train, values

SEEDS = range(5)
RAW = {"normalize_observations": False, "normalize_rewards": False}
MEMORYLESS = {"recurrent": False, "tau_min": 0.01, "tau_max": 0.01, "adaptive_fraction": 0.0, "reset_strength": 0.0}


@pytest.mark.parametrize(
    ("probe", "steps", "known"),
    [
        ("ConstantReward", 2000, {0.0: 1.0}),
        ("ObservedReward", 3000, {-1.0: -1.0, 1.0: 1.0}),
        ("DelayedReward", 4000, {0.0: 0.9, 1.0: 1.0}),
    ],
)
def test_known_values_are_learned(probe: str, steps: int, known: dict[float, float]) -> None:
    for seed in SEEDS:
        env = make_env(f"synaptick/{probe}-v0")
        agent = train(env, steps, seed, discount=0.9, **RAW)
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


def test_an_action_that_fits_the_observation_is_learned() -> None:
    assert min(returns(make_env("synaptick/MatchObservation-v0"), 3000)) > 0.9


def test_an_action_that_fits_the_memory_is_learned() -> None:
    found = returns(make_env("synaptick/MatchMemory-v0"), 12000)
    assert np.mean(found) > 0.9
    assert min(found) > 0.6


def test_without_information_nothing_can_be_learned() -> None:
    """Otherwise the tests above would prove nothing: the return of 100 coin flips has a std of .1."""
    found = returns(Blind(), 12000)
    assert max(np.abs(found)) < 0.4
    assert abs(np.mean(found)) < 0.2


@pytest.mark.parametrize("layers", [(16,), (16, 16)])
def test_a_memoryless_configuration_cannot_remember(layers: tuple[int, ...]) -> None:
    found = returns(make_env("synaptick/MatchMemory-v0"), 12000, layers=layers, **MEMORYLESS)
    assert max(np.abs(found)) < 0.4


# ---- controls, and several choices


def drawn(agent: Any, env: Any, episodes: int = 200) -> tuple[dict[float, np.ndarray], float]:
    """Return the mean action at each observation and the mean return of the learned, sampled policy."""
    found, returns = defaultdict(list), []
    env.reset(seed=99)
    for _ in range(episodes):
        observation, _ = env.reset()
        action = agent.start(observation, learn=False)
        found[float(observation[0])].append(action)
        _, reward, *_ = env.step(action)
        agent.end(reward, learn=False)
        returns.append(float(reward))
    return {observation: np.mean(actions, axis=0) for observation, actions in found.items()}, float(np.mean(returns))


STDS: dict[str, dict[str, Any]] = {"state": {}, "free": {"std": "free", "kappa_policy": 2.0}}


@pytest.mark.parametrize("std", STDS)
def test_a_control_that_fits_the_observation_is_learned(std: str) -> None:
    """The best is .4 times the observation; at first the policy is as wide as half the range, and a std that does not
    depend on it is still wide when the mean has come to a bound in larger steps.
    """
    env = make_env("synaptick/AimAtObservation-v0")
    for seed in SEEDS:
        agent = train(env, 5000, seed, **STDS[std])
        actions, mean_return = drawn(agent, env)
        for observation, action in actions.items():
            assert action[0] == pytest.approx(0.4 * observation, abs=0.2), seed
        assert mean_return > -0.1, seed
        assert agent.arena.views["stds"].max() < 0.5, seed


def test_an_untrained_control_fits_nothing() -> None:
    env = make_env("synaptick/AimAtObservation-v0")
    _, mean_return = drawn(train(env, 1, 0, lr_policy=0.0), env)
    assert mean_return < -0.3


@pytest.mark.parametrize("std", STDS)
def test_controls_come_to_rest_on_their_bounds(std: str) -> None:
    env = make_env("synaptick/AimAtBound-v0")
    for seed in SEEDS:
        actions, mean_return = drawn(train(env, 3000, seed, **STDS[std]), env)
        assert mean_return > 1.9, seed
        np.testing.assert_allclose(actions[0.0], [1.0, -1.0], atol=0.05)


class Aim(Env[np.ndarray, np.ndarray]):
    """One step, the observation is -1 or 1, the action a number from -1 to 2; reward -(action - gain observation)^2."""

    observation_space = spaces.Box(-1.0, 1.0, (1,))
    action_space = spaces.Box(-1.0, 2.0, (1,))

    def __init__(self, gain: float) -> None:
        self.gain, self.cue = gain, 0.0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.cue = float(self.np_random.integers(2) * 2 - 1)
        return np.array([self.cue], np.float32), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        return np.zeros(1, np.float32), -((float(action[0]) - self.gain * self.cue) ** 2), True, False, {}


@pytest.mark.parametrize("gain", [*(pytest.param(gain, marks=pytest.mark.slow) for gain in (0.8, 1.6)), 3.0])
@pytest.mark.parametrize("std", tiers(STDS, ["state"]))
def test_targets_close_to_bounds_and_past_them_are_no_trap(std: str, gain: float) -> None:
    """Within the bounds, past one of them, and past both; the best constant action loses .64, 1.7 and 2.25."""
    for seed in SEEDS:
        env = Aim(gain)
        env.reset(seed=seed)
        actions, mean_return = drawn(train(env, 10_000, seed, **STDS[std]), env)
        best = {cue: float(np.clip(gain * cue, -1.0, 2.0)) for cue in (-1.0, 1.0)}
        lost = -np.mean([(action - gain * cue) ** 2 for cue, action in best.items()]) - mean_return
        assert lost < 0.15, seed
        for cue, action in best.items():
            assert actions[cue][0] == pytest.approx(action, abs=0.4), seed


def test_choices_that_each_fit_the_observation_are_learned() -> None:
    env = make_env("synaptick/MatchEach-v0")
    for seed in SEEDS:
        actions, mean_return = drawn(train(env, 5000, seed), env)
        assert mean_return > 0.9, seed
        np.testing.assert_allclose(actions[-1.0], [0.0, 2.0], atol=0.2)
        np.testing.assert_allclose(actions[1.0], [1.0, 0.0], atol=0.2)
