"""The field to forage in: what is seen, eaten and paid, when rewards flip, and that it can be resumed."""

from __future__ import annotations

import json
import sys
from collections import deque
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from synaptick import EnvError, make_env
from synaptick.envs import Forager, World

NORTH, EAST, SOUTH, WEST = range(4)
SIZES: list[dict[str, Any]] = [
    {},
    {"size": 3, "view": 3, "rewards": [1], "counts": 4},
    {"size": 5, "view": 5, "rewards": (1, -1, 0), "counts": (1, 2, 3)},
    {"size": 12, "view": 11, "rewards": [0.5, -2], "counts": [30, 1], "flip_every": 7},
]


def placed(env: Forager, cells: list[list[int]], place: tuple[int, int]) -> Forager:
    """Put things and the agent where they are wanted."""
    env.reset(seed=0)
    env.set_state(env.get_state() | {"cells": cells, "place": list(place)})
    return env


def actions(count: int, seed: int = 0) -> list[int]:
    return [int(action) for action in np.random.default_rng(seed).integers(4, size=count)]


# ---- what is seen


@pytest.mark.parametrize("kwargs", SIZES)
def test_the_strict_checker_finds_nothing(kwargs: dict[str, Any]) -> None:
    check_env(make_env("synaptick/Forager-v0", kwargs).unwrapped, skip_render_check=True)


