"""`synaptick compare`: what is an arm, what may not differ, and what is written."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synaptick.aggregate import interquartile_mean
from synaptick.cli import compare as command
from synaptick.compare import show
from synaptick.compare.compare import compare
from synaptick.compare.equal import KINDS
from synaptick.compare.evidence import read_arms
from synaptick.training.config_file import dump_config

from ..plots.synthetic import settings
from ..support.runs import Cli

Make = Callable[..., Path]
FEW = ("--draws", 200)
HEADER = "step,episode,return,length"


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a function that makes a folder of runs, of as many seeds in each environment, that reach what they do."""

    def make(
        name: str,
        level: float = 100.0,
        envs: Sequence[str] = ("CartPole-v1",),
        seeds: Sequence[int] = range(4),
        steps: int = 6000,
        done: int | None = None,
        single: bool = False,
        **changes: Any,
    ) -> Path:
        root, names = tmp_path / name, []
        for env in envs:
            for seed in seeds:
                folder = root if single else root / f"{env}-{seed}"
                folder.mkdir(parents=True)
                config = settings(env=env, seed=seed, steps=steps, **changes)
                (folder / "config.yaml").write_text(dump_config(config))
                # Returns rise to the level, and seeds differ by 1.
                ends = np.arange(30, (done or steps) + 1, 30)
                returns = level * ends / steps + seed
                rows = [
                    f"{end},{k},{value:.10g},30" for k, (end, value) in enumerate(zip(ends, returns, strict=True), 1)
                ]
                (folder / "results.csv").write_text("\n".join([HEADER, *rows]) + "\n")
                (folder / "summary.json").write_text(json.dumps({"steps": done or steps}))
                names.append(folder.name)
        if not single:
            (root / "results.csv").write_text(
                "\n".join(["run,seed,status", *(f"{n},0,complete" for n in names)]) + "\n"
            )
        return root

    return make


def expected(level: float, seeds: Sequence[int] = range(4), steps: int = 6000, end: int | None = None) -> list[float]:
    """Return the mean returns of the last 100 episodes."""
    ends = np.arange(30, (end or steps) + 1, 30)
    return [float((level * ends / steps + seed)[-100:].mean()) for seed in seeds]


