"""A search for settings: what it writes, what it prunes, how it goes on, and where its seeds are remembered."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from synaptick import load_config
from synaptick.sweep.objective import objective_of
from synaptick.sweep.search import load_search

from ..support.runs import Cli
from .doomed import DOOMED

optuna = pytest.importorskip("optuna", reason='needs the extra: pip install "synaptick[tune]"')

QUICK = {"env": DOOMED, "steps": 400, "layers": [8], "memory": 4, "log_every": 100}
SEARCH: dict[str, Any] = {
    "settings": {**QUICK, "tuning_seeds": "3"},
    "seeds": "100-101",
    "trials": 3,
    "objective": "mean_return",
    "search": {"kappa_policy": {"low": 0.5, "high": 8, "log": True}, "layers": [[8], [9, 9]]},
}


def write(path: Path, values: Any) -> Path:
    path.write_text(yaml.safe_dump(values, sort_keys=False))
    return path


def trials(folder: Path) -> list[dict[str, str]]:
    with (folder / "trials.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_best_of_a_search_is_a_configuration_that_remembers_its_seeds(cli: Cli, tmp_path: Path) -> None:
    spec = write(tmp_path / "search.yaml", SEARCH)
    code, out, _ = cli("tune", spec, "--out", "out", "--jobs", 1, "--quiet", "--json")
    assert code == 0
    told, rows = json.loads(out), trials(tmp_path / "out")
    assert [row["state"] for row in rows] == ["complete"] * 3
    assert told["value"] == max(float(row["value"]) for row in rows)
    (best,) = (row for row in rows if float(row["value"]) == told["value"])
    config = load_config(tmp_path / "out" / "best.yaml")
    assert config.kappa_policy == float(best["kappa_policy"])
    assert list(config.layers) == json.loads(best["layers"])
    assert (config.env, config.steps, config.tuning_seeds) == (DOOMED, 400, "3,100-101")
    # The value of a trial is the mean over its seeds of what its runs have returned.
    runs = [tmp_path / "out" / f"trial{int(best['trial']):04d}" / f"seed{seed}" for seed in (100, 101)]
    returns = [[float(line.split(",")[2]) for line in (run / "results.csv").read_text().split()[1:]] for run in runs]
    assert told["value"] == pytest.approx(sum(sum(found) / len(found) for found in returns) / 2)
    code, _, err = cli("run", "out/best.yaml", "--seeds", "100-109")
    assert code == 2
    assert "seeds 100-101 are among those" in err
    # As if it had been killed in the middle of two trials, one of which has not begun.
    study = optuna.load_study(study_name="out", storage=f"sqlite:///{tmp_path}/out/study.db")
    study.ask()
    write(tmp_path / "more.yaml", {**SEARCH, "trials": 4})
    assert "another search than the one given" in cli("tune", tmp_path / "more.yaml", "--resume", "out")[2]
    assert cli("tune", "--resume", "out", "--jobs", 1, "--quiet")[0] == 0
    assert [row["state"] for row in trials(tmp_path / "out")] == ["complete"] * 4


@pytest.mark.slow
def test_what_is_not_worth_its_time_is_pruned(cli: Cli, tmp_path: Path) -> None:
    """An actor that does not learn is behind one that does, which is seen after a quarter of the steps."""
    spec = {**SEARCH, "seeds": "7", "trials": 9, "search": {"lr_policy": [0.0, 1.0]}}
    assert cli("tune", write(tmp_path / "s.yaml", spec), "--out", "out", "--jobs", 1, "--quiet")[0] == 0
    rows = trials(tmp_path / "out")
    pruned = [row for row in rows if row["state"] == "pruned"]
    assert pruned
    assert all(int(row["trial"]) >= 5 for row in pruned)
    for row in pruned:
        assert 100 <= int(row["last_step"]) < 400
        summary = json.loads(
            (tmp_path / "out" / f"trial{int(row['trial']):04d}" / "seed7" / "summary.json").read_text()
        )
        assert summary["steps"] == int(row["last_step"])
        assert "not worth more" in summary["stopped"]


def test_trials_that_cannot_be_are_told_and_the_others_go_on(cli: Cli, tmp_path: Path) -> None:
    spec = {**SEARCH, "seeds": "1", "trials": 3, "search": {"memory": {"low": 3, "high": 4, "whole": True}}}
    code, out, _ = cli("tune", write(tmp_path / "s.yaml", spec), "--out", "out", "--jobs", 1, "--quiet", "--json")
    told, rows = json.loads(out), trials(tmp_path / "out")
    assert code == 0
    assert [row["state"] for row in rows] == ["complete" if row["memory"] == "4" else "fail" for row in rows]
    assert all("memory: got 3; allowed: 0, or" in failure["error"] for failure in told["failures"])
    assert told["settings"] == {"memory": 4}


def test_objectives() -> None:
    returns = [0.0] * 50 + [1.0] * 100
    assert objective_of("mean_return", returns) == pytest.approx(2 / 3)
    assert objective_of("mean_return_last_100", returns) == 1.0
    assert objective_of("mean_return", []) is None


BAD: list[tuple[dict[str, Any], str]] = [
    ({"search": {}}, r"search: got \{\}"),
    ({"search": {"seed": [1]}}, "search: seed says what is searched on"),
    ({"search": {"discont": [1]}}, "discont: there is no such key"),
    ({"objective": "speed"}, "objective: got 'speed'; allowed: mean_return, mean_return_last_100"),
    ({"pruner": "asha"}, "pruner: got 'asha'; allowed: median, hyperband, none"),
    ({"trials": 0}, "trials: got 0"),
    ({"storage": 3}, "storage: got 3"),
    ({"grid": {}}, "grid: there is no such key"),
]


@pytest.mark.parametrize(("changes", "said"), BAD, ids=[said[:20] for _, said in BAD])
def test_what_cannot_be_used_is_said(cli: Cli, tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    code, _, err = cli("tune", write(tmp_path / "s.yaml", {**SEARCH, **changes}), "--out", "out")
    assert code == 2
    assert re.search(said, err)
    assert not (tmp_path / "out").exists()


def test_what_is_written_down_says_the_same(tmp_path: Path) -> None:
    search = load_search(write(tmp_path / "s.yaml", SEARCH))
    (tmp_path / "again.yaml").write_text(search.record())
    assert load_search(tmp_path / "again.yaml").record() == search.record()
