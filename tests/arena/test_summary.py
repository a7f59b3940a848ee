"""The table of what an agent is made of."""

from __future__ import annotations

import doctest
from typing import Any

import numpy as np
import pytest
from synaptick import agent as module
from synaptick import inspection
from synaptick.arena.summary import synapses

from ..support.common import CONTROLS, drive, make_agent


@pytest.mark.parametrize(
    "changes",
    [
        {"layers": (8,), "memory": 0},
        {"layers": (9, 7), "memory": 5},
        {"layers": (9, 7), "memory": 5, "memory_layers": 2, "readout": "top", "observation_skip": False},
        {"layers": (8,), "memory": 6, "action": CONTROLS, "std": "free"},
    ],
    ids=["plain", "memory", "two memories, top", "controls"],
)
def test_synapses_are_the_weights_that_learning_can_change(changes: dict[str, Any]) -> None:
    agent = make_agent(connectivity=1.0, recurrent_scale=0.5, **changes)
    weights = [view for name, view in agent.arena.views.items() if name.endswith("/w")]
    touched = [view != 0 for view in weights]
    for _ in range(20):
        drive(agent, 100)
        touched = [seen | (view != 0) for seen, view in zip(touched, weights, strict=True)]
    # All but those of a memory neuron that stays silent, or that is always on.
    assert 0.9 * synapses(agent.arena) <= sum(int(seen.sum()) for seen in touched) <= synapses(agent.arena)


def test_the_table_adds_up() -> None:
    agent = make_agent(layers=(9, 7), memory=5)
    drive(agent, 300)
    head, *rows, last = agent.summary().splitlines()
    assert head.split() == ["network", "layer", "neurons", "inputs", "synapses", "spikes"]
    assert [row.split()[:2] for row in rows[:4]] == [
        *(["actor", name] for name in ("memory[0]", "layers[0]", "layers[1]", "readout")),
    ]
    total = sum(int(row.split()[4].replace(",", "")) for row in rows)
    assert last.startswith(f"{total:,} synapses; {agent.nbytes:,} bytes: ")
    shown = [float(row.split()[5]) for row in rows if "readout" not in row]
    np.testing.assert_allclose(shown, [rate for rates in agent.spike_rates.values() for rate in rates], atol=0.005)
    assert 0.0 < max(shown) < 1.0


def test_an_agent_in_one_line() -> None:
    agent = make_agent(layers=(9, 7), memory=5)
    drive(agent, 300)
    assert repr(agent) == (
        f"<Agent: 3 inputs, memory 5, layers [9, 7], {synapses(agent.arena):,} synapses, {agent.nbytes:,} bytes, "
        f"tick {agent.ticks:,}>"
    )


def test_the_examples_in_the_docstrings_of_the_agent_hold() -> None:
    finder = doctest.DocTestFinder()
    found = [*finder.find(module.Agent), *finder.find(inspection.Inspection)]
    ran = [test for test in found if test.examples and ("size" in test.name or "summary" in test.name)]
    assert len(ran) == 2
    for test in ran:
        assert doctest.DocTestRunner().run(test).failed == 0
