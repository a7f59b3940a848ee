"""The step without parts that few configurations use: the same bytes, and none for a configuration of these."""

from __future__ import annotations

from typing import Any

import pytest
from gymnasium import spaces
from synaptick import Agent, Config
from synaptick.arena.dimensions import is_rare
from synaptick.compilation import step_of
from synaptick.kernels import tick as kernel

from ..support.common import drive, make_agent, state

COMMON: dict[str, dict[str, Any]] = {
    "default": {},
    "no memory": {"memory": 0, "layers": (12,)},
    "three layers": {"layers": (9, 8, 7), "memory": 5},
    "two memories": {"memory": 6, "memory_layers": 2},
    "binary": {"spikes": "binary", "leak_groups": 3},
    "random feedback": {"feedback": "random"},
    "no trace": {"temporal_trace": False},
    "frozen": {"frozen_layers": 1},
}
RARE: dict[str, dict[str, Any]] = {
    "four layers": {"layers": (6, 6, 6, 6)},
    "factored": {"layers": (8, 8), "depth_filter": "factored"},
    "tensor": {"layers": (8, 8), "depth_filter": "tensor"},
    "carried": {"memory": 6, "memory_layers": 2, "depth_filter": "none"},
    "hop": {"recurrent_hop": True},
    "reset": {"reset_path": True},
    "rates": {"rate_regularization": 0.1},
    "adaptive feedback": {"feedback": "adaptive"},
}
ACTIONS = [spaces.Discrete(3), spaces.Box(-1.0, 1.0, (2,))]


@pytest.mark.parametrize("changes", COMMON.values(), ids=COMMON)
@pytest.mark.parametrize("action", ACTIONS, ids=["index", "controls"])
def test_both_steps_do_the_same(changes: dict[str, Any], action: Any) -> None:
    """In strict arithmetic, where the optimizer may not make other roundings of other code."""
    agent, other = make_agent(**changes, action=action), make_agent(**changes, action=action)
    assert not agent.rare
    assert not is_rare(agent.config)
    other._advance = step_of(True)
    drive(agent, 300)
    drive(other, 300)
    assert state(agent) == state(other)


@pytest.mark.parametrize("changes", RARE.values(), ids=RARE)
def test_what_needs_all_parts_gets_them_and_is_left_alone_by_the_other(changes: dict[str, Any]) -> None:
    agent = make_agent(**changes)
    assert agent.rare
    assert is_rare(agent.config)
    before = state(agent)
    assert step_of(False)(agent.arena.address, 0.0, kernel.START, True) == kernel.NEEDS_ALL_PARTS
    assert state(agent) == before
    drive(agent, 50)
    assert state(agent) != before


def test_a_configuration_is_compiled_for_without_spaces() -> None:
    Agent.compile(Config(), quiet=True)
    Agent.compile(Config(reset_path=True), quiet=True)
