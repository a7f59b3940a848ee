"""Sensors, actions and rewards that change: what an agent sees, does and is paid in each world."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from gymnasium import spaces
from synaptick.envs import FailSensors, FlipReward, PermuteObservations, RemapActions, ScaleObservations

from ..support.worlds import TWO, Plain, bare, play

# ---- observations


def test_entries_swap_places_at_the_exact_step_and_come_back() -> None:
    env = PermuteObservations(Plain(), TWO, seed=1)
    assert env.reset()[0].tolist() == [0, 10, 20, 30]
    seen = [observation for observation, _, _ in play(env, 12)]
    order = [int(entry) // 10 for entry in seen[3]]
    assert sorted(order) == [0, 1, 2, 3] != order
    for step, observation in enumerate(seen):
        there = order if step // 3 % 2 else range(4)
        assert observation == [step + 1 + 10 * index for index in there]


def test_every_new_permutation_is_a_change() -> None:
    env = PermuteObservations(Plain(spaces.Box(-9, 9999, (2, 2))), {"every": 1}, indices=[0, 3])
    env.reset()
    first = [observation[0][0] - step for step, (observation, _, _) in enumerate(play(env, 20), start=1)]
    assert first == [0, 30] * 10  # two entries can only swap
    env = PermuteObservations(Plain(), {"every": 1})
    env.reset()
    orders = [tuple(np.array(seen) - step) for step, (seen, _, _) in enumerate(play(env, 400), start=1)]
    assert all(one != other for one, other in itertools.pairwise(orders))
    assert len(set(orders)) == 24


def test_bounds_hold_wherever_an_entry_is() -> None:
    space = spaces.Box(np.float32([-1, -2, 0, 0]), np.float32([1, 5, 3, 9]))
    env = PermuteObservations(Plain(space), TWO, indices=[0, 1, 2])
    assert env.observation_space == spaces.Box(np.float32([-2, -2, -2, 0]), np.float32([5, 5, 5, 9]))


def test_gains_multiply_their_entries() -> None:
    env = ScaleObservations(Plain(), {"every": 2, "values": [1, -3]}, indices=[1, 2])
    assert env.reset()[0].tolist() == [0, 10, 20, 30]
    seen = [observation for observation, _, _ in play(env, 4)]
    assert seen == [[1, 11, 21, 31], [2, 12, 22, 32], [3, -39, -69, 33], [4, -42, -72, 34]]
    assert env.observation_space.low.tolist() == [-1e6, -3e6, -3e6, -1e6]
    assert env.observation_space.dtype == np.float32


def test_gains_wander_entry_by_entry_within_widened_bounds() -> None:
    space = spaces.Box(np.float32([-1, 0, -np.inf, 2]), np.float32([1, 4, np.inf, 3]))
    env = ScaleObservations(Plain(space), {"wander": 0.2, "between": [0.5, 2], "log": True})
    np.testing.assert_array_equal(env.observation_space.low, np.float32([-2, 0, -np.inf, 1]))
    np.testing.assert_array_equal(env.observation_space.high, np.float32([2, 8, np.inf, 6]))
    env.reset()
    gains = []
    for _ in range(300):
        observation = env.step(0)[0]
        np.testing.assert_array_equal(observation, (env.env.unwrapped._seen() * env.gains).astype(np.float32))
        gains.append(env.gains.copy())
    assert np.min(gains) >= 0.5
    assert np.max(gains) <= 2
    assert np.abs(np.corrcoef(np.diff(gains, axis=0).T) - np.eye(4)).max() < 0.3
    dead = ScaleObservations(Plain(spaces.Box(-np.inf, np.inf, (1,))), 0.0)
    assert dead.observation_space == spaces.Box(0, 0, (1,))


def test_sensors_are_stuck_at_what_they_showed_last() -> None:
    env = FailSensors(Plain(), {"every": 3, "values": [0, 1, 2]}, count=2, seed=2)
    env.reset()
    seen = np.array([observation for observation, _, _ in play(env, 9)])
    healthy = np.arange(1, 10)[:, None] + 10 * np.arange(4)
    np.testing.assert_array_equal(seen[:3], healthy[:3])
    shown = seen[2].copy()
    for begin in (3, 6):
        failed = [index for index in range(4) if seen[begin + 1, index] == seen[begin, index]]
        assert len(failed) == 2
        for step in range(begin, begin + 3):
            expected = healthy[step].copy()
            expected[failed] = shown[failed]
            np.testing.assert_array_equal(seen[step], expected)
        shown = seen[begin + 2].copy()
    assert FailSensors(Plain(), 1).reset()[0].tolist() == [0, 10, 20, 30]  # nothing shown before


def test_sensors_fail_to_zero_or_noise_within_bounds() -> None:
    env = FailSensors(
        Plain(spaces.Box(np.float32([0, 0, 4, 0]), np.full(4, 1e6, np.float32))), 1, mode="zero", indices=[2]
    )
    env.reset()
    assert play(env, 1)[0][0] == [1, 11, 4, 31]
    env = FailSensors(Plain(), 1, mode="noise", std=3.0, indices=[2])
    env.reset()
    noise = np.array([observation for observation, _, _ in play(env, 3000)])[:, 2]
    assert noise.std() == pytest.approx(3, rel=0.05)
    assert noise.mean() == pytest.approx(0, abs=0.2)
    whole = FailSensors(Plain(spaces.Box(-2, 9999, (4,), np.int16)), 1, mode="noise", std=3.0, indices=[2])
    whole.reset()
    values = [observation[2] for observation, _, _ in play(whole, 3000)]
    assert {-2, -1, 0, 1} <= set(values)
    assert min(values) == -2
    assert all(isinstance(value, int) for value in values)
    assert values.count(0) / 3000 == pytest.approx(0.132, abs=0.03)  # -0.5 to 0.5 are rounded to it


def test_new_sensors_fail_each_time() -> None:
    env = FailSensors(Plain(), {"every": 1}, mode="zero")
    env.reset()
    failed = [[index for index in range(1, 4) if not seen[index]] for seen, _, _ in play(env, 200)]
    assert failed[0] == []
    assert all(one != other or not one for one, other in itertools.pairwise(failed[1:]))
    assert {tuple(one) for one in failed} == {(), (1,), (2,), (3,)}


# ---- actions and rewards


def test_actions_swap_what_they_do() -> None:
    env = RemapActions(bare("CartPole-v1"), {"every": 5, "worlds": 2})
    plain = bare("CartPole-v1")
    for seed in range(3):
        np.testing.assert_array_equal(env.reset(seed=seed)[0], plain.reset(seed=seed)[0])
        for step in range(5):
            np.testing.assert_array_equal(env.step(1)[0], plain.step(0 if seed % 2 else 1)[0], err_msg=f"{seed} {step}")


def test_every_remapping_is_a_permutation_and_a_change() -> None:
    inner = Plain(action=spaces.Discrete(3, start=-1))
    env = RemapActions(inner, {"every": 3})
    env.reset()
    for action in [-1, 0, 1] * 100:
        env.step(np.int64(action))
    maps = [tuple(inner.done[at : at + 3]) for at in range(0, 300, 3)]
    assert maps[0] == (-1, 0, 1)
    assert {tuple(sorted(one)) for one in maps} == {(-1, 0, 1)}
    assert all(one != other for one, other in itertools.pairwise(maps))
    assert len(set(maps)) == 6
    env.step(7)
    env.step("left")
    assert inner.done[-2:] == [7, "left"]  # for the environment to refuse


@pytest.mark.parametrize("how", [None, "flip", "permute", "both"])
def test_controls_change_sign_and_places(how: str | None) -> None:
    inner = Plain(action=spaces.Box(-2, 2, (3,)))
    env = RemapActions(inner, {"every": 1}, how=how)
    env.reset()
    for _ in range(200):
        env.step(np.float32([0.5, 1, 2]))
    done = np.array(inner.done)
    assert done.dtype == np.float32
    assert done[0].tolist() == [0.5, 1, 2]
    if how == "permute":
        assert done.min() > 0
    assert {tuple(sorted(np.abs(one).tolist())) for one in done} == {(0.5, 1, 2)}
    if how in (None, "flip"):
        assert (np.abs(done) == [0.5, 1, 2]).all()
    assert len({tuple(one) for one in done}) == {"permute": 6, "both": 48}.get(how or "", 8)
    assert (done[1:] != done[:-1]).any(axis=1).all()
    wrong = np.zeros(5, np.float32)
    env.step(wrong)
    assert inner.done[-1] is wrong


def test_rewards_change_sign_or_size() -> None:
    env = FlipReward(Plain(), {"every": 2})
    env.reset()
    assert [reward for _, reward, _ in play(env, 6)] == [1, 1, -1, -1, 1, 1]
    env = FlipReward(Plain(), {"times": [1, 2], "values": [1, 0.5, -4]})
    env.reset()
    assert [reward for _, reward, _ in play(env, 4)] == [1, 0.5, -4, -4]
    assert isinstance(env.step(0)[1], float)


# ---- what is refused


def test_other_spaces_are_refused_with_what_to_do() -> None:
    uneven = Plain(action=spaces.Box(np.float32([-1, -2]), np.float32([1, 2])))
    with pytest.raises(ValueError, match=r"needs the same bounds for all controls; .* as with .*RescaleAction\(env, "):
        RemapActions(uneven, TWO, how="permute")
    RemapActions(uneven, TWO, how="flip")
    with pytest.raises(ValueError, match=r"needs bounds -x and x of each control; .* as with .*RescaleAction"):
        RemapActions(Plain(action=spaces.Box(0, 1, (2,))), TWO)
    with pytest.raises(
        ValueError, match=r"needs Discrete actions or a one-dimensional Box of real numbers; .*MultiBinary"
    ):
        RemapActions(Plain(action=spaces.MultiBinary(2)), TWO)
    with pytest.raises(ValueError, match="needs two actions or controls to swap"):
        RemapActions(Plain(action=spaces.Discrete(1)), TWO)
    with pytest.raises(ValueError, match=r"ScaleObservations needs real numbers; .* as with .*DtypeObservation"):
        ScaleObservations(Plain(spaces.Box(0, 9, (2,), np.int64)), 2.0)
    with pytest.raises(ValueError, match=r"FailSensors needs numbers; .* has Box\(.*bool\)"):
        FailSensors(Plain(spaces.Box(0, 1, (2,), np.bool_)), TWO)


def test_failures_that_are_all_alike_are_refused() -> None:
    with pytest.raises(ValueError, match="schedule: all worlds but the first would be alike; give worlds: 2"):
        FailSensors(Plain(), {"every": 9}, count=4)
    env = FailSensors(Plain(), {"every": 1, "worlds": 2}, count=4, mode="zero")
    env.reset()
    assert [sum(seen) for seen, _, _ in play(env, 4)] == [64, 0, 72, 0]
