"""What each form of the trace that ships costs in time and memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...config import Config
from ..support.timing import STREAM, count_weights, in_turns, make_agent, timed_step

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
    for agent in agents:
        agent.start(stream[0])
    found = {}
    for name, agent, sample in zip(
        SHIPPED, agents, in_turns([timed_step(agent, stream) for agent in agents], steps), strict=True
    ):
        weights, median = count_weights(agent), float(np.median(sample))
        found[name] = {
            "bytes_per_synapse": agent.nbytes / weights,
            "step_us": median / 1000.0,
            "ns_per_synapse": median / weights,
        }
    return found
