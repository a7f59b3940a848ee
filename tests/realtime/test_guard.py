"""The guard: the agent when all is well, what it sends, who acts in its place, and its settings."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from synaptick import ConfigError
from synaptick.realtime import Guard, Snapshots, Watchdog

from ..support.common import PARTS, make_agent, state
from ..support.machines import NAN, VALVE, Unreadable, guarded, lead, said, stream

# ---- without trouble


@pytest.mark.parametrize("action", [None, VALVE, PARTS], ids=["discrete", "box", "dict"])
def test_a_guard_without_trouble_is_the_agent(action: Any) -> None:
    """Bit for bit, through the ends of episodes too."""
    guard, agent = guarded(action=action), make_agent(action=action)
    events = stream(300)
    agent.start(events[0][1])
    guard.start(events[0][1])
    for k, (reward, observation) in enumerate(events[1:], 1):
        if k % 40 == 0:
            last = observation if k % 80 else None
            guard.end(reward, last)
            agent.end(reward, last)
            agent.start(observation)
            guard.step(99.0, observation)  # begins an episode by itself; what it pays is nobody's
        else:
            assert str(guard.step(reward, observation)) == str(agent.step(reward, observation))
    assert state(guard.agent) == state(agent)
    assert guard.log.events() == []


def test_a_report_is_plain_data_and_everything_in_it_is_of_a_fixed_size() -> None:
    guard = guarded(Watchdog(scan=16), cpu_time=True)
    lead(guard, 200)
    blocks = sys.getallocatedblocks()
    for seed in range(10):
        for reward, observation in stream(100, seed):
            guard.step(reward, observation)
    assert sys.getallocatedblocks() - blocks < 100
    report = json.loads(json.dumps(guard.report(), allow_nan=False))
    assert report["steps"] == report["step_us"]["count"] == report["step_cpu_us"]["count"] == 1200
    assert report["snapshots"]["taken"] == 2


def test_warming_up_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = guarded()
    lead(guard, 50)
    before = state(guard.agent)
    guard.warm_up()
    assert state(guard.agent) == before

    def broken_off(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(guard.agent.action), "decode", broken_off)
    with pytest.raises(KeyboardInterrupt):
        guard.warm_up()
    assert state(guard.agent) == before


# ---- what goes out


def test_actions_keep_to_their_range_and_rate() -> None:
    watchdog = Watchdog(action_low=-0.5, action_high=[0.25, 0.5], action_rate=0.1)
    guard = guarded(watchdog, VALVE, safe_action=np.zeros(2))
    actions = np.array([guard.start(NAN), *lead(guard, 300)])
    assert (actions >= -0.5).all()
    assert (actions <= [0.25, 0.5]).all()
    assert np.abs(np.diff(actions, axis=0)).max() <= 0.1 + 1e-12
    assert actions[:, 0].max() == 0.25
    assert np.abs(np.diff(actions, axis=0)).max() > 0.09
    assert said(guard, "action")[0].endswith(": limit")
    assert len(said(guard, "action")) < 10
    assert guard.agent.ticks == 299  # all of it was learned from


@pytest.mark.parametrize("response", ["hold", "fallback"])
def test_an_action_beyond_its_limit_may_be_refused(response: str) -> None:
    watchdog = Watchdog(action_rate=0.2, action=response, fallback_steps=3)
    guard = guarded(watchdog, VALVE, fallback=lambda seen: np.full(2, 9.0))
    actions = np.array(lead(guard, 300))
    assert np.abs(np.diff(actions, axis=0)).max() <= 0.2 + 1e-12  # those of the fallback too
    assert (guard.substitute.held if response == "hold" else guard.substitute.handed_over) > 50


def test_what_a_plant_writes_into_an_action_is_not_what_is_held() -> None:
    guard = guarded(action=VALVE)
    action = lead(guard, 10)[-1]
    expected = action.copy()
    action[:] = np.nan
    assert (guard.step(0.0, NAN) == expected).all()


def test_a_first_action_that_is_refused_is_limited_where_there_is_none_to_hold() -> None:
    guard = guarded(Watchdog(action="hold", action_low=0.9, action_high=0.95), VALVE)
    for reward, observation in stream(3):
        action = guard.step(reward, observation)
        assert ((action >= 0.9) & (action <= 0.95)).all()


def test_whole_numbers_keep_to_their_limits_too() -> None:
    """Rounding towards zero would pass a limit of a half."""
    watchdog = Watchdog(action_low=-6.5, action_high=6.5, action_rate=1.5)
    guard = guarded(watchdog, spaces.Box(-9, 9, (2,), np.int64))
    actions = np.array(lead(guard, 300))
    assert np.abs(actions).max() == 6
    assert np.abs(np.diff(actions, axis=0)).max() == 1


def test_an_action_too_large_for_its_kind_of_number_is_not_infinite() -> None:
    watchdog = Watchdog(action_rate=1e300, input="fallback")
    guard = guarded(watchdog, spaces.Box(-np.inf, np.inf, (1,), np.float32), fallback=lambda seen: np.array([1e200]))
    lead(guard, 5)
    with np.errstate(over="ignore"):
        assert guard.step(0.0, NAN) == np.finfo(np.float32).max


def test_the_rate_is_measured_from_what_the_machine_has() -> None:
    guard = guarded(Watchdog(action_rate=0.1), VALVE)
    sent = lead(guard, 20)[-1]
    for k, (reward, observation) in enumerate(stream(200, 1)):
        action = guard.step(reward, observation)
        assert np.abs(action - sent).max() <= 0.1 + 1e-12
        if k % 3 == 0:
            guard.was_not_sent()
        elif k % 3 == 1:
            guard.was_not_sent(instead=np.zeros(2))
            sent = np.zeros(2)
        elif k % 5 == 0:
            guard.end(reward)  # chooses nothing, so that nothing can have been left unsent
            guard.was_not_sent()
            sent = action
        else:
            sent = action


def test_what_a_plant_writes_into_parts_of_an_action_is_not_what_is_held() -> None:
    guard = guarded(action=PARTS)
    action = lead(guard, 10)[-1]
    expected = str(action)
    action["turn"][()] = np.nan
    action["switch"][:] = 7
    assert str(guard.step(0.0, NAN)) == expected


def test_what_a_plant_writes_into_a_safe_action_is_not_what_is_sent_next() -> None:
    guard = guarded(Watchdog(hold_steps=0), VALVE, safe_action=np.zeros(2))
    for _ in range(3):
        action = guard.step(0.0, NAN)
        assert (action == 0.0).all()
        action[:] = np.nan


# ---- who acts instead


def test_a_fallback_takes_over_and_hands_back() -> None:
    seen: list[Any] = []

    def controller(observation: Any) -> int:
        seen.append(observation.copy())
        return 7

    guard = guarded(Watchdog(input="fallback", fallback_steps=5), fallback=controller)
    lead(guard, 20)
    good = stream(20)[-1][1]
    actions = [guard.step(0.0, NAN) for _ in range(3)]
    actions += lead(guard, 10, 1)
    assert actions[:8] == [7] * 8
    assert all(action in (0, 1, 2) for action in actions[8:])
    assert (seen[0] == good).all()
    assert (seen[3] == stream(1, 1)[0][1]).all()
    assert guard.substitute.handed_over == len(seen) == 8


@pytest.mark.parametrize(
    "broken",
    [
        lambda seen: np.nan,
        lambda seen: 1 / 0,
        lambda seen: None,
        lambda seen: "left",
        lambda seen: [1.0, [2.0]],
        lambda seen: Unreadable(),
    ],
)
def test_a_fallback_that_fails_is_replaced_by_holding(broken: Callable[[Any], Any]) -> None:
    guard = guarded(Watchdog(input="fallback"), fallback=broken)
    held = lead(guard, 20)[-1]
    assert guard.step(0.0, NAN) == held
    assert said(guard, "fallback")[0].startswith("the fallback controller")


def test_what_a_fallback_writes_into_an_observation_is_not_what_it_is_given_next() -> None:
    def controller(observation: Any) -> int:
        assert np.isfinite(observation).all()
        observation[:] = np.nan
        return 1

    guard = guarded(Watchdog(input="fallback"), fallback=controller)
    lead(guard, 20)
    for _ in range(3):
        guard.step(0.0, NAN)
    assert said(guard, "fallback") == []
    assert guard.substitute.handed_over == 3


# ---- settings


@pytest.mark.parametrize(
    "wrong",
    [
        *({name: "dance"} for name in ("input", "reward", "sensor", "actuator", "action", "state", "collapse")),
        {"sensor_steps": 1},
        {"scan": -1},
        {"observation_jump": 0.0},
        {"reward_jump": "big"},
        {"reward_low": np.nan},
        {"action_rate": -1.0},
        {"hold_steps": 1.5},
        {"observation_jump": np.inf},
        {"collapse_share": 1.0},
        {"collapse_share": -0.5},
        {"actuator_tolerance": "little"},
    ],
    ids=str,
)
def test_impossible_settings_of_a_watchdog_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Watchdog(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"observation_low": [0.0, 1.0]},
        {"observation_low": 1.0, "observation_high": 0.0},
        {"observation_high": np.nan},
        {"reward_low": 1.0, "reward_high": 0.0},
        {"action_rate": 0.1},
        {"input": "fallback"},
        {"actuator_tolerance": [0.1, 0.1]},
    ],
    ids=str,
)
def test_a_watchdog_that_does_not_fit_the_agent_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        guarded(Watchdog(**wrong))


def test_limits_that_do_not_fit_a_box_are_refused() -> None:
    for wrong in (
        {"action_low": 1.0, "action_high": 0.0},
        {"action_rate": [1.0, 2.0, 3.0]},
        {"actuator_tolerance": [1.0, 2.0, 3.0]},
    ):
        with pytest.raises(ConfigError, match="act"):
            guarded(Watchdog(**wrong), VALVE)
    with pytest.raises(ConfigError, match="another agent"):
        Guard(make_agent(), snapshots=Snapshots(make_agent()))


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"safe_action": np.full(2, np.nan)}, "not finite"),
        ({"safe_action": np.full(2, 0.6)}, "action entry 0 is 0.6"),
        ({"safe_action": np.zeros(3)}, "it has shape .3,., the action space needs .2,."),
        ({"fallback": 3}, "fallback is 3"),
        ({"events": 0}, "events is 0"),
    ],
    ids=str,
)
def test_a_guard_refuses_what_cannot_be_used(wrong: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        guarded(Watchdog(action_high=0.5), VALVE, **wrong)
