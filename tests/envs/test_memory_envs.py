"""Memory tasks: what is shown when, what the best policy gets, and what one without memory cannot get."""

from __future__ import annotations

import itertools
import math
import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from synaptick import EnvError, make_env
from synaptick.envs import (
    AnnouncedCue,
    Copy,
    DelayedMatch,
    EvidenceAccumulation,
    FirstCue,
    MemoryChain,
    TMaze,
    Toggle,
    TraceConditioning,
)
from synaptick.envs.arguments import check_action
from synaptick.envs.tasks.cues import add_noise, gaussian, noisy_box

SIZES: list[tuple[Any, dict[str, Any]]] = [
    (MemoryChain, {}),
    (MemoryChain, {"length": 1}),
    (MemoryChain, {"length": 300, "time_shown": False}),
    (MemoryChain, {"length": 3, "time_shown": False, "noise_channels": 2}),
    (TMaze, {}),
    (TMaze, {"length": 1, "max_steps": 2}),
    (TMaze, {"length": 7, "right": 4, "wrong": -0.1, "idle": -0.1, "back": 0}),
    (EvidenceAccumulation, {}),
    (EvidenceAccumulation, {"cues": 1, "tick_ms": 50, "spacing_ms": 0, "delay_ms": 0, "decision_ms": 50}),
    (EvidenceAccumulation, {"tick_ms": 25, "delay_ms": [50, 100], "noise_channels": 3}),
    (TraceConditioning, {}),
    (TraceConditioning, {"gap": 0, "wait": 1, "cue_length": 1, "discount": 0.0}),
    (TraceConditioning, {"gap": [3, 9], "reward_length": 2, "discount": 0.9, "distractors": 4}),
    (DelayedMatch, {}),
    (DelayedMatch, {"symbols": 2, "delay": 0}),
    (DelayedMatch, {"symbols": 30, "delay": 100}),
    (Copy, {}),
    (Copy, {"symbols": 2, "length": 1, "delay": 0}),
    (Copy, {"symbols": 9, "length": 20, "delay": 3}),
    (FirstCue, {}),
    (FirstCue, {"least": 1, "most": 1, "gap": 1}),
    (FirstCue, {"least": 2, "most": 9, "gap": 30, "noise_channels": 3}),
    (AnnouncedCue, {}),
    (AnnouncedCue, {"cues": 2, "lead": 1, "pause": 2, "delay": 0}),
    (AnnouncedCue, {"cues": 9, "lead": [3, 20], "pause": [21, 40], "noise_channels": 3}),
    (Toggle, {}),
    (Toggle, {"most": 1, "gap": 1}),
    (Toggle, {"most": 15, "gap": 30, "noise_channels": 3}),
]
TASKS = [
    MemoryChain,
    TMaze,
    EvidenceAccumulation,
    TraceConditioning,
    DelayedMatch,
    Copy,
    FirstCue,
    AnnouncedCue,
    Toggle,
]
Policy = Callable[[list[np.ndarray]], int]


def env_id(task: Any) -> str:
    return f"synaptick/{task.__name__}-v0"


def episode(env: Any, policy: Policy, seed: int | None = None) -> tuple[np.ndarray, list[float], bool]:
    """Return the observations, the one after the end too, the rewards, and whether the end was a truncation."""
    observation, _ = env.reset(seed=seed)
    seen, rewards, terminated, truncated = [observation], [], False, False
    while not (terminated or truncated):
        observation, reward, terminated, truncated, _ = env.step(policy(seen))
        assert observation in env.observation_space
        assert observation.dtype == np.float32
        seen.append(observation)
        rewards.append(reward)
    assert not (terminated and truncated)
    return np.array(seen), rewards, truncated


def name_cue(seen: list[np.ndarray]) -> int:
    return int(seen[0][1 + len(seen[0]) % 2] > 0)  # an even number of noise channels here


def compare(seen: list[np.ndarray]) -> int:
    return int(seen[0][:-1].argmax() != seen[-1][:-1].argmax())


def more_on_the_right(seen: list[np.ndarray]) -> int:
    left, right, _ = np.sum(seen, axis=0)[:3]
    return int(right > left)


def reproduce(seen: list[np.ndarray]) -> int:
    asked = int(sum(observation[-1] for observation in seen))
    return int(seen[max(asked - 1, 0)][:-1].argmax())


def walk_and_turn(seen: list[np.ndarray]) -> int:
    """0 north, 1 east, 2 south."""
    if seen[-1].tolist() == [0, 1, 0]:
        return 0 if seen[0].tolist() == [0, 1, 1] else 2
    return 1


def name_first(seen: list[np.ndarray]) -> int:
    return int(next((observation[0] for observation in seen if observation[0]), 0) > 0)


def name_announced(seen: list[np.ndarray]) -> int:
    rows = iter(seen)
    return int(any(observation[1] for observation in rows) and name_first(list(rows)))


def count_parity(seen: list[np.ndarray]) -> int:
    return int(sum(observation[0] for observation in seen)) % 2


ORACLES: dict[Any, Policy] = {
    MemoryChain: name_cue,
    TMaze: walk_and_turn,
    EvidenceAccumulation: more_on_the_right,
    DelayedMatch: compare,
    Copy: reproduce,
    FirstCue: name_first,
    AnnouncedCue: name_announced,
    Toggle: count_parity,
}
EPISODIC = [(task, kwargs) for task, kwargs in SIZES if task in ORACLES]


# ---- all


@pytest.mark.parametrize(("task", "kwargs"), SIZES)
def test_the_strict_checker_finds_nothing(task: Any, kwargs: dict[str, Any]) -> None:
    check_env(make_env(env_id(task), kwargs).unwrapped, skip_render_check=True)


@pytest.mark.parametrize("task", TASKS)
def test_the_seed_decides_everything(task: Any) -> None:
    def stream(seed: int) -> list[Any]:
        env, rng = task(), np.random.default_rng(0)
        observation, info = env.reset(seed=seed)
        met: list[Any] = [observation.tolist(), info]
        for _ in range(500):
            observation, *rest = env.step(rng.integers(env.action_space.n))
            met += [observation.tolist(), *rest]
            if rest[1] or rest[2]:
                met.append(env.reset()[0].tolist())
        return met

    assert stream(3) == stream(3) != stream(4)


