"""Calls on several processes: what they return, what becomes of those that die, and that none is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from synaptick import RunError
from synaptick.bench.support.trials import in_parallel
from synaptick.sweep.engine import DEATHS, Died, outcomes
from synaptick.sweep.processes import ONE_THREAD, Processes

from ..support.common import ROOT
from .calls import fragile, raising, told


def test_processes_are_kept_and_have_one_thread_each(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ONE_THREAD:
        monkeypatch.delenv(name, raising=False)
    items = [str(number) for number in range(12)]
    with Processes(2) as engine:
        found = [value for _, value in outcomes(engine, told, items)]
    assert sorted(item for _, item, _ in found) == sorted(items)
    assert len({pid for pid, *_ in found}) <= 2
    assert os.getpid() not in {pid for pid, *_ in found}
    assert {threads for *_, threads in found} == {"1"}
    assert "OMP_NUM_THREADS" not in os.environ
    for pid, *_ in found:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.parametrize("deaths", [DEATHS - 1, DEATHS])
def test_a_call_that_dies_is_made_again_so_often(tmp_path: Path, deaths: int) -> None:
    path = tmp_path / "left"
    path.write_text(str(deaths))
    with Processes(1) as engine:
        ((_, value),) = outcomes(engine, fragile, [str(path)])
    killed = Died(-signal.SIGKILL, "its process was killed by SIGKILL")
    assert value == ("alive" if deaths < DEATHS else killed)


def test_a_call_that_comes_further_is_made_again_as_often_as_it_takes(tmp_path: Path) -> None:
    path = tmp_path / "left"
    path.write_text(str(3 * DEATHS))
    with Processes(1) as engine:
        ((_, value),) = outcomes(engine, fragile, [str(path)], came_to=lambda item: Path(item).read_text())
    assert value == "alive"


def test_the_death_of_one_call_is_not_that_of_others(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in "abc"]
    for path, deaths in zip(paths, (0, DEATHS, 1), strict=True):
        path.write_text(str(deaths))
    with Processes(2) as engine:
        found = {Path(item).name: value for item, value in outcomes(engine, fragile, list(map(str, paths)))}
    assert (found["a"], found["c"]) == ("alive", "alive")
    assert isinstance(found["b"], Died)


def test_equal_items_are_calls_of_their_own() -> None:
    item = "one"
    with Processes(2) as engine:
        found = [(given, value[1]) for given, value in outcomes(engine, told, [item, item, "two", item])]
    assert sorted(found) == [("one", "one")] * 3 + [("two", "two")]
    assert list(in_parallel(abs, [1, -1, 2, 1, 1], 2)) == [1, 1, 2, 1, 1]


def test_an_error_is_raised_here() -> None:
    with Processes(1) as engine, pytest.raises(RunError, match="x is broken"):
        list(outcomes(engine, raising, ["x"]))
    with Processes(1) as engine, pytest.raises(SystemExit):
        list(outcomes(engine, raising, ["exit"]))


PROGRAM = """
import sys, time
from synaptick.sweep.engine import outcomes
from synaptick.sweep.processes import Processes
from tests.sweep.calls import endless
if __name__ == "__main__":
    with Processes(2) as engine:
        list(outcomes(engine, endless, sys.argv[1:]))
"""


def test_processes_end_with_their_parent_even_if_that_is_killed(tmp_path: Path) -> None:
    paths = [tmp_path / "one", tmp_path / "two"]
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, str(tmp_path / "program.py"), *map(str, paths)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment) as parent:
        assert until(lambda: all(path.exists() and path.read_text() for path in paths))
        pids = [int(path.read_text()) for path in paths]
        parent.kill()
    assert until(lambda: not any(map(alive, pids)))


def alive(pid: int) -> bool:
    """Return whether a process runs (one that waits for its parent to notice its end does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def until(true: object, seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
