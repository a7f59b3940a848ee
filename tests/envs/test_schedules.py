"""Schedules: what they say at every step, that they can be resumed and never grow, and what is refused."""

from __future__ import annotations

import itertools
import json
import math
import re
from typing import Any

import numpy as np
import pytest
from synaptick.envs.changes.number_schedules import Values, Walk, number_schedule
from synaptick.envs.changes.schedule import NEVER, Worlds
from synaptick.envs.random_streams import generator_state, set_generator_state, stream


def told(schedule: Any, steps: int, first: int = 0) -> list[float]:
    """Return the values in force at steps one after the other."""
    found = []
    for clock in range(first, steps):
        schedule.advance(clock)
        found.append(schedule.value if hasattr(schedule, "value") else schedule.world)
    return found


def runs(values: list[Any]) -> list[tuple[Any, int]]:
    return [(value, len(list(same))) for value, same in itertools.groupby(values)]


# ---- when


def test_values_follow_each_other_and_begin_again() -> None:
    schedule = Values("gravity", {"every": 4, "values": [0.5, 1.0, 2.0]}, 0)
    assert told(schedule, 26) == [0.5] * 4 + [1.0] * 4 + [2.0] * 4 + [0.5] * 4 + [1.0] * 4 + [2.0] * 4 + [0.5] * 2
    assert (schedule.changes, schedule.world, schedule.due) == (6, 0, 28)
    assert schedule.range == (0.5, 2.0)


def test_every_step_may_change() -> None:
    assert told(Values("x", {"every": 1, "values": [1, 2, 3]}, 0), 7) == [1, 2, 3, 1, 2, 3, 1]


def test_times_are_steps_before_the_change_and_end() -> None:
    schedule = Values("x", {"times": [1, 3, 7], "values": [10, 20]}, 0)
    assert told(schedule, 10) == [10, 20, 20, 10, 10, 10, 10, 20, 20, 20]
    assert (schedule.changes, schedule.due) == (3, NEVER)
    assert not schedule.advance(10**15)


def test_a_number_never_changes() -> None:
    for data in (1.5, {"values": [1.5]}, {"values": 1.5}):
        schedule = Values("x", data, 0)
        assert told(schedule, 3) == [1.5] * 3
        assert schedule.due == NEVER
    assert Worlds("schedule", 3, 0).world == 3


def test_random_intervals_are_geometric() -> None:
    mean = 20
    schedule = Worlds("schedule", {"mean_interval": mean}, 3)
    due = [0]
    for _ in range(20_000):
        due.append(schedule.due)
        schedule.advance(schedule.due)
    intervals = np.diff(due)
    assert intervals.min() == 1
    assert intervals.mean() == pytest.approx(mean, rel=0.03)
    assert intervals.var() == pytest.approx(mean * (mean - 1), rel=0.06)
    assert np.corrcoef(intervals[:-1], intervals[1:])[0, 1] == pytest.approx(0, abs=0.03)
    assert due != [0, *itertools.accumulate(int(n) for n in stream(4, "", "schedule").geometric(1 / mean, 20_000))]
    assert Worlds("schedule", {"mean_interval": 1}, 0).due == 1


def test_numbers_may_be_what_yaml_makes_of_them() -> None:
    schedule = Values("x", {"every": "2e3", "values": ["1e-1", 1]}, 0)
    assert (schedule.due, schedule.value) == (2000, 0.1)
    assert Values("x", {"every": 2e3, "values": [1, 2]}, 0).due == 2000


# ---- which


def test_worlds_are_counted_or_take_turns() -> None:
    assert told(Worlds("s", {"every": 2}, 0), 7) == [0, 0, 1, 1, 2, 2, 3]
    assert told(Worlds("s", {"every": 2, "worlds": 2}, 0), 7) == [0, 0, 1, 1, 0, 0, 1]
    schedule = Worlds("s", {"every": 1, "values": [0, 5, 0, 7]}, 0)
    assert told(schedule, 6) == [0, 5, 0, 7, 0, 5]
    assert schedule.most == 8


def test_random_order_never_repeats_and_leaves_none_out() -> None:
    schedule = Values("x", {"every": 1, "values": [1, 2, 4, 8], "order": "random"}, 0)
    values = told(schedule, 12_000)
    assert values[0] == 1
    pairs = list(itertools.pairwise(values))
    assert all(a != b for a, b in pairs)
    counts = [pairs.count(pair) for pair in itertools.permutations([1, 2, 4, 8], 2)]
    np.testing.assert_allclose(counts, 1000, rtol=0.15)


