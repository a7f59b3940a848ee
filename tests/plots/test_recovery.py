"""What is drawn of changes of a world, and of an agent that acts: against lives whose numbers are known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from synaptick import Agent
from synaptick.plots.raster import _rectangles
from synaptick.plots.read import read_table
from synaptick.plots.recovery import AFTER, BEFORE, returns_after_changes, rewards_after_changes
from synaptick.plots.replay import spikes_of
from synaptick.plots.runs import open_run

from ..support.runs import SMALL, Cli
from .conftest import MakeRun

EVERY = 3000


def write_life(folder: Path, changes: int = 4, episodes: bool = True) -> None:
    """Write a life that is at 10 k after the k-th change, and rises by 1 in the steps to the next one."""
    steps = np.arange(30, EVERY * (changes + 1) + 1, 30)
    age = (steps - 1) % EVERY
    values = 10.0 * ((steps - 1) // EVERY) + age / EVERY
    rows = [f"{step},{k},{value:.6g},30" for k, (step, value) in enumerate(zip(steps, values, strict=True), 1)]
    header = "step,episode,return,length"
    (folder / "results.csv").write_text("\n".join([header, *(rows if episodes else ())]) + "\n")
    rows = [f"{step},1,0,{value:.6g}" for step, value in zip(steps, values, strict=True)]
    (folder / "metrics.csv").write_text("\n".join(["step,seconds,episodes,reward_rate", *rows]) + "\n")
    rows = [f"{EVERY * k + 1},{k}" for k in range(1, changes + 1)]
    (folder / "changes.csv").write_text("\n".join(["step,changes", *rows]) + "\n")


def test_a_life_is_laid_over_itself_at_each_change(make_run: MakeRun) -> None:
    folder = make_run("a")
    write_life(folder)
    curves = returns_after_changes(open_run(folder))
    assert set(curves) == {"all", "first", "last"}
    for name, level in (("first", 10), ("last", 40), ("all", 25)):
        steps, values = curves[name]
        assert len(steps) == BEFORE + AFTER
        np.testing.assert_allclose(steps, (np.arange(-BEFORE, AFTER) + 0.5) * EVERY / AFTER)
        after = steps > 0
        np.testing.assert_allclose(values[after], level + steps[after] / EVERY, atol=0.02)
        np.testing.assert_allclose(values[~after], level - 10 + 1 + steps[~after] / EVERY, atol=0.02)
    assert rewards_after_changes(open_run(folder)) == {}  # returns say more


def test_without_episodes_it_is_the_reward_and_after_one_change_one_line(make_run: MakeRun) -> None:
    folder = make_run("a")
    write_life(folder, changes=1, episodes=False)
    run = open_run(folder)
    assert returns_after_changes(run) == {}
    (curve,) = rewards_after_changes(run).values()
    assert curve.values[0] == pytest.approx(1 - BEFORE / AFTER, abs=0.05)
    assert curve.values[-1] == pytest.approx(11, abs=0.05)


def test_rows_that_are_too_far_apart_say_nothing(make_run: MakeRun) -> None:
    folder = make_run("a")
    write_life(folder, episodes=False)
    lines = (folder / "metrics.csv").read_text().splitlines()
    (folder / "metrics.csv").write_text("\n".join([lines[0], *lines[30::30]]) + "\n")
    assert rewards_after_changes(open_run(folder)) == {}


def test_a_run_writes_down_when_its_world_changed_and_a_resumed_one_the_same(cli: Cli, tmp_path: Path) -> None:
    wrappers = "wrappers=[{'synaptick.envs:RemapActions': {schedule: {every: 700, worlds: 2}}}]"
    options = (*SMALL, "--set", "memory=0", "--set", "log_every=100", "--set", wrappers, "--quiet")
    assert cli("run", "CartPole-v1", "--steps", 3000, *options, "--out", "whole")[0] == 0
    expected = "step,changes\n701,1\n1401,2\n2101,3\n2801,4\n"
    assert (tmp_path / "whole" / "changes.csv").read_text() == expected
    assert cli("run", "CartPole-v1", "--steps", 1450, *options, "--out", "parts")[0] == 0
    assert (tmp_path / "parts" / "changes.csv").read_text() == "step,changes\n701,1\n1401,2\n"
    # Of a run that was killed later than its checkpoint.
    (tmp_path / "parts" / "changes.csv").write_text("step,changes\n701,1\n1401,2\n1500,3\n")
    assert cli("run", "--resume", "parts", "--steps", 3000, "--quiet")[0] == 0
    assert (tmp_path / "parts" / "changes.csv").read_text() == expected
    assert set(returns_after_changes(open_run(tmp_path / "whole"))) == {"all", "first", "last"}
    found = json.loads(cli("plot", "whole", "--only", "recovery", "latency", "--json")[1])
    assert found["panels"] == ["latency", "recovery"]


def test_a_world_that_changes_all_the_time_has_a_row_for_each_of_the_metrics(cli: Cli, tmp_path: Path) -> None:
    wrappers = "wrappers=[{'synaptick.envs:RemapActions': {schedule: {every: 3, worlds: 2}}}]"
    options = (*SMALL, "--set", "memory=0", "--set", "log_every=100", "--set", wrappers, "--quiet")
    assert cli("run", "CartPole-v1", "--steps", 1000, *options, "--out", "run")[0] == 0
    table = read_table(tmp_path / "run" / "changes.csv")
    assert len(table["step"]) == 11  # the change of the last step comes after the last row
    assert table["changes"][-1] == 333


def test_an_unchanged_world_has_neither_file_nor_panel_nor_a_word(cli: Cli) -> None:
    assert cli("run", "CartPole-v1", "--steps", 500, *SMALL, "--out", "run", "--quiet")[0] == 0
    assert not Path("run/changes.csv").exists()
    found = json.loads(cli("plot", "run", "--json")[1])
    assert "recovery" not in {*found["panels"], *found["left_out"]}
    code, _, err = cli("plot", "run", "--only", "recovery")
    assert code == 2
    assert "panel recovery cannot be drawn: run is without changes.csv" in err


def test_the_last_agent_acts_for_a_raster(cli: Cli, tmp_path: Path) -> None:
    assert cli("run", "CartPole-v1", "--steps", 600, *SMALL, "--set", "memory=4", "--out", "run", "--quiet")[0] == 0
    before = (tmp_path / "run" / "agent.synaptick").read_bytes()
    curves = spikes_of(open_run(tmp_path / "run"), 80)
    assert {name: curve.values.shape for name, curve in curves.items()} == {"memory[0]": (80, 4), "layers[0]": (80, 8)}
    spikes = curves["layers[0]"].values
    assert 0 <= spikes.min() < spikes.max() <= 1
    assert (spikes[1:] != spikes[:-1]).any()
    again = spikes_of(open_run(tmp_path / "run"), 80)["layers[0]"].values
    np.testing.assert_array_equal(spikes, again)
    for command, named in (("plot", "run/plot.png"), ("report", "run/report.html")):
        code, out, err = cli(command, "run", "--replay", 64)
        assert (code, err) == (0, "")
        assert "raster" in out
        assert Path(named).exists()
    assert json.loads(cli("plot", "run", "--only", "raster", "--json")[1])["panels"] == ["raster"]
    assert (tmp_path / "run" / "agent.synaptick").read_bytes() == before
    assert Agent.load("run/agent.synaptick").ticks == 600


def test_an_environment_acts_only_if_that_is_asked_for(make_run: MakeRun, cli: Cli) -> None:
    """It may be a machine."""
    run = make_run("a", env="CartPole-v1")
    config = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(config.replace("CartPole-v1", "Nowhere-v0"))
    assert cli("plot", run)[0] == 0
    code, out, err = cli("plot", run, "--replay")
    assert code == 0
    assert "left out: raster (environment 'Nowhere-v0' cannot be made" in out
    code, _, err = cli("plot", run, "--replay", 5000)
    assert (code, err.count("\n")) == (2, 1)
    assert "--replay 5000: allowed: 1 to 4096 ticks" in err
    code, _, err = cli("plot", run, make_run("b"), "--only", "raster")
    assert code == 2
    assert "of one run at a time" in err


def test_spikes_that_follow_each_other_are_one_rectangle() -> None:
    fired = np.array([[1, 0], [1, 1], [0, 0], [1, 0]], bool)
    found = _rectangles(fired, 10)
    assert [(row[:, 0].min(), row[:, 0].max(), row[:, 1].mean() // 1) for row in found] == [
        (0, 2, 10),
        (3, 4, 10),
        (1, 2, 11),
    ]
