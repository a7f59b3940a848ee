"""How large a state will be, and what to change: known without memory for any of it."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from synaptick import Agent, Config
from synaptick.arena.size import LARGE, size_of

from ..support.common import BOX, CONTROLS, PARTS, SYMBOLS
from ..support.random_configs import random_config

TWO = spaces.Discrete(2)


@pytest.mark.parametrize("number", range(12))
def test_it_is_the_size_of_the_agent(number: int) -> None:
    rng = np.random.default_rng(number)
    config = random_config(rng)
    observation, action = [BOX, SYMBOLS, PARTS][number % 3], [TWO, CONTROLS, PARTS][number // 3 % 3]
    agent = Agent(config, observation, action)
    size = Agent.size_of(config, observation, action)
    assert size.nbytes == agent.nbytes == sum(nbytes for _, nbytes in size.parts)
    assert [nbytes for _, nbytes in size.parts] == sorted((nbytes for _, nbytes in size.parts), reverse=True)
    assert size == size_of(config, agent.observation, agent.action)


def test_nothing_of_it_is_allocated() -> None:
    tracemalloc.start()
    size = Agent.size_of(Config(layers=(65536, 65536, 65536)), spaces.Box(-1, 1, (100_000,)), TWO)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size.nbytes > 5e11
    assert peak < 2**24


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"memory": 0},
        {"depth_filter": "factored", "feedback": "random"},
        {"memory": 64, "layers": [64, 64, 64]},
    ],
    ids=str,
)
def test_what_is_advised_gives_the_bytes_that_it_says(changes: dict[str, Any]) -> None:
    config, entries = Config.from_dict(changes), 100_000
    size = Agent.size_of(config, spaces.Box(-1, 1, (entries,)), TWO)
    assert 1 <= len(size.alternatives) <= 3
    for change, nbytes in size.alternatives:
        name, _, value = change.partition(": ")
        assert (name, value) != ("memory", "0") or config.memory
        fewer, then = entries, config
        if value:
            then = config.with_changes({name: [int(n) for n in value[1:-1].split(",")] if "[" in value else
                                        {"false": False, "true": True}.get(value, value)})  # fmt: skip
        else:
            assert change.endswith("an observation of 10,000 numbers instead of 100,000")
            fewer = 10_000
        assert Agent.size_of(then, spaces.Box(-1, 1, (fewer,)), TWO).nbytes == nbytes <= 0.9 * size.nbytes


def test_only_a_large_state_is_worth_a_word() -> None:
    assert Agent.size_of(Config(), BOX, TWO).advice() == ""
    size = Agent.size_of(Config(layers=(64, 64), memory=8), spaces.Box(-1, 1, (100_000,)), TWO)
    line = size.advice()
    assert size.nbytes > LARGE
    assert line.startswith(
        "the state takes 452.0 MB, of which 181.0 MB are for layers[0], and so does each of the two "
    )
    assert "an observation of 10,000 numbers instead of 100,000: 45.5 MB; memory: 0: 316.0 MB" in line
    assert len(line.splitlines()) == 1
    assert size.advice(limit=size.nbytes) == ""


def test_layers_have_the_names_that_settings_give_them() -> None:
    config = Config(layers=(8, 9), memory=6, memory_layers=2)
    size = Agent.size_of(config, BOX, TWO)
    names = ["layers[0]", "layers[1]", "memory", "sizes, settings and statistics", "the readout"]
    assert sorted(name for name, _ in size.parts) == names
