"""A terminated episode is worth nothing more; a truncated one is worth the value of its last observation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray
from synaptick import Agent, make_env

from ..support.common import SIZE, make_agent, train, values

DISCOUNT = 0.9
# Raw numbers, so that every TD error can be worked out by hand.
RAW = {"normalize_observations": False, "normalize_rewards": False, "discount": DISCOUNT, "connectivity": 1.0}


def inside_an_episode(keep_state: bool, layers: tuple[int, ...]) -> tuple[Agent, NDArray[np.float64]]:
    """Return an agent that has learned for a while and is inside an episode, and an observation to come."""
    agent, rng = make_agent(layers=layers, keep_state=keep_state, **RAW), np.random.default_rng(0)
    agent.start(rng.normal(size=SIZE))
    for _ in range(30):
        agent.step(float(rng.normal()), rng.normal(size=SIZE))
    return agent, rng.normal(size=SIZE)


def value_of(agent: Agent, observation: NDArray[np.float64]) -> float:
    """Return the value of an observation that comes next, and leave the agent as it was."""
    snapshot = agent.snapshot()
    agent.step(0.0, observation, learn=False)
    value = agent.value
    agent.restore(snapshot)
    return value


@pytest.mark.any_arithmetic
@pytest.mark.parametrize("keep_state", [False, True])
@pytest.mark.parametrize("layers", [(8,), (8, 9)])
def test_the_td_errors_of_a_step_and_of_both_ends(keep_state: bool, layers: tuple[int, ...]) -> None:
    agent, observation = inside_an_episode(keep_state, layers)
    before, after, reward = agent.value, value_of(agent, observation), 0.7
    assert min(abs(before), abs(after), abs(before - after)) > 1e-3
    snapshot = agent.snapshot()

    agent.step(reward, observation)
    assert agent.td_error == pytest.approx(reward + DISCOUNT * after - before, abs=1e-6)
    assert agent.value == after

    agent.restore(snapshot)
    agent.end(reward)
    assert agent.td_error == pytest.approx(reward - before, abs=1e-6)

    agent.restore(snapshot)
    agent.end(reward, observation)
    assert agent.td_error == pytest.approx(reward + DISCOUNT * after - before, abs=1e-6)


@pytest.mark.any_arithmetic
@pytest.mark.parametrize("keep_state", [False, True])
def test_both_ends_learn_what_a_step_with_the_same_td_error_learns(keep_state: bool) -> None:
    """Weights depend on the end only through the TD error: a reward in place of the bootstrap is as good."""
    agent, observation = inside_an_episode(keep_state, (8, 9))
    after = value_of(agent, observation)
    snapshot = agent.snapshot()
    found = []
    for reward, last in ((0.7, observation), (0.7 + DISCOUNT * after, None), (0.7, None)):
        agent.restore(snapshot)
        agent.end(reward, last)
        weights = [view.ravel() for name, view in agent.arena.views.items() if name.endswith("/w")]
        found.append(np.concatenate(weights))
    agent.restore(snapshot)
    agent.step(0.7, observation)
    stepped = np.concatenate([view.ravel() for name, view in agent.arena.views.items() if name.endswith("/w")])
    np.testing.assert_allclose(found[0], stepped, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4, atol=1e-6)
    assert np.abs(found[0] - found[2]).max() > 1e-4


@pytest.mark.any_arithmetic
def test_a_discount_of_0_makes_both_ends_the_same() -> None:
    ends = []
    for last in (None, np.ones(SIZE)):
        agent = make_agent(**{**RAW, "discount": 0.0})
        agent.start(np.zeros(SIZE))
        agent.step(0.3, np.ones(SIZE))
        before = agent.value
        agent.end(1.0, last)
        assert agent.td_error == pytest.approx(1.0 - before, abs=1e-6)
        ends.append([view.copy() for name, view in agent.arena.views.items() if name.endswith("/w")])
    for ours, theirs in zip(*ends, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.any_arithmetic
def test_an_abandoned_episode_teaches_nothing() -> None:
    agent, observation = inside_an_episode(False, (8,))
    weights = {name: view.copy() for name, view in agent.arena.views.items() if name.endswith("/w")}
    agent.start(observation)
    for name, before in weights.items():
        np.testing.assert_array_equal(agent.arena.views[name], before)


@pytest.mark.any_arithmetic
def test_a_new_episode_owes_nothing_to_the_one_before() -> None:
    """Agents with equal weights and different pasts have equal neurons and traces once an episode begins."""
    agents = []
    for seed in range(2):
        agent, rng = make_agent(layers=(8, 9), lr_policy=0.0, lr_value=0.0, **RAW), np.random.default_rng(seed)
        agent.start(rng.normal(size=SIZE))
        for _ in range(20):
            agent.step(float(rng.normal()), rng.normal(size=SIZE))
        agent.end(1.0, rng.normal(size=SIZE) if seed else None)
        agent.arena.random[:] = 1, 2, 3, 4
        for name, view in agent.arena.views.items():
            if name.endswith(("psi_mean", "/rate")):
                view[:] = 0.0  # running statistics, which live on
        agent.start(np.ones(SIZE))
        agents.append(agent)
    for name, view in agents[0].arena.views.items():
        if name not in ("spike_rates", "observation_mean", "observation_m2"):
            np.testing.assert_array_equal(agents[1].arena.views[name], view, err_msg=name)


class Terminated(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Calls every end a termination."""

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(action)
        return observation, reward, terminated or truncated, False, info


# Neurons that tell time by what they did before give the observation after the cut, whose value nothing corrects, any
# value that goes on what those before it do.
TIMELESS = {"adaptive_fraction": 0.0, "reset_strength": 0.0}


def learned_value(seed: int, wrap: Callable[[Any], Any]) -> float:
    """Return the mean value of an episode's 10 observations after 8000 steps of reward 1."""
    env = wrap(make_env("synaptick/EndlessReward-v0"))
    return float(np.mean(values(train(env, 8000, seed, **RAW, **TIMELESS), env)[0.0]))


def test_the_value_of_an_endless_reward_counts_what_comes_after_the_cut() -> None:
    endless = 1 / (1 - DISCOUNT)
    assert [learned_value(seed, lambda env: env) for seed in range(5)] == pytest.approx([endless] * 5, rel=0.03)
    # Exact values would have a mean of 4.1; one value for all ten steps, under a bounded step, settles near 8.9.
    assert max(learned_value(seed, Terminated) for seed in range(5)) < 0.93 * endless
