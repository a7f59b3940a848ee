"""The guard: every trigger, every response, and what an agent learns from none of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from synaptick.agent import ConfigError, InputError
from synaptick.agent.kernels import layout as at
from synaptick.agent.realtime import Guard, Snapshots, Watchdog
from synaptick.agent.realtime.inputs import TRUSTED
from synaptick.agent.realtime.returns import RunningReturn
from synaptick.agent.realtime.spells import QUIET

from .common import PARTS, SIZE, assert_finite, learned, make_agent, state
from .machines import FakeClock, said

VALVE = spaces.Box(-1.0, 1.0, (2,), np.float64)
NAN = np.full(SIZE, np.nan)


def stream(number: int, seed: int = 0) -> list[tuple[float, Any]]:
    rng = np.random.default_rng(seed)
    return [(float(rng.normal()), rng.normal(size=SIZE)) for _ in range(number)]


def guarded(watchdog: Watchdog | None = None, action: Any = None, **options: Any) -> Guard:
    return Guard(make_agent(action=action), watchdog, clock=FakeClock(), **options)


def lead(guard: Guard, number: int, seed: int = 0) -> list[Any]:
    return [guard.step(reward, observation) for reward, observation in stream(number, seed)]


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


def test_warming_up_leaves_no_trace() -> None:
    guard = guarded()
    lead(guard, 50)
    before = state(guard.agent)
    guard.warm_up()
    assert state(guard.agent) == before


# ---- what comes in


@pytest.mark.parametrize("bad", [NAN, np.full(SIZE, np.inf), np.zeros(SIZE + 1), None, "text", [1.0, [2.0]]], ids=str)
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
    guard = guarded()
    lead(guard, 50)
    for _ in range(10):
        guard.step(1.0, NAN)
    before = learned(guard.agent)
    guard.step(1e3, stream(1, 1)[0][1])  # the first after the gap only acts
    after = learned(guard.agent)
    assert all((after[name] == before[name]).all() for name in before)
    assert guard.agent.arena.ints[at.STALE] == 1
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


@pytest.mark.parametrize("reward", [np.nan, np.inf, None, "1", 5.0, -5.0])
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


@pytest.mark.parametrize("broken", [lambda seen: np.nan, lambda seen: 1 / 0, lambda seen: None, lambda seen: "left"])
def test_a_fallback_that_fails_is_replaced_by_holding(broken: Callable[[Any], Any]) -> None:
    guard = guarded(Watchdog(input="fallback"), fallback=broken)
    held = lead(guard, 20)[-1]
    assert guard.step(0.0, NAN) == held
    assert said(guard, "fallback")[0].startswith("the fallback controller")


# ---- the agent itself


@pytest.mark.parametrize("name", ["actor/0/w", "critic/credit", "critic/w", "actor/0/rho"])
@pytest.mark.parametrize("response", ["rollback", "hold", "fallback"])
def test_a_broken_number_is_found_and_undone(name: str, response: str) -> None:
    watchdog = Watchdog(scan=64, state=response, fallback_steps=4)
    guard = guarded(watchdog, fallback=lambda seen: 2, snapshots=None)
    lead(guard, 1005)
    guard.agent.arena.views[name].flat[1] = np.nan
    for reward, observation in stream(guard.recovery.scan.steps, 1):
        assert guard.step(reward, observation) in (0, 1, 2)
    assert_finite(guard.agent)
    report = guard.report()["agent"]
    assert report["rolled_back"] == 1
    assert report["held"] == (response == "hold")
    assert (report["handed_over"] > 0) == (response == "fallback")
    (event,) = said(guard, "state")
    assert event.startswith("not finite: ")
    assert event.endswith("rollback to the snapshot of step 1000")
    lead(guard, 5, 2)
    assert guard.agent.running


def test_every_number_of_the_state_is_looked_at() -> None:
    for action in (None, VALVE):
        guard = guarded(Watchdog(scan=48), action)
        lead(guard, 5)
        scan = guard.recovery.scan
        assert all(scan.step() for _ in range(2 * scan.steps))
        arena = guard.agent.arena
        places = [(arena.floats, k) for k in range(arena.floats.size)]
        bounds = [arena.views[name] for name in ("control_low", "control_high")]
        for k in range(arena.reals.size):
            if not any(np.shares_memory(arena.reals[k : k + 1], view) for view in bounds if view.size):
                places.append((arena.reals, k))
        for numbers, k in places[::7]:
            kept = numbers[k]
            for broken in (np.nan, np.inf):
                numbers[k] = broken
                assert not all(scan.step() for _ in range(scan.steps)), k
            numbers[k] = kept
        assert all(scan.step() for _ in range(scan.steps))


def test_a_snapshot_that_does_not_last_is_not_used_again_and_in_the_end_the_agent_is_not_asked() -> None:
    guard = guarded(Watchdog(), snapshots=None)
    lead(guard, 2500)
    steps = []
    for seed in range(6):
        guard.agent.arena.views["critic/w"][0, 0] = np.nan
        steps.append(guard.snapshots.steps)
        lead(guard, 3, seed)
    assert steps == [[0, 1000, 2000], [0, 1000, 2000], [0, 1000], [0], [], []]
    assert not guard.report()["agent"]["in_service"]
    assert "the agent is not asked any more" in said(guard, "state")[-1]
    ticks = guard.agent.ticks
    assert len(set(lead(guard, 50))) == 1
    assert guard.agent.ticks == ticks


def test_a_rollback_on_demand_is_bit_for_bit_until_the_next_step() -> None:
    guard = guarded()
    lead(guard, 1000)
    expected = state(guard.agent)
    lead(guard, 100, 1)
    assert guard.roll_back(exact=True)
    assert state(guard.agent) == expected
    episodes = guard.agent.episodes
    lead(guard, 1, 2)
    assert guard.agent.episodes == episodes + 1


# ---- the return


def test_the_running_return_tells_short_episodes_from_long_ones() -> None:
    found = []
    for length in (10, 500):
        returns = RunningReturn(Watchdog(return_steps=2000), 0.99)
        for step in range(20_000):
            returns.add(1.0)
            if step % length == length - 1:
                returns.open()
        found.append(returns.mean)
    assert found[0] == pytest.approx(5.3, abs=0.5)
    assert found[1] > 70


@pytest.mark.parametrize("settings", [{"collapse_below": 10.0}, {"collapse_share": 0.5}])
def test_a_collapse_is_undone_once_and_then_lived_with(settings: dict[str, Any]) -> None:
    watchdog = Watchdog(return_steps=500, collapse_steps=300, reward_jump=None, **settings)
    guard = Guard(make_agent(), watchdog, clock=FakeClock(), snapshots=None)
    events = stream(100)
    pay = [0.0] * 600 + [1.0] * 4000 + [-1.0] * 8000
    restored = []
    for k, reward in enumerate(pay):
        guard.step(reward, events[k % 100][1])
        if guard.recovery.count > len(restored):
            restored.append(k)
    assert len(restored) == 1
    assert 4600 + 300 < restored[0] < 4600 + 2000
    texts = said(guard, "collapse")
    assert "rollback to the snapshot of step " in texts[0]
    assert int(texts[0].split()[-1]) <= 4600  # not one of when it had begun
    assert "again after a rollback: report, and take this for the new normal" in texts[1]


def test_noise_is_no_collapse() -> None:
    guard = guarded(Watchdog(return_steps=500, collapse_steps=300, collapse_share=0.9))
    rng, observation = np.random.default_rng(0), np.zeros(SIZE)
    for _ in range(20_000):
        guard.step(float(rng.normal()), observation)
    assert said(guard, "collapse") == []


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
    ],
    ids=str,
)
def test_a_watchdog_that_does_not_fit_the_agent_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        guarded(Watchdog(**wrong))


def test_limits_that_do_not_fit_a_box_are_refused() -> None:
    for wrong in ({"action_low": 1.0, "action_high": 0.0}, {"action_rate": [1.0, 2.0, 3.0]}):
        with pytest.raises(ConfigError, match="action_"):
            guarded(Watchdog(**wrong), VALVE)
    with pytest.raises(ConfigError, match="another agent"):
        Guard(make_agent(), snapshots=Snapshots(make_agent()))
