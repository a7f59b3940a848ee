"""The exported C agent next to the Python agent it was exported from: same numbers, time of a step, bytes."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..agent import Agent
from ..compilation import step_of
from ..config import Config
from ..errors import RunError
from ..export import export_c
from ..export.c.compiler import compile_c, section_bytes
from ..export.c.native import CAgent
from ..kernels import tick as kernel
from ..kernels.base.jit import ARITHMETICS
from ..training.environment import make_env
from ..training.loop import run
from ..versions import versions
from .support import timing
from .support.progress import each
from .support.tables import table, wrapped
from .support.timing import STREAM, in_turns

ENV = "CartPole-v1"
NETWORKS = {name: timing.NETWORKS[name] for name in ("1x32", "1x64", "default")}
# As the header says, then with partial sums, then for the machine that Numba compiles for.
BUILDS: dict[str, tuple[str, ...]] = {
    "-O2": ("-O2",),
    "-O2 -DAGENT_FAST": ("-O2", "-DAGENT_FAST"),
    "-O2 -march=native": ("-O2", "-march=native"),
    "-O2 -march=native -DAGENT_FAST": ("-O2", "-march=native", "-DAGENT_FAST"),
}
TIMED = 10_000
# Steps that an agent has learned whose object file is measured.
LEARNED = 5_000


def bench_export(steps: int = 100_000, networks: Sequence[str] | None = None) -> dict[str, Any]:
    """Compare agents and their exports on CartPole, each in a process with strict and in one with fast arithmetic.

    Parameters
    ----------
    steps : int
        Steps of the environment on which both learn.
    networks : sequence of str, optional
        Some of `NETWORKS`, by name.

    Returns
    -------
    dict
        ``versions`` and, for each network: ``bytes``, sections of the object file at -Os, of one without the state, and
        the state itself; and for each arithmetic of the Python agent what `measure` returns.
    """
    chosen = list(networks or NETWORKS)
    return {
        "versions": versions(),
        "steps": steps,
        "networks": {
            name: {"bytes": _bytes(name), **{kind: _elsewhere(name, steps, kind) for kind in ARITHMETICS}}
            for name in each(chosen, "networks")
        },
    }


def _elsewhere(name: str, steps: int, arithmetic: str) -> dict[str, Any]:
    """Return `measure` of a process of its own: the arithmetic is chosen on import."""
    code = f"import json; from {__name__} import measure; print(json.dumps(measure({name!r}, {steps})))"
    environment = {**os.environ, "SYNAPTICK_ARITHMETIC": arithmetic}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise RunError(f"the measurement of {name} in {arithmetic} arithmetic failed: {done.stderr.strip()}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(name: str, steps: int) -> dict[str, Any]:
    """Return what can be measured in the arithmetic of this process: `follow` and `step_times`."""
    return {"follow": follow(new_agent(name), steps), "step_us": step_times(name)}


def new_agent(name: str, seed: int = 0) -> Agent:
    """Return a new agent of CartPole with one of `NETWORKS`."""
    env = make_env(ENV)
    return Agent(Config(**NETWORKS[name]), env.observation_space, env.action_space, seed=seed)


def follow(agent: Agent, steps: int, seed: int = 0) -> dict[str, Any]:
    """Let an agent learn in CartPole, its C twin following on the same observations and rewards.

    Parameters
    ----------
    agent : Agent
        Of CartPole; it leads, and learns on.
    steps : int
        At most; from the first action that differs on, both learn from different actions, and it ends.

    Returns
    -------
    dict
        ``steps`` done with the same actions, ``same_actions`` whether these are all, ``first_difference`` the step at
        which the first number of the weights differed, None if none did, and of the weights at the end ``relative``,
        the norm of the difference over that of the weights, and ``greatest``, its greatest entry.
    """
    env = make_env(ENV)
    twin = CAgent(agent)
    observation, _ = env.reset(seed=seed)
    agent.start(observation)
    twin.start(observation)
    ours, theirs = (_weights(agent, state) for state in (agent.arena.block, twin.state))
    apart: int | None = None
    done = 0
    while done < steps and agent.last_action == int(twin.action[0]):
        observation, reward, terminated, truncated, _ = env.step(agent.last_action)
        if terminated or truncated:
            final = None if terminated else observation
            agent.end(float(reward), final)
            twin.end(float(reward), final)
            observation, _ = env.reset()
            agent.start(observation)
            twin.start(observation)
        else:
            agent.step(float(reward), observation)
            twin.step(float(reward), observation)
        done += 1
        if apart is None and any((a != b).any() for a, b in zip(ours, theirs, strict=True)):
            apart = done
    env.close()
    a, b = (np.concatenate([view.ravel() for view in views]).astype(np.float64) for views in (ours, theirs))
    return {
        "steps": done,
        "same_actions": bool(agent.last_action == int(twin.action[0])),
        "first_difference": apart,
        "relative": float(np.linalg.norm(a - b) / np.linalg.norm(a)),
        "greatest": float(np.abs(a - b).max()),
    }


def _weights(agent: Agent, state: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    """Return the views of all weights in memory that is laid out as the agent's."""
    found = []
    for path, view in agent.arena.views.items():
        if path.endswith("/w"):
            first = int(view.ctypes.data) - agent.arena.address
            found.append(state[first : first + view.nbytes].view(np.float32))
    return found


