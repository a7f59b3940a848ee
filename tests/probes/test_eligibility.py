"""Eligibility and learning signals, which no kernel keeps, against the equations and against the twin, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from synaptick import Agent

from ..reference import neuron as twin_neuron
from ..reference import signals as twin_signals
from ..support.common import BOX
from ..support.harness import Event, call, script, twin_of, up_to_date
from .cases import CASES, THREE, agent_of, layers_of

pytestmark = pytest.mark.any_arithmetic
TICKS = 120
Matrix = NDArray[np.float64]


def forms(agent: Agent, event: Event, layer: str) -> bool:
    """Return whether a call forms eligibility in a layer."""
    index = int(layer.partition("/")[2])
    on = event.kind in ("start", "step") or (event.kind == "truncate" and agent.config.keep_state)
    return event.learn and on and index >= agent.config.fixed


def suppression(agent: Agent, layer: str) -> Matrix:
    """Return strength epsa + fall epsr of a layer, (n, m), as they are now."""
    views = up_to_date(agent)
    w, epsa, epsr = (views[f"{layer}/{name}"].astype(np.float64) for name in ("w", "epsa", "epsr"))
    found = np.zeros(w.shape)
    found[: len(epsa)] += views[f"{layer}/strength"][: len(epsa), None].astype(np.float64) * epsa
    if len(epsr):
        found += agent.config.reset_strength * agent.config.v_th * epsr
    return found


def equation(agent: Agent, layer: str, suppressed: Matrix) -> Matrix:
    """Return psi_i (eps_j - suppressed_ij), of memory neurons psi_i eC_ij and psi_i eG_ij."""
    views = agent.arena.views
    psi, eps = (views[f"{layer}/{name}"].astype(np.float64) for name in ("psi", "eps"))
    n = len(psi)
    if agent.arena.dimensions.is_memory(int(layer.partition("/")[2])):
        return np.stack([psi[:, None] * eps[:n], psi[:, None] * eps[n:]], axis=1)
    found = psi[:, None] * (eps[np.arange(n) % len(eps)] - suppressed)
    return found[:, : agent.arena.dimensions.columns(int(layer.partition("/")[2]))["bias"] + 1]


@pytest.mark.parametrize("name", CASES)
def test_eligibility_is_that_of_the_equation(name: str) -> None:
    """From copies of the arena before and after each call; where none is formed there is none."""
    agent, action, formed = agent_of(name), 0.0, 0
    probes = {layer: agent.probe(layer, "eligibility", capacity=1) for layer in layers_of(agent)}
    for event in script(TICKS, agent.observation, seed=2):
        cleared = (event.kind == "start" and not agent.config.keep_state) or agent.arena.clock.stale
        before = {layer: suppression(agent, layer) * (not cleared) for layer in probes}
        action = call(agent, event, action)
        for layer, probe in probes.items():
            (found,) = probe.data["eligibility"]
            if not forms(agent, event, layer):
                assert np.isnan(found).all()
                continue
            formed += bool(found.any())
            expected = equation(agent, layer, before[layer])
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-30, err_msg=layer)
    assert formed > TICKS / 2


@pytest.mark.parametrize("changes", [{}, {"adaptive_fraction": 1.0}, {"reset_path": True}], ids=str)
def test_eligibility_is_that_of_its_recursion(changes: dict[str, Any]) -> None:
    """From inputs, slopes and psi alone, with eps, epsa and epsr of our own: Bellec et al. 2020, eqs. 22 to 25."""
    from ..support.common import make_agent

    agent = make_agent(observation=BOX, action=THREE, layers=(9, 7), connectivity=0.7, recurrent_scale=1.0, **changes)
    layer, views, config = "actor/1", agent.arena.views, agent.config
    inputs = agent.arena.dimensions.columns(1)["bias"] + 1
    probe = agent.probe(layer, ["eligibility", "psi"])
    alpha, rho, strength = (
        views[f"{layer}/{name}"].astype(np.float64)[:, None] for name in ("alpha", "rho", "strength")
    )
    fall = config.reset_strength * config.v_th if config.reset_path else 0.0
    expected, action = [], 0.0
    eps = epsa = epsr = np.zeros((7, inputs))
    for event in script(TICKS, agent.observation, seed=3, act_only=False):
        action = call(agent, event, action)
        if event.kind not in ("start", "step"):
            expected.append(np.full((7, inputs), np.nan))
            continue
        if event.kind == "start":
            eps = epsa = epsr = np.zeros((7, inputs))
        u, psi = (views[f"{layer}/{name}"].astype(np.float64) for name in ("inputs", "psi"))
        eps = alpha * eps + float(views["actor/slope"][1]) * u[:inputs]
        e = psi[:, None] * (eps - fall * epsr - strength * epsa)
        epsa, epsr = rho * epsa + e, alpha * epsr + e
        expected.append(e)
    largest = np.nanmax(np.abs(expected))
    np.testing.assert_allclose(probe.data["eligibility"], expected, rtol=0.0, atol=1e-6 * largest)
    assert (probe.data["psi"] == 0.0).any()  # some rows are at rest, if rows may rest


@pytest.mark.parametrize("name", CASES)
def test_signals_and_eligibility_are_those_of_the_twin(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin makes each call from the state before it. S_0 + sum_q T_q, with the slopes of the hops."""
    agent, action, met = agent_of(name), 0.0, 0
    probes = {layer: agent.probe(layer, ["signal", "eligibility"], capacity=1) for layer in layers_of(agent)}
    told: dict[str, Any] = {}
    send_signals, layer_eligibility = twin_signals.send_signals, twin_neuron.layer_eligibility

    def sent(twin: Any, net: str, gradient: Any) -> Any:
        told[net] = send_signals(twin, net, gradient)
        told[f"{net}/slopes"] = twin.slopes(net)
        return told[net]

    def formed(twin: Any, at: str) -> Any:
        told[at] = layer_eligibility(twin, at)[1]
        return layer_eligibility(twin, at)

    monkeypatch.setattr(twin_signals, "send_signals", sent)
    monkeypatch.setattr(twin_neuron, "layer_eligibility", formed)
    for event in script(TICKS, agent.observation, seed=4):
        told.clear()
        twin = twin_of(agent, (BOX, THREE))
        before, action = action, call(agent, event, action)
        call(twin, event, before)
        for layer, probe in probes.items():
            net, _, number = layer.partition("/")
            if net not in told or not forms(agent, event, layer):
                continue
            slopes, found = told[f"{net}/slopes"], told[net][int(number)]
            expected = found.direct.copy()
            for q, hop in enumerate(found.hops, 1):
                above = np.minimum(np.arange(int(number) + 1, int(number) + 1 + q), len(slopes) - 1)
                expected += np.prod(slopes[above]) * hop
            met += bool(expected.any())
            scale = np.abs(expected).max() + 1e-3
            np.testing.assert_allclose(probe.data["signal"][0], expected, rtol=0.0, atol=1e-4 * scale, err_msg=layer)
            if f"{layer}/" in told:
                e = told[f"{layer}/"]
                (ours,) = probe.data["eligibility"]
                scale = np.abs(e).max() + 1e-3
                np.testing.assert_allclose(ours, e[:, : ours.shape[1]], rtol=0.0, atol=1e-3 * scale, err_msg=layer)
    assert met > TICKS / 2
