"""Agents that probes are tried on: with rows at rest and without, with every kind of layer and of depth filter."""

from __future__ import annotations

from typing import Any

from gymnasium import spaces
from synaptick import Agent

from ..support.common import BOX, make_agent

THREE = spaces.Discrete(3)
LARGE = {"connectivity": 0.7, "recurrent_scale": 1.0}
CASES: dict[str, dict[str, Any]] = {
    "one layer": {"layers": (9,)},
    "two layers": {"layers": (9, 7)},
    "three layers": {"layers": (9, 7, 6), "adaptive_fraction": 1.0},
    "four layers": {"layers": (8, 7, 6, 5)},  # too many levels to rest
    "binary, groups": {"layers": (9, 7), "spikes": "binary", "leak_groups": 3, "tau_max": 9.0},
    "reset path, hop": {"layers": (9, 7), "reset_path": True, "recurrent_hop": True},
    "factored, hop": {"layers": (9, 7, 6), "depth_filter": "factored", "leak_groups": 2, "recurrent_hop": True},
    "tensor": {"layers": (7, 6), "depth_filter": "tensor"},
    "no trace": {"layers": (9, 7), "temporal_trace": False},
    "frozen": {"layers": (9, 7), "frozen_layers": 1},
    "state kept": {"layers": (9, 7), "keep_state": True},
    "random feedback": {"layers": (9, 7), "feedback": "random", "adaptive_fraction": 0.0},
    "memory": {"layers": (9, 7), "memory": 6, "memory_delay": 2},
    "two memories": {"layers": (7,), "memory": 6, "memory_layers": 2, "memory_delay": 0},
    "two memories, tensor": {"layers": (7,), "memory": 6, "memory_layers": 2, "depth_filter": "tensor"},
}


def agent_of(name: str) -> Agent:
    """Return the agent of a case."""
    return make_agent(observation=BOX, action=THREE, **(LARGE | CASES[name]))


def layers_of(agent: Agent) -> list[str]:
    """Return the names of all of its layers."""
    return [f"{net}/{index}" for net in ("actor", "critic") for index in range(len(agent.config.stack))]
