"""A run that is stopped, in whatever way, and resumed gives the same bytes as one that never was."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from synaptick import Agent
from synaptick.arena import checkpoint
from synaptick.kernels.base import jit
from synaptick.training import env_state

from ..support.common import ROOT, tiers
from ..support.kills import EVERY
from ..support.runs import CHECKPOINTS, SMALL, Cli, assert_whole, rows
from ..support.trouble import ENV_ID, Trouble, break_down

DRIFT = '[{"synaptick.envs:DriftParameters": {changes: {gravity: {mean_interval: 60, between: [0.5, 2]}}, seed: 1}}]'
NOISE = '["synaptick.envs:NoisyObservation", {"synaptick.envs:DelayedReward": {steps: 4}}]'
RUNS = {
    "CartPole": ("CartPole-v1",),
    "controls": ("Pendulum-v1", "--set", "noise_correlation=0.9"),
    "parts": ("synaptick/MatchEach-v0",),
    "memory": ("synaptick/MemoryChain-v0", "--set", "env_kwargs={length: 9}"),
    "no end": ("synaptick/Forager-v0", "--set", "env_kwargs={flip_every: 50}"),
    "drift": ("CartPole-v1", "--set", f"wrappers={DRIFT}"),
    "noise": ("Acrobot-v1", "--set", f"wrappers={NOISE}"),
}
# What differs between two runs that did the same: how long it took, and where.
FREE = ("steps_per_second", "out")


def contents(folder: Path) -> dict[str, Any]:
    """Return what has to be the same, name by name; the checkpoints without how many steps were planned."""
    found: dict[str, Any] = {"results": (folder / "results.csv").read_bytes()}
    summary = json.loads((folder / "summary.json").read_text())
    found["summary"] = {key: value for key, value in summary.items() if key not in FREE}
    for name in CHECKPOINTS:
        description, arena = checkpoint.read(folder / name)
        found |= {f"{name} agent": arena.tobytes(), f"{name} description": description}
        for key in ("steps", "checkpoint_every"):
            description["config"].pop(key)
    return found


def assert_same(folder: Path, whole: Path) -> None:
    one, other = contents(folder), contents(whole)
    assert [key for key in one if one[key] != other[key]] == []


# ---- stopped and resumed


@pytest.mark.parametrize("name", RUNS)
def test_a_run_in_pieces_is_the_run_in_one(cli: Cli, tmp_path: Path, name: str) -> None:
    run = ("run", *RUNS[name], *SMALL, "--seed", 5, "--quiet", "--set", "checkpoint_every=50")
    assert cli(*run, "--steps", 260, "--out", "whole") == (0, "", "")
    assert cli(*run, "--steps", 1, "--out", "pieces") == (0, "", "")
    for steps in (2, 3, 50, 97, 203, 260):
        assert cli("run", "--resume", "pieces", "--steps", steps, "--quiet") == (0, "", "")
    # The last checkpoint but one is that of the last stretch's beginning in one, of a round number in the other.
    (tmp_path / "pieces" / CHECKPOINTS[1]).unlink()
    (tmp_path / "whole" / CHECKPOINTS[1]).unlink()
    for folder in (tmp_path / "pieces", tmp_path / "whole"):
        shutil.copy(folder / CHECKPOINTS[0], folder / CHECKPOINTS[1])
    assert_same(tmp_path / "pieces", tmp_path / "whole")


def test_a_run_in_two_threads_is_the_run_in_one(cli: Cli, tmp_path: Path) -> None:
    run = ("run", "CartPole-v1", *SMALL, "--quiet", "--steps", 260)
    assert cli(*run, "--out", "one")[0] == 0
    assert cli(*run, "--out", "two", "--threads", 2)[0] == 0
    assert_same(tmp_path / "two", tmp_path / "one")


def test_two_threads_are_refused_before_there_is_a_folder(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ("run", "CartPole-v1", *SMALL, "--steps", 60, "--quiet", "--out", "a")
    code, _, err = cli(*run, "--set", "reset_path=true", "--threads", 2)
    assert (code, err.count("\n")) == (2, 1)
    assert "take one thread" in err
    assert not (tmp_path / "a").exists()
    with monkeypatch.context() as plain:
        plain.setattr(jit, "COMPILES", False)
        code, _, err = cli(*run, "--threads", 2)
    assert (code, err.count("\n")) == (2, 1)
    assert "unset it" in err
    assert not (tmp_path / "a").exists()
    assert cli(*run)[0] == 0
    before = contents(tmp_path / "a")
    monkeypatch.setattr(jit, "COMPILES", False)
    assert "unset it" in cli("run", "--resume", "a", "--steps", 90, "--threads", 2)[2]
    assert contents(tmp_path / "a") == before


def test_without_the_state_of_the_environment_it_is_another_run(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: what is compared does depend on what is restored."""
    run = ("run", "CartPole-v1", *SMALL, "--seed", 5)
    assert cli(*run, "--steps", 260, "--out", "whole", "--quiet")[0] == 0
    monkeypatch.setattr(env_state, "capture", lambda env: None)
    assert cli(*run, "--steps", 97, "--out", "pieces", "--quiet")[0] == 0
    code, _, err = cli("run", "--resume", "pieces", "--steps", 260)
    assert code == 0
    assert "the environment cannot be put back where it was: a new episode begins\n" in err
    one, other = contents(tmp_path / "pieces"), contents(tmp_path / "whole")
    for part in ("results", "summary", f"{CHECKPOINTS[0]} agent"):
        assert one[part] != other[part]


