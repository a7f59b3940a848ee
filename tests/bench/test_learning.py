"""The benchmark of whole tasks: its suites, its runs, its summaries, and what it says to what it cannot use."""

from __future__ import annotations

import csv
import json
import re
import runpy
import signal
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from synaptick import Config, EnvError, RunError
from synaptick.aggregate import bootstrap_interval, interquartile_mean
from synaptick.bench import learning
from synaptick.bench.learning import bench_learning, configuration, learning_lines, summarize
from synaptick.bench.suites import SUITES, Suite, Task
from synaptick.bench.support.trials import tuned
from synaptick.metrics.episodes import Tally

from ..support.common import ROOT
from ..support.runs import Cli

SMALL = {"layers": [8], "steps": 400}
ON_THE_LINE = ("--set", "layers=[8]", "--set", "steps=400")
NEVER_ENDS = f"{__name__}:NeverEnds-v0"  # as processes that are made anew find it
TASKS = [(suite, task) for suite in SUITES for task in SUITES[suite].tasks]


class NeverEnds(gymnasium.Env[np.ndarray, np.int64]):
    """Pays 1 a step, forever; at step `fail_at` it raises, or the user presses Ctrl-C."""

    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (2,))
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, fail_at: int = -1, ctrl_c: bool = False) -> None:
        self.left, self.ctrl_c = fail_at, ctrl_c

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        return np.zeros(2, np.float32), {}

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict]:
        self.left -= 1
        if self.left == 0:
            if self.ctrl_c:
                signal.raise_signal(signal.SIGINT)
            raise OSError("the robot has left")
        return np.zeros(2, np.float32), 1.0, False, False, {}


gymnasium.register("NeverEnds-v0", lambda **settings: NeverEnds(**settings))


def suite_of(monkeypatch: pytest.MonkeyPatch, **tasks: Task) -> None:
    monkeypatch.setitem(SUITES, "classic", Suite(tasks))


@pytest.mark.parametrize(("suite", "task"), TASKS)
def test_the_settings_of_every_task_are_valid(suite: str, task: str) -> None:
    config = configuration(suite, task, {})
    assert isinstance(config, Config)
    # One configuration serves every task; only suites that compare configurations change it, and their rows say so.
    compared = ("layer", "filter", "no memory", "frozen", "memoryless", "adaptation", "binary", "dense")
    assert any(word in task for word in compared) == (tuned(config) != "")


def test_what_differs_from_the_default_is_shown_as_tuned() -> None:
    assert tuned(configuration("cartpole", "positions", {})) == ""
    assert tuned(configuration("cartpole", "positions, 3 layers", {"steps": 5, "seed": 3})) == "layers=[64, 64, 64]"
    assert tuned(configuration("classic", "Acrobot-v1", {"discount": 0.9, "env_kwargs": {"a": 1}})) == "discount=0.9"
    memoryless = tuned(configuration("cartpole", "positions, memoryless", {}))
    assert memoryless.startswith("memory=0 tau_min=0.01 tau_max=0.01 adaptive_fraction=0.0")
    assert "recurrent=False" in memoryless


def test_the_suites_can_be_read_without_the_package() -> None:
    names = runpy.run_path(str(ROOT / "agent" / "bench" / "suites.py"))
    assert {name: tuple(suite) for name, suite in names["SUITES"].items()} == SUITES


def test_runs_are_written_and_summarized(cli: Cli, tmp_path: Path) -> None:
    options = ("--tasks", "CartPole-v1", "Acrobot-v1", "--seeds", 2, "--first-seed", 7, "--jobs", 2, *ON_THE_LINE)
    code, out, err = cli("bench", "learning", *options, "--out", "runs.csv", "--json")
    assert code == 0
    assert re.search(r"^  3 of 4 runs in \d+ s, about \d+ s left$", err, re.M)
    result = json.loads(out)
    cartpole, acrobot = result["summary"]
    assert (cartpole["runs"], cartpole["steps"], cartpole["tuned"]) == (2, 400, "layers=[8]")
    runs = [row["last_100"] for row in result["runs"][:2]]
    assert (cartpole["mean"], cartpole["worst"]) == (pytest.approx(np.mean(runs)), min(runs))
    assert cartpole["interval"][0] <= cartpole["iqm"] <= cartpole["interval"][1]
    assert (cartpole["at_threshold"], cartpole["ever_at_threshold"]) == (0, 0)
    assert cartpole["median_steps_to_threshold"] is None
    assert 0 <= cartpole["min_spike_rate"] <= cartpole["max_spike_rate"] <= 1
    assert cartpole["steps_per_cpu_second"] > 0
    # An episode of Acrobot has 500 steps unless it succeeds: nothing may depend on one that has ended.
    assert acrobot["without_episode"] in (0, 1, 2)
    with (tmp_path / "runs.csv").open(encoding="utf-8") as lines:
        assert next(lines).startswith("# synaptick bench learning --suite classic; ")
        rows = list(csv.DictReader(lines))
    assert [(row["suite"], row["task"], row["seed"]) for row in rows[::2]] == [
        ("classic", "CartPole-v1", "7"),
        ("classic", "Acrobot-v1", "7"),
    ]
    assert float(rows[0]["last_100"]) == pytest.approx(runs[0], rel=1e-3)


