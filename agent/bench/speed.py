"""Memory and start-up, measured so that anyone can repeat it on their own machine."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from typing import Any

import numpy as np

from ..config import Config
from ..metrics.process import resident
from ..versions import versions
from .support.progress import each, say
from .support.timing import STREAM, make_agent


def bench_memory(steps: int = 1_000_000) -> dict[str, Any]:
    """Return bytes of state and of the resident set after a tenth of the steps and after all (default network)."""
    agent = make_agent(Config())
    stream = np.random.default_rng(0).normal(size=(STREAM, 4))
    agent.start(stream[0])
    points = []
    for part in each(range(10), "tenths"):
        last = (part + 1) * steps // 10
        for k in range(part * steps // 10, last):
            agent.step(0.1, stream[k % STREAM])
        if part in (0, 9):
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
    say("one start that compiles, some 15 s or more, and three that load")
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