def test_an_environment_made_otherwise_begins_a_new_episode(cli: Cli, tmp_path: Path) -> None:
    run = ("run", "CartPole-v1", *SMALL, "--seed", 5)
    assert cli(*run, "--steps", 97, "--out", "a", "--quiet")[0] == 0
    config = tmp_path / "a" / "config.yaml"
    config.write_text(config.read_text().replace("env_kwargs: {}", "env_kwargs: {sutton_barto_reward: true}"))
    code, _, err = cli("run", "--resume", "a", "--steps", 200)
    assert code == 0
    assert "a new episode begins" in err
    assert_whole(tmp_path / "a", 200)
    assert rows(tmp_path / "a")[-1][2] == -1.0  # the new reward


def test_a_state_that_fits_no_more_is_named_and_a_new_episode_begun(cli: Cli, tmp_path: Path) -> None:
    assert cli("run", "CartPole-v1", *SMALL, "--steps", 97, "--out", "a", "--quiet")[0] == 0
    path = tmp_path / "a" / CHECKPOINTS[0]
    notes: Any = checkpoint.read(path)[0]["notes"]
    notes["env"]["layers"][0]["class"] = "another.Wrapper"
    Agent.load(path).save(path, notes)
    code, out, err = cli("run", "--resume", "a", "--steps", 200, "--quiet")
    assert (code, out, err.count("\n")) == (0, "", 1)
    assert "cannot be restored" in err
    assert err.endswith("a new episode begins\n")
    assert_whole(tmp_path / "a", 200)


def test_an_agent_that_was_saved_by_hand_is_gone_on_with(cli: Cli, tmp_path: Path) -> None:
    assert cli("run", ENV_ID, *SMALL, "--steps", 97, "--out", "a", "--quiet")[0] == 0
    path = tmp_path / "a" / CHECKPOINTS[0]
    Agent.load(path).save(path)
    assert cli("run", "--resume", "a", "--steps", 200, "--quiet") == (0, "", "")
    assert_whole(tmp_path / "a", 200)
    Agent.load(path).save(path, {"something": "else"})
    code, _, err = cli("run", "--resume", "a", "--steps", 300, "--quiet")
    assert (code, err.count("\n")) == (2, 1)
    assert "its notes are not those of a run" in err


def test_a_run_that_ends_at_a_checkpoint_keeps_the_one_before(cli: Cli, tmp_path: Path) -> None:
    assert cli("run", "CartPole-v1", *SMALL, "--set", "checkpoint_every=50", "--steps", 150, "--out", "a")[0] == 0
    assert [Agent.load(tmp_path / "a" / name).ticks for name in CHECKPOINTS] == [150, 100]


def test_a_run_that_only_lacks_its_summary_gets_it(cli: Cli, tmp_path: Path) -> None:
    run = ("run", "CartPole-v1", *SMALL, "--set", "checkpoint_every=50", "--steps", 120, "--out")
    assert cli(*run, "a")[0] == 0
    before = contents(tmp_path / "a")
    (tmp_path / "a" / "summary.json").unlink()
    assert cli("run", "--resume", "a", "--quiet") == (0, "", "")
    assert contents(tmp_path / "a") == before
    assert cli("run", "--resume", "a", "--quiet")[0] == 2