def test_a_run_does_not_depend_on_who_runs_it() -> None:
    def once(seeds: int, first_seed: int, jobs: int) -> list[dict[str, Any]]:
        runs = bench_learning("classic", range(first_seed, first_seed + seeds), jobs, ["CartPole-v1"], SMALL)["runs"]
        return [{key: value for key, value in row.items() if key != "steps_per_cpu_second"} for row in runs]

    assert once(2, 3, 2)[1:] == once(1, 4, 1)


def test_the_table_is_printed_and_progress_told(cli: Cli) -> None:
    tasks = ("--tasks", "positions, memoryless", "--seeds", 1, "--jobs", 1)
    code, out, err = cli("bench", "learning", "--suite", "cartpole", *tasks, *ON_THE_LINE)
    assert code == 0
    assert re.fullmatch(r"positions, memoryless, seed 0: mean return of the last 100 episodes [\d.]+\n", err)
    assert re.search(r"^positions, memoryless +[\d.]+ +[\d.]+ +\[[\d.]+, [\d.]+\] +[\d.]+$", out, re.M)
    assert re.search(r"^positions, memoryless +- +- +- +- +[\d,]+$", out, re.M)
    assert "tuned: layers=[8] memory=0 tau_min=0.01" in out
    assert max(map(len, out.splitlines())) < 80


def test_a_task_without_a_finished_episode_is_no_accident(monkeypatch: pytest.MonkeyPatch) -> None:
    suite_of(monkeypatch, endless=Task({"env": NEVER_ENDS}, 3.0))
    result = bench_learning("classic", range(2), changes=SMALL)
    (row,) = result["summary"]
    assert (row["mean"], row["interval"], row["median_steps_to_threshold"], row["without_episode"]) == (None,) * 3 + (
        2,
    )
    assert "no episode ended in 2 of the runs" in "\n".join(learning_lines(result))
    json.dumps(result)


