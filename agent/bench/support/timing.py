"""Small agents whose steps are timed, in turns with what they are compared with."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ...agent import Agent
from ...config import Config

# Settings of the networks that benches of speed take, by name.
NETWORKS: dict[str, dict[str, Any]] = {
    "1x32": {"layers": (32,), "memory": 0},
    "1x64": {"layers": (64,), "memory": 0},
    "2x128": {"layers": (128, 128), "memory": 0},
    "3x256": {"layers": (256, 256, 256), "memory": 0},
    "4x1024": {"layers": (1024,) * 4, "memory": 0},
    "memory": {"layers": (16,), "memory": 256},
    "default": {},
}
STREAM = 1024


CHUNK = 200


WARM_UP = 500


def make_agent(config: Config) -> Agent:
    """Return an agent for 4 observations and 2 actions."""
    return Agent(config, spaces.Box(-1.0, 1.0, (4,)), spaces.Discrete(2), seed=0)


def timed_step(agent: Agent, stream: NDArray[np.float64]) -> Callable[[int], int]:
    """Return a function that makes step k of an agent, which has begun an episode, and returns its nanoseconds."""

    def step(k: int) -> int:
        observation = stream[k % STREAM]
        begun = time.perf_counter_ns()
        agent.step(0.1, observation)
        return time.perf_counter_ns() - begun

    return step


def count_weights(agent: Agent) -> int:
    """Return the number of weights, padding included."""
    return sum(view.size for name, view in agent.arena.views.items() if name.endswith("/w"))


def in_turns(timed: list[Callable[[int], int]], steps: int) -> list[NDArray[np.int64]]:
    """Return what each function returns for 0 .. steps - 1, called in turns of `CHUNK`.

    A drift of the machine meets all of them, and each finds its own data in the cache.
    """
    for function in timed:
        for k in range(WARM_UP):
            function(k)
    times = [np.zeros(steps, np.int64) for _ in timed]
    for first in range(0, steps, CHUNK):
        for function, sample in zip(timed, times, strict=True):
            for k in range(first, min(first + CHUNK, steps)):
                sample[k] = function(k)
    return times