@pytest.mark.parametrize("task", TASKS)
def test_observations_are_handed_out_for_good(task: Any) -> None:
    """What is done to one, or later, does not change another."""
    env = task()
    seen = [env.reset(seed=0)[0]] + [env.step(0)[0] for _ in range(10)]
    copies = [observation.copy() for observation in seen]
    for observation, _ in zip(seen, copies, strict=True):
        observation += 7
    again = [env.reset(seed=0)[0]] + [env.step(0)[0] for _ in range(10)]
    np.testing.assert_array_equal(again, copies)
    np.testing.assert_array_equal(seen, np.add(copies, 7))


@pytest.mark.parametrize("task", TASKS)
def test_an_observation_does_not_keep_the_episode_in_memory(task: Any) -> None:
    env = task()
    for observation in (env.reset(seed=0)[0], env.step(0)[0]):
        assert observation.base is None


def test_an_action_is_not_searched_for_among_those_allowed() -> None:
    """`numpy.int64 in range(n)` compares with every number: here that would take an hour."""
    check_action(np.int64(10**12 - 1), range(10**12))
    with pytest.raises(ValueError, match="allowed: 0 to 999999999999"):
        check_action(np.int64(10**12), range(10**12))


@pytest.mark.filterwarnings("ignore:.*that is not in the possible render_modes:UserWarning")
@pytest.mark.parametrize("name", sorted(key for key in gymnasium.registry if key.startswith("synaptick/")))
def test_a_render_mode_may_be_none_and_others_are_refused(name: str) -> None:
    assert gymnasium.make(name, render_mode=None).render_mode is None
    if not name.startswith(("synaptick/CartPole", "synaptick/Pendulum")):  # which can be drawn
        with pytest.raises(ValueError, match=r"^render_mode: got 'human'; allowed: only None, since nothing can be"):
            gymnasium.make(name, render_mode="human")


@pytest.mark.parametrize("kind", [list, tuple, np.array, lambda ends: range(3, 10, 6)])
def test_a_range_may_be_any_sequence_of_two(kind: Any) -> None:
    assert TraceConditioning(gap=kind([3, 9])).gap == (3, 9)
    assert EvidenceAccumulation(tick_ms=1, spacing_ms=50, delay_ms=kind([3, 9])).delay_ms == (3, 9)


@pytest.mark.parametrize(
    "gap", [np.array([9, 3]), np.array([3.0, 9.0]), np.array([[3, 9]]), np.array([3]), np.array([False, True])]
)
def test_an_array_that_is_no_range_is_refused(gap: Any) -> None:
    with pytest.raises(
        ValueError, match=r"gap: got array\(.*; allowed: a whole number from 0 to 10000, or two in order"
    ):
        TraceConditioning(gap=gap)


@pytest.mark.parametrize(("task", "kwargs"), EPISODIC)
def test_an_oracle_gets_the_best_return(task: Any, kwargs: dict[str, Any]) -> None:
    env = task(**kwargs)
    env.reset(seed=1)
    best = kwargs.get("right", 1.0)
    returns = [sum(episode(env, ORACLES[task])[1]) for _ in range(60)]
    np.testing.assert_allclose(returns, best, rtol=1e-12)


@pytest.mark.parametrize("task", [MemoryChain, EvidenceAccumulation, DelayedMatch, FirstCue, AnnouncedCue, Toggle])
def test_its_opposite_gets_the_worst(task: Any) -> None:
    env = task()
    env.reset(seed=1)
    assert {sum(episode(env, lambda seen: 1 - ORACLES[task](seen))[1]) for _ in range(60)} == {-1.0}


def best_return(task: Any, kwargs: dict[str, Any], key: Callable[[list[np.ndarray]], bytes], episodes: int) -> float:
    """Return what the best fixed policy that goes by `key` gets in these episodes; what is done changes no observation.

    By running every episode with each action throughout, and adding up what it brought where `key` was the same.
    """
    env = task(**kwargs)
    brought: dict[bytes, np.ndarray] = defaultdict(lambda: np.zeros(env.action_space.n))
    for action in range(env.action_space.n):
        for seed in range(episodes):
            seen, rewards, _ = episode(env, lambda _, action=action: action, seed)
            for tick, reward in enumerate(rewards):
                if reward:
                    brought[key(seen[: tick + 1])][action] += reward
    return sum(float(gains.max()) for gains in brought.values()) / episodes


@pytest.mark.parametrize(
    ("task", "kwargs", "chance"),
    [
        (MemoryChain, {"length": 3}, 0.0),
        (MemoryChain, {"length": 3, "time_shown": False}, 0.0),
        (EvidenceAccumulation, {"cues": 3, "tick_ms": 50, "delay_ms": [50, 150]}, 0.0),
        (DelayedMatch, {"symbols": 3, "delay": 2}, 0.0),
        (Copy, {"symbols": 3, "length": 2, "delay": 1}, 2 / 3 - 1),
        (Copy, {"symbols": 2, "length": 3, "delay": 0}, 0.0),
        (FirstCue, {"most": 4, "gap": 2}, 0.0),
        (AnnouncedCue, {"cues": 2, "lead": 1, "pause": 3, "delay": 1}, 0.0),
        (Toggle, {"most": 3, "gap": 2}, 0.0),
    ],
)
def test_no_memoryless_policy_beats_chance(task: Any, kwargs: dict[str, Any], chance: float) -> None:
    """The best of all policies that go by the last observation, in hindsight; the past makes the difference."""
    episodes = 1500
    # Chosen in hindsight, hence above chance by some 1/sqrt(episodes), and more for several observations.
    assert best_return(task, kwargs, lambda seen: seen[-1].tobytes(), episodes) < chance + 4.5 / math.sqrt(episodes)
    assert best_return(task, kwargs, lambda seen: np.array(seen).tobytes(), 200) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("task", "kwargs"),
    [
        *(
            (task, {})
            for task in (MemoryChain, EvidenceAccumulation, DelayedMatch, FirstCue, AnnouncedCue, Toggle, Copy)
        ),
        (Copy, {"length": 9}),
    ],
)
def test_only_the_last_actions_are_judged(task: Any, kwargs: dict[str, Any]) -> None:
    env, rng = task(**kwargs), np.random.default_rng(0)
    env.reset(seed=2)
    count = env.length if task is Copy else 1
    for _ in range(30):
        seen, quiet, _ = episode(env, lambda _: int(rng.integers(env.action_space.n)))
        assert [bool(reward) for reward in quiet] == [False] * (len(quiet) - count) + [True] * count
        np.testing.assert_allclose(np.abs(quiet[-count:]), 1 / count)
        assert not seen[-1].any()


