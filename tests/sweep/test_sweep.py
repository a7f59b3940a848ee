"""Many runs on the command line: a run for each seed, sweeps, their resumption, and what they refuse."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from synaptick.cli.main import main
from synaptick.cli.sweep import show_sweep
from synaptick.sweep.progress import Lines, Table, stand
from synaptick.sweep.trial import Trial

from ..support.runs import Cli, assert_whole
from .doomed import DOOMED, HALVED

QUICK = {"steps": 400, "layers": [8], "memory": 4, "checkpoint_every": 100, "log_every": 100}
SPEC = {
    "settings": QUICK,
    "environments": [{"env": DOOMED}, {"env": DOOMED, "wrappers": [HALVED]}],
    "grid": {"discount": [0.9, 0.99]},
    "seeds": "0-1",
}
FILES = ("results.csv", "agent.synaptick", "agent.older.synaptick")


def write(path: Path, values: Any) -> Path:
    path.write_text(yaml.safe_dump(values, sort_keys=False))
    return path


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def contents(folder: Path) -> dict[str, bytes]:
    """Return everything that must not depend on how runs were made."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.name in FILES}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a sweep of eight runs, by one process."""
    folder = tmp_path_factory.mktemp("whole")
    spec = write(folder / "spec.yaml", SPEC)
    assert main(["sweep", str(spec), "--out", str(folder / "out"), "--jobs", "1", "--quiet"]) == 0
    return folder / "out"


def test_every_run_is_a_run_folder_and_a_row(whole: Path) -> None:
    rows = table(whole)
    assert len(rows) == 8
    assert list(rows[0]) == [
        *("run", "env", "wrappers", "discount", "seed"),
        *("steps", "episodes", "mean_return_last_100", "status", "exit_code"),
    ]
    for row in rows:
        assert_whole(whole / row["run"], 400)
        summary = json.loads((whole / row["run"] / "summary.json").read_text())
        assert float(row["mean_return_last_100"]) == summary["mean_return_last_100"]
        assert (row["steps"], row["episodes"], row["status"], row["exit_code"]) == ("400", "80", "complete", "0")
    plain, halved = ([float(row["mean_return_last_100"]) for row in half] for half in (rows[:4], rows[4:]))
    assert max(halved) <= 2.5 < max(plain)
    assert [row["seed"] for row in rows] == ["0", "1"] * 4
    assert rows[-1]["wrappers"] == json.dumps([HALVED])


def test_two_processes_give_the_same_bytes(cli: Cli, tmp_path: Path, whole: Path) -> None:
    spec = write(tmp_path / "spec.yaml", SPEC)
    code, out, err = cli("sweep", spec, "--out", "two", "--jobs", 2, "--json")
    assert code == 0
    told = json.loads(out)
    assert (told["runs"], told["complete"], told["failed"], told["unfinished"]) == (8, 8, [], 0)
    assert "8 runs of 400 steps: " in err
    assert "with 2 processes about 0:0" in err
    assert contents(tmp_path / "two") == contents(whole)


def test_parts_are_the_whole_and_a_resumption_makes_only_what_is_missing(cli: Cli, tmp_path: Path, whole: Path) -> None:
    spec = write(tmp_path / "spec.yaml", SPEC)
    for part in ("0/2", "1/2"):
        assert cli("sweep", spec, "--out", "parts", "--part", part, "--jobs", 1, "--quiet")[0] == 0
    parts = tmp_path / "parts"
    assert contents(parts) == contents(whole)
    rows = table(parts)
    before = {row["run"]: (parts / row["run"] / "summary.json").stat().st_mtime_ns for row in rows}
    shutil.rmtree(parts / rows[3]["run"])
    (parts / rows[5]["run"] / "summary.json").unlink()  # killed at the very end
    (parts / "results.csv").unlink()
    code, out, _ = cli("sweep", "--resume", "parts", "--jobs", 1)
    assert code == 0
    assert "8 of 8 runs complete" in out
    assert contents(parts) == contents(whole)
    after = {row["run"]: (parts / row["run"] / "summary.json").stat().st_mtime_ns for row in rows}
    assert [run for run in after if after[run] != before[run]] == [rows[3]["run"], rows[5]["run"]]


def test_a_run_for_each_seed(cli: Cli, tmp_path: Path) -> None:
    changes = [word for key, value in QUICK.items() for word in ("--set", f"{key}={value}")]
    code, out, _ = cli("run", "CartPole-v1", *changes, "--seeds", "0,7", "--jobs", 2, "--out", "seeds", "--quiet")
    assert code == 0
    assert [row["run"] for row in table(tmp_path / "seeds")] == ["seed0", "seed7"]
    assert cli("run", "CartPole-v1", *changes, "--seed", 7, "--out", "alone", "--quiet")[0] == 0
    ours, alone = contents(tmp_path / "seeds" / "seed7"), contents(tmp_path / "alone")
    assert ours == alone
    shutil.rmtree(tmp_path / "seeds" / "seed0")
    code, out, _ = cli("run", "--resume", "seeds", "--jobs", 1)
    assert code == 0
    assert out.splitlines()[1].startswith("CartPole-v1 ")
    assert "2 of 2 runs complete" in out


