"""Telemetry of a loop: rows from a thread, which nothing that goes wrong there reaches the loop from."""

from __future__ import annotations

import csv
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from synaptick import Agent, ConfigError, Tally
from synaptick.metrics import Row
from synaptick.metrics.hooks import EVENTS, StopRun
from synaptick.realtime import Loop, Snapshots, Telemetry
from synaptick.realtime.hand_over import HandOver, Passed

from ..support.common import state
from ..support.machines import Tank, tank_agent, tank_loop


def run(telemetry: Telemetry, until: Callable[[], bool] = lambda: True) -> tuple[Loop, dict[str, Any]]:
    """Run a loop for as long as it takes on a machine that may be busy."""
    loop = Loop(tank_agent(), Tank(), rate=500, telemetry=telemetry)
    for _ in range(100):
        report = loop.run(seconds=0.2)
        if until():
            break
    return loop, report


def test_rows_come_while_the_loop_runs(tmp_path: Path) -> None:
    heard: list[float] = []
    telemetry = Telemetry(
        tmp_path / "telemetry.csv", every=0.05, hooks=[SimpleNamespace(on_log=lambda row: heard.append(row["step"]))]
    )
    loop, report = run(telemetry, lambda: telemetry.rows >= 4)
    counts = {"rows": telemetry.rows, "dropped": telemetry.dropped, "missed": 0, "failures": 0}
    assert report["telemetry"] == {**counts, "problem": "", "stopped": ""}
    with (tmp_path / "telemetry.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == telemetry.rows == len(heard) >= 4
    steps = [int(row["step"]) for row in rows]
    assert steps == sorted(steps)
    assert steps[-1] == loop.guard.agent.ticks
    assert float(rows[-1]["reward_rate"]) != 0
    assert float(rows[-1]["tick_us_p99"]) > 0
    assert not any(thread.name == "synaptick telemetry" for thread in threading.enumerate())


def test_a_program_that_starts_again_loses_no_row(tmp_path: Path) -> None:
    """An agent that is gone on with goes on in its file; what is another one's, or of lost steps, is kept beside."""
    path, beside = tmp_path / "telemetry.csv", tmp_path / "telemetry.older.csv"

    def started(agent: Agent) -> list[str]:
        Loop(agent, Tank(), rate=500, telemetry=Telemetry(path, every=0.05)).run(seconds=0.2)
        return path.read_text().splitlines()

    agent = tank_agent()
    first = started(agent)
    early = agent.snapshot()
    second = started(agent)
    assert second[: len(first)] == first
    assert len(second) > len(first)
    for name in (0, 1):  # steps and seconds
        numbers = [float(line.split(",")[name]) for line in second[1:]]
        assert numbers == sorted(numbers)
    assert not beside.exists()
    agent.restore(early)
    third = started(agent)
    assert third[: len(first)] == first
    assert beside.read_text().splitlines() == second
    started(tank_agent())
    assert beside.read_text().splitlines() == third


def test_rows_that_are_in_the_file_count_though_a_hook_fails(tmp_path: Path) -> None:
    def broken(_: Any) -> None:
        raise OSError("no route")

    telemetry = Telemetry(tmp_path / "telemetry.csv", every=0.05, hooks=[SimpleNamespace(on_log=broken)])
    run(telemetry, lambda: telemetry.rows >= 4)
    assert len((tmp_path / "telemetry.csv").read_text().splitlines()) == telemetry.rows + 1 >= 5
    assert telemetry.failures >= telemetry.rows


def test_it_goes_on_in_the_next_run(tmp_path: Path) -> None:
    telemetry = Telemetry(tmp_path / "telemetry.csv", every=0.05)
    loop, _ = run(telemetry)
    first = telemetry.rows
    loop.run(seconds=0.2)
    assert telemetry.rows > first
    assert len((tmp_path / "telemetry.csv").read_text().splitlines()) == telemetry.rows + 1


def test_a_hook_that_raises_or_is_slow_costs_rows_and_nothing_else() -> None:
    def slow(row: dict[str, float]) -> None:
        time.sleep(0.2)
        raise OSError(28, "No space left on device")

    telemetry = Telemetry(every=0.02, hooks=[SimpleNamespace(on_log=slow)])
    loop, report = run(telemetry, lambda: telemetry.dropped > 5)
    assert report["stopped"] == "seconds"
    assert report["failures"] == {"sense": 0, "act": 0}
    assert telemetry.rows == 0
    assert telemetry.dropped > 5
    assert telemetry.problem.startswith("hook SimpleNamespace.on_log failed (OSError: ")
    assert "No space left" in telemetry.problem
    assert loop.periods > 10


def test_the_agent_learns_the_same_with_it(tmp_path: Path) -> None:
    loops = [
        tank_loop(Tank(), telemetry=telemetry) for telemetry in (None, Telemetry(tmp_path / "rows.csv", every=0.01))
    ]
    for loop in loops:
        loop.run(steps=3000)
    assert state(loops[0].guard.agent) == state(loops[1].guard.agent)


@pytest.mark.parametrize("every", [0, -1, 0.001, True, "1", float("inf"), float("nan")])
def test_times_that_cannot_be_are_refused(every: Any) -> None:
    with pytest.raises(ConfigError, match=r"every is .*allowed: seconds, 0\.01 or more"):
        Telemetry("x.csv", every=every)


def test_it_needs_somebody_to_tell(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nobody to tell"):
        Telemetry()
    with pytest.raises(ConfigError, match=r"7 is no hook: it has none of on_start, on_step"):
        Telemetry(hooks=[7])
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot write"):
        run(Telemetry(tmp_path / "file" / "rows.csv"))


class Episodic(Tank):
    """A tank that ends an episode after 25 actions each."""

    def sense(self) -> tuple[Any, ...]:
        return (*super().sense(), "truncated" if self.steps % 26 == 0 else None)


class Recorder:
    """Notes its calls, and by which thread they were made."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any, str]] = []

    def note(self, event: str, value: Any) -> None:
        self.calls.append((event, value, threading.current_thread().name))

    def on_start(self, agent: Agent, tally: Tally) -> None:
        self.note("start", tally.steps)

    def on_step(self, tally: Tally) -> None:
        self.note("step", tally.steps)

    def on_episode(self, tally: Tally) -> None:
        self.note("episode", (tally.episodes, tally.last_length, tally.last_return, tally.mean_return))

    def on_log(self, row: Row) -> None:
        self.note("log", row)

    def on_checkpoint(self, path: Path) -> None:
        self.note("checkpoint", path)

    def on_stop(self, tally: Tally) -> None:
        self.note("stop", tally.steps)

    def of(self, event: str) -> list[Any]:
        return [value for name, value, _ in self.calls if name == event]


def test_a_hook_is_told_everything_in_order_and_nothing_by_the_thread_of_the_loop(tmp_path: Path) -> None:
    recorder, agent, plant = Recorder(), tank_agent(), Episodic()
    snapshots = Snapshots(agent, every=50, folder=tmp_path / "agents", write_every=50)
    loop = Loop(agent, plant, rate=500, snapshots=snapshots, telemetry=Telemetry(every=0.05, hooks=[recorder]))
    loop.run(steps=260)
    # Of 26 periods one brings the first observation of an episode, which no action has led to.
    assert recorder.of("step") == list(range(1, 251))
    assert [(number, length) for number, length, *_ in recorder.of("episode")] == [(k, 25) for k in range(1, 11)]
    returns = [value[2] for value in recorder.of("episode")]
    assert recorder.of("episode")[-1][3] == pytest.approx(np.mean(returns))
    rows = recorder.of("log")
    means = [row["mean_return"] for row in rows if row["mean_return"] is not None]
    assert min(returns) - 1e-9 <= min(means) <= max(means) <= max(returns) + 1e-9
    assert {row["mean_length"] for row in rows} - {None} == {25}
    assert recorder.of("start") == [0]
    assert [recorder.calls[0][0], recorder.calls[-1][0]] == ["start", "stop"]
    assert recorder.of("stop") == [250]
    assert set(recorder.of("checkpoint")) == {tmp_path / "agents"}
    threads = {event: thread for event, _, thread in recorder.calls}
    main = threading.current_thread().name
    assert threads.pop("start") == main
    assert set(threads.values()) == {"synaptick telemetry"}
    before = len(recorder.of("checkpoint"))
    loop.close()
    assert len(recorder.of("checkpoint")) == before + 1  # of the last snapshot


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("raised", [ValueError("no\nroom"), SystemExit(3)])
def test_a_hook_that_raises_is_counted_as_a_plant_is_and_others_hear_all(
    event: str, raised: BaseException, tmp_path: Path
) -> None:
    class Bad:
        pass

    def fail(self: Any, *_: Any) -> None:
        raise raised

    setattr(Bad, event, fail)
    agent, recorder = tank_agent(), Recorder()
    snapshots = Snapshots(agent, every=50, folder=tmp_path / "agents", write_every=50)
    telemetry = Telemetry(every=10.0, hooks=[Bad(), recorder])
    loop = Loop(agent, Episodic(), rate=500, snapshots=snapshots, telemetry=telemetry)
    report = loop.run(steps=60)
    loop.close()
    assert (report["stopped"], report["periods"]) == ("steps", 60)
    calls = {"on_step": 57, "on_episode": 2}
    assert telemetry.failures == calls.get(event, max(1, len(recorder.of(event.removeprefix("on_")))))
    assert report["telemetry"]["dropped"] == (event == "on_log")
    assert telemetry.problem.startswith(f"hook Bad.{event} failed (")
    assert "\n" not in telemetry.problem
    assert recorder.of("step") == list(range(1, 58))
    assert recorder.of("stop") == [57]


@pytest.mark.parametrize("event", [event for event in EVENTS if event not in ("on_stop", "on_checkpoint")])
def test_a_hook_may_end_the_loop_which_sends_its_final_action_first(event: str) -> None:
    plant = Episodic()
    sent: list[int] = []

    def stop(*_: Any) -> None:
        raise StopRun("enough")

    def stopped(tally: Tally) -> None:
        sent.append(len(plant.actions))

    hook = SimpleNamespace(**{event: stop, "on_stop": stopped})
    loop = Loop(tank_agent(), plant, rate=500, telemetry=Telemetry(every=0.05, hooks=[hook]), final_action=1)
    report = loop.run(seconds=60)
    assert (report["stopped"], report["telemetry"]["stopped"]) == ("hook", "enough")
    assert report["periods"] == 0 or event != "on_start"
    assert report["final_action"] == "sent"
    assert sent == [len(plant.actions)]
    assert loop.status()["state"] == "stopped"


def test_a_thread_that_is_late_does_not_go_on_in_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synaptick.realtime.telemetry.PATIENCE", 0.05)
    come_back, inside = threading.Event(), list[str]()

    def wait(row: Row) -> None:
        inside.append(threading.current_thread().name)
        come_back.wait(60)

    telemetry = Telemetry(every=0.01, hooks=[SimpleNamespace(on_log=wait)])
    loop = Loop(tank_agent(), Tank(), rate=500, telemetry=telemetry)
    while not inside:
        loop.run(seconds=0.1)
    loop.run(seconds=0.1)
    assert "has not come back" in telemetry.problem
    assert len(inside) == 1
    assert sum(thread.name == "synaptick telemetry" for thread in threading.enumerate()) == 1
    come_back.set()


def test_a_hook_that_takes_long_costs_calls_and_no_period() -> None:
    """Nothing but its own calls is late: the thread of the loop waits for no hook."""
    busy = threading.Event()
    heard: list[int] = []

    def slow(tally: Tally) -> None:
        heard.append(tally.steps)
        busy.wait(30)

    telemetry = Telemetry(every=10.0, hooks=[SimpleNamespace(on_step=slow)])
    telemetry.passed = HandOver(every_step=True, capacity=16)
    loop = Loop(tank_agent(), Tank(), rate=500, telemetry=telemetry)
    timer = threading.Thread(target=lambda: (wait_for(lambda: loop.periods == 100), busy.set()))
    timer.start()
    report = loop.run(steps=100)
    timer.join()
    assert report["periods"] == 100
    assert heard[0] == 1
    assert len(heard) + telemetry.missed == 99
    assert telemetry.missed >= 99 - 33
    assert telemetry.passed.steps == 99


def test_a_hook_that_is_always_late_keeps_no_row_back_and_the_last_counts_are_right() -> None:
    heard: list[int] = []
    stopped: list[int] = []

    def slow(tally: Tally) -> None:
        heard.append(tally.steps)
        time.sleep(0.02)

    hook = SimpleNamespace(on_step=slow, on_stop=lambda tally: stopped.append(tally.steps))
    telemetry = Telemetry(every=0.05, hooks=[hook])
    loop = Loop(tank_agent(), Tank(), rate=500, telemetry=telemetry)
    thread = threading.Thread(target=lambda: (wait_for(lambda: telemetry.rows >= 3), loop.stop()))
    thread.start()
    loop.run()
    thread.join()
    assert telemetry.rows >= 3
    assert stopped == [telemetry.passed.steps]
    assert len(heard) + telemetry.missed == telemetry.passed.steps


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.01)


def test_what_is_handed_over_is_read_once_and_what_has_no_room_is_counted() -> None:
    ring = HandOver(every_step=True, capacity=4)
    ring.add(7.0, False)  # nobody has acted yet
    for reward in (1.0, float("nan"), "none", np.array([2.0])):
        ring.add(reward, False)
    ring.add(0.5, True)  # no room
    assert [passed.steps for passed in ring.take()] == [1, 2, 3, 4]
    assert (ring.steps, ring.episodes, ring.missed) == (5, 1, 1)
    ring.add(9.0, False)
    ring.add(4.0, True)
    assert list(ring.take()) == [Passed(6, 2, 4.0, 1)]
    assert list(ring.take()) == []
    ends = HandOver(every_step=False, capacity=4)
    for over in (False, False, False, True):
        ends.add(1.0, over)
    assert list(ends.take()) == [Passed(3, 1, 3.0, 3)]
