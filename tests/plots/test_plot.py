"""Figures of runs: files, axes, groups, and what is said about input that cannot be used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from synaptick.cli import plot as command
from synaptick.plots import draw, style
from synaptick.plots.panels import NAMES, drawable
from synaptick.plots.runs import open_groups

from ..support.runs import SMALL, Cli
from .conftest import USUAL, MakeRun
from .synthetic import settings, write_metrics

MAGIC = {"png": b"\x89PNG\r\n\x1a\n", "svg": b"<?xml", "pdf": b"%PDF-"}


@pytest.mark.parametrize("kind", MAGIC)
def test_a_figure_is_written_in_the_format_of_its_name(kind: str, make_run: MakeRun, cli: Cli, tmp_path: Path) -> None:
    run, out = make_run("a"), tmp_path / f"figure.{kind}"
    code, printed, err = cli("plot", run, "--out", out, "--json")
    assert (code, err) == (0, "")
    found = json.loads(printed)
    assert found == {"out": str(out), "panels": list(USUAL), "left_out": {}, "runs": 1, "groups": ["CartPole-v1"]}
    assert out.read_bytes().startswith(MAGIC[kind])


def test_a_real_run_is_drawn_into_its_folder(cli: Cli, tmp_path: Path) -> None:
    assert cli("run", "CartPole-v1", "--steps", 2000, *SMALL, "--out", "mine", "--quiet")[0] == 0
    code, printed, err = cli("plot", "mine")
    assert (code, err) == (0, "")
    assert printed.splitlines()[0].endswith("-> mine/plot.png")
    assert (tmp_path / "mine" / "plot.png").read_bytes().startswith(MAGIC["png"])
    # The run can go on with the figure in its folder.
    assert cli("run", "--resume", "mine", "--steps", 2100, "--quiet")[0] == 0


def test_every_axis_of_every_panel_is_named(make_run: MakeRun) -> None:
    runs = [make_run("a", seed=1), make_run("b", seed=2), make_run("c", memory=0, layers=(8, 9))]
    for paths in (runs[:1], runs):
        groups = open_groups(paths)
        found, left_out = drawable(groups)
        assert [each.panel.name for each in found] == list(USUAL)
        assert not left_out
        with style.styled():
            figure = draw.figure_of(found, [group.label for group in groups], "title")
            figure.draw_without_rendering()
        assert len(figure.axes) == sum(len(each.panel.parts) for each in found)
        for axes in figure.axes:
            assert axes.get_ylabel()
            assert axes.lines
        for each in found:  # axes of a panel share the horizontal one, which is named once
            assert sum(axes.get_xlabel() == each.panel.x_label for axes in figure.axes) >= 1
        assert sum(bool(axes.get_xlabel()) for axes in figure.axes) == len(found)
        names = {text.get_text() for legend in figure.legends for text in legend.get_texts()}
        assert names == ({group.label for group in groups} if len(groups) > 1 else set())


def test_runs_that_differ_in_their_seed_alone_are_one_group_and_others_are_named_by_what_differs(
    make_run: MakeRun,
) -> None:
    runs = [make_run("a", seed=1), make_run("b", seed=2, steps=70, tuning_seeds="5"), make_run("c", lambda_value=0.5)]
    runs.append(make_run("d", env="Acrobot-v1", checkpoint_every=50))
    groups = open_groups(runs)
    assert [len(group.runs) for group in groups] == [2, 1, 1]
    assert [group.label for group in groups] == [
        "CartPole-v1, lambda_value=0.95",
        "CartPole-v1, lambda_value=0.5",
        "Acrobot-v1, lambda_value=0.95",
    ]
    assert [group.label for group in open_groups(runs[:2])] == ["CartPole-v1"]


def test_labels_stay_short_and_differ(make_run: MakeRun) -> None:
    """Where much differs, each group is named by what sets it apart from most."""
    changes = {"discount": 0.9, "lambda_value": 0.5, "lambda_policy": 0.5}
    more = {**changes, "gain": 3.0}
    runs = [make_run("a"), make_run("b", v_th=2.0), make_run("c", **changes), make_run("d", **more)]
    runs += [make_run("f", **more, reset_strength=0.5), make_run("g", layers=(9,)), make_run("h", layers=(10,))]
    assert [group.label for group in open_groups(runs)] == [
        "CartPole-v1",
        "v_th=2.0",
        "discount=0.9, lambda_policy=0.5, lambda_value=0.5",
        "gain=3.0, discount=0.9, lambda_policy=0.5 (+1 settings)",
        "reset_strength=0.5, gain=3.0, discount=0.9 (+2 settings)",
        "layers=[9]",
        "layers=[10]",
    ]


def test_panels_without_data_are_left_out_with_the_reason(make_run: MakeRun, cli: Cli, tmp_path: Path) -> None:
    run = make_run("a", metrics=False)
    code, printed, err = cli("plot", run, "--out", tmp_path / "a.png")
    assert (code, err) == (0, "")
    first, second = printed.splitlines()
    assert first.startswith("1 run(s), panels return, weights -> ")
    assert (
        second == f"left out: reward, value, spikes, payload, retention, latency, speed ({run} is without metrics.csv)"
    )
    write_metrics(run, settings(), episodes=False)
    (run / "results.csv").write_text("step,episode,return,length\n")
    found = json.loads(cli("plot", run, "--out", tmp_path / "a.png", "--json")[1])
    assert found["left_out"] == {"return": "results.csv has no values for it (yet)"}


def test_only_some_panels(make_run: MakeRun, cli: Cli) -> None:
    code, printed, _ = cli("plot", make_run("a"), "--only", "value", "return", "--json")
    assert code == 0
    assert json.loads(printed)["panels"] == ["return", "value"]


def test_a_run_that_has_just_begun_is_drawn(make_run: MakeRun, cli: Cli) -> None:
    run = make_run("a", results=False)
    write_metrics(run, settings(), rows=1)
    assert cli("plot", run)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("none",), "none holds no run: config.yaml is missing"),
        (("{run}", "--out", "a.jpg"), "--out a.jpg: allowed: a name that ends in .png, .svg, .pdf"),
        (("{run}", "--out", "no/folder/a.png"), "no/folder/a.png: "),
        (("{run}", "{run}"), "is given twice"),
        (("{run}", "--only", "valu"), "--only valu: there is no such panel; allowed: return, reward, value"),
        (("{run}", "--only", "speed"), "panel speed cannot be drawn: "),
        ((), "the following arguments are required: RUN"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(
    arguments: tuple[str, ...], named: str, make_run: MakeRun, cli: Cli
) -> None:
    run = make_run("a", metrics=False)
    code, out, err = cli("plot", *(argument.format(run=run) for argument in arguments))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert named in err


def test_files_that_are_damaged_are_named(make_run: MakeRun, cli: Cli) -> None:
    run = make_run("a")
    (run / "metrics.csv").write_text("step,value\n1,x\n")
    code, _, err = cli("plot", run)
    assert (code, err.count("\n")) == (2, 1)
    assert "metrics.csv, line 2: '1,x'" in err
    write_metrics(run, settings())
    for name in ("agent.synaptick", "agent.older.synaptick"):
        (run / name).unlink(missing_ok=True)
    found = json.loads(cli("plot", run, "--json")[1])
    assert "agent.synaptick is missing" in found["left_out"]["weights"]


def test_without_matplotlib_the_extra_is_named(make_run: MakeRun, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run("a")
    monkeypatch.setattr(style.importlib.util, "find_spec", lambda name: None)
    for name in ("plot", "report"):
        code, out, err = cli(name, run)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert f"{name} needs the package matplotlib; install it with pip install 'synaptick[plot]'" in err


def test_the_command_line_starts_without_matplotlib_and_names_all_panels(cli: Cli) -> None:
    code = "import sys, synaptick.cli.main; print('matplotlib' in sys.modules, 'synaptick.plots' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.strip() == "False False"
    assert command.PANELS == NAMES


def test_lines_differ_without_their_color() -> None:
    """In grey, of one group and of several."""
    for groups, lines in ((1, 7), (7, 1), (3, 3)):
        looks = [style.line_style(k, n, groups, lines) for k in range(groups) for n in range(lines)]
        assert len({(look["linestyle"], look.get("marker")) for look in looks}) == groups * lines