@pytest.mark.parametrize("task", TASKS)
def test_misuse_is_refused(task: Any) -> None:
    env = task()
    last = int(env.action_space.n) - 1
    with pytest.raises(ResetNeeded, match=r"call reset\(\)"):
        env.step(0)
    env.reset()
    allowed = {0: "only 0", 1: "0 or 1"}.get(last, f"0 to {last}")
    for action in (last + 1, -1, 0.5, np.int64(last + 1), np.array([0]), np.zeros((2, 2)), "0", None, 2**70):
        with pytest.raises(ValueError, match=re.escape(f"action: got {action!r}; allowed: {allowed}")):
            env.step(action)
    for action in (last, np.int64(last), np.uint8(last), np.array(last)):
        env.reset()
        env.step(action)
    if task in ORACLES:
        episode(env, ORACLES[task])
        with pytest.raises(ResetNeeded, match=r"call reset\(\)"):
            env.step(0)


@pytest.mark.parametrize(
    ("task", "kwargs", "said"),
    [
        (MemoryChain, {"length": 0}, "length: got 0; allowed: a whole number from 1 to 100000"),
        (MemoryChain, {"length": 16.5}, "length: got 16.5; allowed: a whole number"),
        (MemoryChain, {"time_shown": 1}, "time_shown: got 1; allowed: true or false"),
        (TMaze, {"length": True}, "length: got True; allowed: a whole number from 1"),
        (TMaze, {"right": math.inf}, "right: got inf; allowed: a number from"),
        (TMaze, {"wrong": "bad"}, "wrong: got 'bad'; allowed: a number"),
        (TMaze, {"idle": None}, "idle: got None; allowed: a number"),
        (TMaze, {"back": math.nan}, "back: got nan; allowed: a number"),
        (TMaze, {"length": 9, "max_steps": 9}, "max_steps: got 9; allowed: a whole number from 10"),
        (EvidenceAccumulation, {"cues": 4}, "cues: got 4; allowed: an odd number from 1 to 101"),
        (EvidenceAccumulation, {"cues": 0}, "cues: got 0; allowed: a whole number from 1"),
        (EvidenceAccumulation, {"tick_ms": 0}, "tick_ms: got 0; allowed: a whole number from 1"),
        (EvidenceAccumulation, {"tick_ms": 20}, "spacing_ms: got 50; allowed: a multiple of tick_ms, which is 20"),
        (EvidenceAccumulation, {"cue_ms": 5}, "cue_ms: got 5; allowed: a multiple of tick_ms"),
        (EvidenceAccumulation, {"cue_ms": 0}, "cue_ms: got 0; allowed: a whole number from 1"),
        (EvidenceAccumulation, {"delay_ms": [30, 20]}, r"delay_ms: got \[30, 20\]; .* two in order, \[least, greatest"),
        (
            EvidenceAccumulation,
            {"delay_ms": [30]},
            r"delay_ms: got \[30\]; allowed: a whole number from 0 to 10000, or",
        ),
        (EvidenceAccumulation, {"delay_ms": "30"}, "delay_ms: got '30'; allowed: a whole number from 0"),
        (EvidenceAccumulation, {"delay_ms": [30, 45]}, "delay_ms: got 45; allowed: a multiple of tick_ms"),
        (EvidenceAccumulation, {"decision_ms": 0}, "decision_ms: got 0; allowed: a whole number from 1"),
        (EvidenceAccumulation, {"cue_chance": 0.3}, "cue_chance: got 0.3; allowed: a number from 0.5 to 1"),
        (EvidenceAccumulation, {"noise_channels": -1}, "noise_channels: got -1; allowed: a whole number from 0"),
        (EvidenceAccumulation, {"noise": -1}, "noise: got -1; allowed: a number from 0 to 1000"),
        (TraceConditioning, {"gap": -1}, "gap: got -1; allowed: a whole number from 0 to 10000, or two"),
        (TraceConditioning, {"gap": [1, 2, 3]}, r"gap: got \[1, 2, 3\]; allowed: a whole number from 0"),
        (TraceConditioning, {"reward_length": 5, "wait": 4}, "wait: got 4; allowed: a whole number from 5"),
        (TraceConditioning, {"cue_length": 0}, "cue_length: got 0; allowed: a whole number from 1"),
        (TraceConditioning, {"discount": 1}, "discount: got 1; allowed: a number from 0 to 0.9999"),
        (TraceConditioning, {"distractors": 101}, "distractors: got 101; allowed: a whole number from 0 to 100"),
        (DelayedMatch, {"symbols": 1}, "symbols: got 1; allowed: a whole number from 2 to 1000"),
        (DelayedMatch, {"delay": -1}, "delay: got -1; allowed: a whole number from 0"),
        (Copy, {"symbols": 1}, "symbols: got 1; allowed: a whole number from 2"),
        (Copy, {"length": 0}, "length: got 0; allowed: a whole number from 1"),
        (Copy, {"delay": None}, "delay: got None; allowed: a whole number from 0"),
        (FirstCue, {"least": 0}, "least: got 0; allowed: a whole number from 1 to 1000"),
        (FirstCue, {"least": 4, "most": 3}, "most: got 3; allowed: a whole number from 4 to 1000"),
        (FirstCue, {"gap": 0}, "gap: got 0; allowed: a whole number from 1 to 10000"),
        (FirstCue, {"noise_channels": -1}, "noise_channels: got -1; allowed: a whole number from 0"),
        (FirstCue, {"noise": -1}, "noise: got -1; allowed: a number from 0 to 1000"),
        (AnnouncedCue, {"cues": 1}, "cues: got 1; allowed: a whole number from 2 to 1000"),
        (AnnouncedCue, {"lead": 0}, "lead: got 0; allowed: a whole number from 1 to 10000, or two in order"),
        (
            AnnouncedCue,
            {"lead": [3, 9], "pause": [9, 20]},
            r"pause: got \[9, 20\]; allowed: more than the greatest lead, 9",
        ),
        (AnnouncedCue, {"delay": -1}, "delay: got -1; allowed: a whole number from 0"),
        (Toggle, {"most": 0}, "most: got 0; allowed: a whole number from 1 to 999"),
        (Toggle, {"most": 4}, "most: got 4; allowed: an odd number from 1 to 999"),
        (Toggle, {"gap": 1.5}, "gap: got 1.5; allowed: a whole number from 1"),
        (Toggle, {"noise_channels": 10_001}, "noise_channels: got 10001; allowed: a whole number from 0 to 10000"),
        (Toggle, {"noise": 1001}, "noise: got 1001; allowed: a number from 0 to 1000"),
    ],
)
def test_bad_arguments_are_refused_with_what_is_allowed(task: Any, kwargs: dict[str, Any], said: str) -> None:
    with pytest.raises(EnvError, match=said):
        make_env(env_id(task), kwargs)


