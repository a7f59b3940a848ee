"""What a learning step costs: next to a floor, by part, as networks grow, and beside an environment."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import gymnasium
import numpy as np
from numba.core.runtime import _nrt_python, rtsys
from numpy.typing import NDArray

from ..agent import Agent
from ..compilation import step_of
from ..config import Config
from ..kernels import tick as kernel
from ..versions import versions
from .support.floor import SWEPT, sweep, traffic
from .support.parts import PARTS, time_parts
from .support.progress import each
from .support.tables import table, wrapped
from .support.timing import NETWORKS, STREAM, WARM_UP, count_weights, in_turns, make_agent, timed_step

# Networks over which time grows with neurons of one layer, with layers of one size, and with synapses: exponents are
# slopes of log time over log size.
GROWING = {
    "neurons": ("1x64", "1x128", "1x256", "1x512"),
    "layers": ("1x128", "2x128", "3x128", "4x128"),
    "synapses": ("2x128", "3x256", "4x512"),
}
# A larger network gets fewer steps, so that each takes about as long.
ALLOWED_SECONDS = 4.0
LEAST_STEPS = 200
ALLOCATION_STEPS = 100_000


def bench_tick(steps: int = 20_000, networks: Sequence[str] | None = None) -> dict[str, Any]:
    """Time the learning step of networks, next to a floor in the same loop.

    The floor is one compiled sweep over two arrays that moves as many bytes as a step in which nothing rests
    (`floor.traffic`), called from Python as the step is. Steps and floor take turns in chunks, so that a drift of the
    machine meets both.

    Parameters
    ----------
    steps : int
        Timed steps a network, at most; large ones get fewer.
    networks : sequence of str, optional
        Names in `NETWORKS`; all of them, the exponents and CartPole without.

    Returns
    -------
    dict
        ``versions`` and ``networks``: for each, microseconds (median, p99, p99.9) of the compiled step, of `Agent.step`
        around it, of a step that only acts, of each part, and of the floor; bytes; ratio to the floor; allocations by
        compiled code in 10^5 steps; time of a silent input relative to a live one, of a step in two threads to one
        (`Agent.in_two_threads`); share of neurons whose psi is not 0.
        ``exponents`` and ``cartpole`` unless networks were chosen.
    """
    chosen = networks or [name for name in NETWORKS if name != "4x1024"]
    found: dict[str, Any] = {
        "versions": versions(),
        "networks": {name: _network(name, steps) for name in each(chosen, "networks")},
    }
    if networks is None:
        found["exponents"] = {what: _exponent(names, what, steps) for what, names in GROWING.items()}
        found["cartpole"] = _cartpole(steps)
    return found


def _network(name: str, steps: int) -> dict[str, Any]:
    agent, actor = _begun(name), _begun(name)
    stream = np.random.default_rng(0).normal(size=(STREAM, 4))
    step = _compiled(agent, stream, True)
    steps = _affordable(step, steps)
    moved = traffic(agent)
    first, second = (np.full(moved // SWEPT, value, np.float32) for value in (0.0, 1.0))
    first_at, second_at = int(first.ctypes.data), int(second.ctypes.data)

    def floor(_: int) -> int:
        begun = time.perf_counter_ns()
        sweep(first_at, second_at, first.size, 1e-3, 0.8, 1e-3)
        return time.perf_counter_ns() - begun

    times = in_turns([step, timed_step(agent, stream), _compiled(actor, stream, False), floor], steps)
    learning, around, acting, least = (_percentiles(sample) for sample in times)
    return {
        "synapses": count_weights(agent),
        "state_bytes": agent.nbytes,
        "bytes_per_synapse": agent.nbytes / count_weights(agent),
        "moved_bytes": moved,
        "step_us": learning,
        "agent_step_us": around,
        "acting_us": acting,
        "floor_us": least,
        "ratio_to_floor": learning["median"] / least["median"],
        "active": _active(agent),
        **_allocations(agent, stream, min(ALLOCATION_STEPS, 20 * steps)),
        "silent_to_live": _silent_to_live(name, stream, steps),
        "two_threads_to_one": _two_threads_to_one(name, stream, steps),
        "parts_us": time_parts(_begun(name), stream, steps),
    }


def _begun(name: str) -> Agent:
    agent = make_agent(Config(**NETWORKS[name]) if name in NETWORKS else _plain(name))
    agent.start(np.zeros(4))
    return agent


def _plain(name: str) -> Config:
    """Return layers by their name, such as 4x512, without memory."""
    layers, _, size = name.partition("x")
    return Config(layers=(int(size),) * int(layers), memory=0)


def _compiled(agent: Agent, stream: NDArray[np.float64], learning: bool) -> Any:
    staging, address, compiled = agent.arena.views["staging"], agent.arena.address, step_of(agent.rare)

    def step(k: int) -> int:
        staging[:] = stream[k % STREAM]
        begun = time.perf_counter_ns()
        compiled(address, 0.1, kernel.STEP, learning)
        return time.perf_counter_ns() - begun

    return step


def _affordable(step: Any, steps: int) -> int:
    seconds = np.median([step(k) for k in range(20)]) / 1e9
    return int(min(steps, max(LEAST_STEPS, ALLOWED_SECONDS / seconds)))


def _percentiles(nanoseconds: NDArray[np.int64]) -> dict[str, float]:
    median, p99, p999 = np.percentile(nanoseconds, [50, 99, 99.9]) / 1000.0
    return {"median": float(median), "p99": float(p99), "p99.9": float(p999)}


def _active(agent: Agent) -> float:
    psis = [view for name, view in agent.arena.views.items() if name.endswith("/psi")]
    return float(np.mean(np.concatenate(psis) != 0))


def _allocations(agent: Agent, stream: NDArray[np.float64], steps: int) -> dict[str, int]:
    """Return, over some steps, allocations by compiled code and blocks that the interpreter holds more at the end."""
    _nrt_python.memsys_enable_stats()
    for k in range(WARM_UP):
        agent.step(0.1, stream[k % STREAM])
    compiled, interpreted = rtsys.get_allocation_stats().alloc, sys.getallocatedblocks()
    for k in range(steps):
        agent.step(0.1, stream[k % STREAM])
    return {
        "allocations": int(rtsys.get_allocation_stats().alloc - compiled),
        "interpreter_blocks_kept": sys.getallocatedblocks() - interpreted,
    }


def _silent_to_live(name: str, stream: NDArray[np.float64], steps: int) -> float:
    """Return the median step time after many steps of zero observation and reward, relative to a live stream."""
    silent, live = _begun(name), _begun(name)
    nothing = np.zeros(4)
    for _ in range(min(ALLOCATION_STEPS, 20 * steps)):
        silent.step(0.0, nothing)

    def time_silent(_: int) -> int:
        begun = time.perf_counter_ns()
        silent.step(0.0, nothing)
        return time.perf_counter_ns() - begun

    quiet, loud = in_turns([time_silent, timed_step(live, stream)], steps)
    return float(np.median(quiet) / np.median(loud))


def _two_threads_to_one(name: str, stream: NDArray[np.float64], steps: int) -> float:
    """Return the median step time in two threads relative to that in one, while the other thread spins for both."""
    alone, paired = _begun(name), _begun(name)
    if paired.rare:
        return math.nan
    with paired.in_two_threads():
        one, two = in_turns([timed_step(alone, stream), timed_step(paired, stream)], steps)
    return float(np.median(two) / np.median(one))


def _exponent(names: Sequence[str], what: str, steps: int) -> float:
    """Return the slope of the logarithm of the median time over that of the size, by least squares."""
    stream = np.random.default_rng(0).normal(size=(STREAM, 4))
    sizes, times = [], []
    for name in names:
        agent = _begun(name)
        step = _compiled(agent, stream, True)
        (sample,) = in_turns([step], _affordable(step, steps))
        size = {
            "neurons": sum(agent.config.layers),
            "layers": len(agent.config.layers),
            "synapses": count_weights(agent),
        }
        sizes.append(size[what])
        times.append(float(np.median(sample)))
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0])


def _cartpole(steps: int) -> dict[str, float]:
    """Return microseconds a step of CartPole with random actions and with the default agent, which learns."""
    env, other = gymnasium.make("CartPole-v1"), gymnasium.make("CartPole-v1")
    agent = Agent(Config(), env.observation_space, env.action_space, seed=0)
    env.reset(seed=0)
    action = agent.start(other.reset(seed=0)[0])

    def at_random(_: int) -> int:
        begun = time.perf_counter_ns()
        outcome = env.step(env.action_space.sample())
        if outcome[2] or outcome[3]:
            env.reset()
        return time.perf_counter_ns() - begun

    def learning(_: int) -> int:
        nonlocal action
        begun = time.perf_counter_ns()
        observation, reward, terminated, truncated, _info = other.step(action)
        if terminated or truncated:
            agent.end(float(reward), observation if truncated else None)
            action = agent.start(other.reset()[0])
        else:
            action = agent.step(float(reward), observation)
        return time.perf_counter_ns() - begun

    # Means, since episodes that end cost more than others.
    alone, with_agent = (float(np.mean(sample)) / 1000.0 for sample in in_turns([at_random, learning], steps))
    return {"random_us": alone, "learning_us": with_agent, "share_of_random_speed": alone / with_agent}


def tick_lines(result: dict[str, Any]) -> Iterator[str]:
    """Yield the tables of `bench_tick` line by line."""
    yield from table(_HEADS, [_cells(name, row) for name, row in result["networks"].items()], "")
    yield ""
    yield from table(
        ("us of", *PARTS),
        [[name, *(f"{row['parts_us'][part]:.2f}" for part in PARTS)] for name, row in result["networks"].items()],
        "",
    )
    if "exponents" in result:
        yield ""
        powers = (f"{what} to the power of {power:.2f}" for what, power in result["exponents"].items())
        yield from wrapped(f"time grows with {', '.join(powers)}", "")
        pole = result["cartpole"]
        yield from wrapped(
            f"CartPole-v1: {pole['random_us']:.1f} us a step with random actions, {pole['learning_us']:.1f} with an "
            f"agent that learns: {pole['share_of_random_speed']:.0%} of the speed",
            "",
        )


_HEADS = (
    *("network", "synapses", "B/syn", "KB moved", "step us p50", "p99", "p99.9", "floor", "ratio"),
    *("acts", "Agent.step", "psi>0", "silent", "2 threads", "alloc"),
)


def _cells(name: str, row: dict[str, Any]) -> list[str]:
    step = row["step_us"]
    return [
        name,
        f"{row['synapses']:,}",
        f"{row['bytes_per_synapse']:.1f}",
        f"{row['moved_bytes'] / 1000:,.0f}",
        *(f"{step[key]:.1f}" for key in ("median", "p99", "p99.9")),
        f"{row['floor_us']['median']:.1f}",
        f"{row['ratio_to_floor']:.2f}",
        f"{row['acting_us']['median']:.1f}",
        f"{row['agent_step_us']['median']:.1f}",
        f"{row['active']:.2f}",
        f"{row['silent_to_live']:.2f}",
        f"{row['two_threads_to_one']:.2f}",
        f"{row['allocations']:d}",
    ]