def step_times(name: str, steps: int = TIMED) -> dict[str, float]:
    """Return the median microseconds of a learning step of the kernel and of each build, without those of the call.

    What a call costs is measured with calls that are refused, and taken off. All take turns, so that a drift of the
    machine meets all.
    """
    stream = np.random.default_rng(0).normal(size=(STREAM, 4))
    functions: list[Callable[[int], int]] = []
    for running in (True, False):
        functions += [_kernel_timer(name, stream, running)]
        functions += [_twin_timer(name, stream, flags, running) for flags in BUILDS.values()]
    medians = [float(np.median(sample)) / 1000.0 for sample in in_turns(functions, steps)]
    half = len(functions) // 2
    names = ("kernel", *BUILDS)
    return {key: whole - call for key, whole, call in zip(names, medians[:half], medians[half:], strict=True)}


def _kernel_timer(name: str, stream: NDArray[np.float64], running: bool) -> Callable[[int], int]:
    agent = new_agent(name)
    if running:
        agent.start(stream[0])
    staging, address, step = agent.arena.views["staging"], agent.arena.address, step_of(agent.rare)

    def timed(k: int) -> int:
        staging[:] = stream[k % STREAM]
        begun = time.perf_counter_ns()
        step(address, 0.1, kernel.STEP, True)
        # The agent lives as long as its timer: the kernel knows only an address.
        return time.perf_counter_ns() - begun if agent.nbytes else 0

    return timed


def _twin_timer(name: str, stream: NDArray[np.float64], flags: tuple[str, ...], running: bool) -> Callable[[int], int]:
    twin = CAgent(new_agent(name), flags)
    if running:
        twin.start(stream[0])
    step, at = twin.library.agent_step, twin.address
    rows = [ctypes.c_void_p(row.ctypes.data) for row in stream]

    def timed(k: int) -> int:
        row = rows[k % STREAM]
        begun = time.perf_counter_ns()
        step(at, 0.1, row, 1)
        return time.perf_counter_ns() - begun if twin.state.size else 0

    return timed


def _bytes(name: str) -> dict[str, Any]:
    """Return what the object file of an agent takes, compiled for size, with and without its state, and the state."""
    agent = new_agent(name)
    env = make_env(ENV)
    run(agent, env, LEARNED)  # many initial weights are 0, and cost nothing
    env.close()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        found: dict[str, Any] = {"state": agent.nbytes}
        for kind, initial in (("with_state", True), ("blank", False)):
            export_c(agent, place, "agent", initial)
            built = compile_c([place / "agent.c"], place / "agent.o", "-c", "-Os")
            found[kind] = section_bytes(built)
    return found


def export_lines(result: dict[str, Any]) -> Iterator[str]:
    """Yield the tables of `bench_export` line by line."""
    networks = result["networks"]
    yield from table(
        ("bytes at -Os", "code and constants", "initial state", ".data + .bss", "state"),
        [[name, *_sizes(row["bytes"])] for name, row in networks.items()],
        "",
    )
    yield ""
    yield f"CartPole, at most {result['steps']:,} steps: C next to the Python agent"
    for name, row in networks.items():
        for kind in ARITHMETICS:
            found = row[kind]["follow"]
            same = "all actions the same" if found["same_actions"] else "then another action"
            first = "never" if found["first_difference"] is None else f"at step {found['first_difference']:,}"
            yield from wrapped(
                f"{name} {kind}: {found['steps']:,} steps, {same}; weights first differ {first}; "
                f"distance {found['relative']:.1e}, greatest {found['greatest']:.1e}",
                "",
            )
    yield ""
    yield "us a step, median, without the call; over the fast kernel"
    for name, row in networks.items():
        fast = row["fast"]["step_us"]
        yield f"{name}: kernel fast {fast['kernel']:.2f}, strict {row['strict']['step_us']['kernel']:.2f}"
        yield from (f"  cc {flags:32} {fast[flags]:7.2f}  {fast[flags] / fast['kernel']:.2f}" for flags in BUILDS)


def _sizes(size: dict[str, Any]) -> list[str]:
    whole, blank = (size[kind]["text"] + size[kind]["rodata"] for kind in ("with_state", "blank"))
    variable = size["with_state"]["data"] + size["with_state"]["bss"]
    return [f"{count:,}" for count in (blank, whole - blank, variable, size["state"])]