# ---- MemoryChain


@pytest.mark.parametrize("length", [1, 2, 16])
def test_a_chain_is_that_of_bsuite_with_the_cue_shown_once(length: int) -> None:
    """bsuite counts its second observation as the first: the time left there is 1 twice."""
    env = MemoryChain(length)
    env.reset(seed=0)
    cues = set()
    for _ in range(20):
        seen, rewards, _ = episode(env, name_cue)
        cue = seen[0, 2]
        cues.add(float(cue))
        counted = [1 - k / length for k in range(length + 1)]
        rows = [(1.0, 0.0, cue)] + [(left, float(k == length - 1), 0.0) for k, left in enumerate(counted)]
        np.testing.assert_allclose(seen, rows, atol=1e-7)
        assert rewards == [0.0] * length + [1.0]
        assert len(rewards) == length + 1
    assert cues == {-1.0, 1.0}


def test_time_can_be_left_out() -> None:
    timed, plain = (MemoryChain(5, time_shown=shown) for shown in (True, False))
    for seed in range(5):
        np.testing.assert_array_equal(episode(timed, name_cue, seed)[0][:, 1:], episode(plain, name_cue, seed)[0])


# ---- TMaze


def test_the_sign_is_seen_in_the_first_cell_only() -> None:
    env = TMaze(length=3)
    signs = set()
    for seed in range(10):
        first = env.reset(seed=seed)[0].tolist()
        signs.add(tuple(first))
        assert env.step(0)[0].tolist() == first  # north: a wall
        assert [env.step(1)[0].tolist() for _ in range(3)] == [[1, 0, 1], [1, 0, 1], [0, 1, 0]]
        assert env.step(1)[0].tolist() == [0, 1, 0]  # east of the junction: a wall
        assert [env.step(3)[0].tolist() for _ in range(4)] == [[1, 0, 1], [1, 0, 1], first, first]
    assert signs == {(0, 1, 1), (1, 1, 0)}


def test_every_step_has_the_reward_that_is_said() -> None:
    env = TMaze(length=2, right=5, wrong=-6, idle=-2, back=-3)
    for seed in range(10):
        for turn in (0, 2):
            north = env.reset(seed=seed)[0].tolist() == [0, 1, 1]
            walk = {0: -2, 2: -2, 3: -2, 1: 0}  # in the first cell; then in the corridor, and at the junction
            assert [env.step(action)[1] for action in (*walk, 0, 2, 3, 1, 1, 1, 3, 1)] == [
                *walk.values(), -2, -2, -3, 0, 0, -2, -3, 0
            ]  # fmt: skip
            observation, reward, terminated, truncated, _ = env.step(turn)
            assert reward == (5 if north == (turn == 0) else -6)
            assert (terminated, truncated, observation.tolist()) == (True, False, [0, 0, 0])


def test_an_episode_is_cut_off_when_the_time_is_up_unless_it_ends_by_itself() -> None:
    env = TMaze(length=3, max_steps=4)
    seen, rewards, truncated = episode(env, walk_and_turn, 0)
    assert (len(rewards), truncated) == (4, False)
    seen, rewards, truncated = episode(env, lambda _: 1, 0)
    assert (len(rewards), truncated) == (4, True)
    assert seen[-1].tolist() == [0, 1, 0]
    with pytest.raises(ResetNeeded):
        env.step(0)
    assert [len(episode(TMaze(length), lambda _: 3)[1]) for length in (1, 50, 99)] == [120, 204, 400]


def memoryless_returns(env: TMaze) -> dict[tuple[int, ...], float]:
    """Return the expected return of every fixed policy from the four observations to actions."""
    rows = [(0, 1, 1), (1, 1, 0), (1, 0, 1), (0, 1, 0)]
    seeds = {tuple(env.reset(seed=seed)[0].tolist()): seed for seed in range(20)}  # one a goal
    assert set(seeds) == set(rows[:2])
    found = {}
    for actions in itertools.product(range(4), repeat=4):
        policy = dict(zip(rows, actions, strict=True))
        totals = [sum(episode(env, lambda seen: policy[tuple(seen[-1])], seed)[1]) for seed in seeds.values()]  # noqa: B023
        found[actions] = float(np.mean(totals))
    return found


