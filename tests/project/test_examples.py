"""Every example runs as its first lines say, in a process of its own where a warning is an error."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from numba import njit
from synaptick import CompileError
from synaptick.compiled_loop import (
    BAD_OBSERVATION,
    BAD_REWARD,
    NOT_STARTED,
    START,
    STEP,
    TERMINATE,
    TRUNCATE,
    load_tick,
    ports,
)
from synaptick.kernels import tick as kernel

from ..support.common import PARTS, ROOT, SIZE, make_agent

EXAMPLES = ROOT / "docs" / "examples"


def run_example(name: str, *arguments: object, code: int = 0) -> str:
    """Run an example and return what it prints; what it says of a mistake, if `code` is not 0."""
    command = [sys.executable, "-W", "error", str(EXAMPLES / name), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == code, done.stderr
    assert code or done.stderr == ""
    return done.stderr if code else done.stdout


def improvement(seconds: int, seed: int) -> float:
    """Return what is left of the mean distance from the target that the example begins with."""
    out = run_example("python_loop.py", "--seconds", seconds, "--seed", seed)
    found = re.fullmatch(
        r"(\d+) batches, mean distance from the target:\nfirst \d+: (\S+) degrees\nlast \d+: (\S+) degrees\n", out
    )
    assert found, out
    batches, first, last = int(found[1]), float(found[2]), float(found[3])
    assert batches >= seconds // 200  # some may boil over and be shorter
    return last / first


def test_the_python_loop_heats_a_tank() -> None:
    improvement(1000, 0)
    assert "at least two batches" in run_example("python_loop.py", "--seconds", 399, code=2)


@pytest.mark.slow
def test_the_python_loop_learns_to_heat_the_tank() -> None:
    """On most seeds: single ones have not begun after 60,000 seconds."""
    assert np.median([improvement(60_000, seed) for seed in range(5)]) < 0.7


def test_a_new_agent_needs_spaces_and_no_environment_of_gymnasium() -> None:
    code = "import sys, synaptick.agent; assert not any(name.startswith('gymnasium') for name in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    source = (EXAMPLES / "python_loop.py").read_text()
    assert re.findall(r"^.*gymnasium.*import.*$", source, re.MULTILINE) == ["from gymnasium.spaces import Box"]


@pytest.mark.parametrize("hidden", [16, pytest.param(0, marks=pytest.mark.slow)])
def test_the_numba_loop_is_the_python_loop_bit_for_bit(hidden: int) -> None:
    result = json.loads(run_example("numba_loop.py", "--seconds", 3000, "--hidden", hidden, "--json"))
    assert result["same_agent_bit_for_bit"] is True
    assert result["same_error"] is True
    assert 0.0 < result["mean_squared_error"] < 1.0
    assert result["steps_per_second_compiled"] > 0


def test_the_aging_plant_compares_all_controllers(tmp_path: Path) -> None:
    table, picture = tmp_path / "rows.csv", tmp_path / "costs.png"
    arguments = ["--seeds", 2, "--periods", 1200, "--points", 60, "--refined", 1, "--csv", table, "--json"]
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        result = json.loads(run_example("aging_plant.py", *arguments))
    else:
        result = json.loads(run_example("aging_plant.py", *arguments, "--plot", picture))
        assert picture.read_bytes().startswith(b"\x89PNG")
    controllers = ["pid", "pid retuned", "pid + agent", "pid + agent, no angle", "agent alone"]
    assert list(result["summary"]) == controllers
    assert [row["controller"] for row in result["rows"]] == [name for name in controllers for _ in range(2)]
    for row in result["rows"]:
        costs = [row[span] for span in ("new", "after_change", "aged", "aged_last")]
        assert all(0.0 < cost < 1e4 for cost in costs), row
    aged = result["summary"]["pid"]["aged"]
    costs = [row["aged"] for row in result["rows"] if row["controller"] == "pid"]
    assert aged["worst"] == max(costs)
    assert aged["mean"] == pytest.approx(np.mean(costs), abs=0.01)
    # A plant that has aged costs more, and what was tuned for it costs less there.
    assert result["summary"]["pid"]["new"]["mean"] < aged["mean"]
    assert result["summary"]["pid retuned"]["aged"]["mean"] < aged["mean"]
    with table.open() as file:
        assert file.readline().startswith("# python docs/examples/aging_plant.py --seeds 2 --periods 1200")
        assert [row["controller"] for row in csv.DictReader(file)] == [row["controller"] for row in result["rows"]]


def test_the_shipped_table_is_one_that_the_example_writes() -> None:
    lines = (ROOT / "docs" / "results" / "aging_plant.csv").read_text().splitlines()
    assert lines[0].startswith("# python docs/examples/aging_plant.py --seeds 5")
    rows = list(csv.DictReader(lines[1:]))
    for controller in ("pid", "pid retuned", "pid + agent", "pid + agent, no angle", "agent alone"):
        assert [row["seed"] for row in rows if row["controller"] == controller] == list("01234")
    assert (ROOT / "docs" / "results" / "aging_plant.png").stat().st_size < 200_000


@pytest.fixture(scope="module")
def tick() -> Any:
    return load_tick()


@pytest.fixture(scope="module")
def scripted(tick: Any) -> Any:
    @njit
    def run(address, staging, drawn, observations, rewards, actions, modes, learning):  # type: ignore[no-untyped-def]
        refused = 0
        for t in range(observations.shape[0]):
            staging[:] = observations[t]
            refused += tick(address, rewards[t], modes[t], learning[t]) < 0
            actions[t] = drawn
        return refused

    return run


@pytest.mark.parametrize("action", [spaces.Discrete(3), PARTS], ids=["category", "parts"])
def test_a_compiled_loop_is_the_agent_in_all_modes(action: spaces.Space, scripted: Any) -> None:
    ours, theirs = make_agent(layers=(8, 9), action=action), make_agent(layers=(8, 9), action=action)
    rng = np.random.default_rng(0)
    observations, rewards = rng.normal(size=(300, SIZE)), rng.normal(size=300)
    modes, learning = np.full(300, STEP), rng.random(300) < 0.9
    modes[0], modes[100:102], modes[200:202] = START, (TERMINATE, START), (TRUNCATE, START)
    address, observation, drawn = ports(ours)
    actions = np.zeros((300, drawn.size))
    assert scripted(address, observation, drawn, observations, rewards, actions, modes, learning) == 0
    for t in range(300):
        learn = bool(learning[t])
        if modes[t] == START:
            theirs.start(observations[t], learn)
        elif modes[t] == STEP:
            theirs.step(rewards[t], observations[t], learn)
        else:
            theirs.end(rewards[t], observations[t] if modes[t] == TRUNCATE else None, learn)
        assert (theirs.arena.views["action"] == actions[t]).all()
    assert (ours.snapshot() == theirs.snapshot()).all()
    assert (observation == 0.0).all()


def test_the_pointer_tells_what_it_refuses_and_changes_nothing(tick: Any) -> None:
    agent = make_agent()
    address, observation, _ = ports(agent)
    before = agent.snapshot()
    assert tick(address, 0.0, STEP, True) == NOT_STARTED
    observation[0] = np.nan
    assert tick(address, 0.0, START, True) == BAD_OBSERVATION
    assert (agent.snapshot() == before).all()
    assert tick(address, 0.0, START, True) == 0
    before = agent.snapshot()
    assert tick(address, np.inf, STEP, True) == BAD_REWARD
    assert (agent.snapshot() == before).all()
    assert agent.running
    assert agent.ticks == 0


@pytest.mark.usefixtures("tick")
def test_nothing_is_compiled_after_the_pointer_is_there() -> None:
    assert len(kernel.tick.signatures) == 1
    with pytest.raises(CompileError):
        kernel.tick(make_agent().arena.address, 0j, START, True)
    assert len(kernel.tick.signatures) == 1


def test_the_pid_example_is_short_and_the_agent_adds_to_it() -> None:
    """In twenty seconds of the motor little is learned; that the figures of the page come of it, `slow` tells."""
    assert len((EXAMPLES / "pid.py").read_text().splitlines()) <= 60
    out = run_example("pid.py", "--seeds", 2, "--seconds", 20)
    found = re.findall(r"^seed (\d): PID (\S+), with the agent (\S+)$", out, re.MULTILINE)
    assert [seed for seed, _, _ in found] == ["0", "1"]
    assert all(10.0 < float(alone) < 25.0 and alone != both for _, alone, both in found)


@pytest.mark.slow
def test_the_agent_of_the_pid_example_improves_it() -> None:
    out = run_example("pid.py", "--seeds", 1)
    alone, both = re.findall(r"PID (\S+), with the agent (\S+)$", out, re.MULTILINE)[0]
    assert float(both) < 0.6 * float(alone)
