"""What each form of the trace that ships costs in time and memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...agent import Agent
from ...config import Config
from ..support.timing import STREAM, count_weights, in_turns, make_agent

# Settings of each form, as changes to the default.
SHIPPED: dict[str, dict[str, Any]] = {
    "cascade": {},
    "cascade, hop": {"recurrent_hop": True},
    "cascade, reset path": {"reset_path": True},
    "factored": {"depth_filter": "factored"},
    "factored, hop": {"depth_filter": "factored", "recurrent_hop": True},
    "factored, hop, reset path": {"depth_filter": "factored", "recurrent_hop": True, "reset_path": True},
    "tensor": {"depth_filter": "tensor"},
    "no depth filter": {"depth_filter": "none"},
}


def costs(layers: tuple[int, ...] = (64, 64, 64), steps: int = 4000) -> dict[str, dict[str, float]]:
    """Return what each form that ships costs: bytes of state and nanoseconds of a step for each weight, padding too."""
    agents = [make_agent(Config(layers=layers, memory=0, **changes)) for changes in SHIPPED.values()]
    stream = np.random.default_rng(0).normal(size=(STREAM, 4))
    found = {}
    for name, agent, sample in zip(
        SHIPPED, agents, in_turns([_timed(agent, stream) for agent in agents], steps), strict=True
    ):
        weights, median = count_weights(agent), float(np.median(sample))
        found[name] = {
            "bytes_per_synapse": agent.nbytes / weights,
            "step_us": median / 1000.0,
            "ns_per_synapse": median / weights,
        }
    return found


def _timed(agent: Agent, stream: NDArray[np.float64]) -> Callable[[int], int]:
    agent.start(stream[0])

    def step(k: int) -> int:
        observation = stream[k % STREAM]
        begun = time.perf_counter_ns()
        agent.step(0.1, observation)
        return time.perf_counter_ns() - begun

    return step