@pytest.mark.parametrize("kwargs", SIZES)
def test_what_is_seen_is_the_field_around_the_agent(kwargs: dict[str, Any]) -> None:
    env = Forager(**kwargs)
    observation, _ = env.reset(seed=1)
    kinds, view, size = len(env.rewards), env.view, env.size
    around = np.arange(view) - view // 2
    for action in actions(300):
        state = env.get_state()
        field = np.zeros((kinds, size, size), np.float32)
        for kind, cells in enumerate(state["cells"]):
            assert len(cells) == env.counts[kind]
            field[kind].flat[cells] = 1.0
        assert field.sum(axis=0).max() == 1.0  # one thing a cell
        row, column = state["place"]
        rows, columns = (row + around) % size, (column + around) % size
        expected = field[:, rows[:, None], columns]
        np.testing.assert_array_equal(observation.reshape(kinds, view, view), expected)
        assert not expected[:, view // 2, view // 2].any()
        assert observation in env.observation_space
        observation = env.step(np.int64(action))[0]


@pytest.mark.parametrize(
    ("action", "to", "seen"),
    [(NORTH, [4, 0], [2, 1]), (EAST, [0, 1], [1, 0]), (SOUTH, [1, 0], [0, 1]), (WEST, [0, 4], [1, 2])],
)
def test_directions_and_the_other_side(action: int, to: list[int], seen: list[int]) -> None:
    env = placed(Forager(size=5, view=3, rewards=[1], counts=1), [[12]], (0, 0))
    env.step(np.int64(action))
    assert env.get_state()["place"] == to
    # What was in the first cell is now on the opposite side of the middle.
    env = placed(Forager(size=5, view=3, rewards=[1], counts=1), [[0]], (to[0], to[1]))
    observation = env.step(np.int64((action + 2) % 4))[0]
    assert env.get_state()["place"] == [0, 0]
    assert observation[4] == 0
    env = placed(Forager(size=5, view=3, rewards=[1], counts=1), [[0]], (0, 0))
    env._clear()
    env._put(0, 1)
    assert env.step(np.int64(action))[0].reshape(3, 3)[seen[0], seen[1]] == 1


def test_an_observation_is_the_callers_own() -> None:
    env = Forager()
    first, _ = env.reset(seed=0)
    kept = first.copy()
    for action in actions(50):
        other = env.step(np.int64(action))[0]
        assert not np.shares_memory(first, other)
    np.testing.assert_array_equal(first, kept)


# ---- what is paid


def test_what_is_eaten_pays_and_grows_in_a_free_cell() -> None:
    env = placed(Forager(size=6, view=3, rewards=[2, -0.5, 0], counts=1), [[1], [2], [3]], (0, 0))
    met = []
    for _ in range(4):
        _, reward, terminated, truncated, _ = env.step(np.int64(EAST))
        assert not terminated
        assert not truncated
        met.append(reward)
        cells = [cell for cells in env.get_state()["cells"] for cell in cells]
        place = env.get_state()["place"]
        assert len(set(cells)) == 3
        assert place[0] * 6 + place[1] not in cells
    assert met[:3] == [2, -0.5, 0]


def test_it_grows_anywhere_that_is_free_with_equal_chances() -> None:
    env = Forager(size=4, view=3, rewards=[1, -1], counts=1)
    grown = np.zeros(16, int)
    for _ in range(9000):
        placed_state = env.get_state() | {"cells": [[1], [7]], "place": [0, 0], "clock": 0, "changes": 0}
        env.set_state(placed_state)
        env.step(np.int64(EAST))
        grown[env.get_state()["cells"][0][0]] += 1
    assert grown[[1, 7]].tolist() == [0, 0]
    free = np.delete(grown, [1, 7])
    assert ((free - 9000 / 14) ** 2 / (9000 / 14)).sum() < 40  # chi squared with 13 degrees of freedom


def test_the_start_is_drawn_with_equal_chances() -> None:
    env = Forager(size=4, view=3, rewards=[1, -1], counts=[3, 1])
    found = np.zeros((2, 16), int)
    for seed in range(3000):
        env.reset(seed=seed)
        for kind, cells in enumerate(env.get_state()["cells"]):
            found[kind, cells] += 1
    assert found[:, 0].tolist() == [0, 0]
    np.testing.assert_allclose(found[0, 1:], 3000 * 3 / 15, rtol=0.15)
    np.testing.assert_allclose(found[1, 1:], 3000 / 15, rtol=0.3)


def test_rewards_flip_at_the_exact_step() -> None:
    env = Forager(size=3, view=3, rewards=[3], counts=4, flip_every=10)
    _, info = env.reset(seed=0)
    assert info == {"world": World(0, (0,)), "changed": False}
    eaten = 0
    for step, action in enumerate(actions(95)):
        _, reward, _, _, info = env.step(np.int64(action))
        assert reward in (0, -3 if step // 10 % 2 else 3)
        assert info == {"world": World(step // 10, (step // 10 % 2,)), "changed": step > 0 and step % 10 == 0}
        eaten += reward != 0
    assert eaten > 20


def test_without_flips_it_stays_as_it_is() -> None:
    env = Forager(size=3, view=3, rewards=[3], counts=4, flip_every=0)
    env.reset(seed=0)
    assert {env.step(np.int64(action))[1] for action in actions(3000)} == {0, 3}
    assert env.step(np.int64(0))[-1] == {"world": World(0, (0,)), "changed": False}


def test_what_pays_nothing_pays_nothing_after_a_flip() -> None:
    env = Forager(size=3, view=3, rewards=[0], counts=4, flip_every=1)
    env.reset(seed=0)
    assert {str(env.step(np.int64(action))[1]) for action in actions(50)} == {"0.0"}


def nearest(observation: np.ndarray, view: int, straight: int) -> int:
    """Return the first move to the nearest thing of kind 0 that is seen, around those of kind 1; else straight on."""
    good, bad = observation.reshape(2, view, view)
    middle = (view // 2, view // 2)
    turns = (straight, (straight + 1) % 4, (straight + 3) % 4, (straight + 2) % 4)
    waiting, known = deque([(middle, -1)]), {middle}
    while waiting:
        (row, column), first = waiting.popleft()
        if good[row, column]:
            return first
        for move in turns:
            to = row + (-1, 0, 1, 0)[move], column + (0, 1, 0, -1)[move]
            if min(to) >= 0 and max(to) < view and to not in known and not bad[to]:
                known.add(to)
                waiting.append((to, move if first < 0 else first))
    free = [move for move in turns if not bad[middle[0] + (-1, 0, 1, 0)[move], middle[1] + (0, 1, 0, -1)[move]]]
    return free[0] if free else straight


def test_the_documented_rates() -> None:
    env, move, earned = Forager(flip_every=10_000), EAST, []
    observation, _ = env.reset(seed=0)
    for _ in range(20_000):
        move = nearest(observation, env.view, move)
        observation, reward, *_ = env.step(np.int64(move))
        earned.append(reward)
    assert 0.33 < np.mean(earned[:10_000]) < 0.48
    assert -0.48 < np.mean(earned[10_000:]) < -0.33  # it does not notice
    env.reset(seed=0)
    earned = [env.step(np.int64(action))[1] for action in actions(50_000)]
    assert abs(np.mean(earned)) < 0.01
    assert np.mean(np.abs(earned)) == pytest.approx(0.095, abs=0.005)


# ---- a long life


@pytest.mark.parametrize("kwargs", SIZES)
def test_it_goes_on_from_its_state_bit_for_bit(kwargs: dict[str, Any]) -> None:
    def life(env: Any, moves: list[int]) -> list[Any]:
        return [(seen.tolist(), *rest) for seen, *rest in (env.step(np.int64(move)) for move in moves)]

    for stop in (0, 1, 7, 150):
        whole, resumed = (Forager(**kwargs) for _ in range(2))
        moves = actions(400)
        whole.reset(seed=3)
        life(whole, moves[:stop])
        state = json.loads(json.dumps(whole.get_state()))
        resumed.set_state(state)  # without a reset
        assert life(resumed, moves[stop:]) == life(whole, moves[stop:])
        assert resumed.get_state() == whole.get_state()
        assert whole.get_state()["clock"] == 400


def test_the_seed_decides_everything_and_a_reset_begins_anew() -> None:
    def life(env: Any, seed: int) -> list[Any]:
        met: list[Any] = [env.reset(seed=seed)[0].tolist()]
        return met + [(seen.tolist(), *rest) for seen, *rest in (env.step(np.int64(move)) for move in actions(100))]

    env = Forager(flip_every=30)
    assert life(env, 1) == life(env, 1) == life(Forager(flip_every=30), 1) != life(env, 2)


def test_nothing_grows() -> None:
    env = Forager(size=6, view=3, counts=5, flip_every=3)
    env.reset(seed=0)

    def held() -> list[int]:
        return [sys.getsizeof(value) for value in vars(env).values() if not isinstance(value, int | float)]

    for action in actions(20):
        env.step(np.int64(action))
    before = held()
    for action in actions(20_000):
        env.step(np.int64(action))
    assert held() == before
    assert len(json.dumps(env.get_state())) < 400


# ---- what is refused


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"size": 2}, "size: got 2; allowed: a whole number from 3 to 1000"),
        ({"view": 4}, "view: got 4; allowed: an odd number from 3 to size, so that it has a center"),
        ({"view": 21}, "view: got 21; allowed: a whole number from 3 to 20"),
        ({"rewards": []}, "rewards: got 0 of them; allowed: 1 to 100, one for each kind"),
        ({"rewards": ["much"]}, "rewards: got 'much'; allowed: a number from -1e\\+06 to 1e\\+06"),
        ({"counts": 0}, "counts: got 0; allowed: a whole number from 1 to 200"),
        (
            {"counts": [1, 2, 3]},
            r"counts: got \[1, 2, 3\]; allowed: one number, or one for each of the 2 kinds, together 200",
        ),
        ({"counts": 101}, "counts: got 101; allowed: one number, or one for each of the 2 kinds, together 200 at most"),
        ({"flip_every": -1}, "flip_every: got -1; allowed: a whole number from 0 to 1000000000000"),
    ],
)
def test_fields_that_cannot_be_are_refused(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(EnvError, match=said):
        make_env("synaptick/Forager-v0", arguments)


def test_steps_that_cannot_be_are_refused() -> None:
    env = Forager()
    with pytest.raises(ValueError, match="render_mode: got 'human'; allowed: only None"):
        Forager(render_mode="human")
    with pytest.raises(ResetNeeded, match=r"call reset\(\) before step\(\)"):
        env.step(np.int64(0))
    env.reset(seed=0)
    before = env.get_state()
    for action in (4, -1, 0.5, None):
        with pytest.raises(ValueError, match=f"action: got {action!r}; allowed: 0 to 3"):
            env.step(action)  # type: ignore[arg-type]
    assert env.get_state() == before


def test_states_of_others_are_refused() -> None:
    env, other = Forager(), Forager(counts=[1, 2])
    for one in (env, other):
        one.reset(seed=0)
    with pytest.raises(ValueError, match=r"state: got \(1, 2\) things to eat for \(40, 40\); allowed: what get_state"):
        env.set_state(other.get_state())
    with pytest.raises(ValueError, match="where cells, changes, clock, place, rng belong"):
        env.set_state({"clock": 3})


def test_it_is_registered() -> None:
    env = gymnasium.make("synaptick.envs:synaptick/Forager-v0", size=9, counts=3)
    assert env.spec is not None
    assert env.spec.max_episode_steps is None
    assert env.observation_space.shape == (50,)
