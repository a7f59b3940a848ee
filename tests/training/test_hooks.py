"""Hooks of a run: what they are called for, what they may raise, and rows of metrics."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from synaptick import Agent, Config, ConfigError, RunError, Tally, make_env, run
from synaptick.errors import HookError
from synaptick.metrics.hooks import StopRun
from synaptick.training.hooks import Hooks
from synaptick.training.run import resume_run, start_run
from synaptick.training.run_folder import RunFolder, is_complete, summary_of

from ..support.runs import Cli

SMALL = Config(layers=(8,), memory=0, steps=600, log_every=100, checkpoint_every=250)


class Recorder:
    """Notes its calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []

    def on_start(self, agent: Agent, tally: Tally) -> None:
        self.calls.append(("start", tally.steps))

    def on_step(self, tally: Tally) -> None:
        self.calls.append(("step", tally.steps))

    def on_episode(self, tally: Tally) -> None:
        self.calls.append(("episode", tally.last_return))

    def on_log(self, row: Mapping[str, float | None]) -> None:
        self.calls.append(("log", row["step"]))

    def on_checkpoint(self, path: Path) -> None:
        self.calls.append(("checkpoint", path.name))

    def on_stop(self, tally: Tally) -> None:
        self.calls.append(("stop", tally.steps))

    def of(self, kind: str) -> list[Any]:
        return [value for name, value in self.calls if name == kind]


def parts() -> tuple[Agent, Any]:
    env = make_env("CartPole-v1")
    return Agent(SMALL, env.observation_space, env.action_space), env


def test_a_hook_is_called_for_everything_in_order() -> None:
    recorder, (agent, env) = Recorder(), parts()
    tally = run(agent, env, 250, seed=0, hooks=[recorder], log_every=100)
    assert recorder.of("start") == [0]
    assert recorder.of("step") == list(range(1, 251))
    assert len(recorder.of("episode")) == tally.episodes > 1
    assert recorder.of("log") == [100, 200, 250]
    assert recorder.of("stop") == [250]
    assert recorder.calls[0][0] == "start"
    assert recorder.calls[-1] == ("stop", 250)


