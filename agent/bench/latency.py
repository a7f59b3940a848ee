"""Whether an agent that learns keeps its deadlines: a loop of a fixed rate on this machine, measured."""

from __future__ import annotations

import math
import sys
import time
import tracemalloc
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
from numba.core.runtime import _nrt_python, rtsys

from ..agent import Agent
from ..compilation import step_of
from ..config import Config
from ..errors import ConfigError
from ..kernels import tick as kernel
from ..realtime import Guard, Histogram, Loop, Quiet
from ..versions import versions
from .support import timing
from .support.progress import each
from .support.tables import table, wrapped
from .support.timing import in_turns, make_agent

NETWORKS = {name: timing.NETWORKS[name] for name in ("1x64", "2x128", "default")}
# Steps without a pace: to count allocations of compiled code, of Python, and to compare with the compiled step alone.
COUNTED, TRACED, COMPARED = 20_000, 2000, 10_000


class CartPole:
    """The equations of CartPole-v1 as a plant, in plain Python, so that no environment is timed with the agent."""

    def __init__(self, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)
        self._state = np.zeros(4)
        self._over = True
        self._force = 10.0

    def sense(self) -> tuple[float, Any, str]:
        """Return the reward, the observation, and whether the pole has fallen."""
        if self._over:
            self._over = False
            self._state = self._rng.uniform(-0.05, 0.05, 4)
            return 0.0, self._state, ""
        x, speed, angle, turning = self._state.tolist()
        cosine, sine = math.cos(angle), math.sin(angle)
        push = (self._force + 0.05 * turning * turning * sine) / 1.1
        turn = (9.8 * sine - cosine * push) / (0.5 * (4.0 / 3.0 - 0.1 * cosine * cosine / 1.1))
        pull = push - 0.05 * turn * cosine / 1.1
        x, speed, angle, turning = x + 0.02 * speed, speed + 0.02 * pull, angle + 0.02 * turning, turning + 0.02 * turn
        self._state[:] = x, speed, angle, turning
        self._over = abs(x) > 2.4 or abs(angle) > 0.2095
        return 1.0, self._state, "terminated" if self._over else ""

    def act(self, action: Any) -> None:
        """Push to the left (0) or to the right (1)."""
        self._force = 10.0 if action else -10.0