def test_a_task_that_cannot_be_run_is_skipped_and_the_others_run(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    make = gymnasium.make

    def fail(name: str, **more: Any) -> Any:
        if name == "LunarLander-v3":
            raise gymnasium.error.DependencyNotInstalled(
                'Box2D is not installed,\nrun `pip install "gymnasium[box2d]"`'
            )
        return make(name, **more)

    monkeypatch.setattr(gymnasium, "make", fail)
    suite_of(monkeypatch, lander=Task({"env": "LunarLander-v3"}), cartpole=Task({}))
    code, out, err = cli("bench", "learning", "--seeds", 1, "--jobs", 1, *ON_THE_LINE)
    assert code == 0
    said = r"skipped: environment 'LunarLander-v3' needs a package .*\[box2d\].*$"
    assert re.search(f"^lander: {said}", err, re.M)
    assert re.search(f"lander: {said}", " ".join(out.split()))
    assert "cartpole, seed 0: " in err
    with pytest.raises(EnvError, match=r"none of these tasks can be run here: .*\[box2d\]"):
        bench_learning("classic", tasks=["lander"])


def test_an_environment_that_fails_ends_it_with_rows_kept(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite_of(monkeypatch, good=Task({}), bad=Task({"env": NEVER_ENDS, "env_kwargs": {"fail_at": 9}}))
    code, _, err = cli("bench", "learning", "--seeds", 1, "--jobs", 1, *ON_THE_LINE, "--out", "runs.csv")
    assert code == 1
    assert err.endswith("synaptick: error: bad, seed 0, failed at step 9: OSError('the robot has left')\n")
    assert "classic,good,0,400" in (tmp_path / "runs.csv").read_text()
    with pytest.raises(RunError):
        bench_learning("classic", [0], jobs=2, tasks=["bad", "good"], changes=SMALL)


def test_ctrl_c_keeps_the_rows(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = Task({"env": NEVER_ENDS, "env_kwargs": {"fail_at": 9, "ctrl_c": True}})
    suite_of(monkeypatch, good=Task({}), stopped=stopped)
    code, _, err = cli("bench", "learning", "--seeds", 1, "--jobs", 1, *ON_THE_LINE, "--out", "runs.csv")
    assert code == 128 + signal.SIGINT
    assert err.endswith("synaptick: stopped by SIGINT; rows already written stay\n")
    assert "classic,good,0,400" in (tmp_path / "runs.csv").read_text()


@pytest.mark.parametrize(
    ("returns", "episode"),
    [
        ([9.0] * 30, 20),
        ([-1000.0] + [5.0] * 120, 101),
        ([4.9] * 300, None),
    ],
    ids=["enough episodes", "the last hundred", "never"],
)
def test_when_a_threshold_is_reached(returns: list[float], episode: int | None) -> None:
    curve, tally = learning._Curve(5.0), Tally()
    for value in returns:
        for reward in (value, 0.0):
            tally.add(reward)
        tally.close()
        curve.add(tally)
    assert curve.reached == (None if episode is None else 2 * episode)


def test_how_far_a_run_falls_once_it_has_been_there() -> None:
    curve, tally = learning._Curve(5.0), Tally()
    for value in [9.0] * 100 + [-41.0] * 10 + [9.0] * 200:
        tally.add(value)
        tally.close()
        curve.add(tally)
    assert curve.lowest == pytest.approx((90 * 9.0 - 10 * 41.0) / 100)


def test_a_curve_is_read_at_fixed_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "MARKS", {"at_2": 2, "at_9": 9})
    curve, tally = learning._Curve(None), Tally()
    for value in (1.0, 3.0, 8.0):
        tally.add(value)
        tally.close()
        curve.add(tally)
    assert {key: curve.summary(3)[key] for key in learning.MARKS} == {"at_2": 2.0, "at_9": None}


def test_the_median_of_the_steps_counts_runs_that_never_get_there() -> None:
    base = {"task": "t", "steps": 9, "threshold": 1.0, "tuned": "", "last_100": 2.0, "steps_per_cpu_second": 5}
    others = ("half_last_100", "half_window", "first_10k_by_episode", "first_10k_by_step", *learning.MARKS)
    base["lowest_after_threshold"] = None
    rates = {"min_spike_rate": 0.1, "max_spike_rate": 0.2}

    def median(*steps: int | None) -> tuple[int | None, int]:
        row = summarize([{**base, **rates, **dict.fromkeys(others), "steps_to_threshold": step} for step in steps])
        return row["median_steps_to_threshold"], row["ever_at_threshold"]

    assert median(30, 10, 20) == (20, 3)
    assert median(30, None, 20) == (30, 2)
    assert median(30, None, 20, None) == (30, 2)
    assert median(30, None, None) == (None, 1)


def test_where_runs_end_is_not_where_they_once_were() -> None:
    """The greatest of many noisy means comes up to a target that the end is far from."""
    columns = (
        *("steps_per_cpu_second", "half_last_100", "half_window", "first_10k_by_episode", "first_10k_by_step"),
        *("lowest_after_threshold", *learning.MARKS),
    )
    base = {"task": "t", "steps": 9, "threshold": 0.8, "tuned": "", "min_spike_rate": 0.1, "max_spike_rate": 0.2}
    ends = [(0.56, 5), (0.8, 7), (0.9, 3), (None, None)]
    runs = [{**base, **dict.fromkeys(columns, 1.0), "last_100": end, "steps_to_threshold": step} for end, step in ends]
    row = summarize(runs)
    assert (row["at_threshold"], row["ever_at_threshold"], row["median_steps_to_threshold"]) == (2, 3, 5)
    _, line = (line for line in learning_lines(result_of(row)) if line.startswith("t  "))
    assert re.search(r" 0.800 +2/4 +3/4 +5 +1$", line)
    assert summarize([{**run, "threshold": None} for run in runs])["at_threshold"] is None


def result_of(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"suite": "classic", "summary": list(rows), "skipped": {}}


def test_the_interval_is_that_of_the_statistic_asked_for() -> None:
    values = [*np.arange(10.0), 1000.0, -1000.0]
    low, high = bootstrap_interval(values, interquartile_mean)
    assert 1 < low < interquartile_mean(values) < high < 8
    assert bootstrap_interval(values)[1] > 100


BAD: list[tuple[tuple[Any, ...], str]] = [
    (("--suite", "atari"), "--suite.*'atari'.*classic.*mujoco"),
    (("--tasks", "chess"), "--tasks chess: there is no such name; allowed: 'CartPole-v1', 'Acrobot-v1', "),
    (("--suite", "box2d", "--tasks", "CartPole-v1"), "--tasks CartPole-v1: .*LunarLander-v3"),
    (("--seeds", 0), "--seeds: '0' are no seeds; allowed: how many, such as 10, or which, such as 0-9 or 1,4,7-9"),
    (("--seeds", "many"), "--seeds.*many"),
    (("--first-seed", -1), "--first-seed -1: allowed: 0 or more"),
    (("--jobs", 0), "--jobs 0: allowed: 1 or more"),
    (("--set", "seed=3"), "--set seed: each run has its own"),
    (("--set", "env=CartPole-v1"), "--set env: each run has its own"),
    (("--set", "discont=1"), "discont"),
    (("--set", "discount=2"), "discount.*2.*allowed"),
    (("--out", "no/such/folder/runs.csv"), "No such file or directory"),
]


@pytest.mark.parametrize(("options", "said"), BAD, ids=[" ".join(map(str, case[0])) for case in BAD])
def test_what_it_cannot_use_is_one_line_and_exit_code_2(cli: Cli, options: tuple[Any, ...], said: str) -> None:
    code, out, err = cli("bench", "learning", *options)
    assert (code, out) == (2, "")
    assert re.fullmatch(rf"synaptick: error: [^\n]*{said}[^\n]*\n", err), err
