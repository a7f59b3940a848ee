"""Whatever an agent was saved in is evaluated and exported: a run, a folder of snapshots, a file of either."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from synaptick import Agent, Config
from synaptick.errors import EnvError, StateError
from synaptick.realtime import Guard, Residual, Snapshots, Watchdog
from synaptick.training.saved import check_spaces, load_saved

from ..support.common import make_agent
from ..support.runs import SMALL, Cli


@pytest.fixture
def run(cli: Cli) -> Path:
    assert cli("run", "CartPole-v1", "--steps", 300, *SMALL, "--out", "run", "--quiet")[0] == 0
    return Path("run")


def snapshots_of(agent: Agent, folder: str) -> str:
    Snapshots(agent, folder=folder).close(0)
    return folder


def test_the_same_agent_is_found_in_each_place(cli: Cli, run: Path) -> None:
    agent = Agent.load(run / "agent.synaptick")
    snapshots_of(agent, "kept")
    shutil.copy(run / "agent.synaptick", "alone.bin")
    found = {}
    for place in ("run", "run/agent.synaptick", "kept", "kept/agent.synaptick", "alone.bin"):
        saved = load_saved(Path(place))
        assert (saved.agent.snapshot() == agent.snapshot()).all()
        assert (saved.config.env, saved.env is not None) == ("CartPole-v1", "kept" not in place)
        code, out, err = cli("eval", place, "--episodes", 3, "--json")
        assert code == 0, err
        found[place] = json.loads(out)["mean_return"]
        code, out, err = cli("export", "c", place, "--out", "c", "--json")
        assert (code, json.loads(out)["state_bytes"]) == (0, agent.nbytes), err
    assert len(set(found.values())) == 1


def test_the_older_file_is_taken_if_the_newest_is_damaged(run: Path) -> None:
    agent = Agent.load(run / "agent.synaptick")
    snapshots_of(agent, "kept")
    shutil.copy("kept/agent.synaptick", "kept/agent.older.synaptick")
    Path("kept/agent.synaptick").write_bytes(b"")
    with pytest.warns(UserWarning, match="the one before it is used"):
        assert (load_saved(Path("kept")).agent.snapshot() == agent.snapshot()).all()
    assert Agent.load_newest("nowhere") is None


def test_what_stood_around_the_agent_of_a_loop_is_told_to_who_exports_it(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    agent = make_agent(action=spaces.Box(-1.0, 1.0, (1,)))
    guard = Guard(
        Residual(lambda observation: np.zeros(1), agent),
        Watchdog(action_rate=0.1),
        snapshots=Snapshots(agent, folder="r"),
    )
    guard.close()
    Guard(agent, snapshots=Snapshots(agent, folder="plain")).close()
    for place in ("r", "r/agent.synaptick"):
        code, _, err = cli("export", "c", place, "--out", "c")
        assert code == 0
        assert "had around it: a controller that it corrects, limits of its actions; " in err
    assert cli("export", "c", "plain", "--out", "c")[2] == ""


def test_an_agent_of_a_loop_needs_an_environment_of_its_spaces(cli: Cli) -> None:
    agent = Agent(Config(layers=(8,), memory=0), gym.make("Pendulum-v1").observation_space, spaces.Box(-2.0, 2.0, (1,)))
    snapshots_of(agent, "kept")
    code, _, err = cli("eval", "kept", "--episodes", 1)
    assert (code, len(err.splitlines())) == (2, 1)
    assert "'CartPole-v1' has other spaces than the agent, which takes 3 numbers in and 0 choices and 1 controls" in err
    code, out, err = cli("eval", "kept", "--env", "Pendulum-v1", "--episodes", 1, "--json")
    assert code == 0, err
    assert json.loads(out)["env"] == "Pendulum-v1"
    with pytest.raises(EnvError, match="give the environment"):
        check_spaces(make_agent(), gym.make("Pendulum-v1"), "Pendulum-v1")


@pytest.mark.parametrize("place", ["nowhere", ".", "empty.bin"])
def test_what_holds_no_agent_is_refused_in_one_line(cli: Cli, place: str) -> None:
    Path("empty.bin").write_bytes(b"")
    with pytest.raises(StateError):
        load_saved(Path(place))
    for command in (("eval", place), ("export", "c", place, "--out", "c"), ("export", "nir", place)):
        code, _, err = cli(*command)
        assert (code, len(err.splitlines())) == (2, 1), err


def test_nir_needs_no_flag_and_prints_what_it_changes(cli: Cli) -> None:
    pytest.importorskip("nir")
    plain = ("--set", "memory=0", "--set", "spikes=binary")
    assert cli("run", "CartPole-v1", "--steps", 300, *SMALL, *plain, "--out", "run", "--quiet")[0] == 0
    code, out, err = cli("export", "nir", "run", "--steps", 200)
    assert code == 0, err
    assert Path("agent.nir").stat().st_size > 0
    assert "compared with the agent, 200 steps, bottom layer first: of all neurons in all steps" in out
    snapshots_of(Agent.load("run/agent.synaptick"), "kept")
    assert cli("export", "nir", "kept", "--steps", 200, "--out", "other.nir")[0] == 0
    code, _, err = cli("export", "nir", "kept", "--env", "Pendulum-v1", "--out", "other.nir")
    assert (code, "other spaces" in err) == (2, True)
    code, _, err = cli("export", "nir", "run", "--exact")
    assert (code, "no NIR node" in err) == (2, True)
    assert np.isfinite(Path("other.nir").stat().st_size)
