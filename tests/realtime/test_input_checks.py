"""What a guard lets in: observations, rewards, sensors and actuators that cannot be believed teach nothing."""

from __future__ import annotations

import gc
import sys
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from synaptick import InputError
from synaptick.realtime import Guard, Quiet, Watchdog
from synaptick.realtime.faults import QUIET
from synaptick.realtime.input_checks import TRUSTED, ObservationCheck

from ..support.common import SIZE, learned, make_agent, state
from ..support.machines import NAN, VALVE, FakeClock, Unreadable, guarded, lead, said, stream

# ---- what comes in


@pytest.mark.parametrize(
    "bad", [NAN, np.full(SIZE, np.inf), np.zeros(SIZE + 1), None, "text", [1.0, [2.0]], Unreadable()]
)
def test_no_bad_observation_reaches_the_agent(bad: Any) -> None:
    guard = guarded()
    before = lead(guard, 20)[-1]
    kept, ticks = state(guard.agent), guard.agent.ticks
    for _ in range(10):
        assert guard.step(0.5, bad) == before
    assert state(guard.agent) == kept
    lead(guard, QUIET + 1, 1)
    assert guard.agent.ticks == ticks + QUIET + 1
    first, last = said(guard, "input")
    assert first.endswith(": hold")
    assert last == f"over: in 10 steps, the last of them {20 + 10}"
    assert guard.report()["agent"]["held"] == 10
    assert guard.report()["trouble_steps"] == {"input": 10}


def test_nothing_is_learned_across_a_gap_and_no_credit_reaches_over_it() -> None:
    # With a unit of values that grows, the readout would change without being learned.
    guard = Guard(make_agent(normalize_rewards=False), clock=FakeClock())
    lead(guard, 50)
    for _ in range(10):
        guard.step(1.0, NAN)
    before = learned(guard.agent)
    guard.step(1e3, stream(1, 1)[0][1])  # the first after the gap only acts
    after = learned(guard.agent)
    assert all((after[name] == before[name]).all() for name in before)
    assert guard.agent.arena.clock.stale == 1
    assert np.abs(guard.agent.arena.views["critic/credit"]).max() > 0
    weights = guard.agent.arena.views["critic/w"].copy()
    guard.step(1e3, stream(1, 2)[0][1])  # the next one has no credit from before
    assert (guard.agent.arena.views["critic/w"] == weights).all()
    guard.step(1.0, stream(1, 3)[0][1])
    assert (guard.agent.arena.views["critic/w"] != weights).any()
    assert guard.agent.episodes == 1


def test_after_a_long_gap_an_episode_begins() -> None:
    guard = guarded(Watchdog(restart_after=20))
    lead(guard, 50)
    for _ in range(21):
        guard.step(1.0, NAN)
    lead(guard, 1, 1)
    assert (guard.agent.episodes, guard.restarted) == (2, 1)


@pytest.mark.parametrize(
    "reward", [np.nan, np.inf, None, "1", 5.0, -5.0, pytest.param(10**400, id="10^400"), Decimal("sNaN"), Unreadable()]
)
def test_a_bad_reward_teaches_nothing_while_the_agent_acts_on(reward: Any) -> None:
    guard = guarded(Watchdog(reward_low=-4.5, reward_high=4.5))
    lead(guard, 50)
    before, ticks = learned(guard.agent), guard.agent.ticks
    guard.step(reward, stream(1, 1)[0][1])
    assert guard.agent.ticks == ticks + 1
    after = learned(guard.agent)
    assert all((after[name] == before[name]).all() for name in before)
    assert (guard.frozen, guard.substitute.held) == (1, 0)
    assert said(guard, "reward")[0].endswith(": freeze")


def test_a_reward_beyond_all_before_is_refused_until_it_recurs() -> None:
    guard = guarded(Watchdog(reward_jump=100.0))
    lead(guard, 50)
    for _ in range(3):
        guard.step(1e4, stream(1)[0][1])
    assert guard.frozen == 3
    guard.step(1e4, stream(1)[0][1])
    guard.step(2e4, stream(1)[0][1])
    assert guard.frozen == 3


