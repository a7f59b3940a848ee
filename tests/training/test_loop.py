"""The loop between agent and environment: which call follows which step, and the counts it keeps."""

from __future__ import annotations

import inspect
import json
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from synaptick import EnvError, PhaseError, Tally, make_env, run
from synaptick.training.hooks import Functions

from ..support.common import make_agent, state

Ends = list[tuple[bool, bool]]


class Script(gymnasium.Env[int, int]):
    """Observation and reward are the number of the step; episodes end as told, in (terminated, truncated)."""

    observation_space = spaces.Discrete(1000)
    action_space = spaces.Discrete(1000)

    def __init__(self, ends: dict[int, tuple[bool, bool]]):
        self.ends, self.time, self.log = ends, 0, []  # type: ignore[var-annotated]

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        self.log.append(("reset", seed))
        return self.time, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        self.time += 1
        self.log.append(("step", action))
        terminated, truncated = self.ends.get(self.time, (False, False))
        return self.time, float(self.time), terminated, truncated, {}


class Recorder:
    """Stands in for an agent, writes down its calls and acts with the number of the call."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def start(self, observation: Any, learn: bool = True) -> int:
        self.calls.append(("start", observation, learn))
        return len(self.calls)

    def step(self, reward: float, observation: Any, learn: bool = True) -> int:
        self.calls.append(("step", reward, observation, learn))
        return len(self.calls)

    def end(self, reward: float, observation: Any = None, learn: bool = True) -> None:
        self.calls.append(("end", reward, observation, learn))


def watch(ends: dict[int, tuple[bool, bool]], steps: int, **options: Any) -> tuple[list[Any], list[Any], Tally]:
    agent, env = Recorder(), Script(ends)
    tally = run(agent, env, steps, **options)  # type: ignore[arg-type]
    return agent.calls, env.log, tally


@pytest.mark.parametrize("learn", [True, False])
def test_each_step_and_each_kind_of_end_makes_its_call(learn: bool) -> None:
    ends = {2: (True, False), 4: (False, True), 6: (True, True)}
    calls, log, tally = watch(ends, 7, seed=11, learn=learn)
    assert calls == [
        ("start", 0, learn),
        ("step", 1.0, 1, learn),
        ("end", 2.0, None, learn),  # terminated: nothing to bootstrap from
        ("start", 2, learn),
        ("step", 3.0, 3, learn),
        ("end", 4.0, 4, learn),  # truncated: the last observation
        ("start", 4, learn),
        ("step", 5.0, 5, learn),
        ("end", 6.0, None, learn),  # both: termination decides
        ("start", 6, learn),
        ("step", 7.0, 7, learn),
    ]
    assert [entry for entry in log if entry[0] == "reset"] == [("reset", 11), *[("reset", None)] * 3]
    assert [action for kind, action in log if kind == "step"] == [1, 2, 4, 5, 7, 8, 10]
    assert (tally.steps, tally.episodes, tally.last_return, tally.last_length) == (7, 3, 11.0, 2)


def test_an_end_at_the_last_step_is_learned_and_the_next_episode_begun() -> None:
    calls, _, tally = watch({3: (True, False)}, 3)
    assert [call[0] for call in calls] == ["start", "step", "step", "end", "start"]
    assert tally.episodes == 1


def test_no_steps_take_none() -> None:
    calls, _, tally = watch({}, 0)
    assert [call[0] for call in calls] == ["start"]
    assert (tally.steps, tally.mean_return) == (0, None)


def test_it_tells_of_steps_and_episodes_and_goes_on_from_given_counts() -> None:
    steps: list[int] = []
    episodes: list[tuple[int, int, float]] = []
    tally = Tally(steps=100, episodes=7)
    _, _, returned = watch(
        {2: (True, False), 5: (False, True)},
        6,
        tally=tally,
        hooks=[
            Functions(
                on_step=lambda counts: steps.append(counts.steps),
                on_episode=lambda counts: episodes.append((counts.steps, counts.episodes, counts.last_return)),
            )
        ],
    )
    assert returned is tally
    assert steps == [101, 102, 103, 104, 105, 106]
    assert episodes == [(102, 8, 3.0), (105, 9, 12.0)]


def test_an_episode_left_open_is_no_part_of_the_next_one() -> None:
    tally = Tally()
    watch({}, 3, tally=tally)
    watch({2: (True, False)}, 2, tally=tally)
    assert (tally.steps, tally.episodes, tally.last_return, tally.last_length) == (5, 1, 3.0, 2)


def test_what_a_function_raises_comes_out() -> None:
    with pytest.raises(ZeroDivisionError):
        watch({}, 5, hooks=[Functions(on_step=lambda counts: 1 // (3 - counts.steps))])


def test_it_goes_on_in_the_middle_of_an_episode() -> None:
    env = make_env("CartPole-v1")
    agent = make_agent(observation=env.observation_space, action=env.action_space)
    pieces = Tally()
    run(agent, env, 7, seed=1, tally=pieces)
    for steps in (0, 1, 2, 190):
        run(agent, env, steps, resume=True, tally=pieces)
    other = make_agent(observation=env.observation_space, action=env.action_space)
    whole = run(other, env, 200, seed=1)
    assert state(agent) == state(other)
    assert pieces.to_dict() == whole.to_dict()


def test_a_vector_environment_is_refused() -> None:
    env, agent = gymnasium.make_vec("CartPole-v1", num_envs=2), make_agent()
    before = state(agent)
    with pytest.raises(EnvError, match=r"runs 2 environments; one agent is one stream: make each with gymnasium.make"):
        run(agent, env, 10)
    assert state(agent) == before
    env.close()


@pytest.mark.any_arithmetic
def test_a_real_agent_in_a_real_environment_repeats_itself() -> None:
    ends = []
    for seed in (1, 1, 2):
        env = make_env("CartPole-v1")
        agent = make_agent(observation=env.observation_space, action=env.action_space)
        tally = run(agent, env, 400, seed=seed)
        assert agent.ticks == tally.steps == 400
        assert agent.episodes == tally.episodes + 1
        ends.append(state(agent))
    assert ends[0] == ends[1] != ends[2]


def test_learning_off_leaves_the_weights_and_the_agent_may_be_stopped_anywhere() -> None:
    env = make_env("CartPole-v1")
    agent = make_agent(observation=env.observation_space, action=env.action_space)
    weights = agent.arena.views["actor/0/w"].copy()
    run(agent, env, 200, seed=1, learn=False)
    np.testing.assert_array_equal(agent.arena.views["actor/0/w"], weights)
    run(agent, env, 200, seed=1)
    assert (agent.arena.views["actor/0/w"] != weights).any()
    agent.end(0.0)
    with pytest.raises(PhaseError):
        agent.end(0.0)


def test_it_is_short_enough_to_print() -> None:
    assert len(inspect.getsource(run).splitlines()) < 70


# ---- counts


@given(st.lists(st.lists(st.integers(-9, 9), min_size=1, max_size=4), max_size=120))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_the_mean_is_that_of_the_last_100_returns(episodes: list[list[int]]) -> None:
    tally = Tally()
    for rewards in episodes:
        for reward in rewards:
            tally.add(reward)
        tally.close()
    returns = [sum(rewards) for rewards in episodes]
    assert tally.steps == sum(map(len, episodes))
    assert tally.episodes == len(episodes)
    if not episodes:
        assert tally.mean_return is None
    else:
        assert tally.mean_return == pytest.approx(np.mean(returns[-100:]))
        assert (tally.last_return, tally.last_length) == (returns[-1], len(episodes[-1]))


def test_the_mean_forgets_the_hundred_and_first() -> None:
    tally = Tally()
    for number in range(250):
        tally.add(float(number**2))
        tally.close()
        recent = [k**2 for k in range(max(0, number - 99), number + 1)]
        assert tally.mean_return == pytest.approx(sum(recent) / len(recent))


def test_counts_go_on_after_they_were_written_down() -> None:
    tally = Tally()
    for number in range(333):
        tally.add(0.1 * number)
        if number % 3 == 0:
            tally.close()
    back = Tally.from_dict(json.loads(json.dumps(tally.to_dict())))
    for each in (tally, back):
        each.add(0.7)
        each.close()
    assert back.to_dict() == tally.to_dict()
    assert back.mean_return == tally.mean_return
    with pytest.raises(KeyError):
        Tally.from_dict({"steps": 1})


def test_counts_take_the_same_memory_forever() -> None:
    def size(tally: Tally) -> int:
        return sum(np.asarray(value).nbytes for value in vars(tally).values())

    tally = Tally()
    before = size(tally)
    for number in range(5000):
        tally.add(1.0)
        if number % 7 == 0:
            tally.close()
    assert size(tally) == before
    assert all(not isinstance(value, list | dict | set) for value in vars(tally).values())
