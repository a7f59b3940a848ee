"""A disk that is full or a folder that cannot be written: it is said once, learning goes on, and little is lost."""

from __future__ import annotations

import json
import os
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from synaptick import Agent, Tally
from synaptick.training import results
from synaptick.training.results import HEADER, Results

from ..support.runs import CHECKPOINTS, SMALL, Cli, assert_whole, rows
from ..support.trouble import ENV_ID, Step, Trouble
from .test_exact_resume import assert_same

# Bytes: more than all that is said, less than a checkpoint.
SMALLER = 4000
RUN = ("run", ENV_ID, *SMALL, "--set", "checkpoint_every=40", "--quiet")


@pytest.fixture(autouse=True)
def _room() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def limit(size: int) -> None:
    """Let no file become larger than so many bytes, as on a disk that is full; -1 for no limit."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def at(actions: dict[int, Callable[[], Any]]) -> None:
    """Do something in the middle of these steps of the environment."""
    time = [0]

    def make(step: Step) -> Step:
        time[0] += 1
        actions.get(time[0], lambda: None)()
        return step

    Trouble.at, Trouble.make = 1, make


def test_a_full_disk_is_said_once_and_learning_goes_on(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "BATCH", 2)
    assert cli(*RUN, "--steps", 300, "--out", "whole")[0] == 0
    # Room for a row and a half: then a part of one is left, and has to be removed again.
    at({50: lambda: limit((tmp_path / "a" / "results.csv").stat().st_size + 30), 200: lambda: limit(-1)})
    code, out, err = cli(*RUN, "--steps", 300, "--out", "a")
    assert (code, out) == (0, "")
    assert err == "synaptick: cannot write to a: File too large; learning goes on; make room\n"
    assert_whole(tmp_path / "a", 300)
    assert_same(tmp_path / "a", tmp_path / "whole")


def test_it_is_said_again_if_it_happens_again(cli: Cli) -> None:
    at({50: lambda: limit(SMALLER), 100: lambda: limit(-1), 150: lambda: limit(SMALLER), 250: lambda: limit(-1)})
    code, _, err = cli(*RUN, "--steps", 300, "--out", "a")
    assert (code, err.count("learning goes on"), err.count("\n")) == (0, 2, 2)


def test_what_is_missing_at_the_end_is_said(cli: Cli, tmp_path: Path) -> None:
    at({50: lambda: limit(SMALLER)})
    code, out, err = cli(*RUN, "--steps", 300, "--out", "a", "--json")
    limit(-1)
    assert (code, out, err.count("\n")) == (2, "", 2)
    assert err.splitlines()[1] == (
        "synaptick: error: cannot write to a: File too large; nothing after step 40 is in it, whose checkpoint is "
        "whole; make room, then continue with: synaptick run --resume a"
    )
    Trouble.at = None
    assert cli("run", "--resume", "a", "--quiet") == (0, "", "")
    assert cli(*RUN, "--steps", 300, "--out", "whole")[0] == 0
    assert_whole(tmp_path / "a", 300)
    assert_same(tmp_path / "a", tmp_path / "whole")


def test_rows_beyond_the_bound_are_lost_and_counted(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MOST_HELD", 10)
    there, elsewhere = tmp_path / "a", tmp_path / "b"
    # By step 280, when all that is held is written, 40 episodes have ended.
    at({5: lambda: there.rename(elsewhere), 275: lambda: elsewhere.rename(there)})
    code, out, err = cli(*RUN, "--steps", 300, "--out", "a", "--json")
    assert (code, err.count("\n")) == (0, 2)
    assert err.endswith("synaptick: 30 rows of results are lost: they could not be written for too long\n")
    assert json.loads(out.splitlines()[-1])["rows_lost"] == 30
    assert json.loads((tmp_path / "a" / "summary.json").read_text())["rows_lost"] == 30
    assert [row[1] for row in rows(tmp_path / "a")] == list(range(31, 43))
    assert Agent.load(tmp_path / "a" / CHECKPOINTS[0]).ticks == 300


def test_a_folder_that_is_gone_for_a_while(cli: Cli, tmp_path: Path) -> None:
    there, elsewhere = tmp_path / "a", tmp_path / "b"
    at({50: lambda: there.rename(elsewhere), 150: lambda: elsewhere.rename(there)})
    code, out, err = cli(*RUN, "--steps", 300, "--out", "a")
    assert (code, out, err.count("\n")) == (0, "", 1)
    assert "cannot write to a: " in err
    assert_whole(tmp_path / "a", 300)


def test_a_folder_that_is_removed_is_made_anew_at_the_end(cli: Cli, tmp_path: Path) -> None:
    assert cli(*RUN, "--steps", 300, "--out", "whole")[0] == 0
    at({50: lambda: shutil.rmtree(tmp_path / "a")})
    code, out, err = cli(*RUN, "--steps", 200, "--out", "a")
    assert (code, out, err.count("\n")) == (0, "", 2)
    assert err.endswith("synaptick: a was removed or moved away: it is made anew\n")
    Trouble.at = None
    assert cli("run", "--resume", "a", "--steps", 300, "--quiet") == (0, "", "")
    one, other = (Agent.load(tmp_path / name / CHECKPOINTS[0]).snapshot() for name in ("a", "whole"))
    assert (one == other).all()
    # Rows that a checkpoint had brought to disk before it was removed are gone with it.
    assert [row[1] for row in rows(tmp_path / "a")] == list(range(6, 43))


@pytest.mark.parametrize("stage", ["create", "resume"])
def test_a_full_disk_at_the_beginning_is_said_with_the_folder(cli: Cli, stage: str) -> None:
    if stage == "resume":
        assert cli(*RUN, "--steps", 30, "--out", "a")[0] == 0
    limit(600)
    arguments = ("run", "--resume", "a", "--steps", 60) if stage == "resume" else (*RUN, "--out", "a")
    code, out, err = cli(*arguments)
    limit(-1)
    assert (code, out) == (2, "")
    assert err == (
        "synaptick: error: cannot write to a: File too large; make room, or give a folder that can be written\n"
    )


def test_an_environment_that_fails_while_the_disk_is_full_is_told_too(cli: Cli) -> None:
    def fail() -> None:
        limit(SMALLER)
        raise RuntimeError("on fire")

    at({30: fail})
    code, _, err = cli(*RUN, "--steps", 300, "--out", "a")
    limit(-1)
    assert (code, err.count("\n")) == (2, 2)
    assert f"synaptick: {ENV_ID} failed at step 30 (RuntimeError: on fire)" in err
    assert "nothing after step 0 is in it" in err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to any folder")
def test_a_read_only_folder(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "a"
    at({50: lambda: folder.chmod(0o500), 150: lambda: folder.chmod(0o700)})
    code, out, err = cli(*RUN, "--steps", 300, "--out", "a")
    assert (code, out, err.count("\n")) == (0, "", 1)
    assert "cannot write to a: Permission denied" in err
    assert_whole(folder, 300)


def test_a_run_killed_while_the_disk_is_full_is_the_run_in_one(cli: Cli, tmp_path: Path) -> None:
    """Rows that were held back are made anew, since the checkpoint before them is gone on from."""
    assert cli(*RUN, "--steps", 300, "--out", "whole")[0] == 0

    def kill() -> None:
        limit(-1)
        shutil.copytree(tmp_path / "b", tmp_path / "a")  # what a kill leaves

    at({50: lambda: limit(SMALLER), 250: kill})
    assert cli(*RUN, "--steps", 300, "--out", "b")[0] == 0
    Trouble.at = None
    assert Agent.load(tmp_path / "a" / CHECKPOINTS[0]).ticks == 40
    assert cli("run", "--resume", "a", "--quiet") == (0, "", "")
    assert_whole(tmp_path / "a", 300)
    assert_same(tmp_path / "a", tmp_path / "whole")


# ---- rows


def ended(*episodes: int) -> list[Tally]:
    """Return counts at the end of these episodes, each of 10 steps."""
    tallies = [Tally(steps=10 * episode, episodes=episode) for episode in episodes]
    for tally in tallies:
        tally.last_return, tally.last_length = 0.5 * tally.episodes, 10
    return tallies


def written(folder: Path, *episodes: int) -> Results:
    found = Results(folder)
    if not (folder / "results.csv").exists():
        found.create()
    for tally in ended(*episodes):
        found.add(tally)
    found.synchronize()
    found.close()
    return found


def kept(folder: Path, name: str = "results.csv") -> list[int]:
    lines = (folder / name).read_text().splitlines(keepends=True)
    assert lines[0] == HEADER
    assert all(line.endswith("\n") for line in lines)
    return [int(line.split(",")[1]) for line in lines[1:]]


@pytest.mark.parametrize("how", ["cut", "removed"])
def test_a_file_that_others_cut_or_remove_is_gone_on_with(tmp_path: Path, how: str) -> None:
    path = tmp_path / "results.csv"
    found = Results(tmp_path)
    found.create()
    for tally in ended(1, 2):
        found.add(tally)
    found.synchronize()
    path.unlink()
    if how == "cut":
        path.write_text(f"{HEADER}10,1,0.5,10\n20,2,")
    found.add(ended(3)[0])
    with pytest.raises(OSError, match=r"tale file|No such file"):
        found.synchronize()
    found.synchronize()
    found.close()
    assert kept(tmp_path) == ([1, 3] if how == "cut" else [3])


def test_a_file_put_aside_after_the_checkpoint_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MAX_ROWS", 5)
    written(tmp_path, *range(1, 4))
    tally = ended(3)[0]
    written(tmp_path, *range(4, 8))
    assert (kept(tmp_path, "results.older.csv"), kept(tmp_path)) == ([1, 2, 3, 4, 5], [6, 7])
    counted = Results(tmp_path).rewind(tally.steps)
    assert (counted.steps, counted.episodes, counted.mean_return) == (30, 3, 1.0)
    assert kept(tmp_path) == [1, 2, 3]
    assert not (tmp_path / "results.older.csv").exists()
    written(tmp_path, *range(4, 8))
    assert (kept(tmp_path, "results.older.csv"), kept(tmp_path)) == ([1, 2, 3, 4, 5], [6, 7])
    Results(tmp_path).rewind(50)  # a checkpoint at the very end of the older file
    assert (kept(tmp_path, "results.older.csv"), kept(tmp_path)) == ([1, 2, 3, 4, 5], [])


def test_a_kill_while_a_file_is_put_aside_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MAX_ROWS", 5)
    written(tmp_path, *range(1, 6))
    (tmp_path / "results.csv").unlink()  # it had not been made anew yet
    Results(tmp_path).rewind(50)
    written(tmp_path, 6)
    assert (kept(tmp_path, "results.older.csv"), kept(tmp_path)) == ([1, 2, 3, 4, 5], [6])


def test_a_kill_while_rows_are_taken_back_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MAX_ROWS", 5)
    written(tmp_path, *range(1, 8))
    shutil.copy(tmp_path / "results.older.csv", tmp_path / "saved")
    Results(tmp_path).rewind(30)
    shutil.copy(tmp_path / "saved", tmp_path / "results.older.csv")  # it had not been removed yet
    Results(tmp_path).rewind(30)
    assert kept(tmp_path) == [1, 2, 3]
    assert not (tmp_path / "results.older.csv").exists()


def test_rows_held_back_fill_files_as_they_would_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MAX_ROWS", 5)
    found = Results(tmp_path)
    found.create()
    for tally in ended(*range(1, 14)):
        found.add(tally)
    assert kept(tmp_path) == []
    found.synchronize()
    found.close()
    assert (kept(tmp_path, "results.older.csv"), kept(tmp_path)) == ([6, 7, 8, 9, 10], [11, 12, 13])