def test_a_first_reward_of_any_size_is_believed() -> None:
    guard = guarded()
    for _ in range(2000):
        guard.step(0.0, stream(1)[0][1])
    guard.step(1e9, stream(1)[0][1])
    assert guard.frozen == 0


@pytest.mark.parametrize(
    ("limits", "bad"),
    [
        ({"observation_high": 9.0}, [0.0, 10.0, 0.0]),
        ({"observation_low": [-9.0, -1e9, -9.0]}, [0.0, -100.0, -9.1]),
        ({"observation_jump": 30.0}, [0.0, 100.0, 0.0]),
    ],
)
def test_an_observation_outside_its_limits_is_not_shown_to_the_agent(limits: dict[str, Any], bad: Any) -> None:
    guard = guarded(Watchdog(**limits))
    lead(guard, TRUSTED + 100)
    kept = state(guard.agent)
    guard.step(0.0, np.array(bad))
    assert state(guard.agent) == kept
    assert "observation entry" in said(guard, "input")[0]


def test_a_jump_that_lasts_is_believed() -> None:
    guard = guarded(Watchdog(observation_jump=30.0, accept_after=10))
    lead(guard, TRUSTED + 100)
    for reward, observation in stream(200, 1):
        guard.step(reward, observation + 100.0)
    assert guard.substitute.held == 10


def test_a_first_observation_that_is_bad_needs_something_to_send() -> None:
    with pytest.raises(InputError, match="safe_action"):
        guarded().start(NAN)
    guard = guarded(safe_action=2)
    assert guard.start(NAN) == 2
    assert guard.step(0.0, NAN) == 2
    lead(guard, 5)
    assert guard.agent.episodes == 1


def test_a_safe_action_follows_a_long_hold() -> None:
    guard = guarded(Watchdog(hold_steps=5), safe_action=7)
    held = lead(guard, 20)[-1]
    assert [guard.step(0.0, NAN) for _ in range(8)] == [held] * 5 + [7] * 3


def test_a_bad_end_of_an_episode_teaches_nothing() -> None:
    guard = guarded()
    lead(guard, 50)
    before = learned(guard.agent)
    guard.end(np.nan)
    assert not guard.agent.running
    lead(guard, 1, 1)
    guard.end(1.0, NAN)
    assert not guard.agent.running
    names = [name for name in before if name.endswith("/w")]
    after = learned(guard.agent)
    assert all((after[name] == before[name]).all() for name in names)
    assert len(said(guard, "input")) == 2
    guard.end(1.0)  # none is running: nothing to end


# ---- sensors and actuators


def test_a_sensor_that_stops_moving_is_named() -> None:
    guard = guarded(Watchdog(sensor_steps=50))
    for k, (reward, observation) in enumerate(stream(400)):
        observation[2] = 3.0  # has never moved: no fault
        if 100 <= k < 250:
            observation[1] = 0.0
        guard.step(reward, observation)
    first, last = said(guard, "sensor")
    assert first == "observation entries that do not move: 1: report"
    assert last.startswith("over: in ")
    assert guard.frozen == guard.substitute.held == 0


def test_a_dead_sensor_may_freeze_what_is_learned() -> None:
    guard = guarded(Watchdog(sensor_steps=50, sensor="freeze"))
    lead(guard, 100)
    for reward, observation in stream(200, 1):
        observation[0] = 0.0
        guard.step(reward, observation)
    assert 99 <= guard.frozen <= 151
    before = learned(guard.agent)
    reward, observation = stream(1, 2)[0]
    observation[0] = 0.0
    guard.step(reward, observation)
    after = learned(guard.agent)
    assert all((after[name] == before[name]).all() for name in before)