@pytest.mark.parametrize("length", [1, *(pytest.param(length, marks=pytest.mark.slow) for length in (4, 30))])
def test_of_all_policies_without_memory_none_gains_anything_in_the_maze(length: int) -> None:
    found = memoryless_returns(TMaze(length))
    assert max(found.values()) == found[1, 1, 1, 0] == found[1, 1, 1, 2] == 0.0
    # Nor does a random one: not to turn costs it at least as much as a wrong turn.
    assert all((TMaze(steps).max_steps - steps) / 2 * -TMaze().idle >= 1 for steps in range(1, 200))
    free = memoryless_returns(TMaze(length, idle=0, back=0))
    assert max(free.values()) == free[1, 0, 1, 0] == 0.5


def test_rewards_of_bakker_would_let_a_guess_pass_for_a_solution() -> None:
    env = TMaze(5, right=4, wrong=-0.1, idle=-0.1, back=0)
    found = memoryless_returns(env)
    assert found[1, 1, 1, 0] == pytest.approx(1.95)
    assert sum(episode(env, walk_and_turn, 0)[1]) == 4


# ---- EvidenceAccumulation


def test_the_timing_is_that_of_the_published_code() -> None:
    """There 7 x 150 + 1200 ms, cues after 50 ms of each 150, and the decision in the last 150."""
    env = EvidenceAccumulation(tick_ms=1, delay_ms=1050)
    seen, rewards, _ = episode(env, lambda _: 0, 0)
    assert len(rewards) == 2250
    time = np.arange(2251)
    cued = (time < 1050) & (time % 150 >= 50)
    np.testing.assert_array_equal(seen[:, 0] + seen[:, 1], cued)
    np.testing.assert_array_equal(seen[:, 2], (time >= 2100) & (time < 2250))
    sides = seen[cued].reshape(7, 100, 3)
    assert (sides == sides[:, :1]).all()  # a cue does not change sides


@pytest.mark.parametrize("tick", [5, 10, 25, 50])
def test_longer_ticks_show_the_same_sooner(tick: int) -> None:
    coarse, fine = (EvidenceAccumulation(tick_ms=ms, delay_ms=500) for ms in (tick, 1))
    for seed in range(3):
        np.testing.assert_array_equal(
            episode(coarse, lambda _: 0, seed)[0][:-1], episode(fine, lambda _: 0, seed)[0][:-1:tick]
        )


def test_the_delay_is_any_number_of_ticks_in_its_range_equally_often() -> None:
    env = EvidenceAccumulation(cues=1, delay_ms=(20, 40))
    env.reset(seed=3)
    found = [len(episode(env, lambda _: 0)[1]) - 15 - 15 for _ in range(900)]
    counts = [found.count(ticks) for ticks in (2, 3, 4)]
    assert sum(counts) == 900
    assert all(abs(count - 300) < 65 for count in counts)  # 4.5 standard errors
    default = [len(EvidenceAccumulation().draw()[0]) - 1 - 105 - 15 for _ in range(400)]
    assert 50 <= min(default) < 60 < 140 < max(default) <= 150


def sides_shown(chance: float, episodes: int) -> np.ndarray:
    env = EvidenceAccumulation(tick_ms=50, delay_ms=0, cue_chance=chance)
    env.reset(seed=4)
    return np.array([episode(env, lambda _: 0)[0][1:21:3, 1] for _ in range(episodes)])


def test_cues_are_on_the_side_drawn_with_their_chance() -> None:
    certain = sides_shown(1.0, 200)
    assert {tuple(row) for row in certain} == {(0.0,) * 7, (1.0,) * 7}
    episodes = 2000
    for chance in (0.5, 0.7):
        shown = sides_shown(chance, episodes)
        alike = (shown[:, :, None] == shown[:, None]).mean(axis=0)[np.triu_indices(7, 1)]
        expected = chance**2 + (1 - chance) ** 2
        assert np.abs(alike - expected).max() < 5 / math.sqrt(4 * episodes)
        assert np.abs(shown.mean(axis=0) - 0.5).max() < 5 / math.sqrt(4 * episodes)


def test_a_single_cue_is_worth_what_the_docstring_says() -> None:
    right = 0.0
    for cues in itertools.product((0, 1), repeat=7):
        ones = sum(cues)
        chance = 0.5 * (0.7**ones * 0.3 ** (7 - ones) + 0.3**ones * 0.7 ** (7 - ones))
        right += chance * (cues[2] == (ones > 3))
    assert 2 * right - 1 == pytest.approx(0.45, abs=0.005)
    shown = sides_shown(0.7, 2000)
    hits = shown[:, 2] == (shown.sum(axis=1) > 3)
    assert 2 * hits.mean() - 1 == pytest.approx(2 * right - 1, abs=0.09)  # 4.5 standard errors


def test_the_right_answer_is_told_all_along() -> None:
    env = EvidenceAccumulation(tick_ms=50)
    answers = set()
    env.reset(seed=5)
    for _ in range(20):
        observation, info = env.reset()
        seen, answer, terminated = [observation], info["answer"], False
        answers.add(answer)
        while not terminated:
            observation, reward, terminated, _, info = env.step(answer)
            assert info == {"answer": answer}
            seen.append(observation)
        assert (reward, more_on_the_right(seen)) == (1.0, answer)
    assert answers == {0, 1}


def test_the_decision_is_the_last_action_of_its_period() -> None:
    env = EvidenceAccumulation()

    def late(last: bool) -> Policy:
        """Right in the whole period but at its last step, or at its last step only."""

        def policy(seen: list[np.ndarray]) -> int:
            at_last = sum(row[2] for row in seen) == 15
            return more_on_the_right(seen) if at_last == last else 1 - more_on_the_right(seen)

        return policy

    assert {sum(episode(env, late(True), seed)[1]) for seed in range(5)} == {1.0}
    assert {sum(episode(env, late(False), seed)[1]) for seed in range(5)} == {-1.0}


def test_noise_is_on_every_tick_and_nowhere_else() -> None:
    env = EvidenceAccumulation(noise_channels=2, noise=0.5)
    env.reset(seed=6)
    rows = np.concatenate([episode(env, lambda _: 0)[0] for _ in range(40)])
    np.testing.assert_allclose(np.cov(rows[:, 3:].T), 0.25 * np.eye(2), atol=0.02)
    assert set(rows[:, :3].ravel()) == {0.0, 1.0}