class _Control(CartPole):
    """The plant, which also adds up as many bytes as an agent has, once a period: how long that takes varies too.

    Parameters
    ----------
    nbytes : int

    Attributes
    ----------
    control : Histogram
        Nanoseconds of the processor.
    """

    def __init__(self, nbytes: int) -> None:
        super().__init__()
        self._numbers = np.ones(nbytes // 8)
        self.control = Histogram()

    def act(self, action: Any) -> None:
        super().act(action)
        begun = time.thread_time_ns()
        self._numbers.sum()
        self.control.add(time.thread_time_ns() - begun)


def bench_latency(
    rate: float = 1000.0,
    seconds: float = 60.0,
    networks: Collection[str] | None = None,
    cpus: int | None = None,
    priority: int | None = None,
    awake: bool = False,
) -> dict[str, Any]:
    """Let networks learn CartPole (its equations, in Python) in a loop of a fixed rate, and measure the loop.

    Parameters
    ----------
    rate : float
        Periods a second.
    seconds : float
        Duration for each network.
    networks : collection of str, optional
        Some of `NETWORKS`.
    cpus, priority : int, optional
    awake : bool
        As for `Loop`.

    Returns
    -------
    dict
        ``versions``, ``rate``, ``seconds`` and, for each network: the report of the loop but for its events (in
        microseconds: ``step_us`` of a guarded step by the clock, ``step_cpu_us`` by the processor's, ``wake_up_us``
        after the deadline, ``busy_us`` with the plant); ``control_cpu_us``, what it takes to add up as many bytes as
        the agent has, once a period in the same loop; ``tail``, p99.9 over the median of the steps and of this control,
        which tells how much of the tail is the machine's; and, without
        a pace, ``agent_step_us`` and ``compiled_step_us`` (medians) with their difference ``overhead_us``, and
        ``allocations`` (see `_allocations`).

    Raises
    ------
    ConfigError
        If a network is not known, or rate or seconds are impossible.
    """
    if not 0.1 <= seconds < math.inf:
        raise ConfigError(f"--seconds {seconds}: allowed: 0.1 or more")
    if not 1e-6 <= rate < math.inf:
        raise ConfigError(f"--rate {rate}: allowed: periods a second, 1e-6 or more")
    for name in networks or ():
        if name not in NETWORKS:
            raise ConfigError(f"--networks {name}: there is no such network; allowed: {', '.join(NETWORKS)}")
    chosen = list(networks or NETWORKS)
    rows = {
        name: _measure(Config(**NETWORKS[name]), rate, seconds, cpus, priority, awake)
        for name in each(chosen, "networks", seconds * len(chosen))
    }
    return {
        "versions": versions(),
        "rate": rate,
        "seconds": seconds,
        "stream": "CartPole equations, in Python",
        "networks": rows,
    }


def _measure(
    config: Config, rate: float, seconds: float, cpus: int | None, priority: int | None, awake: bool
) -> dict[str, Any]:
    with Guard(make_agent(config), cpu_time=True) as guard:
        plant = _Control(guard.agent.nbytes)
        loop = Loop(guard, plant, rate, cpus=cpus, priority=priority, awake=awake)
        report = loop.run(seconds=seconds)
        report["events"] = report["events"]["counts"]
        report["control_cpu_us"] = plant.control.to_dict()
        report["tail"] = {
            name: report[name]["p99.9"] / report[name]["p50"] if report[name]["p50"] else None
            for name in ("step_us", "step_cpu_us", "control_cpu_us")
        }
        return {**report, **_overhead(config), "allocations": _allocations(guard, plant)}


def _overhead(config: Config) -> dict[str, float]:
    """Return medians of the compiled step and of `Agent.step` around it, and their difference, microseconds."""
    compiled, facade = _stepper(make_agent(config), False), _stepper(make_agent(config), True)
    with Quiet():
        medians = [float(np.median(times)) / 1e3 for times in in_turns([compiled, facade], COMPARED)]
    return {
        "compiled_step_us": medians[0],
        "agent_step_us": medians[1],
        "overhead_us": medians[1] - medians[0],
    }


def _stepper(agent: Agent, facade: bool) -> Any:
    """Return a function that steps an agent on a fixed stream, and returns the nanoseconds that took."""
    stream = np.random.default_rng(0).normal(size=(1024, 4))
    agent.start(stream[0])
    staging, address, now = agent.arena.views["staging"], agent.arena.address, time.perf_counter_ns
    compiled = step_of(agent.rare)

    def step(k: int) -> int:
        observation = stream[k % 1024]
        begun = now()
        agent.step(0.1, observation)
        return now() - begun

    def tick(k: int) -> int:
        staging[:] = stream[k % 1024]
        begun = now()
        compiled(address, 0.1, kernel.STEP, True)
        return now() - begun

    return step if facade else tick


def _allocations(guard: Guard, plant: CartPole) -> dict[str, int]:
    """Return what a guarded step allocates, counted in phases of their own, since counting takes time.

    Returns
    -------
    dict
        ``compiled``: allocations by compiled code in `COUNTED` steps. ``python_bytes_kept``: bytes that Python holds
        more after `TRACED` steps. ``python_bytes_at_most``: the most it held more at any moment in them, which is what
        the observation and numbers of one step come to. ``interpreter_blocks_kept``: live blocks of the interpreter
        after `COUNTED` steps.
    """

    def steps(number: int) -> None:
        for _ in range(number):
            reward, observation, over = plant.sense()
            if over:
                guard.end(reward)
            else:
                plant.act(guard.step(reward, observation))

    counting = _nrt_python.memsys_stats_enabled()
    _nrt_python.memsys_enable_stats()
    try:
        with Quiet():
            steps(TRACED)
            compiled, blocks = rtsys.get_allocation_stats().alloc, sys.getallocatedblocks()
            steps(COUNTED)
            kept = sys.getallocatedblocks() - blocks
            compiled = int(rtsys.get_allocation_stats().alloc - compiled)
            tracemalloc.start()
            steps(TRACED)
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            steps(TRACED)
            after, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
    finally:
        if not counting:
            _nrt_python.memsys_disable_stats()
    return {
        "compiled": compiled,
        "python_bytes_kept": after - before,
        "python_bytes_at_most": peak - before,
        "interpreter_blocks_kept": kept,
    }


def latency_lines(result: dict[str, Any]) -> Iterator[str]:
    """Yield the tables of `bench_latency` line by line."""
    yield from wrapped(
        f"{result['rate']:g} Hz, {result['seconds']:g} s a network, learning; {result['stream']}; microseconds", ""
    )
    networks = result["networks"]
    counted = ("periods", "misses", "skipped", "Agent.step - compiled", "allocations", "collections")
    yield from table(
        ("network", *counted),
        [
            [
                name,
                f"{row['periods']:,}",
                *(str(row[key]) for key in ("misses", "skipped")),
                f"{row['overhead_us']:.2f}",
                str(row["allocations"]["compiled"]),
                str(row["collections"]),
            ]
            for name, row in networks.items()
        ],
        "",
    )
    for key, title in _TIMES.items():
        yield ""
        yield from table(
            (title, *_SHARES),
            [[name, *(f"{row[key][share]:.1f}" for share in _SHARES)] for name, row in networks.items()],
            "",
        )


_TIMES = {
    "step_us": "step",
    "step_cpu_us": "step, CPU",
    "control_cpu_us": "control, CPU",
    "wake_up_us": "wake-up",
}
_SHARES = ("p50", "p99", "p99.9", "max")
