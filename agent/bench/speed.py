"""Measurements of speed, memory and start-up that anyone can repeat on their own machine."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from numba.core.runtime import _nrt_python, rtsys
from numpy.typing import NDArray

from ..agent import Agent
from ..config import Config
from ..kernels import tick as kernel
from ..versions import versions
from .support import timing
from .support.floor import sweep
from .support.gauges import resident
from .support.timing import STREAM, WARM_UP, count_weights, in_turns, make_agent

NETWORKS = {name: timing.NETWORKS[name] for name in ("1x64", "2x128", "3x256", "default")}


def bench_tick(steps: int = 20_000) -> dict[str, Any]:
    """Time one learning step of three networks without memory and of the default one, next to a floor in the same loop.

    The floor is one fused compiled sweep that reads and writes as many weight and credit floats as the network has,
    called from Python as the step is. Steps and floor take turns in chunks, so that a drift of the machine meets both.

    Parameters
    ----------
    steps : int
        Timed steps a network.

    Returns
    -------
    dict
        ``versions`` and, for each network, microseconds (median, p99, p99.9) of the compiled step, of `Agent.step`
        around it and of the floor; their ratio; allocations by compiled code in 10^5 steps; and the time of a silent
        input relative to a live one.
    """
    return {
        "versions": versions(),
        "networks": {name: _bench_network(changes, steps) for name, changes in NETWORKS.items()},
    }


def _bench_network(changes: dict[str, Any], steps: int) -> dict[str, Any]:
    agent = make_agent(Config(**changes))
    stream = np.random.default_rng(0).normal(size=(STREAM, 4))
    agent.start(stream[0])
    staging, address = agent.arena.views["staging"], agent.arena.address
    weights = count_weights(agent)
    w, credit = np.zeros(weights, np.float32), np.ones(weights, np.float32)
    w_at, credit_at = int(w.ctypes.data), int(credit.ctypes.data)

    def compiled(k: int) -> int:
        staging[:] = stream[k % STREAM]
        begun = time.perf_counter_ns()
        kernel.tick(address, 0.1, kernel.STEP, True)
        return time.perf_counter_ns() - begun

    def facade(k: int) -> int:
        observation = stream[k % STREAM]
        begun = time.perf_counter_ns()
        agent.step(0.1, observation)
        return time.perf_counter_ns() - begun

    def floor(_: int) -> int:
        begun = time.perf_counter_ns()
        sweep(w_at, credit_at, weights, 1e-3, 0.8, 1e-3)
        return time.perf_counter_ns() - begun

    times = in_turns([compiled, facade, floor], steps)
    step, around, least = (_percentiles(sample) for sample in times)
    return {
        "synapses": weights,
        "state_bytes": agent.nbytes,
        "step_us": step,
        "agent_step_us": around,
        "floor_us": least,
        "ratio_to_floor": step["median"] / least["median"],
        **_allocations(agent, stream),
        "silent_to_live": _silent_to_live(changes, stream, steps),
    }


def _percentiles(nanoseconds: NDArray[np.int64]) -> dict[str, float]:
    median, p99, p999 = np.percentile(nanoseconds, [50, 99, 99.9]) / 1000.0
    return {"median": float(median), "p99": float(p99), "p99.9": float(p999)}


def _allocations(agent: Agent, stream: NDArray[np.float64]) -> dict[str, int]:
    """Return, over 10^5 steps, allocations by compiled code and blocks that the interpreter holds more at the end."""
    _nrt_python.memsys_enable_stats()
    for k in range(WARM_UP):
        agent.step(0.1, stream[k % STREAM])
    compiled, interpreted = rtsys.get_allocation_stats().alloc, sys.getallocatedblocks()
    for k in range(100_000):
        agent.step(0.1, stream[k % STREAM])
    return {
        "allocations_in_1e5_steps": int(rtsys.get_allocation_stats().alloc - compiled),
        "interpreter_blocks_kept": sys.getallocatedblocks() - interpreted,
    }


def _silent_to_live(changes: dict[str, Any], stream: NDArray[np.float64], steps: int) -> float:
    """Return the median step time after 10^5 steps of zero observation and reward, relative to a live stream."""
    silent, live = make_agent(Config(**changes)), make_agent(Config(**changes))
    nothing = np.zeros(4)
    silent.start(nothing)
    live.start(stream[0])
    for _ in range(100_000):
        silent.step(0.0, nothing)

    def time_silent(_: int) -> int:
        begun = time.perf_counter_ns()
        silent.step(0.0, nothing)
        return time.perf_counter_ns() - begun

    def time_live(k: int) -> int:
        begun = time.perf_counter_ns()
        live.step(0.1, stream[k % STREAM])
        return time.perf_counter_ns() - begun

    quiet, loud = in_turns([time_silent, time_live], steps)
    return float(np.median(quiet) / np.median(loud))


def bench_memory(steps: int = 1_000_000) -> dict[str, Any]:
    """Return bytes of state and of the resident set after a tenth of the steps and after all (default network)."""
    agent = make_agent(Config())
    stream = np.random.default_rng(0).normal(size=(STREAM, 4))
    agent.start(stream[0])
    points = []
    for first, last in ((0, steps // 10), (steps // 10, steps)):
        for k in range(first, last):
            agent.step(0.1, stream[k % STREAM])
        points.append({"steps": last, "state_bytes": agent.nbytes, "resident_bytes": resident()[0]})
    return {"versions": versions(), "points": points}


_FIRST_STEP = """
import time
begun = time.perf_counter()
from gymnasium import spaces
from synaptick import Agent, Config
agent = Agent(Config(), spaces.Box(-1.0, 1.0, (4,)), spaces.Discrete(2))
agent.start([0.0, 0.0, 0.0, 0.0])
agent.step(0.0, [0.0, 0.0, 0.0, 0.0])
print(time.perf_counter() - begun)
"""


def bench_start() -> dict[str, Any]:
    """Return seconds from import to the first learning step in a new process, without and with compiled code kept."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "SYNAPTICK_CACHE_DIR": folder}
        seconds = [
            float(
                subprocess.run(
                    [sys.executable, "-c", _FIRST_STEP], env=environment, capture_output=True, text=True, check=True
                ).stdout
            )
            for _ in range(4)
        ]
    return {"versions": versions(), "cold_seconds": seconds[0], "warm_seconds": float(np.median(seconds[1:]))}


def tick_lines(result: dict[str, Any]) -> Iterator[str]:
    """Yield the table of `bench_tick` line by line."""
    yield "network  synapses  step us (median, p99, p99.9)  Agent.step us  floor us  ratio  allocations  silent/live"
    for name, row in result["networks"].items():
        step = row["step_us"]
        yield (
            f"{name:7}  {row['synapses']:8,}  {step['median']:8.1f} {step['p99']:8.1f} {step['p99.9']:9.1f}  "
            f"{row['agent_step_us']['median']:13.1f}  {row['floor_us']['median']:8.1f}  {row['ratio_to_floor']:5.2f}  "
            f"{row['allocations_in_1e5_steps']:11d}  {row['silent_to_live']:11.2f}"
        )