@pytest.mark.parametrize("log", [False, True])
def test_what_is_drawn_is_even_over_the_range(log: bool) -> None:
    schedule = Values("x", {"every": 1, "between": [0.5, 8], "log": log}, 0)
    values = np.array(told(schedule, 4000))
    assert len(set(values.tolist())) == 4000
    even = np.log2(values) if log else values
    low, high = (-1, 3) if log else (0.5, 8)
    quantiles = np.quantile(even, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(quantiles, np.linspace(low, high, 5), atol=0.03 * (high - low))
    assert schedule.range == (0.5, 8)
    assert low <= even.min()
    assert even.max() <= high


def test_a_world_that_returns_is_the_same() -> None:
    schedule = Values("x", {"every": 1, "between": [0, 1], "worlds": 5}, 0)
    values = told(schedule, 15)
    assert values[:5] == values[5:10] == values[10:]
    assert len(set(values)) == 5
    shuffled = Values("x", {"mean_interval": 3, "between": [0, 1], "worlds": 5, "order": "random"}, 0)
    for clock in range(100):
        shuffled.advance(clock)
        assert shuffled.value == values[shuffled.world]


def test_the_start_may_be_given() -> None:
    schedule = Values("x", {"every": 3, "between": [2, 3], "start": 1}, 0)
    values = told(schedule, 9)
    assert values[:3] == [1, 1, 1]
    assert all(2 <= value <= 3 for value in values[3:])
    assert schedule.range == (1, 3)
    values = told(Values("x", {"every": 1, "between": [2, 3], "start": 1, "worlds": 3}, 0), 9)
    assert values[::3] == [1, 1, 1]
    assert values[1] == values[4] != values[2] == values[5]


def test_arrays_are_drawn_entry_by_entry() -> None:
    schedule = Values("x", {"every": 1, "between": [0, 1]}, 0, size=4)
    assert len(set(schedule.value.tolist())) == 4
    assert Values("x", {"every": 1, "values": [3, 4]}, 0, size=2).value.tolist() == [3, 3]


def test_streams_differ_by_seed_name_and_wrapper() -> None:
    data = {"mean_interval": 50, "between": [0, 1]}
    made = [Values(name, data, seed, key) for name in ("a", "b") for seed in (0, 1) for key in ("k", "l")]
    assert len({schedule.value for schedule in made}) == len(made)
    assert len({tuple(generator_state(schedule._rng)) for schedule in made}) == len(made)
    assert Values("a", data, 0, "k").value == made[0].value


# ---- wandering


def test_a_walk_takes_steps_of_its_deviation() -> None:
    walk = Walk("x", {"wander": 0.01, "between": [-100, 100], "start": 7}, 0)
    values = np.array(told(walk, 20_000))
    assert values[0] == 7
    steps = np.diff(values)
    assert steps.mean() == pytest.approx(0, abs=0.0003)
    assert steps.std() == pytest.approx(0.01, rel=0.02)
    logarithm = Walk("x", {"wander": 0.01, "between": [0.001, 1000], "log": True}, 0)
    assert logarithm.value == pytest.approx(1)
    assert np.diff(np.log(told(logarithm, 20_000))).std() == pytest.approx(0.01, rel=0.02)


@pytest.mark.parametrize("log", [False, True])
def test_a_reflected_walk_is_even_over_its_range(log: bool) -> None:
    walk = Walk("x", {"wander": 0.5, "between": [0.5, 2], "log": log}, 1)
    values = np.array(told(walk, 20_000))
    assert values.min() >= 0.5
    assert values.max() <= 2
    even = np.log(values) if log else values
    low, high = (math.log(0.5), math.log(2)) if log else (0.5, 2)
    quantiles = np.quantile(even, [0.1, 0.25, 0.5, 0.75, 0.9])
    np.testing.assert_allclose(quantiles, low + (high - low) * np.array([0.1, 0.25, 0.5, 0.75, 0.9]), atol=0.03)
    assert len(set(values.tolist())) > 19_000  # reflected, not stopped
    assert np.abs(np.diff(even)).mean() < 0.5


def test_reflection_folds_the_way() -> None:
    walk = Walk("x", {"wander": 1, "between": [0, 1], "start": 0.75}, 0)
    draws = iter([0.5, -0.5, 3.0, -2.5])
    walk._rng = type("Told", (), {"standard_normal": lambda self, size: next(draws)})()  # type: ignore[assignment]
    assert told(walk, 5) == [0.75, 0.75, 0.25, 0.75, 0.25]  # 1.25, 0.25, 3.25, -1.75


def test_walks_that_wait_come_as_far_as_others() -> None:
    """After n steps at once the variance is n times that of one."""
    ends = []
    for seed in range(2000):
        walk = Walk("x", {"wander": 0.1, "between": [-100, 100], "at": "reset"}, seed)
        walk.advance(49)
        ends.append(walk.value)
        assert walk.due == 50
    assert np.std(ends) == pytest.approx(0.7, rel=0.05)
    slow = Walk("x", {"wander": 0.1, "between": [0, 1], "every": 10}, 0)
    assert [length for _, length in runs(told(slow, 35))] == [10, 10, 10, 5]


def test_a_walk_is_one_world() -> None:
    walk = Walk("x", {"wander": 0.1, "between": [0, 1]}, 0)
    told(walk, 100)
    assert (walk.changes, walk.world) == (0, 0)
    entries = Walk("x", {"wander": 0.1, "between": [0, 1]}, 0, size=3)
    entries.advance(5)
    assert len(set(entries.value.tolist())) == 3


# ---- resuming, and a long life

KINDS: list[Any] = [
    {"every": 7, "values": [0.5, 1, 2]},
    {"every": 7, "between": [0.5, 2], "log": True},
    {"times": [3, 50, 120, 121], "between": [0.5, 2], "worlds": 3},
    {"mean_interval": 9, "values": [1, 2, 3], "order": "random"},
    {"mean_interval": 9, "between": [1, 2], "start": 5},
    {"wander": 0.1, "between": [0.5, 2], "log": True},
    {"wander": 0.3, "between": [-1, 1], "every": 3},
    2.0,
]


@pytest.mark.parametrize("size", [None, 3])
@pytest.mark.parametrize("data", KINDS)
def test_a_schedule_goes_on_from_its_state(data: Any, size: int | None) -> None:
    for stop in (0, 1, 60, 130):
        whole, begun, resumed = (number_schedule("x", data, 4, size=size) for _ in range(3))
        expected = told(whole, 200)
        told(begun, stop)
        state = json.loads(json.dumps(begun.get_state()))
        told(resumed, 30)
        resumed.set_state(state)
        np.testing.assert_array_equal(resumed.value, begun.value)
        np.testing.assert_array_equal(told(resumed, 200, stop), expected[stop:])
        assert resumed.get_state() == whole.get_state()
        assert (resumed.changes, resumed.world) == (whole.changes, whole.world)


@pytest.mark.parametrize("data", KINDS)
def test_a_state_never_grows(data: Any) -> None:
    schedule = number_schedule("x", data, 4)

    def held() -> int:
        return sum(len(kept) for kept in vars(schedule).values() if hasattr(kept, "__len__"))

    before = held()
    for clock in itertools.chain(range(3000), range(10**9, 10**9 + 3)):
        schedule.advance(min(clock, schedule.due))
    assert held() == before
    assert len(json.dumps(schedule.get_state())) < 300


def test_a_billion_steps_are_no_trouble() -> None:
    schedule = Values("x", {"every": 200_000, "between": [1, 2]}, 0)
    schedule.advance(10**9)
    assert (schedule.changes, schedule.world, schedule.due) == (5000, 5000, 10**9 + 200_000)
    fresh = Values("x", {"every": 1, "between": [1, 2]}, 0)
    fresh.advance(5000)
    assert fresh.value == schedule.value


def test_generators_go_on_from_their_state() -> None:
    ours, theirs = stream(0, "a"), stream(1, "b")
    ours.integers(5, dtype=np.uint32)  # leaves half of a draw behind
    set_generator_state(theirs, json.loads(json.dumps(generator_state(ours))))
    np.testing.assert_array_equal(
        ours.integers(1000, size=9, dtype=np.uint32), theirs.integers(1000, size=9, dtype=np.uint32)
    )
    assert stream(0, "ab", "c").random() != stream(0, "a", "bc").random()


# ---- what is refused


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("often", "x: got 'often'; allowed: a number, or a mapping with every, times, mean_interval, "),
        (True, "x: got True; allowed: a number, or a mapping"),
        ([1, 2], "x: got [1, 2]; allowed: a number, or a mapping"),
        (
            {"evry": 3},
            "x: got the key 'evry'; allowed: every, times, mean_interval, worlds, values, order, at, between",
        ),
        ({"values": [1, 2]}, "allowed: one of every, times, mean_interval, which say when it changes"),
        ({"every": 3, "times": [3], "values": [1, 2]}, "allowed: one of every, times, mean_interval"),
        ({"every": 0, "values": [1, 2]}, "x: every: got 0; allowed: a whole number from 1 to 1000000000000"),
        ({"every": 2.5, "values": [1, 2]}, "x: every: got 2.5; allowed: a whole number"),
        ({"mean_interval": "soon", "values": [1, 2]}, "x: mean_interval: got 'soon'; allowed: a whole number"),
        ({"times": [3, 3], "values": [1, 2]}, "x: times: got [3, 3]; allowed: whole numbers, each above the last"),
        ({"times": [], "values": [1, 2]}, "x: times: got []; allowed: whole numbers"),
        ({"times": [0, 3], "values": [1, 2]}, "x: times: got 0; allowed: a whole number from 1"),
        ({"every": 3}, "x: got {'every': 3}; allowed: one of values, between"),
        ({"every": 3, "values": [1, 2], "between": [1, 2]}, "allowed: one of values, between"),
        ({"every": 3, "values": [1]}, "x: values: got [1]; allowed: a list of 2 to 1000 of them"),
        ({"every": 3, "values": [1, 2], "worlds": 2}, "x: got values and worlds; allowed: one of them"),
        ({"every": 3, "values": [1, 2], "log": True}, "x: got log with values; allowed: only with between"),
        ({"every": 3, "values": [1, 200]}, "x: values: got 200; allowed: a number from -5 to 100"),
        ({"every": 3, "values": [1, math.nan]}, "x: values: got nan; allowed: a number from -5 to 100"),
        ({"every": 3, "between": [1, 200]}, "x: between: got 200; allowed: a number from -5 to 100"),
        ({"every": 3, "between": [2, 1]}, "x: between: got [2, 1]; allowed: [low, high], high above low"),
        ({"every": 3, "between": 2}, "x: between: got 2; allowed: [low, high]"),
        (
            {"every": 3, "between": [0, 1], "log": True},
            "allowed: [low, high], high above low, low above 0 because of log",
        ),
        ({"every": 3, "between": [0, 1], "log": 1}, "x: log: got 1; allowed: true or false"),
        ({"every": 3, "between": [0, 1], "start": 101}, "x: start: got 101; allowed: a number from -5 to 100"),
        ({"every": 3, "between": [0, 1], "worlds": 1}, "x: worlds: got 1; allowed: a whole number from 2 to 1000"),
        ({"every": 3, "between": [0, 1], "order": "random"}, "x: order: got 'random' without worlds to choose from"),
        ({"every": 3, "values": [1, 2], "order": "up"}, "x: order: got 'up'; allowed: cycle, random"),
        ({"every": 3, "values": [1, 2], "at": "noon"}, "x: at: got 'noon'; allowed: step, reset"),
        ({"wander": 0.1}, "x: got wander without a range; give between: [low, high] too"),
        ({"wander": 0, "between": [1, 2]}, "x: wander: got 0; allowed: a number above 0"),
        ({"wander": -1, "between": [1, 2]}, "x: wander: got -1; allowed: a number from 0 to 1e+06"),
        ({"wander": 1, "between": [1, 2], "start": 3}, "x: start: got 3; allowed: a number from 1 to 2"),
        (
            {"wander": 1, "between": [1, 2], "values": [1]},
            "x: got the key 'values'; allowed: wander, between, log, start,",
        ),
    ],
)
def test_schedules_that_cannot_be_are_refused(data: Any, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        number_schedule("x", data, 0, limits=(-5.0, 100.0))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            {"every": 3, "between": [0, 1]},
            "s: got the key 'between'; allowed: every, times, mean_interval, worlds, values,",
        ),
        ({"every": 3, "values": [0, 0.5]}, "s: values: got 0.5; allowed: a whole number from 0 to 999"),
        (-1, "s: values: got -1; allowed: a whole number from 0 to 999"),
    ],
)
def test_worlds_that_cannot_be_are_refused(data: Any, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        Worlds("s", data, 0)


def test_states_of_others_are_refused() -> None:
    three, two = (Values("x", {"every": 1, "values": list(range(count))}, 0) for count in (3, 2))
    three.advance(2)
    with pytest.raises(ValueError, match="x: state: got place 2 of 2; allowed: what get_state"):
        two.set_state(three.get_state())
    walk = Walk("x", {"wander": 0.1, "between": [0, 1]}, 0)
    with pytest.raises(ValueError, match="x: state: got 2 places for 1; allowed: what get_state"):
        walk.set_state(Walk("x", {"wander": 0.1, "between": [0, 1]}, 0, size=2).get_state())
    with pytest.raises(ValueError, match=r"state: got \['place'\], where changes, due, place, rng belong"):
        walk.set_state({"place": 0.0})
