"""The loop: its deadlines, a machine that fails, and how it ends; the command that measures it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synaptick import Agent, ConfigError, InputError
from synaptick.realtime import Guard, Loop, Snapshots, Watchdog

from ..support.common import ROOT, learned, make_agent, state
from ..support.machines import (
    LEVELS,
    MS,
    VALVE,
    FakeClock,
    Tank,
    Unreadable,
    by_hand,
    said,
    stream,
    tank_agent,
    tank_loop,
)
from ..support.runs import Cli


def test_a_loop_is_the_guard_at_its_deadlines() -> None:
    tank, twin = Tank(), Tank()
    loop, guard = tank_loop(tank), Guard(tank_agent())
    report = loop.run(steps=500)
    for _ in range(500):
        twin.act(guard.step(*twin.sense()))
    assert (tank.actions, tank.level) == (twin.actions, twin.level)
    assert state(loop.guard.agent) == state(guard.agent)
    json.dumps(report, allow_nan=False)
    assert (report["stopped"], report["periods"], report["misses"], report["collections"]) == ("steps", 500, 0, 0)
    assert report["allocations"]["interpreter_blocks_kept"] < 2000
    assert loop.run(seconds=0.25)["periods"] == 750
    assert report["wake_up_us"]["max"] == 0.0


def test_snapshots_wait_until_the_action_is_sent() -> None:
    """Between sensing and acting nothing is done that could be done later; the copies are those of a plain guard."""
    tank, twin = Tank(), Tank()
    loop, guard = tank_loop(tank), Guard(tank_agent())
    loop.guard.snapshots.every = guard.snapshots.every = 7
    taken: list[int] = []
    act, take = tank.act, loop.guard.snapshots.take
    order: list[str] = []

    def acted(action: Any) -> None:
        order.append("act")
        act(action)

    def took(step: int, level: float = -np.inf) -> None:
        order.append("snapshot")
        taken.append(step)
        take(step, level)

    tank.act, loop.guard.snapshots.take = acted, took  # type: ignore[method-assign]
    loop.run(steps=3000)
    for _ in range(3000):
        twin.act(guard.step(*twin.sense()))
    assert len(taken) >= 2
    assert loop.guard.snapshots.steps == guard.snapshots.steps
    assert order[order.index("snapshot") - 1] == "act"
    assert (tank.actions, state(loop.guard.agent)) == (twin.actions, state(guard.agent))


def test_what_was_left_to_settle_is_done_at_the_latest_before_the_next_step() -> None:
    agent = make_agent()
    guard = Guard(agent, snapshots=Snapshots(agent, every=1), clock=FakeClock())
    taken = guard.snapshots.taken
    for reward, observation in stream(3):
        guard.step(reward, observation, settle=False)
    assert guard.snapshots.taken == taken + 2
    for _ in range(2):
        guard.settle()
        assert guard.snapshots.taken == taken + 3
    guard.step(*stream(1)[0], settle=False)
    guard.end(1.0)
    assert guard.snapshots.taken == taken + 4


@pytest.mark.parametrize("overrun", ["skip", "hold", "stop"])
def test_a_step_that_is_late(overrun: str) -> None:
    tank, clock = Tank(), FakeClock()
    loop = tank_loop(tank, overrun=overrun, clock=clock)

    def slow(step: int, reward: Any, seen: Any) -> Any:
        clock.time += int(3.4 * MS) if step == 100 else 0
        return reward, seen

    tank.sensed = slow
    report = loop.run(steps=200)
    assert (report["misses"], report["skipped"]) == (1, 3)
    assert (report["stopped"], report["periods"]) == (("overrun", 100) if overrun == "stop" else ("steps", 200))
    assert len(tank.actions) == report["periods"] - (overrun == "hold")
    assert said(loop.guard, "overrun")[0].endswith(overrun)
    if overrun != "stop":
        assert clock.time == pytest.approx(5_000 + 203 * MS, abs=100)  # the grid is kept


def test_a_jump_of_the_clock_begins_an_episode() -> None:
    tank, clock = Tank(), FakeClock()
    loop = tank_loop(tank, clock=clock)
    clock.jumps = {100 * MS: 3600 * 1000 * MS}
    report = loop.run(steps=200)
    assert (report["jumps"], report["skipped"], report["agent"]["episodes"]) == (1, 0, 2)
    assert "the clock jumped by 3.6e+03 s" in said(loop.guard, "clock")[0]


def test_the_loop_goes_on_when_sensing_or_acting_fails() -> None:
    tank = Tank()

    def sensed(step: int, reward: Any, seen: Any) -> Any:
        if step in (100, 101):
            raise OSError("bus\nerror")
        return (reward,) if step == 150 else (reward, seen, "gone") if step == 160 else (reward, seen)

    def acted(step: int, action: Any) -> Any:
        if step == 250:
            raise RuntimeError("stalled")
        return action

    tank.sensed, tank.acted = sensed, acted
    loop = tank_loop(tank)
    report = loop.run(steps=400)
    assert report["failures"] == {"sense": 4, "act": 1}
    assert said(loop.guard, "sense")[0] == "sense() failed: OSError: bus error"
    assert said(loop.guard, "act")[0] == "act() failed: RuntimeError: stalled"
    assert report["agent"]["held"] == 4
    assert report["agent"]["ticks"] == 400 - 4 - 1


def test_a_plant_may_have_episodes_and_report_what_it_applied() -> None:
    tank = Tank()

    def sensed(step: int, reward: Any, seen: Any) -> Any:
        return reward, seen, "terminated" if step % 50 == 0 else "truncated" if step % 50 == 25 else None

    tank.sensed = sensed
    tank.applied = lambda: 5 if 100 < tank.steps < 140 else tank.actions[-1] if tank.actions else None  # type: ignore[attr-defined]
    loop = tank_loop(tank, Watchdog(actuator_tolerance=0))
    report = loop.run(steps=300)
    assert report["agent"]["episodes"] == 12
    assert said(loop.guard, "actuator")[0].startswith("the actuator reports")


def test_a_loop_can_be_stopped_and_leaves_the_machine_safe() -> None:
    tank = Tank()
    loop = tank_loop(tank, final_action=1)

    def acted(step: int, action: Any) -> Any:
        if step == 77:
            loop.stop()
        return action

    tank.acted = acted
    report = loop.run()
    assert (report["stopped"], report["periods"], tank.actions[-1]) == ("stop", 77, 1)
    assert len(tank.actions) == 78


def test_a_loop_that_is_broken_off_leaves_the_machine_safe() -> None:
    tank = Tank()

    def sensed(step: int, reward: Any, seen: Any) -> Any:
        if step == 9:
            raise KeyboardInterrupt
        return reward, seen

    tank.sensed = sensed
    loop = tank_loop(tank, final_action=1)
    with pytest.raises(KeyboardInterrupt):
        loop.run()
    assert tank.actions[-1] == 1
    assert loop.report()["stopped"] == "KeyboardInterrupt"


@pytest.mark.parametrize("wrong", [{"overrun": "run"}, {"rate": 0}, {"spin": -1.0}, {"jump": np.inf}], ids=str)
def test_impossible_settings_of_a_loop_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Loop(tank_agent(), Tank(), **({"rate": 1000} | wrong))
    with pytest.raises(ConfigError, match="watchdog"):
        Loop(Guard(tank_agent()), Tank(), 1000, watchdog=Watchdog())


@pytest.mark.parametrize("written", [False, True])
def test_the_example_runs(tmp_path: Path, written: bool) -> None:
    """Nothing is asked of its deadlines, which are real: a machine under test has other things to do."""
    command = [sys.executable, "-W", "error", str(ROOT / "docs" / "examples" / "control_loop.py"), "--seconds", "1"]
    options = ["--json", "--out", str(tmp_path)] if written else []
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
    if not written:
        assert "input: observation entry 0 is nan, not finite: hold" in done.stdout
        assert "error of the speed: " in done.stdout
        return
    report = json.loads(done.stdout)
    assert (report["stopped"], report["collections"], report["failures"]) == ("steps", 0, {"sense": 0, "act": 0})
    assert report["agent"]["in_service"]
    agent = Agent.load(tmp_path / "agent.synaptick")
    assert agent.ticks == report["agent"]["ticks"] > 0
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["agent"]["ticks"] > agent.ticks  # a second start goes on


def test_the_hand_controller_of_these_tests_controls() -> None:
    tank = Tank()
    for _ in range(1000):
        _, observation = tank.sense()
        tank.act(by_hand(observation))
    assert np.mean(tank.rewards) > 0.8


def test_the_latency_of_a_loop_can_be_measured(cli: Cli) -> None:
    """Times are those of a busy machine; what is counted has to be right."""
    code, out, err = cli("bench", "latency", "--seconds", 0.3, "--rate", 500, "--networks", "1x64", "--json")
    assert (code, err) == (0, "")
    result = json.loads(out)
    row = result["networks"]["1x64"]
    assert row["periods"] + row["skipped"] in range(140, 160)
    assert (row["collections"], row["allocations"]["compiled"], row["jumps"]) == (0, 0, 0)
    assert row["allocations"]["python_bytes_kept"] < 2000
    assert row["allocations"]["interpreter_blocks_kept"] < 50
    assert row["step_us"]["count"] == row["step_cpu_us"]["count"] <= row["periods"]
    assert row["overhead_us"] == pytest.approx(row["agent_step_us"] - row["compiled_step_us"])
    assert row["agent"]["ticks"] > 0
    code, out, err = cli("bench", "latency", "--seconds", 0.2, "--networks", "1x64")
    assert (code, err) == (0, "")
    assert "1x64" in out
    assert max(map(len, out.splitlines())) < 80


@pytest.mark.parametrize("wrong", [("--seconds", 0), ("--networks", "huge"), ("--rate", -1), ("--rate", "nan")])
def test_what_cannot_be_measured_is_refused(cli: Cli, wrong: tuple[Any, ...]) -> None:
    code, out, err = cli("bench", "latency", "--seconds", 0.2, *wrong)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert wrong[0].strip("-") in err


# ---- what a loop must not do


def test_nothing_is_learned_from_what_happened_between_two_runs() -> None:
    for final_action, pause in ((1, 0), (None, 50 * MS)):
        tank, clock = Tank(), FakeClock()
        loop = tank_loop(tank, final_action=final_action, clock=clock)
        loop.run(steps=300)
        before = learned(loop.guard.agent)
        clock.time += pause
        loop.run(steps=1)
        after = learned(loop.guard.agent)
        assert all((after[name] == before[name]).all() for name in before)
        loop.run(steps=50)
        assert loop.guard.agent.ticks == 350


@pytest.mark.parametrize("overrun", ["skip", "hold", "stop"])
def test_a_step_as_long_as_a_jump_of_the_clock_is_a_miss(overrun: str) -> None:
    tank, clock = Tank(), FakeClock()
    loop = tank_loop(tank, overrun=overrun, clock=clock)

    def slow(step: int, reward: Any, seen: Any) -> Any:
        clock.time += 2000 * MS if step == 100 else 0
        return reward, seen

    tank.sensed = slow
    report = loop.run(steps=200)
    assert report["misses"] == 1
    assert report["stopped"] == ("overrun" if overrun == "stop" else "steps")
    assert report["jumps"] == (overrun != "stop")
    assert len(tank.actions) == report["periods"] - (overrun == "hold")


def test_a_clock_that_goes_backwards_makes_no_run_longer() -> None:
    tank, clock = Tank(), FakeClock()
    loop = tank_loop(tank, clock=clock)
    clock.jumps = {100 * MS: -3600 * 1000 * MS}
    report = loop.run(seconds=0.5, steps=5000)
    assert report["stopped"] == "seconds"
    assert report["periods"] == pytest.approx(500, abs=2)
    assert report["seconds"] == pytest.approx(0.5, abs=0.01)


def test_what_a_plant_makes_of_an_action_is_not_sent_at_the_end_of_an_episode() -> None:
    class Scribbler(Tank):
        def act(self, action: Any) -> None:
            assert np.isfinite(action).all()
            self.actions.append(action.copy())
            action[:] = np.nan

    tank = Scribbler()
    tank.sensed = lambda step, reward, seen: (reward, seen, "terminated" if step in (1, 20) else "")
    loop = Loop(make_agent(observation=LEVELS, action=VALVE), tank, 1000, clock=FakeClock(), spin=0.0)
    report = loop.run(steps=40)
    assert (report["failures"]["act"], report["agent"]["episodes"]) == (0, 2)
    assert len(tank.actions) == 39  # at the first step there was none to send
    assert (tank.actions[18] == tank.actions[17]).all()


def test_an_error_that_cannot_be_shown_is_no_reason_to_stop() -> None:
    class Silent(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def sensed(step: int, reward: Any, seen: Any) -> Any:
        if step == 10:
            raise Silent
        return reward, seen

    tank = Tank()
    tank.sensed = sensed
    loop = tank_loop(tank)
    assert loop.run(steps=20)["periods"] == 20
    assert said(loop.guard, "sense")[0] == "sense() failed: Silent"


def test_what_is_no_plant_and_no_action_is_refused() -> None:
    with pytest.raises(ConfigError, match="Agent has no method sense"):
        Loop(tank_agent(), tank_agent(), 1000)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="final_action is nan"):
        tank_loop(Tank(), final_action=np.nan)


@pytest.mark.parametrize("wrong", [np.zeros(3), "level", {"level": 0.0}, [[0.0, 0.0]]], ids=str)
def test_a_first_observation_of_another_form_is_an_error_before_the_first_action(wrong: Any) -> None:
    tank = Tank()
    tank.sensed = lambda step, reward, seen: (reward, wrong)
    loop = tank_loop(tank, safe_action=1, fallback=by_hand)
    with pytest.raises(InputError, match="this is the first observation"):
        loop.run(steps=5)
    assert tank.actions == []
    assert loop.status()["state"] == "faulted"
    tank.sensed = lambda step, reward, seen: (reward, wrong if step % 2 else seen)
    assert loop.run(steps=6)["trouble_steps"] == {"input": 3}  # later it is a sensor's


def test_a_first_observation_that_is_only_bad_or_cannot_be_read_is_trouble_that_passes() -> None:
    for bad in (np.full(2, np.nan), Unreadable(), None):
        tank = Tank()
        tank.sensed = lambda step, reward, seen, bad=bad: (reward, bad if step < 3 else seen)  # type: ignore[misc]
        loop = tank_loop(tank, safe_action=1)
        assert loop.run(steps=5)["trouble_steps"] == {"input": 2}
        assert tank.actions[:2] == [1, 1]