def test_a_run_that_fails_is_listed_and_the_others_complete(
    cli: Cli, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "deaths").mkdir()
    kill = {"env_kwargs": {"die_at": 150, "times": 1, "folder": str(tmp_path / "deaths")}}
    always = {"env_kwargs": {"die_at": 3, "times": 99, "folder": str(tmp_path / "deaths")}}
    spec = {
        "settings": {"env": DOOMED, **QUICK},
        "list": [{"env_kwargs": {"fail_at": 250}}, {}, kill, always, {"env_kwargs": {"no": 1}}],
    }
    code, out, _ = cli("sweep", write(tmp_path / "s.yaml", spec), "--out", "out", "--jobs", 1, "--quiet", "--json")
    assert code == 1
    rows = table(tmp_path / "out")
    assert [(row["status"], row["exit_code"]) for row in rows] == [
        ("failed", "1"),
        ("complete", "0"),
        ("complete", "0"),
        ("failed", "-9"),
        ("failed", "2"),
    ]
    failed = json.loads(out)["failed"]
    assert "failed at step 250 (RuntimeError: the motor is on fire)" in failed[0]["error"]
    assert failed[1]["error"] == "its process was killed by SIGKILL"
    assert "cannot be made with env_kwargs {'no': 1}" in failed[2]["error"]
    assert "the motor is on fire" in (tmp_path / "out" / rows[0]["run"] / "output.txt").read_text()
    assert not (tmp_path / "out" / rows[1]["run"] / "output.txt").exists()
    names = [row["run"] for row in rows]
    # The one that was killed once gives what it would have given.
    assert contents(tmp_path / "out" / names[2])["results.csv"] == contents(tmp_path / "out" / names[1])["results.csv"]
    show_sweep(json.loads(out))
    shown = capfd.readouterr().out
    assert f"failed: {names[3]} (exit code -9): its process was killed by SIGKILL\n" in shown
    assert "2 of 5 runs complete, 3 failed, " in shown


def test_a_run_whose_output_cannot_be_kept_fails_alone(cli: Cli, tmp_path: Path) -> None:
    """A folder in the place of the file."""
    spec = write(tmp_path / "s.yaml", {"settings": {"env": DOOMED, **QUICK}, "seeds": "0-1"})
    (tmp_path / "out" / "seed0" / "output.txt").mkdir(parents=True)
    assert cli("sweep", spec, "--out", "out", "--part", "1/2", "--jobs", 1, "--quiet")[0] == 0
    code, out, _ = cli("sweep", "--resume", "out", "--jobs", 1, "--quiet", "--json")
    assert code == 1
    assert [(row["status"], row["exit_code"]) for row in table(tmp_path / "out")] == [
        ("failed", "2"),
        ("complete", "0"),
    ]
    (failed,) = json.loads(out)["failed"]
    assert failed["error"].startswith("cannot write to ")


def test_a_stopped_run_is_complete(cli: Cli, tmp_path: Path) -> None:
    changes = [word for key, value in QUICK.items() for word in ("--set", f"{key}={value}")]
    arguments = ("run", DOOMED, *changes, "--seeds", "0-1", "--jobs", 1, "--stop-at", 0, "--out", "out", "--quiet")
    assert cli(*arguments)[0] == 0
    assert [(row["status"], row["episodes"]) for row in table(tmp_path / "out")] == [("stopped", "20")] * 2
    assert "2 of 2 runs complete" in cli("run", "--resume", "out")[1]


def test_seeds_that_a_configuration_was_tuned_on_are_refused(cli: Cli, tmp_path: Path) -> None:
    best = write(tmp_path / "best.yaml", {"env": DOOMED, **QUICK, "tuning_seeds": "5-8"})
    code, _, err = cli("run", best, "--seeds", "0-5", "--out", "out")
    assert code == 2
    assert "seeds 5 are among those that this configuration was tuned on (tuning_seeds: 5-8)" in err
    assert not (tmp_path / "out").exists()
    run = ("run", best, "--quiet", "--out", "one")
    code, _, err = cli(*run, "--seed", 5)
    assert code == 2
    assert "seeds 5 are among those that this configuration was tuned on (tuning_seeds: 5-8)" in err
    assert not (tmp_path / "one").exists()
    assert cli(*run, "--seed", 5, "--allow-tuning-seeds")[0] == 0
    assert cli("run", best, "--quiet", "--seed", 4, "--out", "other")[0] == 0
    spec = write(tmp_path / "spec.yaml", {"config": str(best), "seeds": "8-9"})
    assert "seeds 8 are among" in cli("sweep", spec, "--out", "out")[2]
    assert cli("sweep", spec, "--out", "out", "--allow-tuning-seeds", "--jobs", 1, "--quiet")[0] == 0


