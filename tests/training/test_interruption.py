"""Whatever stops a run, its folder is usable, and ``--resume`` goes on until the steps are complete."""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from synaptick import Agent
from synaptick.training import results

from ..support.runs import SMALL, Cli, assert_whole, rows
from ..support.trouble import (
    ENV_ID,
    Step,
    Trouble,
    break_down,
    infinite_reward,
    nan_observation,
    no_reward,
    wrong_shape,
)

RUN = ("run", ENV_ID, *SMALL, "--set", "checkpoint_every=40")


def stop_with(number: int) -> Any:
    """Return what makes the environment send this process a signal, once."""

    def make(step: Step) -> Step:
        Trouble.at = None
        os.kill(os.getpid(), number)
        return step

    return make


@pytest.mark.parametrize("at", [1, 7, 8, 100])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_stops_between_two_steps(cli: Cli, tmp_path: Path, at: int, number: int, code: int) -> None:
    handlers = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    Trouble.at, Trouble.make = at, stop_with(number)
    found, out, err = cli(*RUN, "--steps", 200, "--out", "a", "--json", "--quiet")
    assert (found, out) == (code, "")
    name = signal.Signals(number).name
    assert err == f"synaptick: stopped by {name}; everything is in a; continue with: synaptick run --resume a\n"
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == handlers
    assert_whole(tmp_path / "a", at)
    before = rows(tmp_path / "a")
    code, out, err = cli("run", "--resume", "a", "--json", "--quiet")
    assert (code, err) == (0, "")
    assert json.loads(out)["steps"] == 200
    assert_whole(tmp_path / "a", 200)
    assert rows(tmp_path / "a")[: len(before)] == before


def test_a_second_signal_changes_nothing(cli: Cli, tmp_path: Path) -> None:
    def make(step: Step) -> Step:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        return step

    Trouble.at, Trouble.make = 100, make
    assert cli(*RUN, "--steps", 200, "--out", "a", "--quiet")[0] in (130, 143)
    gc.collect()  # a file left open would be reported here
    assert_whole(tmp_path / "a", 100)
    Trouble.at = None
    assert cli("run", "--resume", "a", "--quiet") == (0, "", "")
    assert_whole(tmp_path / "a", 200)


@pytest.mark.parametrize("at", [0, 1, 7, 8, 100])
def test_an_environment_that_raises_leaves_a_usable_folder(cli: Cli, tmp_path: Path, at: int) -> None:
    Trouble.at, Trouble.make = at, break_down
    code, out, err = cli(*RUN, "--steps", 200, "--out", "a", "--json", "--quiet")
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert f"failed at step {max(at, 1)} (RuntimeError: the motor is on fire)" in err
    assert err.endswith("everything before is in a; continue with: synaptick run --resume a\n")
    assert_whole(tmp_path / "a", max(at - 1, 0))
    Trouble.at = None
    assert cli("run", "--resume", "a", "--quiet") == (0, "", "")
    assert_whole(tmp_path / "a", 200)


DOES_NOT_FIT = [
    (nan_observation, "NaN", [0, 5, 7, 14]),
    (infinite_reward, "reward is inf", [5, 7, 14]),
    (no_reward, "reward is None", [5, 7, 14]),
    (wrong_shape, "shape", [0, 5, 7]),
]


@pytest.mark.parametrize(("make", "said", "at"), [(make, said, at) for make, said, ats in DOES_NOT_FIT for at in ats])
def test_numbers_that_do_not_fit_stop_the_run(cli: Cli, tmp_path: Path, make: Any, said: str, at: int) -> None:
    Trouble.at, Trouble.make = at, make
    code, out, err = cli(*RUN, "--steps", 60, "--out", "a", "--quiet")
    assert code in (1, 2)
    assert (out, err.count("\n")) == ("", 1)
    assert said in err
    Trouble.at = None
    assert cli("run", "--resume", "a", "--quiet") == (0, "", "")
    assert_whole(tmp_path / "a", 60)


@pytest.mark.parametrize("make", [nan_observation, infinite_reward, wrong_shape])
def test_numbers_that_do_not_fit_have_exit_code_2_and_are_not_counted(cli: Cli, tmp_path: Path, make: Any) -> None:
    Trouble.at, Trouble.make = 5, make
    code, _, err = cli(*RUN, "--steps", 60, "--out", "a", "--quiet")
    assert code == 2
    assert "failed at step 5 " in err
    assert_whole(tmp_path / "a", 4)