def test_a_run_calls_it_for_checkpoints_too_and_a_resumed_one_goes_on(tmp_path: Path) -> None:
    recorder = Recorder()
    start_run(SMALL, tmp_path / "run", quiet=True, hooks=lambda _: [recorder])
    assert recorder.of("checkpoint") == ["run"] * 3
    assert recorder.of("log") == [100, 200, 300, 400, 500, 600]
    again = Recorder()
    resume_run(tmp_path / "run", 1000, quiet=True, hooks=lambda _: [again])
    assert again.of("start") == [600]
    assert again.of("log") == [700, 800, 900, 1000]
    with (tmp_path / "run" / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == list(range(100, 1001, 100))
    seconds = [float(row["seconds"]) for row in rows]
    assert seconds == sorted(seconds)
    with (tmp_path / "run" / "results.csv").open(newline="") as file:
        returns = [float(row["return"]) for row in csv.DictReader(file)]
    episodes = [int(row["episodes"]) for row in rows]
    ended = np.diff([0, *episodes])
    means = [float(row["mean_return"] or 0) for row in rows]
    assert np.dot(ended, means) == pytest.approx(sum(returns[: episodes[-1]]), rel=1e-4)


@pytest.mark.parametrize("event", ["on_start", "on_step", "on_episode", "on_log", "on_checkpoint", "on_stop"])
def test_a_hook_that_raises_ends_the_run_with_all_that_was_learned(tmp_path: Path, event: str) -> None:
    class Bad:
        pass

    def fail(*_: Any) -> None:
        raise ValueError("no\nroom")

    setattr(Bad, event, fail)
    with pytest.raises(RunError, match=rf"hook Bad.{event} failed \(ValueError: no room\) at step \d+; everything"):
        start_run(SMALL, tmp_path / "run", quiet=True, hooks=lambda _: [Bad()])
    agent = RunFolder.open(tmp_path / "run").load().agent
    assert (agent.ticks > 0) == (event != "on_start")
    resume_run(tmp_path / "run", 700, quiet=True)


def test_hooks_may_be_used_again() -> None:
    """Each run has a log of metrics of its own; that of the one before would pass each row on once more."""
    recorder = Recorder()
    hooks = Hooks([recorder, SimpleNamespace(on_step=_stop_at_150)])
    for _ in range(2):
        recorder.calls.clear()
        agent, env = parts()
        run(agent, env, 200, seed=0, hooks=hooks, log_every=50)
        assert recorder.of("log") == [50, 100, 150]
        assert hooks.stopped == "enough"
    agent, env = parts()
    run(agent, env, 20, seed=0, hooks=hooks)
    assert hooks.stopped == ""


def _stop_at_150(tally: Tally) -> None:
    if tally.steps == 150:
        raise StopRun("enough")


def test_in_a_loop_of_ones_own_it_comes_out_as_it_is_told() -> None:
    agent, env = parts()
    hook = SimpleNamespace(on_step=lambda tally: 1 / 0)
    with pytest.raises(HookError, match=r"SimpleNamespace\.on_step failed"):
        run(agent, env, 5, hooks=[hook])


def test_what_is_no_hook_is_refused() -> None:
    agent, env = parts()
    with pytest.raises(ConfigError, match=r"7 is no hook: it has none of on_start, on_step"):
        run(agent, env, 5, hooks=[7])


def test_a_hook_may_end_the_run() -> None:
    def stop(tally: Tally) -> None:
        if tally.steps == 42:
            raise StopRun("enough")

    agent, env = parts()
    recorder = Recorder()
    assert run(agent, env, 100, hooks=[SimpleNamespace(on_step=stop), recorder]).steps == 42
    assert recorder.of("stop") == [42]


def test_a_run_that_is_stopped_without_a_word_is_complete_and_names_the_hook(tmp_path: Path) -> None:
    class Bored:
        def on_step(self, tally: Tally) -> None:
            raise StopRun

    assert start_run(SMALL, tmp_path / "run", quiet=True, hooks=lambda _: [Bored()])["stopped"] == "Bored"
    summary = summary_of(tmp_path / "run")
    assert (summary["steps"], summary["stopped"]) == (1, "Bored")
    assert is_complete(summary, SMALL.steps)
    assert not is_complete({**summary, "stopped": ""}, SMALL.steps)
    (tmp_path / "run" / "summary.json").write_text('{"steps":')
    assert summary_of(tmp_path / "run") == {}


@pytest.mark.parametrize("event", ["on_start", "on_step", "on_episode", "on_log", "on_checkpoint", "on_stop"])
def test_a_hook_may_end_a_run_at_any_event_with_nothing_missing(tmp_path: Path, event: str) -> None:
    def stop(*_: Any) -> None:
        raise StopRun("enough")

    other = Recorder()
    hook = SimpleNamespace(**{event: stop})
    summary = start_run(SMALL.with_changes({"steps": 630}), tmp_path / "run", quiet=True, hooks=lambda _: [hook, other])
    assert len(other.of("stop")) == 1
    with (tmp_path / "run" / "results.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == summary["episodes"]
    folder = RunFolder.open(tmp_path / "run")
    assert folder.is_summed_up(summary["steps"])
    assert folder.load().env is not None or summary["steps"] == 0
    assert resume_run(tmp_path / "run", 700, quiet=True)["steps"] == 700


def test_what_a_hook_raises_at_the_end_hides_no_other_error(capsys: pytest.CaptureFixture[str]) -> None:
    def first(tally: Tally) -> None:
        raise ZeroDivisionError

    def second(tally: Tally) -> None:
        raise ValueError("later")

    agent, env = parts()
    recorder = Recorder()
    hooks = [SimpleNamespace(on_step=first), SimpleNamespace(on_stop=second), recorder]
    with pytest.raises(HookError, match="on_step failed"):
        run(agent, env, 5, hooks=hooks)
    assert recorder.of("stop") == [1]
    assert "later" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["a folder", "a line"])
def test_metrics_that_cannot_be_used_cost_no_run(tmp_path: Path, damage: str) -> None:
    start_run(SMALL, tmp_path / "run", quiet=True)
    file = tmp_path / "run" / "metrics.csv"
    if damage == "a folder":
        file.unlink()
        file.mkdir()
    else:
        lines = file.read_text().splitlines(keepends=True)
        file.write_text("".join([*lines[:2], "4x900" + lines[2][3:], *lines[3:]]))
    assert resume_run(tmp_path / "run", 900, quiet=True)["steps"] == 900
    if damage == "a line":
        with file.open(newline="") as rows:
            assert [row["step"] for row in csv.DictReader(rows)] == [
                "100",
                "300",
                "400",
                "500",
                "600",
                "700",
                "800",
                "900",
            ]


def test_a_target_ends_a_run_which_can_go_on(cli: Cli) -> None:
    small = ("--set", "layers=[8]", "--set", "memory=0")
    code, _, err = cli("run", "CartPole-v1", "--steps", 5000, "--stop-at", 5, "--out", "run", *small)
    assert code == 0
    assert "the target, 5, is reached" in err
    agent = Agent.load("run/agent.synaptick")
    assert agent.ticks < 5000
    assert cli("run", "--resume", "run", "--quiet")[0] == 0
    assert Agent.load("run/agent.synaptick").ticks == 5000


def test_tensorboard_has_every_row(cli: Cli, tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    code, _, err = cli("run", "CartPole-v1", "--steps", 3000, "--tensorboard", "--out", tmp_path / "run", "--quiet")
    assert (code, err) == (0, "")
    (file,) = (tmp_path / "run" / "tensorboard").glob("events.*")
    content = file.read_bytes()
    for name in (b"reward_rate", b"actor/0/spike_rate", b"mean_return"):
        assert name in content


def test_weights_and_biases_keeps_rows_without_a_network(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    run_folder = tmp_path / "run"
    assert cli("run", "CartPole-v1", "--steps", 3000, "--wandb", "poles", "--out", run_folder, "--quiet")[0] == 0
    (file,) = (run_folder / "wandb").rglob("*.wandb")
    assert b"reward_rate" in file.read_bytes()


def test_rerun_gets_rows_and_spikes(cli: Cli, tmp_path: Path) -> None:
    pytest.importorskip("rerun")
    file = tmp_path / "run.rrd"
    code, _, err = cli("run", "CartPole-v1", "--steps", 3000, "--rerun", file, "--out", tmp_path / "run", "--quiet")
    assert (code, err) == (0, "")
    assert file.read_bytes()[:3] == b"RRF"
    assert file.stat().st_size > 1000


def test_what_is_not_installed_is_named(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    trackers = (
        (("--tensorboard",), "tensorboardX", "tensorboard"),
        (("--wandb", "p"), "wandb", "wandb"),
        (("--rerun",), "rerun", "rerun"),
    )
    for option, module, extra in trackers:
        monkeypatch.setitem(sys.modules, module, None)
        code, _, err = cli("run", "CartPole-v1", "--steps", 10, *option, "--out", f"run-{extra}", "--quiet")
        assert code == 2
        assert f"pip install synaptick[{extra}]" in err
        assert not Path(f"run-{extra}").exists()