@pytest.mark.parametrize(("action", "stuck"), [(None, 5), (VALVE, np.full(2, 0.2))], ids=["discrete", "box"])
def test_an_actuator_that_does_not_follow_is_named(action: Any, stuck: Any) -> None:
    guard = guarded(Watchdog(actuator_tolerance=0.01, actuator_steps=5), action=action)
    applied = None
    for k, (reward, observation) in enumerate(stream(300)):
        applied = guard.step(reward, observation, applied if k < 100 or k >= 150 else stuck)
    first, last = said(guard, "actuator")
    assert first.startswith("the actuator reports [")
    assert first.endswith(": freeze")
    assert "over: in 46 steps" in last
    assert guard.frozen == 46


def test_no_reward_is_blamed_for_an_observation_that_is_not_there() -> None:
    guard = guarded(Watchdog(reward_low=0.5))
    guard.step(1.0, stream(1)[0][1])
    guard.step(0.0, None)
    assert (said(guard, "reward"), len(said(guard, "input"))) == ([], 1)


def test_while_a_sensor_is_dead_no_end_and_no_begin_of_an_episode_teaches_anything() -> None:
    guard = guarded(Watchdog(sensor_steps=50, sensor="freeze"))
    lead(guard, 100)
    for k, (reward, observation) in enumerate(stream(150, 1)):
        observation[0] = 0.0
        if k == 120:
            before = learned(guard.agent)
            guard.end(reward)
        guard.step(reward, observation)
    assert guard.agent.episodes == 2
    after = learned(guard.agent)
    changed = {name.rpartition("/")[2] for name in before if (after[name] != before[name]).any()}
    emptied = {
        "credit",
        "credit_norms",
        "rest",
        "eps",
        "epsa",
        "gradient",
        "signals",
        "returns",
    }  # by any end and begin
    assert changed <= emptied


def test_of_several_dead_sensors_those_that_come_back_are_no_longer_named() -> None:
    check = ObservationCheck(make_agent(), Watchdog(sensor_steps=20))
    for k, (_, observation) in enumerate(stream(100)):
        if k >= 40:
            observation[[0, 2] if k < 90 else [2]] = 0.0
        check.problem(observation)
        if k in (80, 89):
            assert check.dead == [0, 2]
    assert check.dead == [2]


def test_an_actuator_of_many_parts_is_reported_in_a_few_words() -> None:
    action = spaces.Box(-1.0, 1.0, (1000,), np.float64)
    guard = guarded(Watchdog(actuator_tolerance=np.full(1000, 0.1), actuator_steps=1), action)
    for reward, observation in stream(3):
        guard.step(reward, observation, np.full(1000, 9.0))
    (text,) = said(guard, "actuator")
    assert "[9.0, 9.0, 9.0, 9.0, ...]" in text
    assert len(text) < 300
    guard.step(0.0, stream(1)[0][1], Unreadable())  # and one that reports nonsense is named too


def test_trouble_keeps_no_memory_and_makes_no_cycles() -> None:
    """With the collector off, an exception that refers to itself would stay for good."""
    watchdog = Watchdog(input="fallback", fallback_steps=0, reward_high=5.0, observation_high=100.0)
    guard = guarded(watchdog, fallback=lambda seen: 1 / 0)
    bad = [None, NAN, "x", [1.0, [2.0]], np.full(SIZE, 1e3), Unreadable()]
    good = stream(64)

    def steps(number: int) -> None:
        for k in range(number):
            reward = (0.0, np.nan, "x", 9.0)[k % 4]
            guard.step(reward, bad[k % 6] if k % 3 == 0 else good[k % 64][1])

    lead(guard, 10)
    with Quiet():
        steps(4000)
        blocks = sys.getallocatedblocks()
        steps(4000)
        assert sys.getallocatedblocks() - blocks < 200
        assert gc.collect() == 0
    assert {"input", "reward", "fallback"} == guard.log.counts.keys()