def test_noise_is_drawn_for_its_channels_only() -> None:
    one, other = (np.random.default_rng(0) for _ in range(2))
    frames = np.full((5, 4), 7.0, np.float32)
    add_noise(frames, one, 0, 0.5)
    assert (frames == 7).all()
    add_noise(frames, one, 3, 0.5)
    assert (frames[:, 0] == 7).all()
    np.testing.assert_array_equal(frames[:, 1:], 0.5 * gaussian(other, 5, 3))
    space = noisy_box((-1, 0), 1, 0.5)
    assert (space.low.tolist(), space.high.tolist(), space.dtype) == ([-1, 0, -5], [1, 1, 5], np.float32)


# ---- TraceConditioning


def test_a_trial_shows_cue_gap_reward_and_pause_in_turn() -> None:
    env = TraceConditioning(gap=3, wait=6, cue_length=2, reward_length=2)
    seen, paid = [env.reset(seed=0)[0].tolist()], [0.0]
    for _ in range(23):
        observation, reward, terminated, truncated, _ = env.step(0)
        assert not terminated
        assert not truncated
        seen.append(observation.tolist())
        paid.append(reward)
    trial = [[1, 0]] * 2 + [[0, 0]] * 3 + [[0, 1]] * 2 + [[0, 0]] * 4
    assert seen == (trial * 3)[:24]
    assert paid == [row[1] for row in seen]


