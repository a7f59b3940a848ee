"""Telemetry of a loop: rows from a thread, which nothing that goes wrong there reaches the loop from."""

from __future__ import annotations

import csv
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from synaptick import ConfigError
from synaptick.realtime import Loop, Telemetry

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
    assert report["telemetry"] == {"rows": telemetry.rows, "dropped": telemetry.dropped, "problem": ""}
    with (tmp_path / "telemetry.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == telemetry.rows == len(heard) >= 4
    steps = [int(row["step"]) for row in rows]
    assert steps == sorted(steps)
    assert steps[-1] == loop.guard.agent.ticks
    assert float(rows[-1]["reward_rate"]) != 0
    assert float(rows[-1]["tick_us_p99"]) > 0
    assert not any(thread.name == "synaptick telemetry" for thread in threading.enumerate())


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
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot write"):
        run(Telemetry(tmp_path / "file" / "rows.csv"))
