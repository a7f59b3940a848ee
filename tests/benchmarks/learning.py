"""Learning curves of the default configuration and its controls: ``python -m tests.benchmarks.learning``.

Each arm is a shipped configuration with the changes shown, run on seeds 0 to 9 as `synaptick run` would run it. Writes
one row a run to ``docs/results/learning.csv`` and prints, for each arm, interquartile mean, mean and worst seed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from synaptick.agent import Agent, load_config, make_env, run
from synaptick.agent.experiment import environment_seed
from synaptick.agent.loop import RECENT, Tally
from synaptick.agent.study.parallel import in_parallel
from synaptick.agent.study.statistics import interquartile_mean
from synaptick.agent.study.table import RowWriter

# arm -> shipped configuration, changes to it
ARMS: dict[str, tuple[str, dict[str, Any]]] = {
    "cartpole": ("default", {}),
    "cartpole, 1 layer": ("default", {"layers": (64,)}),
    "cartpole, no depth filter": ("default", {"depth_filter": "none"}),
    "positions": ("cartpole_positions", {}),
    "positions, 1 layer": ("cartpole_positions", {"layers": (64,)}),
    "positions, no depth filter": ("cartpole_positions", {"depth_filter": "none"}),
    "positions, memoryless": ("cartpole_positions_memoryless", {}),
}
EARLY = 10_000


class Curve:
    """Step, return and length of every episode of one run."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, float, int]] = []

    def add(self, tally: Tally) -> None:
        self.rows.append((tally.steps, tally.last_return, tally.last_length))

    def summary(self, steps: int) -> dict[str, float]:
        ends, returns, lengths = (np.array(column, float) for column in zip(*self.rows, strict=True))
        half, early = ends <= steps / 2, ends <= EARLY
        window = half & (ends > 0.45 * steps)
        return {
            "last_100": returns[-RECENT:].mean(),
            "half_last_100": returns[half][-RECENT:].mean(),
            # Long episodes make 100 of them span most of the run: this is the mean around the half itself.
            "half_window": returns[window].mean() if window.any() else returns[half][-1],
            "first_10k_by_episode": returns[early].mean(),
            "first_10k_by_step": float(returns[early] @ lengths[early] / lengths[early].sum()),
        }


def measure(job: tuple[str, int]) -> dict[str, Any]:
    arm, seed = job
    name, changes = ARMS[arm]
    config = load_config(name).with_changes({**changes, "seed": seed})
    env = make_env(config.env, config.env_kwargs)
    agent = Agent(config, env.observation_space, env.action_space, config.seed)
    curve = Curve()
    run(agent, env, config.steps, seed=environment_seed(config.seed, 0), on_episode=curve.add)
    rates = [rate for layers in agent.spike_rates.values() for rate in layers]
    return {
        "arm": arm,
        "seed": seed,
        "steps": config.steps,
        **curve.summary(config.steps),
        "min_spike_rate": min(rates),
        "max_spike_rate": max(rates),
    }


def commit() -> str:
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--arms", nargs="*", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--out", type=Path, default=Path("docs/results/learning.csv"))
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with RowWriter(options.out, f"python -m tests.benchmarks.learning; commit {commit()}") as writer:
        for arm in options.arms:
            seeds = range(options.first_seed, options.first_seed + options.seeds)
            rows = []
            for row in in_parallel(measure, [(arm, seed) for seed in seeds], options.jobs):
                rows.append(row)
                writer.add(row)
            show(arm, rows)
    return 0


def show(arm: str, rows: list[dict[str, Any]]) -> None:
    print(f"{arm} ({rows[0]['steps']} steps)")
    for key in ("last_100", "half_last_100", "half_window", "first_10k_by_episode", "first_10k_by_step"):
        values = np.array([row[key] for row in rows])
        print(f"  {key:22} iqm {interquartile_mean(values):6.1f}  mean {values.mean():6.1f}  worst {values.min():6.1f}")
    low, high = min(row["min_spike_rate"] for row in rows), max(row["max_spike_rate"] for row in rows)
    print(f"  spike rates of layers  {low:.3f} to {high:.3f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
