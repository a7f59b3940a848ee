"""What each form of the trace that ships costs in time and memory."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from gymnasium import spaces

from ..agent import Agent
from ..config import Config

# Settings of each form, as changes to the default.
SHIPPED: dict[str, dict[str, Any]] = {
    "cascade": {},
    "cascade, hop": {"recurrent_hop": True},
    "cascade, reset path": {"reset_path": True},
    "factored": {"depth_filter": "factored"},
    "factored, hop": {"depth_filter": "factored", "recurrent_hop": True},
    "factored, hop, reset path": {"depth_filter": "factored", "recurrent_hop": True, "reset_path": True},
    "no depth filter": {"depth_filter": "none"},
}
TURN = 100


def costs(layers: tuple[int, ...] = (64, 64, 64), turns: int = 40) -> dict[str, dict[str, float]]:
    """Return what each form that ships costs: bytes of state and nanoseconds of a step for each weight, padding too.

    Forms take turns of `TURN` steps: a drift of the machine meets all, and each finds its own data in the cache.
    """
    agents = {name: _timed_agent(Config(layers=layers, **changes)) for name, changes in SHIPPED.items()}
    stream = np.random.default_rng(0).normal(size=(TURN, 4))
    times: dict[str, list[int]] = {name: [] for name in agents}
    for _ in range(turns):
        for name, agent in agents.items():
            for x in stream:
                begun = time.perf_counter_ns()
                agent.step(0.1, x)
                times[name].append(time.perf_counter_ns() - begun)
    found = {}
    for name, agent in agents.items():
        synapses = sum(view.size for key, view in agent.arena.views.items() if key.endswith("/w"))
        median = float(np.median(times[name][TURN:]))
        found[name] = {
            "bytes_per_synapse": agent.nbytes / synapses,
            "step_us": median / 1000.0,
            "ns_per_synapse": median / synapses,
        }
    return found


def _timed_agent(config: Config) -> Agent:
    agent = Agent(config, spaces.Box(-1.0, 1.0, (4,)), spaces.Discrete(2), seed=0)
    agent.start(np.zeros(4))
    return agent