def stream(env: TraceConditioning, steps: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return observations, rewards that came with them and values of a stream."""
    observation, info = env.reset(seed=seed)
    seen, paid, values = [observation], [0.0], [info["value"]]
    for _ in range(steps):
        observation, reward, _, _, info = env.step(0)
        seen.append(observation)
        paid.append(reward)
        values.append(info["value"])
    return np.array(seen), np.array(paid), np.array(values)


def phases(seen: np.ndarray) -> list[tuple[str, int]]:
    """Return for every observation what began last, cue or reward, and how many steps ago: all that matters."""
    found, since, last, before = [], 0, "", [0.0, 0.0]
    for row in seen[:, :2].tolist():
        since += 1
        for channel, kind in enumerate(("cue", "reward")):
            if row[channel] > before[channel]:
                since, last = 0, kind
        before = row
        found.append((last, since))
    return found


def test_gaps_and_pauses_are_any_number_of_their_ranges_equally_often() -> None:
    env = TraceConditioning(gap=(2, 4), wait=(3, 6), cue_length=2)
    seen, _, _ = stream(env, 20000)
    found = phases(seen)
    longest: dict[str, list[int]] = {"cue": [], "reward": []}
    for (kind, since), (following, _) in itertools.pairwise(found):
        if kind != following:
            longest[kind].append(since + 1)
    for kind, expected in (("cue", range(4, 7)), ("reward", range(3, 7))):
        share = np.array([longest[kind].count(length) for length in expected]) / len(longest[kind])
        assert share.sum() == 1.0
        assert np.abs(share - 1 / len(expected)).max() < 5 * math.sqrt(0.25 / len(longest[kind]))


def brute_force(env: TraceConditioning) -> dict[tuple[str, int], float]:
    """Return the values by phase: the solution of v = r + discount T v, from the chances of every next step."""
    (gap, most), (wait, longest), cue = env.gap, env.wait, env.cue_length
    states = [("cue", k) for k in range(cue + most)] + [("reward", i) for i in range(longest)]
    index = {state: k for k, state in enumerate(states)}
    matrix, reward = np.eye(len(states)), np.zeros(len(states))
    for kind, since in states:
        least, last, other = (cue + gap, cue + most, "reward") if kind == "cue" else (wait, longest, "cue")
        still = [length for length in range(least, last + 1) if length > since]  # what is not ruled out
        now = still.count(since + 1) / len(still)
        row = index[kind, since]
        matrix[row, index[other, 0]] -= env.discount * now
        if now < 1:
            matrix[row, index[kind, since + 1]] -= env.discount * (1 - now)
        reward[row] = now if kind == "cue" else (1 - now) * (since + 1 < env.reward_length)
    return dict(zip(states, np.linalg.solve(matrix, reward), strict=True))


CONDITIONING = [
    {},
    {"gap": (3, 9), "wait": (80, 120), "reward_length": 2, "discount": 0.9},
    {"gap": 0, "wait": 1, "cue_length": 1, "discount": 0.5},
    {"gap": (0, 5), "wait": (1, 4), "cue_length": 3, "discount": 0.0},
    {"gap": (0, 40), "wait": (3, 30), "reward_length": 3, "discount": 0.999},
    {"gap": 7, "wait": 5, "cue_length": 2, "reward_length": 5, "discount": 0.97, "distractors": 2},
    {"gap": (1, 2), "wait": (4, 6), "reward_length": 1, "discount": 0.9999},
]


@pytest.mark.parametrize("kwargs", CONDITIONING)
def test_values_solve_the_equations_of_the_next_step(kwargs: dict[str, Any]) -> None:
    env = TraceConditioning(**kwargs)
    expected = brute_force(env)
    seen, _, values = stream(env, 4000)
    found = phases(seen)
    np.testing.assert_allclose(values, [expected[phase] for phase in found], rtol=1e-8)
    assert len(set(found)) > 0.9 * len(expected)  # nearly all of them were met
    later = [expected[phase] for phase in found[1:]]
    if len(expected) > 2 and env.discount < 0.999:
        assert not np.allclose(values[:-1], later, rtol=1e-3)  # a step too early or too late would be noticed


def test_values_are_the_mean_of_what_follows() -> None:
    env = TraceConditioning(gap=(1, 9), wait=(5, 15), reward_length=2, discount=0.9, distractors=1)
    seen, paid, values = stream(env, 80_000)
    returns = np.zeros(len(paid))
    returns[-1] = values[-1]
    for k in range(len(paid) - 2, -1, -1):
        returns[k] = paid[k + 1] + env.discount * returns[k + 1]
    errors: dict[tuple[str, int], list[float]] = defaultdict(list)
    spread: dict[tuple[str, int], set[float]] = defaultdict(set)
    for phase, value, followed in zip(phases(seen), values.tolist(), returns.tolist(), strict=True):
        errors[phase].append(followed - value)
        spread[phase].add(value)
    for phase in (("cue", 0), ("cue", 3), ("cue", 6), ("cue", 10), ("reward", 0), ("reward", 1), ("reward", 9)):
        error = np.array(errors[phase])
        standard = error.std() / math.sqrt(len(error))
        assert abs(error.mean()) < 4.5 * standard
        assert standard < 0.03
    assert {len(told) for told in spread.values()} == {1}


def test_what_is_observed_now_does_not_tell_the_value() -> None:
    seen, _, values = stream(TraceConditioning(), 20000)
    blank = ~seen.any(axis=1)
    unexplained = values[blank].var() * blank.mean() / values.var()
    assert unexplained > 0.8


def test_distractors_last_as_long_as_the_cue_and_mean_nothing() -> None:
    env = TraceConditioning(gap=5, wait=(10, 20), cue_length=3, distractors=4)
    seen, paid, _ = stream(env, 60_000)
    assert not seen[0, 2:].any()
    for k, column in enumerate(seen[:, 2:].T, start=1):
        edges = np.flatnonzero(np.diff(column, prepend=0, append=0))
        runs = edges[1::2] - edges[::2]
        assert set(runs[:-1]) == {3}  # across the ends of trials too; the stream may end within the last
        pauses = edges[2::2] - edges[1:-1:2]
        assert pauses.min() == 1
        assert pauses.mean() == pytest.approx(10 * k, rel=0.1)
        assert abs(np.corrcoef(column[:-1], seen[1:, 0])[0, 1]) < 0.03
        assert abs(np.corrcoef(column[:-1], paid[1:])[0, 1]) < 0.03


# ---- DelayedMatch, Copy


def test_sample_pause_and_test_follow_each_other() -> None:
    env = DelayedMatch(symbols=3, delay=4)
    env.reset(seed=7)
    pairs = []
    for _ in range(1800):
        seen, rewards, _ = episode(env, lambda _: 1)
        assert len(rewards) == 6
        assert not seen[1:5].any()
        assert seen[[0, 5], :-1].sum(axis=1).tolist() == [1, 1]
        assert seen[:, -1].tolist() == [0, 0, 0, 0, 0, 1, 0]
        pairs.append((int(seen[0].argmax()), int(seen[5, :-1].argmax()), rewards[-1]))
    for sample, test in itertools.product(range(3), repeat=2):
        found = [reward for a, b, reward in pairs if (a, b) == (sample, test)]
        assert set(found) == {1.0 if sample != test else -1.0}
        expected = 1800 / 3 * (0.5 if sample == test else 0.25)
        assert abs(len(found) - expected) < 5 * math.sqrt(expected)


def test_the_sequence_is_shown_and_asked_for_in_order() -> None:
    env = Copy(symbols=5, length=3, delay=2)
    env.reset(seed=8)
    sequences = []
    for _ in range(1000):
        seen, _, _ = episode(env, lambda _: 0)
        assert seen.shape == (9, 6)
        assert seen[:3, :-1].sum(axis=1).tolist() == [1, 1, 1]
        assert not seen[3:, :-1].any()
        assert seen[:, -1].tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 0]
        sequences.append(seen[:3].argmax(axis=1).tolist())
    counts = np.array([np.bincount(column, minlength=5) for column in np.transpose(sequences)])
    assert np.abs(counts - 200).max() < 5 * math.sqrt(1000 * 0.2 * 0.8)
    assert len({tuple(sequence) for sequence in sequences}) > 120  # of 125


def test_every_symbol_counts_for_itself() -> None:
    env = Copy(symbols=4, length=4)

    def second_wrong(seen: list[np.ndarray]) -> int:
        return (reproduce(seen) + (sum(row[-1] for row in seen) == 2)) % 4

    rewards = episode(env, second_wrong, 9)[1]
    assert rewards == [0.0] * 8 + [0.25, -0.25, 0.25, 0.25]


# ---- FirstCue, AnnouncedCue, Toggle


def cells(observations: list[np.ndarray], maps: dict[float, tuple[float, float]], start: float) -> float:
    """Return what becomes of a cell c <- a c + b, with a and b by what is shown; where nothing is, it is held."""
    c = start
    for observation in observations:
        a, b = maps.get(float(observation[0]), (1.0, 0.0))
        c = a * c + b
    return c


def streams() -> list[tuple[int, ...]]:
    return [cues for count in (3, 4, 5) for cues in itertools.product((-1, 1), repeat=count)]


def accuracy(values: np.ndarray) -> float:
    """Of the best threshold on a number for each of `streams`, above which, or below which, the first cue is right."""
    chance, first = np.array([1 / 3 / 2 ** len(cues) for cues in streams()]), np.array([cues[0] for cues in streams()])
    ends = [-np.inf, *np.unique(np.round(values, 9))]
    signs = [np.sign(np.round(values, 9) - end) for end in ends]  # a tie is decided by chance
    signs += [np.where(np.round(values, 9) > end, 1, -1) for end in ends]
    return float(max(abs(chance @ (sign * first)) for sign in signs)) / 2 + 0.5


def test_bounds_of_the_first_cue_are_those_that_are_said() -> None:
    """Of the sum .42, with any leak that does not tell the sides apart no more, of one cell that does 7/12."""
    rng = np.random.default_rng(0)

    def held(left: tuple[float, float], right: tuple[float, float], start: float) -> np.ndarray:
        maps = {-1.0: left, 1.0: right}
        return np.array([cells([np.array([cue]) for cue in cues], maps, start) for cues in streams()])

    assert 2 * accuracy(held((1, -1), (1, 1), 0.0)) - 1 == pytest.approx(5 / 12)
    assert round(5 / 12, 2) == 0.42
    leaks = 1 - rng.random(100) ** 3
    assert max(accuracy(held((a, -1), (a, 1), 0.0)) for a in leaks) <= (1 + 5 / 12) / 2 + 1e-12
    assert 2 * accuracy(held((0.914, 0.463), (0.186, 1.988), -0.9)) - 1 == pytest.approx(7 / 12)
    drawn = [
        held((a, b), (c, d), start)
        for a, c, b, d, start in np.hstack([rng.random((500, 2)), rng.normal(size=(500, 3))])
    ]
    found = [accuracy(values) for values in drawn]
    assert (1 + 5 / 12) / 2 < max(found) <= (1 + 7 / 12) / 2 + 1e-12


def sign_of_sum(seen: list[np.ndarray], rng: np.random.Generator) -> int:
    total = sum(observation[0] for observation in seen)
    return int(total > 0) if total else int(rng.integers(2))


def test_the_sum_of_all_cues_gets_what_is_said() -> None:
    env, rng = FirstCue(), np.random.default_rng(0)
    env.reset(seed=5)
    returns = [sum(episode(env, lambda seen: sign_of_sum(seen, rng))[1]) for _ in range(4000)]
    assert np.mean(returns) == pytest.approx(5 / 12, abs=4.5 / math.sqrt(4000))


def test_the_cues_from_the_bell_on_get_what_is_said() -> None:
    """Of a sum from the bell on the return is 0.35; a later cue that weighs more, as a leak makes it, gets no more."""
    sums = []
    for count in (4, 5, 6):
        sides = np.array(list(itertools.product((-1, 1), repeat=count)))
        sums.append(np.mean(sides[:, 0] * np.sign(sides.sum(axis=1))))
        for leak in np.linspace(0, 0.99, 12):
            weights = leak ** np.arange(count)[::-1]
            assert np.mean(sides[:, 0] * np.sign(np.round(sides @ weights, 9))) <= sums[-1] + 1e-12
    assert round(float(np.mean(sums)), 2) == 0.35
    env, rng = AnnouncedCue(), np.random.default_rng(0)
    env.reset(seed=5)

    def from_the_bell(seen: list[np.ndarray]) -> int:
        rows = iter(seen)
        any(observation[1] for observation in rows)
        return sign_of_sum(list(rows), rng)

    returns = [sum(episode(env, from_the_bell)[1]) for _ in range(500)]
    assert np.mean(returns) == pytest.approx(np.mean(sums), abs=4.5 / math.sqrt(500))


def test_a_bell_rings_before_a_cue_of_the_first_half() -> None:
    env = AnnouncedCue(cues=5, lead=[2, 4], pause=[6, 9], delay=3)
    env.reset(seed=7)
    leads, pauses, announced, sides = set(), set(), [], []
    for _ in range(200):
        seen, rewards, _ = episode(env, lambda _: 1)
        cues, bells = np.flatnonzero(seen[:, 0]), np.flatnonzero(seen[:, 1])
        assert len(cues) == 5
        assert len(bells) == 1
        assert np.flatnonzero(seen[:, 2]).tolist() == [cues[-1] + 4] == [len(seen) - 2] == [len(rewards) - 1]
        which = int(np.searchsorted(cues, bells[0]))
        leads.add(int(cues[which] - bells[0]))
        pauses |= set(np.diff([0, *cues]))
        announced.append(which)
        sides.append(seen[cues[which], 0])
        assert rewards[-1] == sides[-1]
    assert leads == {2, 3, 4}
    assert pauses == {6, 7, 8, 9}
    assert np.bincount(announced, minlength=4) == pytest.approx([200 / 3] * 3 + [0], abs=30)
    assert abs(np.mean(sides)) < 0.32


@pytest.mark.parametrize(("most", "threshold"), [(5, 0), (5, 4), (3, 0)])
def test_one_threshold_on_the_count_gets_what_is_said(most: int, threshold: int) -> None:
    env = Toggle(most=most)
    env.reset(seed=6)
    returns = [sum(episode(env, lambda seen: int(np.sum(seen, axis=0)[0] > threshold))[1]) for _ in range(4000)]
    assert np.mean(returns) == pytest.approx(2 / (most + 1), abs=4.5 / math.sqrt(4000))
    best = max(sum((-1) ** ((count > end) != count % 2) for count in range(most + 1)) for end in range(-1, most + 1))
    assert best == 2


@pytest.mark.parametrize(("task", "shown"), [(FirstCue, {-1.0, 1.0}), (Toggle, {1.0})])
def test_cues_come_in_any_number_apart_and_before_the_go_signal(task: Any, shown: set[float]) -> None:
    env = task(gap=4)
    env.reset(seed=7)
    counts, pauses, answers = [], set(), []
    for _ in range(1000):
        seen, rewards, _ = episode(env, lambda _: 1)
        at = np.flatnonzero(seen[:, 0])
        assert set(seen[at, 0]) <= shown
        assert np.flatnonzero(seen[:, 1]).tolist() == [len(seen) - 2] == [len(rewards) - 1]
        pauses |= set(np.diff([-1, *at, len(seen) - 2]) - 1)
        counts.append(len(at))
        answers.append(rewards[-1])
    assert pauses == {1, 2, 3, 4}
    numbers = np.bincount(counts)
    expected = range(3, 6) if task is FirstCue else range(6)
    assert set(np.flatnonzero(numbers)) == set(expected)
    assert np.abs(numbers[list(expected)] - 1000 / len(expected)).max() < 75
    assert abs(np.mean(answers)) < 0.15


def test_noise_is_on_every_tick_and_beside_the_rest() -> None:
    for task in (MemoryChain, FirstCue, AnnouncedCue, Toggle):
        plain, noisy = task(), task(noise_channels=2, noise=0.3)
        for seed in range(3):
            seen = episode(noisy, lambda _: 0, seed)[0]
            np.testing.assert_array_equal(seen[:, :-2], episode(plain, lambda _: 0, seed)[0])
            assert (seen[:, -2:] != 0).all()
        assert noisy.observation_space.high[-2:] == pytest.approx(3.0)
