"""A short test of an installation: machine code that is made here learns, and computes what the sources say.

``python -m synaptick.bench.self_test`` prints what a small agent is after some ticks; the doctor starts it with
``NUMBA_DISABLE_JIT=1``, so that the same kernels run as plain Python, and compares.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np

from ..agent import Agent
from ..config import Config
from ..training.environment import make_env
from ..training.loop import run

# A probe whose right value is known: one step, the reward is the observation, -1 or 1.
PROBE, TICKS = "synaptick/ObservedReward-v0", 1500
PLAIN: dict[str, Any] = {"normalize_observations": False, "normalize_rewards": False, "discount": 0.9}
# Small, since plain Python takes milliseconds a tick; few ticks, since differences in the last bits grow with each.
SMALL: dict[str, Any] = {"layers": (6,), "memory": 4}
COMPARED_TICKS, TOLERANCE = 20, 1e-3


def self_test() -> Iterator[dict[str, Any]]:
    """Yield ``name``, ``passed``, ``seconds`` and ``found`` of each check; whatever it raises is what it found."""
    for name, check in CHECKS.items():
        begun, passed = time.perf_counter(), True
        try:
            found = check()
        except Exception as error:
            found, passed = f"{type(error).__name__}: {' '.join(str(error).split())}"[:500], False
        yield {"name": name, "passed": passed, "seconds": round(time.perf_counter() - begun, 2), "found": found}
        if not passed and check is compiles:
            return


def compiles() -> str:
    """Compile the step, or load it."""
    Agent.compile(Config())
    return "the step is ready"


def learns() -> str:
    """Learn a probe: neurons spike, weights change and are finite, values come near the true ones."""
    agent, env = _made()
    before = agent.arena.views["actor/1/w"].copy()
    with closing(env):
        run(agent, env, TICKS, seed=0)
        errors = [abs(value - true) for true, value in _values(agent, env)]
    weights = agent.arena.views["actor/1/w"]
    rates = [rate for layers in agent.spike_rates.values() for rate in layers]
    _require(bool(np.isfinite(weights).all()), "weights are not finite")
    _require(bool((weights != before).any()), "no weight has changed")
    _require(max(rates) > 0.0, "no neuron spikes")
    _require(max(errors) < 0.5, f"values are {max(errors):.2f} from the true ones, -1 and 1, after {TICKS} ticks")
    return f"{TICKS} ticks, spike rates {min(rates):.2f} to {max(rates):.2f}, values within {max(errors):.2f}"


def restores() -> str:
    """Restore a snapshot: what follows has the same bytes each time."""
    rng = np.random.default_rng(0)
    stream = rng.uniform(-1.0, 1.0, (200, 1)).astype(np.float32)
    agent, env = _made()
    env.close()
    agent.start(stream[0])
    kept = agent.snapshot()
    ends = []
    for _ in range(2):
        agent.restore(kept)
        for observation in stream:
            agent.step(float(observation[0]), observation)
        ends.append(agent.snapshot())
    _require(bool((ends[0] == ends[1]).all()), "the same ticks after a restored snapshot gave other bytes")
    _require(bool((ends[0] != kept).any()), "ticks changed nothing")
    return f"{len(kept):,} bytes, the same after {len(stream)} ticks, twice"


def agrees() -> str:
    """Run the same ticks as machine code and as plain Python: the weights are the same but for rounding."""
    command = [sys.executable, "-m", __name__]
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    last = (done.stderr.strip().splitlines() or ["without a word"])[-1]
    _require(done.returncode == 0, f"plain Python fails: {last}")
    plain, ours = np.array(json.loads(done.stdout.splitlines()[-1])), np.array(_weights())
    distance = float(np.abs(plain - ours).max() / np.abs(plain).max())
    _require(distance < TOLERANCE, f"weights differ by {distance:.2g} of the greatest after {COMPARED_TICKS} ticks")
    return f"{COMPARED_TICKS} ticks, weights within {distance:.0e} of each other"


def _made() -> tuple[Agent, Any]:
    env = make_env(PROBE)
    return Agent(Config(**PLAIN), env.observation_space, env.action_space, seed=0), env


def _values(agent: Agent, env: Any) -> Iterator[tuple[float, float]]:
    """Yield true and learned value of some observations, without learning."""
    for seed in range(10):
        observation, _ = env.reset(seed=seed)
        agent.start(observation, learn=False)
        yield float(observation[0]), agent.value
        agent.end(0.0, learn=False)


def _weights() -> list[float]:
    """Return all weights of a small agent after some ticks of a fixed stream."""
    from gymnasium import spaces

    stream = np.random.default_rng(1).uniform(-1.0, 1.0, (COMPARED_TICKS, 3)).astype(np.float32)
    box = spaces.Box(-1.0, 1.0, (3,), np.float32)
    agent = Agent(Config(**SMALL), box, spaces.Discrete(2), seed=0)
    agent.start(stream[0])
    for observation in stream[1:]:
        agent.step(float(observation[0]), observation)
    views = agent.arena.views
    return [float(w) for name in sorted(views) if name.endswith("/w") for w in np.ravel(views[name])]


CHECKS = {"compile": compiles, "learn": learns, "restore": restores, "agree": agrees}


def _require(good: bool, otherwise: str) -> None:
    if not good:
        raise RuntimeError(otherwise)


if __name__ == "__main__":
    print(json.dumps(_weights()))