def test_an_environment_that_failed_begins_a_new_episode(cli: Cli, tmp_path: Path) -> None:
    """At a checkpoint too, which holds an environment that is whole, but fails again in the same step."""
    Trouble.at, Trouble.make = 81, break_down
    assert cli("run", ENV_ID, *SMALL, "--set", "checkpoint_every=40", "--steps", 100, "--out", "a", "--quiet")[0] == 1
    assert checkpoint.read(tmp_path / "a" / CHECKPOINTS[0])[0]["notes"]["env"] is None
    assert cli("run", "--resume", "a", "--quiet") == (0, "", "")
    assert_whole(tmp_path / "a", 100)


# ---- checkpoints that are damaged


@pytest.mark.parametrize("damage", ["cut", "flipped", "missing", "empty"])
def test_the_older_checkpoint_is_used_if_the_newest_is_damaged(cli: Cli, tmp_path: Path, damage: str) -> None:
    run = ("run", "CartPole-v1", *SMALL, "--seed", 5, "--quiet", "--set", "checkpoint_every=50")
    assert cli(*run, "--steps", 220, "--out", "whole") == (0, "", "")
    assert cli(*run, "--steps", 120, "--out", "a") == (0, "", "")
    path = tmp_path / "a" / CHECKPOINTS[0]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"cut": content[:-5], "flipped": content, "empty": b""}[damage])
    said = rf"a/{CHECKPOINTS[0]}"
    for command in (("eval", "a", "--episodes", 1), ("run", "--resume", "a", "--steps", 220, "--quiet")):
        code, _, err = cli(*command)
        assert (code, err.count("\n")) == (0, 1)
        assert err.startswith(f"synaptick: {said}")
        assert err.endswith(f"; instead a/{CHECKPOINTS[1]} is used, of step 100\n")
    assert_same(tmp_path / "a", tmp_path / "whole")


def test_a_damaged_checkpoint_never_takes_the_place_of_a_whole_one(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ("run", "CartPole-v1", *SMALL, "--quiet", "--set", "checkpoint_every=50")
    assert cli(*run, "--steps", 120, "--out", "a") == (0, "", "")
    newest, older = (tmp_path / "a" / name for name in CHECKPOINTS)
    newest.write_bytes(newest.read_bytes()[:-5])

    def stop(*_: object, **__: bool) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Agent, "compile", staticmethod(stop))
        assert cli("run", "--resume", "a", "--steps", 220, "--quiet")[0] == 130
    assert Agent.load(newest).ticks == 100
    assert not older.exists()
    assert cli("run", "--resume", "a", "--steps", 220, "--quiet") == (0, "", "")
    assert [Agent.load(path).ticks for path in (newest, older)] == [220, 200]


def test_where_there_are_no_hard_links_there_is_a_checkpoint_too(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    test_the_older_checkpoint_is_used_if_the_newest_is_damaged(cli, tmp_path, "missing")


# ---- killed


def kill(how: str, env_id: str, folder: Path, kills: int) -> dict[str, Any]:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "tests.support.kills", how, env_id, str(folder), str(kills)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.mark.parametrize("env_id", tiers(["CartPole-v1", "synaptick/MemoryChain-v0"], ["CartPole-v1"]))
def test_a_run_killed_at_25_random_moments_is_the_run_in_one(tmp_path: Path, env_id: str) -> None:
    report = kill("random", env_id, tmp_path, 25)
    assert report["kills"] == 25
    assert report["checkpoints"] >= 12  # the kills are spread over the run
    assert_whole(tmp_path / "killed", report["steps"])
    assert len(rows(tmp_path / "killed")) > 3
    assert_same(tmp_path / "killed", tmp_path / "whole")


@pytest.mark.slow
def test_a_run_killed_before_any_operation_on_files_is_the_run_in_one(tmp_path: Path) -> None:
    report = kill("operations", "CartPole-v1", tmp_path, 10_000)
    assert report["steps"] == 2 * EVERY + 7
    assert report["runs"] > 40
    for number in range(1, report["runs"] + 1):
        assert_whole(tmp_path / f"killed{number}", report["steps"])
        assert_same(tmp_path / f"killed{number}", tmp_path / "whole")
