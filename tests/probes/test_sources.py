"""Weights by what they come from, and what memory neurons keep."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from synaptick import ProbeError
from synaptick.arena.summary import synapses

from ..support.common import SIZE, drive, make_agent, state
from .cases import CASES, agent_of, layers_of

pytestmark = pytest.mark.any_arithmetic


def arrays(found: dict[str, Any]) -> list[Any]:
    return [x for part in found.values() for x in (arrays(part) if isinstance(part, dict) else [part])]


@pytest.mark.parametrize("name", CASES)
def test_all_weights_are_there_once(name: str) -> None:
    """Each marked by a number of its own; what is padding is not there."""
    agent = agent_of(name)
    d, before = agent.arena.dimensions, 0
    for layer in layers_of(agent):
        w = agent.arena.views[f"{layer}/w"]
        w[:] = np.arange(w.size).reshape(w.shape)
        found = np.concatenate([np.ravel(x) for x in arrays(agent.weights(layer))])
        assert len(set(found)) == len(found)
        assert set(found) <= set(w.ravel())
        before += len(found)
    readouts = sum(d.net_sizes(net)["n_outputs"] * (d.net_sizes(net)["bias"] + 1) for net in range(2))
    assert before + readouts == synapses(agent.arena)


def test_each_part_makes_its_part_of_the_current() -> None:
    agent = agent_of("memory")
    drive(agent, 200)
    views = agent.arena.views
    before = agent.weights("actor/1"), agent.weights("actor/0"), views["actor/1/z"].copy(), views["actor/0/past"].copy()
    layer, memory, z, past = before
    agent.step(0.3, np.ones(SIZE))
    x, seen = views["input"], views["actor/0/output"]
    current = layer["below"] @ seen + layer["observation"] @ x + layer["recurrent"] @ z + layer["bias"]
    current = (current - current.mean()) * views["actor/slope"][1]
    np.testing.assert_allclose(views["actor/1/current"], current, rtol=1e-4, atol=1e-5)
    assert set(layer) == {"below", "observation", "recurrent", "bias"}
    assert list(memory) == ["C", "G"]
    assert set(memory["C"]) - set(memory["G"]) == {"threshold"}
    for k, part in enumerate(("C", "G")):
        w = memory[part]
        h = w["observation"] @ x + (w["earlier observation"] * past.T).sum(axis=1) + w["bias"]
        np.testing.assert_allclose(views["actor/0/current"][6 * k : 6 * k + 6], h, rtol=1e-4, atol=1e-5)


def test_weights_are_copies_and_only_what_there_is() -> None:
    agent = make_agent(layers=(8, 6), recurrent=False, observation_skip=False)
    before = state(agent)
    for found in arrays(agent.weights("actor/0")):
        found[:] = 7.0
    assert state(agent) == before
    assert {name: x.shape for name, x in agent.weights("actor/0").items()} == {"observation": (8, SIZE), "bias": (8,)}
    assert {name: x.shape for name, x in agent.weights("actor/1").items()} == {"below": (6, 8), "bias": (6,)}


def test_retention_is_one_less_the_gate() -> None:
    agent = agent_of("two memories")
    drive(agent, 100)
    for net in ("actor", "critic"):
        found = agent.retention(net)
        assert found.share.shape == found.ticks.shape == (2, 6)
        for index, share in enumerate(found.share):
            drives = agent.arena.views[f"{net}/{index}/current"][6:].astype(np.float64)
            np.testing.assert_allclose(share, 1.0 / (1.0 + np.exp(drives)), rtol=1e-4)
        np.testing.assert_allclose(np.exp(-1.0 / found.ticks), found.share)


def test_a_gate_that_is_shut_keeps_forever_and_an_open_one_nothing() -> None:
    agent = agent_of("memory")
    agent.arena.views["actor/0/keep"][:] = [0.0, 1.0, 0.5, 0.5, 0.5, 0.5]
    found = agent.retention()
    assert found.ticks[0, :2].tolist() == [0.0, np.inf]
    np.testing.assert_allclose(found.ticks[0, 2], 1.0 / np.log(2.0))


def test_what_is_not_there_is_refused() -> None:
    agent = make_agent()
    for name in ("actor", "actor/1", "", None, 0, []):
        with pytest.raises(ProbeError, match=r"^there is no .* here; allowed: actor/0, critic/0; "):
            agent.weights(name)  # type: ignore[arg-type]
    for name in ("actor/0", "Actor", None):
        with pytest.raises(ProbeError, match=r"^there is no .* here; allowed: actor, critic; "):
            agent.retention(name)  # type: ignore[arg-type]
    with pytest.raises(ProbeError, match="has no memory neurons"):
        agent.retention()