def test_rows_beyond_the_checkpoint_are_dropped(cli: Cli, tmp_path: Path) -> None:
    """After a hard kill the results may be ahead of the checkpoint, with half a line at the end."""
    folder = tmp_path / "a"
    assert cli(*RUN, "--steps", 100, "--out", "a", "--quiet")[0] == 0
    early = rows(folder)
    shutil.copy(folder / "agent.synaptick", tmp_path / "early")
    assert cli("run", "--resume", "a", "--steps", 150, "--quiet")[0] == 0
    assert len(rows(folder)) > len(early)
    shutil.copy(tmp_path / "early", folder / "agent.synaptick")
    (folder / "summary.json").unlink()
    with (folder / "results.csv").open("a") as file:
        file.write("154,2")
    assert cli("run", "--resume", "a", "--steps", 99)[0] == 2  # it has its 99 steps
    assert cli("run", "--resume", "a", "--steps", 220, "--quiet") == (0, "", "")
    assert_whole(folder, 220)
    assert rows(folder)[: len(early)] == early


def test_rows_are_on_disk_when_a_checkpoint_is(cli: Cli, tmp_path: Path) -> None:
    """Else a machine that stops would leave a checkpoint with episodes that have no row."""
    met: list[tuple[int, int]] = []

    def look(step: Step) -> Step:
        met.append((len(rows(tmp_path / "a")), Agent.load(tmp_path / "a" / "agent.synaptick").episodes))
        Trouble.at = None
        return step

    Trouble.at, Trouble.make = 82, look
    assert cli(*RUN, "--steps", 90, "--out", "a", "--quiet")[0] == 0
    assert met == [(11, 12)]  # the checkpoint of step 80 is inside the twelfth episode


def test_the_mean_goes_on_across_a_resumption(cli: Cli) -> None:
    assert cli(*RUN, "--steps", 70, "--out", "a", "--quiet")[0] == 0
    result = json.loads(cli("run", "--resume", "a", "--steps", 74, "--json")[1].splitlines()[-1])
    assert result["episodes"] == 10
    assert result["mean_return_last_100"] == pytest.approx(sum(row[2] for row in rows(Path("a"))) / 10)


def test_results_take_bounded_space(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MAX_ROWS", 5)
    assert cli(*RUN, "--steps", 7 * 23, "--out", "a", "--quiet")[0] == 0
    assert [row[1] for row in rows(tmp_path / "a")] == [21, 22, 23]
    older = (tmp_path / "a" / "results.older.csv").read_text().splitlines()
    assert [line.split(",")[1] for line in older[1:]] == ["16", "17", "18", "19", "20"]
    assert cli("run", "--resume", "a", "--steps", 7 * 24, "--quiet")[0] == 0
    assert [row[1] for row in rows(tmp_path / "a")] == [21, 22, 23, 24]


def test_episodes_are_counted_on_after_the_results_were_put_aside(
    cli: Cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(results, "MAX_ROWS", 5)
    assert cli(*RUN, "--steps", 7 * 20, "--out", "a", "--quiet")[0] == 0
    assert cli("run", "--resume", "a", "--steps", 7 * 21, "--quiet")[0] == 0
    assert [row[1] for row in rows(tmp_path / "a")] == [21]


def test_a_run_stopped_while_compiling_leaves_no_dead_end(
    cli: Cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stop(*_: object, **__: bool) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Agent, "compile", staticmethod(stop))
        assert cli(*RUN, "--steps", 50, "--out", "a", "--quiet")[0] == 130
    assert cli("run", "--resume", "a", "--quiet") == (0, "", "")
    assert_whole(tmp_path / "a", 50)


def test_an_environment_that_raises_in_eval_is_one_line(cli: Cli) -> None:
    assert cli(*RUN, "--steps", 50, "--out", "a", "--quiet")[0] == 0
    Trouble.at, Trouble.make = 3, break_down
    code, out, err = cli("eval", "a", "--episodes", 2)
    assert (code, out, err.count("\n")) == (1, "", 1)


# ---- real processes


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_process_that_is_stopped_can_be_resumed(cli: Cli, tmp_path: Path, number: int, code: int) -> None:
    folder = tmp_path / "a"
    command = [sys.executable, "-m", "synaptick", "run", "CartPole-v1", *SMALL, "--steps", "1000000000"]
    command += ["--set", "checkpoint_every=500", "--out", str(folder), "--json", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        checkpoint = folder / "agent.synaptick"
        for _ in range(3000):  # until it has learned something; compiling may take a while
            if process.poll() is not None or (checkpoint.exists() and Agent.load(checkpoint).ticks):
                break
            time.sleep(0.1)
        process.send_signal(number)
        try:
            out, err = process.communicate(timeout=300)
        finally:
            process.kill()  # else leaving this block waits for a process that does not heed signals
    assert process.returncode == code, err
    assert "\x1b" not in out
    assert err.count("\n") == (0 if number == signal.SIGKILL else 1)
    assert "Traceback" not in err
    for leftover in folder.glob(".*.part"):  # what a hard kill interrupts stays; it is never read
        assert number == signal.SIGKILL
        leftover.unlink()
    total = Agent.load(checkpoint).ticks + 123
    assert total > 500
    assert cli("run", "--resume", folder, "--steps", total, "--quiet") == (0, "", "")
    assert_whole(folder, total)
