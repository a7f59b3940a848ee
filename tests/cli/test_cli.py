"""The command line: what it prints, what it leaves on disk, and what it says to input that cannot be used."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import pytest
import yaml
from synaptick import Agent, Config, load_config
from synaptick.kernels import tick as kernel
from synaptick.versions import versions

from ..support.common import ROOT
from ..support.runs import CHECKPOINTS, SMALL, Cli, assert_whole, rows
from ..support.trouble import ENV_ID, WORDS_ID

RUN_KEYS = ["env", "seed", "steps", "episodes", "mean_return_last_100", "steps_per_second", "state_bytes"]
RUN_KEYS += ["rows_lost", "stopped", "out"]
EVAL_KEYS = ["env", "episodes", "mean_return", "std_return"]


def test_a_run_prints_one_object_and_leaves_a_folder(cli: Cli, tmp_path: Path) -> None:
    code, out, err = cli("run", "CartPole-v1", "--steps", 400, "--seed", 3, *SMALL, "--out", "mine", "--json")
    assert (code, err.count("\n")) == (0, 1)  # progress, of which standard output is free
    result = json.loads(out)
    assert list(result) == RUN_KEYS
    assert (result["env"], result["seed"], result["steps"], result["out"]) == ("CartPole-v1", 3, 400, "mine")
    folder = tmp_path / "mine"
    assert_whole(folder, 400)
    agent, found = Agent.load(folder / "agent.synaptick"), rows(folder)
    assert result["state_bytes"] == agent.nbytes
    assert result["episodes"] == len(found) > 3
    assert result["mean_return_last_100"] == pytest.approx(sum(row[2] for row in found) / len(found))
    assert all(row[2] == row[3] for row in found)  # CartPole pays 1 a step
    assert result["steps_per_second"] > 0
    assert load_config(folder / "config.yaml") == agent.config == Config(steps=400, seed=3, layers=(8,))
    assert list(yaml.safe_load((folder / "config.yaml").read_text())) == list(Config().to_dict())
    assert json.loads((folder / "versions.json").read_text()) == versions()
    summary = json.loads((folder / "summary.json").read_text())
    assert {key: summary[key] for key in RUN_KEYS} == result


def test_the_seed_decides_the_results(cli: Cli, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert cli("run", "CartPole-v1", "--steps", 500, "--seed", seed, *SMALL, "--out", name)[0] == 0
    a, b, c = ((tmp_path / name / "results.csv").read_bytes() for name in "abc")
    assert a == b != c
    states = [Agent.load(tmp_path / name / "agent.synaptick").snapshot() for name in "ab"]
    assert (states[0] == states[1]).all()


def test_a_file_a_shipped_name_and_changes_are_resolved(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text(f"env: {ENV_ID}\nsteps: 50\nlr_value: 1e-2\nseed: 4\n")
    changes = ("--set", "layers=[8, 9]", "--set", "discount=0.9", "--set", "seed=5")
    assert cli("run", "my.yaml", *changes, "--seed", 6, "--out", "a", "--quiet")[0] == 0
    found = load_config(tmp_path / "a" / "config.yaml")
    assert found == Config(env=ENV_ID, steps=50, lr_value=0.01, layers=(8, 9), discount=0.9, seed=6)
    assert cli("run", "cartpole_positions", "--steps", 30, *SMALL, "--out", "b", "--quiet")[0] == 0
    assert load_config(tmp_path / "b" / "config.yaml").env == "synaptick/CartPolePositions-v0"


def test_without_out_every_run_has_a_folder_of_its_own(cli: Cli, tmp_path: Path) -> None:
    outs = [json.loads(cli("run", ENV_ID, "--steps", 20, *SMALL, "--json")[1].splitlines()[-1])["out"] for _ in "abc"]
    assert len(set(outs)) == 3
    for out in outs:
        assert Path(out).parent == Path("runs")
        assert_whole(tmp_path / out, 20)


def test_quiet_prints_nothing_and_json_then_only_the_object(cli: Cli) -> None:
    assert cli("run", ENV_ID, "--steps", 300, *SMALL, "--quiet") == (0, "", "")
    code, out, err = cli("run", ENV_ID, "--steps", 300, *SMALL, "--quiet", "--json")
    assert (code, err, out.count("\n")) == (0, "", 1)
    assert list(json.loads(out)) == RUN_KEYS


def test_a_pipe_gets_plain_lines(cli: Cli) -> None:
    code, out, err = cli("run", ENV_ID, "--steps", 300, *SMALL, "--out", "a")
    assert (code, out.count("\n"), err.count("\n")) == (0, 3, 1)
    assert re.search(r"300 steps, [\d,]+ bytes of state$", err)
    assert re.fullmatch(
        rf"{ENV_ID}: mean return -?[\d.]+ over all \d+ episodes\n300 steps, .* bytes of state\na\n", out
    )
    assert "\x1b" not in out + err
    assert "\r" not in out + err


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_nobody_has_to_read_what_is_printed(cli: Cli, tmp_path: Path, name: str) -> None:
    """As in a pipe to head: the reader is gone, the run goes on."""
    arguments = ["run", ENV_ID, *SMALL, "--steps", "3000", "--out", "a"]
    code = f"import sys, tests.support.trouble, synaptick.cli.main as cli; sys.exit(cli.main({arguments}))"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        getattr(process, name).close()
        read = process.stderr if name == "stdout" else process.stdout
        assert read is not None
        text = read.read()
    assert (process.returncode, text.count("\n")) == (0, 1 if name == "stdout" else 3)
    assert "Traceback" not in text
    assert_whole(tmp_path / "a", 3000)


def test_before_the_first_episode_ends_there_is_no_mean(cli: Cli) -> None:
    code, out, _ = cli("run", ENV_ID, "--steps", 3, *SMALL, "--json")
    assert code == 0
    assert json.loads(out.splitlines()[-1])["mean_return_last_100"] is None
    assert "mean return - over all 0 episodes" in cli("run", ENV_ID, "--steps", 3, *SMALL)[1]


# ---- eval


@pytest.fixture
def finished(cli: Cli, tmp_path: Path) -> Path:
    assert cli("run", "CartPole-v1", "--steps", 300, *SMALL, "--out", "done", "--quiet")[0] == 0
    return tmp_path / "done"


def test_eval_prints_one_object_and_changes_nothing(cli: Cli, finished: Path) -> None:
    before = {entry.name: entry.read_bytes() for entry in finished.iterdir()}
    code, out, err = cli("eval", finished, "--episodes", 5, "--json")
    assert (code, err, out.count("\n")) == (0, "", 1)
    result = json.loads(out)
    assert list(result) == EVAL_KEYS
    assert (result["env"], result["episodes"]) == ("CartPole-v1", 5)
    assert result["mean_return"] >= 8
    assert result["std_return"] >= 0
    assert {entry.name: entry.read_bytes() for entry in finished.iterdir()} == before
    assert cli("eval", finished, "--episodes", 5, "--json")[1] == out
    others = [cli("eval", finished, "--episodes", 5, "--seed", seed, "--json")[1] for seed in (1, 1, 2)]
    assert others[0] == others[1] != others[2]
    plain = cli("eval", finished, "--episodes", 5)[1]
    assert re.fullmatch(r"CartPole-v1: return [\d.]+ \+- [\d.]+ over 5 episodes without learning\n", plain)


def test_eval_can_take_the_most_probable_action_each_time(cli: Cli, finished: Path) -> None:
    sampled, taken, again = (
        json.loads(cli("eval", finished, "--episodes", 5, *flag, "--json")[1])
        for flag in ((), ("--deterministic",), ("--deterministic",))
    )
    assert taken == again != sampled
    assert list(taken) == EVAL_KEYS


def test_eval_never_learns(cli: Cli, finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learning, tick = [], kernel.common_tick

    def note(address: int, reward: float, mode: int, learn: bool) -> int:
        learning.append(learn)
        return tick(address, reward, mode, learn)

    monkeypatch.setattr(kernel, "common_tick", note)
    monkeypatch.setattr(Agent, "compile", staticmethod(lambda _: None))
    assert cli("eval", finished, "--episodes", 2)[0] == 0
    assert len(learning) > 10
    assert not any(learning)


def test_the_module_runs_as_a_program(finished: Path) -> None:
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "synaptick",
        "eval",
        str(finished),
        "--episodes",
        "2",
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(json.loads(done.stdout)) == EVAL_KEYS


# ---- input that cannot be used


BAD: list[tuple[tuple[Any, ...], str]] = [
    (("run", "CartPoel-v1"), "environment 'CartPoel-v1' cannot be made: .*Did you mean: `CartPole`"),
    (("run", "no_such_module:X-v0"), "needs a module that is not installed: .*no_such_module"),
    (("run", WORDS_ID), r"observation\['word'\] is of kind Text.*FilterObservation: {filter_keys: \['number'\]"),
    (("run", "nosuch.yaml"), "nosuch.yaml: there is no such file; shipped configurations: .*default"),
    (("run", "broken.yaml"), r"broken.yaml:\d+:\d+: not valid YAML"),
    (("run", "typo.yaml"), r"typo.yaml:1:1: discont: there is no such key; did you mean 'discount'"),
    (("run", "CartPole-v1", "--set", "discont=0.9"), "--set discont: there is no such key; did you mean 'discount'"),
    (("run", "CartPole-v1", "--set", "discount=2"), "discount: got 2; allowed: a number from 0 to 1"),
    (("run", "CartPole-v1", "--set", "discount"), "--set discount: has no '='"),
    (
        ("run", "CartPole-v1", "--set", "env_kwargs={no_such: 1}"),
        "cannot be made with env_kwargs {'no_such': 1}: TypeError",
    ),
    (("run", "CartPole-v1", "--steps", 0), "steps: got 0; allowed: a whole number from 1 to"),
    (("run", "CartPole-v1", "--seed", -1), "seed: got -1; allowed: a whole number from 0 to"),
    (("run", ""), "env: got ''; allowed: a non-empty string"),
    (("run",), "give a configuration file, the name of a shipped one, or an environment id"),
    (("run", "--resume", "nowhere"), "nowhere holds no run that can be used"),
    (("run", "--resume", "done"), "done is complete: it has 300 of 300 steps; give a larger --steps"),
    (("run", "CartPole-v1", "--resume", "done", "--steps", 400), "goes on with that run as it is"),
    (("run", "--resume", "done", "--set", "discount=0.9", "--steps", 400), "goes on with that run as it is"),
    (("run", "--resume", "done", "--seed", 5, "--steps", 400), "goes on with that run as it is"),
    (("run", "--resume", "done", "--seed", 0, "--steps", 400), "goes on with that run as it is"),
    (("run", "--resume", "done", "--out", "other", "--steps", 400), "goes on with that run as it is"),
    (("run", "--resume", "edited", "--steps", 400), "edited/config.yaml: discount differ"),
    (("run", "--resume", "scribbled", "--steps", 400), "scribbled/results.csv, line 2: 'what is this' is not a row"),
    (("run", "CartPole-v1", "--out", "taken"), "taken holds versions.json, which a run would overwrite"),
    (("run", "CartPole-v1", "--out", "done"), "done already holds a run; continue it with --resume done"),
    (("run", "CartPole-v1", "--out", "typo.yaml"), "typo.yaml"),
    (("eval", "nowhere"), "nowhere holds no run that can be used"),
    (("run", "FrozenLake-v1", "--set", "env_kwargs={map_name: nowhere}"), "cannot be made with env_kwargs .*nowhere"),
    (("eval", "done", "--seed", -1), "seed.*-1"),
    (("eval", "done", "--episodes", 0), "--episodes 0: allowed: 1 or more"),
    (("run", "CartPole-v1", "--steps", "many"), "--steps"),
    (("run", "CartPole-v1", "--no-such-option"), "--no-such-option"),
    (("frobnicate",), "frobnicate"),
    (("run", "CartPole-v1", "--set", "seed=2024-13-45"), "--set seed"),
]
LINES = [pytest.param(*case, id=" ".join(map(str, case[0]))) for case in BAD]


@pytest.mark.parametrize(("arguments", "said"), LINES)
def test_bad_input_is_one_line_and_exit_code_2(
    cli: Cli, tmp_path: Path, finished: Path, arguments: tuple[Any, ...], said: str
) -> None:
    (tmp_path / "broken.yaml").write_text("layers: [1\n")
    (tmp_path / "typo.yaml").write_text("discont: 0.9\n")
    for name in ("edited", "scribbled"):
        shutil.copytree(finished, tmp_path / name)
    text = (tmp_path / "edited" / "config.yaml").read_text()
    (tmp_path / "edited" / "config.yaml").write_text(text.replace("discount: 0.99", "discount: 0.9"))
    (tmp_path / "scribbled" / "results.csv").write_text("step,episode,return,length\nwhat is this\n")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "versions.json").write_text("{}")
    before = {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    code, out, err = cli(*arguments)
    assert (code, out) == (2, "")
    assert re.fullmatch(rf"synaptick: error: [^\n]*{said}[^\n]*\n", err), err
    assert {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_missing_extra_is_one_line_and_exit_code_2(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise gymnasium.error.DependencyNotInstalled('Box2D is not installed,\nrun `pip install "gymnasium[box2d]"`')

    monkeypatch.setattr(gymnasium, "make", fail)
    code, out, err = cli("run", "LunarLander-v3")
    assert (code, out) == (2, "")
    assert re.fullmatch(
        r"synaptick: error: .*'LunarLander-v3' needs a package .* pip install \"synaptick\[box2d\]\"\n", err
    )


def test_damaged_checkpoints_are_refused(cli: Cli, finished: Path) -> None:
    for name in CHECKPOINTS:
        path = finished / name
        path.write_bytes(path.read_bytes()[:-5])
    for arguments in (("eval", finished), ("run", "--resume", finished, "--steps", 400)):
        code, _, err = cli(*arguments)
        assert (code, err.count("\n")) == (2, 1)
        assert "damaged" in err


def test_a_refused_resumption_changes_nothing(cli: Cli, finished: Path) -> None:
    before = (finished / "config.yaml").read_bytes()
    assert cli("run", "--resume", finished, "--steps", 100)[0] == 2
    assert (finished / "config.yaml").read_bytes() == before


def test_help_and_version(cli: Cli) -> None:
    assert cli("--version")[:2] == (0, versions()["synaptick"] + "\n")
    for arguments in ((), ("run",), ("eval",), ("bench",)):
        code, out, _ = cli(*arguments, "--help")
        assert code == 0
        assert out.startswith("usage: synaptick")
