"""Streams that are unlike the usual ones: endless, of single steps, self-resetting, unpaid, of any scale, wild."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from numpy.typing import NDArray
from synaptick import Agent, make_env, run
from synaptick.kernels import normalize

from ..support.common import SIZE, assert_finite, make_agent, state


class Bandit(gymnasium.Env[Any, int]):
    """Episodes of one step; action 1 pays `pay`, the other nothing."""

    observation_space = spaces.Box(-1.0, 1.0, (1,))
    action_space = spaces.Discrete(2)

    def __init__(self, pay: float = 1.0) -> None:
        self.pay, self.taken = pay, [0, 0]

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        return np.zeros(1, np.float32), {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.taken[action] += 1
        return np.zeros(1, np.float32), self.pay * action, True, False, {}


def agent_for(env: Any, **changes: Any) -> Agent:
    return make_agent(observation=env.observation_space, action=env.action_space, **changes)


# ---- episodes


@pytest.mark.any_arithmetic
def test_an_endless_episode_is_one_episode() -> None:
    env = make_env("Pendulum-v1", {"max_episode_steps": -1}, ["gymnasium.wrappers:FlattenObservation"])
    agent = agent_for(env)
    tally = run(agent, env, 1500, seed=0)
    assert (agent.ticks, agent.episodes, agent.running) == (1500, 1, True)
    assert (tally.steps, tally.episodes, tally.mean_return) == (1500, 0, None)
    assert_finite(agent)


def test_episodes_of_one_step_are_learned_from() -> None:
    env = Bandit()
    agent = agent_for(env)
    tally = run(agent, env, 2000)
    assert (tally.episodes, tally.last_length, agent.episodes) == (2000, 1, 2001)
    env.taken = [0, 0]
    run(agent, env, 500)
    assert env.taken[1] > 400
    assert_finite(agent)


@pytest.mark.any_arithmetic
def test_an_environment_that_resets_itself_is_the_same_stream_with_one_dead_step_an_episode() -> None:
    """After an end, Autoreset ignores one action and returns the first observation of the next episode."""
    env = gymnasium.wrappers.Autoreset(make_env("CartPole-v1"))
    agent = agent_for(env)
    tally = run(agent, env, 1000, seed=0)
    assert agent.ticks == tally.steps == 1000
    assert agent.episodes == tally.episodes + 1 > 5
    assert_finite(agent)


# ---- rewards


@pytest.mark.parametrize("factor", [2.0**20, 2.0**-10, 2.0**-20])
def test_the_scale_of_rewards_does_not_matter(factor: float) -> None:
    """Rewards are divided by the std of their sum; by a power of two, nothing differs."""

    def probabilities(pay: float) -> NDArray[Any]:
        env = Bandit(pay)
        agent = agent_for(env)
        found = []
        for _ in range(300):
            action = agent.start(np.zeros(1))
            found.append(agent.probabilities[1])
            agent.end(env.step(action)[1])
        return np.array(found)

    ours, plain = probabilities(factor), probabilities(1.0)
    assert plain[0] < 0.6
    assert plain[-50:].mean() > 0.9
    np.testing.assert_allclose(ours, plain, atol=0.05)


def scales(episodes: list[list[float]], discount: float, memory: float = 1e6) -> list[float]:
    """Factors on the rewards of these episodes."""
    statistics: NDArray[np.float64] = np.zeros(normalize.RETURNS_SIZE)
    found = []
    for episode in episodes:
        for reward in episode:
            normalize.add_reward(statistics, memory, discount, reward)
            found.append(normalize.reward_scale(statistics))
        normalize.forget_episode(statistics)
    return found


def test_returns_of_long_ago_weigh_less() -> None:
    rng = np.random.default_rng(6)
    memory, discount = 40, 0.9
    episodes = [(3.0 + rng.normal(size=n)).tolist() for n in (25, 30, 60, 45)]
    returns, weights = [], np.zeros(0)
    for episode in episodes:
        returns += [sum(discount ** (k - t) * episode[k] for k in range(t, len(episode))) for t in range(len(episode))]
        for _ in episode:
            weights = np.append(weights * (1.0 if len(weights) < memory else 1 - 1 / memory), 1.0)
    assert weights[0] < 0.1
    mean = np.average(returns, weights=weights)
    m2 = np.sum(weights * (np.array(returns) - mean) ** 2)
    expected = 1 / math.hypot(math.sqrt(m2 / (weights.sum() - 1)), 1e-5 * mean)
    np.testing.assert_allclose(scales(episodes, discount, memory)[-1], expected, rtol=1e-9)


def test_statistics_of_observations_follow_a_world_that_changes() -> None:
    found = {}
    for memory in (100, 10**6):
        agent = make_agent(statistics_horizon=memory)
        rng = np.random.default_rng(0)
        agent.start(rng.normal(size=agent.observation.size))
        for tick in range(3000):
            agent.step(0.0, rng.normal(size=agent.observation.size) * (1.0 if tick < 2000 else 0.1) + (tick >= 2000))
        views, count = agent.arena.views, agent.arena.running.observation_count
        found[memory] = views["observation_mean"].mean(), np.sqrt(views["observation_m2"] / (count - 1)).mean(), count
    assert found[100][2] == pytest.approx(100)
    assert found[100][:2] == pytest.approx((1.0, 0.1), rel=0.1)
    assert found[10**6][2] == 3001
    assert found[10**6][0] == pytest.approx(1 / 3, abs=0.03)


@pytest.mark.parametrize("discount", [0.0, 0.9, 0.99, 1.0])
@pytest.mark.parametrize("offset", [0.0, -3.0, 1e4])
def test_rewards_are_divided_by_the_std_of_the_returns_of_all_ticks(discount: float, offset: float) -> None:
    rng = np.random.default_rng(5)
    episodes = [(offset + rng.normal(size=n)).tolist() for n in (1, 7, 30, 2)]
    for count in range(1, len(episodes) + 1):
        past = episodes[:count]
        returns = [
            sum(discount ** (k - t) * episode[k] for k in range(t, len(episode)))
            for episode in past
            for t in range(len(episode))
        ]
        std = np.std(returns, ddof=1) if len(returns) > 1 else 1.0
        expected = 1 / math.hypot(std, 1e-5 * np.mean(returns))
        assert scales(past, discount)[-1] == pytest.approx(expected, rel=1e-6)


def test_a_reward_at_the_end_of_a_long_episode_is_not_blown_up() -> None:
    """The std of a discounted sum that runs forward would be 1/sqrt(101) here: 0 on 100 of 101 ticks."""
    episodes = [[0.0] * 100 + [reward] for reward in (1.0, -1.0) * 50]
    assert scales(episodes, 1.0)[-1] == pytest.approx(1.0, rel=1e-3)


def test_without_any_reward_nothing_breaks() -> None:
    agent, rng = make_agent(), np.random.default_rng(0)
    weights = agent.arena.views["actor/0/w"].copy()
    agent.start(np.zeros(SIZE))
    actions = [agent.step(0.0, row) for row in rng.normal(size=(20_000, SIZE))]
    assert_finite(agent)
    assert abs(agent.value) < 10
    assert np.abs(agent.arena.views["actor/0/w"] - weights).max() < 10
    assert np.bincount(actions).min() > 200  # no action has died out
    agent.step(1.0, np.zeros(SIZE))  # and the first reward is no shock
    assert abs(agent.td_error) < 1e3
    assert_finite(agent)


# ---- observations

WILD: dict[str, Callable[[np.random.Generator], NDArray[Any]]] = {
    "constant": lambda rng: np.full((2000, SIZE), 3.7),
    "huge": lambda rng: 1e15 * rng.normal(size=(2000, SIZE)),
    "offset": lambda rng: 1e4 + rng.normal(size=(2000, SIZE)),
    # Varies by less than 1e-5 of its mean: taken for rounding.
    "far": lambda rng: 1e15 + rng.normal(size=(2000, SIZE)),
    "tiny": lambda rng: 1e-12 * rng.normal(size=(2000, SIZE)),
    "denormal": lambda rng: 1e-310 * rng.normal(size=(2000, SIZE)),
    "cauchy": lambda rng: rng.standard_cauchy((2000, SIZE)),
    "one outlier": lambda rng: np.where(np.arange(2000)[:, None] == 700, 1e15, rng.normal(size=(2000, SIZE))),
}


@pytest.mark.any_arithmetic
@pytest.mark.parametrize("kind", WILD)
def test_wild_observations_reach_the_network_bounded(kind: str) -> None:
    agent, rng = make_agent(), np.random.default_rng(0)
    rows = WILD[kind](rng)
    agent.start(rows[0])
    largest = 0.0
    for row, reward in zip(rows[1:], rng.normal(size=len(rows)), strict=False):
        agent.step(reward, row)
        largest = max(largest, float(np.abs(agent.arena.views["input"]).max()))
    assert largest <= agent.config.observation_clip
    assert kind in ("constant", "denormal", "far") or largest > 0.5  # the bound is met by numbers that say something
    assert_finite(agent)


@pytest.mark.any_arithmetic
def test_a_stream_of_any_kind_repeats_itself() -> None:
    ends = []
    for _ in range(2):
        env = Bandit()
        agent = agent_for(env)
        run(agent, env, 300, seed=4)
        ends.append(state(agent))
    assert ends[0] == ends[1]


# ---- a new unit


def unit(agent: Agent) -> float:
    """Return the std of returns, in which values are measured."""
    return 1.0 / normalize.reward_scale(agent.arena.views["returns"])


def test_values_mean_the_same_when_their_unit_grows() -> None:
    """Rewards of any size; nothing is learned, so that the readout times its unit stays as it was, or the readout."""
    agent, rng = make_agent(lr_policy=0.0, lr_value=0.0), np.random.default_rng(0)
    w = agent.arena.views["critic/w"]
    agent.start(rng.normal(size=SIZE))
    first = w.copy()
    for reward in (*[0.0] * 10, 1.0):  # returns without a difference are no unit
        agent.step(reward, rng.normal(size=SIZE))
    np.testing.assert_array_equal(w, first)
    grown, shrunk, least = 0, 0, unit(agent)
    for power in (0, 3, 0, -3, 6):
        for _ in range(50):
            before, readout = unit(agent), w.copy()
            agent.step(10.0**power * float(rng.normal()), rng.normal(size=SIZE))
            factor = min(before / unit(agent), 1.0)
            np.testing.assert_allclose(w, factor * readout, rtol=1e-6)
            grown, shrunk = grown + (factor < 1), shrunk + (factor == 1)
    assert min(grown, shrunk) > 20
    assert unit(agent) > 1e4 * least


@pytest.mark.parametrize("horizon", [50.0, 1e12])
def test_long_silence_after_rewards_stays_finite(horizon: float) -> None:
    """The unit shrinks without end where statistics forget; values that followed it would grow as much."""
    agent, rng = make_agent(statistics_horizon=horizon), np.random.default_rng(0)
    agent.start(rng.normal(size=SIZE))
    for tick in range(20_000):
        agent.step(float(rng.normal()) if tick < 200 else 0.0, rng.normal(size=SIZE))
        if tick % 100 == 0:
            assert_finite(agent)
    assert np.abs(agent.arena.views["critic/w"]).max() < 100