def test_another_sweep_is_not_mixed_with_that_of_a_folder(cli: Cli, tmp_path: Path, whole: Path) -> None:
    other = write(tmp_path / "other.yaml", {**SPEC, "seeds": "0-2"})
    same = write(tmp_path / "same.yaml", SPEC)
    shutil.copytree(whole, tmp_path / "out")
    code, _, err = cli("sweep", other, "--resume", "out")
    assert code == 2
    assert "sweep.yaml is another sweep than the one given; resume it without one" in err
    assert cli("sweep", same, "--resume", "out", "--quiet")[0] == 0
    assert "already holds a sweep; continue it with --resume out" in cli("sweep", same, "--out", "out")[2]
    assert "another sweep than" in cli("sweep", other, "--out", "out", "--part", "0/2")[2]


BAD: list[tuple[tuple[Any, ...], str]] = [
    (("sweep",), "sweep: give a specification"),
    (("sweep", "no.yaml"), "no.yaml: cannot be read"),
    (("sweep", "--resume", "."), "holds no sweep: sweep.yaml is missing"),
    (("sweep", "--resume", ".", "--out", "x"), "--resume and --out are given"),
    (("sweep", "spec.yaml", "--jobs", 0), "--jobs 0: allowed: 1 or more"),
    (("sweep", "spec.yaml", "--part", "2/2", "--out", "x"), "--part 2/2: allowed: K/N"),
    (("sweep", "spec.yaml", "--part", "0/2"), "--part: give --out DIR"),
    (("sweep", "spec.yaml", "--out", "."), "is not empty; give another --out"),
    (("run", "CartPole-v1", "--jobs", 2), "--jobs: one run takes one processor"),
    (("run", "CartPole-v1", "--seeds", "0-1", "--seed", 3), "--seeds and a seed are given"),
    (("run", "CartPole-v1", "--seeds", "1-0"), "'1-0' are no seeds"),
    (("run", "CartPole-v1", "--seeds", "0-1", "--threads", 2), "--threads: each of several runs has one"),
    (("run", "--resume", ".", "--seed", 0), "only --jobs fits with it"),
    (("run", "--resume", ".", "--allow-tuning-seeds"), "only --jobs fits with it"),
    (("sweep", "--resume", ".", "--allow-tuning-seeds"), "--allow-tuning-seeds: --resume goes on"),
    (("run", "CartPole-v1", "--seeds", "0-1", "--rerun", "a.rrd"), "--rerun a.rrd: several runs would write to one"),
    (("run", "--resume", ".", "--rerun", "a.rrd"), "--rerun a.rrd: several runs would write to one"),
    (("run", "--resume", ".", "--threads", 2), "--threads: each of several runs has one"),
    (("run", "CartPole-v1", "--seeds", "0-1", "--jobs", 0), "--jobs 0: allowed: 1 or more"),
]


@pytest.mark.parametrize(("arguments", "said"), BAD, ids=[said[:30] for _, said in BAD])
def test_what_cannot_be_used_is_one_line_and_exit_code_2(
    cli: Cli, tmp_path: Path, arguments: tuple[Any, ...], said: str
) -> None:
    write(tmp_path / "spec.yaml", SPEC)
    if arguments[:2] == ("run", "--resume"):
        write(tmp_path / "sweep.yaml", SPEC)
    code, out, err = cli(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("synaptick: error: ")
    assert err.count("\n") == 1
    assert said in err


def test_progress_is_read_from_the_folders_of_runs(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trial = Trial(str(whole), table(whole)[0]["run"], json.dumps({"steps": 800}))
    name, share, mean = stand(trial)
    assert (name, share) == (trial.name, 0.5)
    assert mean is not None
    waiting = trial._replace(name="none")
    assert stand(waiting) == ("none", None, None)
    lines = Lines(8, 2)
    lines.ended(failed=True)
    lines.ended(failed=False)
    lines.show([trial, waiting])
    said = capsys.readouterr().err
    assert said.startswith("3/8 runs complete, 1 failed, 0:00 + 0:0")
    assert said.endswith(f"; {trial.name} 50%\n")


def test_the_table_of_a_terminal(whole: Path) -> None:
    from rich.console import Console

    trial = Trial(str(whole), table(whole)[0]["run"], json.dumps({"steps": 800}))
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(Table(8, 2).drawn([trial]))
    drawn = console.export_text().splitlines()
    assert drawn[0].startswith("2/8 runs complete, 0:00")
    assert drawn[1].split() == ["run", "steps", "return"]
    assert drawn[2].split()[:2] == [trial.name, "50%"]
