"""Learning on whole tasks, five seeds; many minutes, so run on request: ``pytest -m learning``."""

from __future__ import annotations

import numpy as np
import pytest
from synaptick.aggregate import interquartile_mean
from synaptick.bench.learning import bench_learning


def last_100(task: str) -> np.ndarray:
    runs = bench_learning("cartpole", range(200, 205), tasks=[task])["runs"]
    return np.array([run["last_100"] for run in runs])


@pytest.mark.learning
def test_the_default_configuration_learns_cartpole() -> None:
    found = last_100("cartpole")
    assert interquartile_mean(found) > 480
    assert found.min() > 350


@pytest.mark.learning
def test_positions_alone_need_memory() -> None:
    with_memory, without = last_100("positions"), last_100("positions, memoryless")
    assert without.max() < 100
    assert with_memory.min() > without.max()
    assert interquartile_mean(with_memory) > 400