def test_arms_are_held_against_the_first(make: Make, cli: Cli, tmp_path: Path) -> None:
    a, b = make("a", 100), make("b", 102)
    code, out, err = cli("compare", a, b, *FEW, "--out", "found", "--json")
    assert (code, err) == (0, "")
    result = json.loads(out)
    assert (result["arms"], result["environments"], result["notes"]) == (["a", "b"], ["CartPole-v1"], [])
    with (tmp_path / "found" / "compare.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    iqm = {row["arm"]: row for row in rows if row["statistic"] == "iqm" and row["environment"] == "CartPole-v1"}
    for name, level in (("a", 100), ("b", 102)):
        assert float(iqm[name]["estimate"]) == pytest.approx(interquartile_mean(expected(level)), rel=1e-5)
        assert float(iqm[name]["low"]) < float(iqm[name]["estimate"]) < float(iqm[name]["high"])
    (better,) = [
        row for row in rows if row["statistic"] == "probability_of_improvement" and row["environment"] == "all"
    ]
    ours, theirs = np.array(expected(102)), np.array(expected(100))
    share = (ours[:, None] > theirs).mean() + 0.5 * (ours[:, None] == theirs).mean()
    assert (better["arm"], better["over"], float(better["estimate"])) == ("b", "a", pytest.approx(share))
    curve = [row for row in rows if row["statistic"] == "iqm_by_steps" and row["arm"] == "a"]
    assert float(curve[-1]["at"]) == 6000
    assert float(curve[-1]["estimate"]) == pytest.approx(interquartile_mean(expected(100)), rel=1e-5)
    assert float(curve[11]["estimate"]) == pytest.approx(interquartile_mean(expected(100, end=3000)), rel=1e-5)
    profile = [row for row in rows if row["statistic"] == "performance_profile" and row["arm"] == "b"]
    assert [float(profile[k]["estimate"]) for k in (0, -1)] == [1, 0]
    assert (tmp_path / "found" / "compare.png").read_bytes().startswith(b"\x89PNG")


def test_the_table_fits_a_terminal_whatever_arms_are_called(make: Make, cli: Cli) -> None:
    runs = [make("a" * 60, 90), make("b" * 70, 100), make("c", 1e6)]
    code, out, err = cli("compare", *runs, *FEW)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert max(map(len, lines)) <= show.WIDTH
    assert lines[0] == "CartPole-v1"
    assert sum("..." in line or line.startswith("  c ") for line in lines) == 3


def test_several_environments_are_scaled_and_that_is_said(make: Make, cli: Cli) -> None:
    envs = ("CartPole-v1", "Acrobot-v1")
    a, b = make("a", 100, envs), make("b", 50, envs)
    found = compare([str(a), str(b)], draws=200)
    scores = {name: np.array(expected(level)) for name, level in (("a", 100), ("b", 50))}
    low, high = min(map(np.min, scores.values())), max(map(np.max, scores.values()))
    for name in "ab":
        scaled = np.tile((scores[name] - low) / (high - low), 2)
        assert found.iqm[name, ""].value == pytest.approx(interquartile_mean(scaled))
    assert found.improvement["b", "a", ""].value == 0
    assert any("0 is the lowest and 1 the highest" in note for note in found.notes)
    scale = dict.fromkeys(envs, (0.0, 200.0))
    given = compare([str(a), str(b)], scale=scale, draws=200)
    assert given.iqm["a", ""].value == pytest.approx(interquartile_mean(np.tile(scores["a"] / 200, 2)))
    assert given.notes == []
    code, out, _ = cli("compare", a, b, *FEW, "--scale", "CartPole-v1=0,200", "--scale", "Acrobot-v1=0,200")
    assert code == 0
    assert "2 environments, scaled" in out


@pytest.mark.parametrize(
    ("kind", "changes", "named"),
    [
        ("steps", {"steps": 3000}, "in CartPole-v1, a has 6,000, b has 3,000"),
        ("seeds", {"seeds": (0, 1, 2, 5)}, "in CartPole-v1, a has 0-3, b has 0-2,5"),
        ("seeds", {"seeds": range(5)}, "in CartPole-v1, a has 0-3, b has 0-4"),
        ("environments", {"envs": ("CartPole-v1", "Acrobot-v1")}, "a has no run in Acrobot-v1"),
        ("places", {"env_kwargs": {"max_episode_steps": 200}}, '{"max_episode_steps": 200}'),
        ("places", {"wrappers": ["synaptick.envs:MaskVelocities"]}, "synaptick.envs:MaskVelocities"),
        ("tuned", {"tuning_seeds": "3-9"}, "CartPole-v1-3: its configuration was chosen on seed 3)"),
    ],
)
def test_what_is_not_equal_is_refused_by_name_unless_it_is_allowed(
    kind: str, changes: dict[str, Any], named: str, make: Make, cli: Cli
) -> None:
    a, b = make("a"), make("b", **changes)
    code, out, err = cli("compare", a, b, *FEW)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"these arms are not equal ({kind}: " in err
    assert named in err
    assert err.endswith(f"--unequal {kind}\n")
    code, out, err = cli("compare", a, b, *FEW, "--unequal", kind)
    assert (code, err) == (0, "")
    assert f"note: {kind} differ: " in " ".join(out.split())


def test_runs_that_are_not_done_are_refused_and_all_reasons_named_at_once(make: Make, cli: Cli) -> None:
    a, b = make("a"), make("b", done=3000)
    code, _, err = cli("compare", a, b, *FEW)
    assert code == 2
    assert "steps: in CartPole-v1, a has 6,000, b has 3,000; unfinished: " in err
    assert "has 3,000 steps (and 3 more)" in err
    assert err.endswith("--unequal steps unfinished\n")
    # What is compared then is where both have been.
    found = compare([str(a), str(b)], ["steps", "unfinished"], draws=200)
    assert found.iqm["a", ""].value == pytest.approx(interquartile_mean(expected(100, end=3000)))
    assert found.iqm["b", ""].value == pytest.approx(found.iqm["a", ""].value)


def test_a_run_that_a_hook_stopped_is_done(make: Make, cli: Cli) -> None:
    a, b = make("a"), make("b", done=3000)
    for path in b.glob("*/summary.json"):
        path.write_text(json.dumps({"steps": 3000, "stopped": "the target is reached"}))
    code, _, err = cli("compare", a, b, *FEW)
    assert code == 2
    assert err.endswith("--unequal steps\n")


def test_environments_that_one_arm_lacks_are_left_out(make: Make, cli: Cli) -> None:
    a, b = make("a"), make("b", envs=("CartPole-v1", "Acrobot-v1"))
    assert compare([str(a), str(b)], ["environments"], draws=200).envs == ["CartPole-v1"]
    code, _, err = cli("compare", a, make("c", envs=("Acrobot-v1",)), "--unequal", "environments")
    assert code == 2
    assert "no environment is in every arm" in err


def test_a_sweep_has_an_arm_for_each_of_its_settings(make: Make, tmp_path: Path) -> None:
    one, two = make("one", 100, lambda_value=0.9), make("two", 50, lambda_value=0.5)
    sweep = tmp_path / "sweep"
    sweep.mkdir()
    names = [
        f"../{root.name}/{folder.name}" for root in (one, two) for folder in sorted(root.iterdir()) if folder.is_dir()
    ]
    (sweep / "results.csv").write_text("\n".join(["run,lambda_value,seed", *(f"{name},x,0" for name in names)]) + "\n")
    assert [arm.label for arm in read_arms([str(sweep)])] == ["sweep: lambda_value=0.9", "sweep: lambda_value=0.5"]
    again = read_arms([str(sweep), str(one)])
    assert [len(arm.outcomes) for arm in again] == [4, 4, 4]


def test_single_runs_come_together_by_their_settings_and_names_tell_apart(make: Make) -> None:
    runs = [
        str(make(f"r{k}", seeds=(k % 2,), single=True, lambda_value=0.9 - 0.4 * (k // 2), tuning_seeds="7" * (k % 2)))
        for k in range(4)
    ]
    assert [(arm.label, len(arm.outcomes)) for arm in read_arms(runs)] == [
        ("lambda_value=0.9", 2),
        ("lambda_value=0.5", 2),
    ]
    copies = [f"before={runs[0]}", f"before={runs[1]}", f"after={runs[0]}", f"after={runs[1]}"]
    assert [(arm.label, len(arm.outcomes)) for arm in read_arms(copies)] == [("before", 2), ("after", 2)]


def test_tables_of_bench_learning_are_arms(make: Make, cli: Cli, tmp_path: Path) -> None:
    columns = "suite,task,seed,steps,last_100,at_100k,at_300k,at_1m"
    for name, level in (("old", 100), ("new", 120)):
        rows = [f"classic,CartPole,{seed},300000,{level + 3 * seed},{50 + seed},{level + seed}," for seed in range(5)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["# a title; numpy 2", columns, *rows]) + "\n")
    found = compare([str(tmp_path / "old.csv"), str(tmp_path / "new.csv")], draws=200)
    assert [arm.label for arm in found.arms] == ["old", "new"]
    assert found.iqm["new", "CartPole"].value == interquartile_mean([120 + 3 * seed for seed in range(5)])
    assert found.steps.tolist() == [100_000, 300_000]
    np.testing.assert_allclose(found.curves["old"].value, [52, 106])
    code, _, err = cli("compare", tmp_path / "old.csv", make("a"), "--unequal", *KINDS)
    assert code == 2
    assert "no environment is in every arm" in err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("{a}",), "is one arm, a; give two or more"),
        (("{a}", "nowhere"), "nowhere cannot be compared; allowed: the folder of a run"),
        (("{a}", "x={a}", "x={a}"), "x has CartPole-v1, seed 0 twice"),
        (("{a}", "{b}", "--unequal", "tasks"), "--unequal tasks: allowed: environments, places, steps"),
        (("{a}", "{b}", "--scale", "CartPole-v1=5"), "--scale CartPole-v1=5: allowed: ENV=LOW,HIGH"),
        (("{a}", "{b}", "--scale", "X=0,5"), "--scale X: there is no such environment; allowed: CartPole-v1"),
        (("{a}", "{b}", "--draws", "5"), "--draws 5: allowed: 100 or more"),
        (("{a}", "{a}/results.csv"), "has no column task"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(
    arguments: tuple[str, ...], named: str, make: Make, cli: Cli
) -> None:
    a, b = make("a"), make("b")
    code, out, err = cli("compare", *(argument.format(a=a, b=b) for argument in arguments))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert named in err


def test_runs_without_an_episode_are_named(make: Make, cli: Cli) -> None:
    a, b = make("a"), make("b")
    (b / "CartPole-v1-2" / "results.csv").write_text(HEADER + "\n")
    code, _, err = cli("compare", a, b)
    assert code == 2
    assert "CartPole-v1-2: no episode has ended" in err


def test_without_scipy_the_extra_is_named(make: Make, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synaptick.compare.compare.importlib.util.find_spec", lambda name: None)
    code, _, err = cli("compare", make("a"), make("b"))
    assert code == 2
    assert "pip install 'synaptick[compare]'" in err


def test_the_help_names_what_may_be_unequal() -> None:
    assert tuple(KINDS) == command.UNEQUAL
