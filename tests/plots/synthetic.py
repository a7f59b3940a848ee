"""Runs without an agent's life: a real folder, to whose files rows are written that look like those of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from synaptick.config import Config

BEFORE = ["step", "seconds", "episodes", "reward_rate", "reward_rate_slow", "mean_return", "mean_length", "td_error"]
BEFORE += ["td_error_correlation", "value", "entropy", "std", "actor/step_size", "critic/step_size"]
BEFORE += ["actor/credit_norm", "critic/credit_norm"]
AFTER = ["ticks_per_second", "tick_us_p50", "tick_us_p99", "state_bytes", "resident_bytes"]


def columns(config: Config) -> list[str]:
    """Return the columns of metrics.csv."""
    layers = []
    for net in ("actor", "critic"):
        for index in range(len(config.stack)):
            names = ["spike_rate", "payload", *(["retention"] if index < config.n_memory else [])]
            layers += [f"{net}/{index}/{name}" for name in names]
    return [*BEFORE, *layers, *AFTER]


def write_metrics(folder: Path, config: Config, rows: int = 60, episodes: bool = True) -> None:
    """Write metrics.csv, without what only runs with episodes have if there are none."""
    random, names = np.random.default_rng(config.seed), columns(config)
    values = 0.1 + 0.8 * random.random((rows, len(names)))
    values[:, 0] = 200 * np.arange(1, rows + 1)
    empty = {"std", *(() if episodes else ("mean_return", "mean_length"))}
    lines = [
        ",".join("" if name in empty else f"{value:.6g}" for name, value in zip(names, row, strict=True))
        for row in values
    ]
    (folder / "metrics.csv").write_text("\n".join([",".join(names), *lines]) + "\n")


def write_results(folder: Path, seed: int = 0, episodes: int = 150) -> None:
    """Write results.csv, of returns that rise."""
    random = np.random.default_rng(seed)
    lengths = random.integers(20, 60, episodes)
    rows = [
        f"{end},{number},{number + random.normal():.6g},{length}"
        for number, (end, length) in enumerate(zip(np.cumsum(lengths), lengths, strict=True), 1)
    ]
    (folder / "results.csv").write_text("\n".join(["step,episode,return,length", *rows]) + "\n")


def settings(**changes: Any) -> Config:
    """Return the configuration of a small run."""
    return Config(**{"layers": (8,), "memory": 4, "steps": 60, **changes})
