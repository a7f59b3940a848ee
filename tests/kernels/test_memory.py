"""The credit of memory neurons against the exact gradient, but for psi in the place of the derivative of a spike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from synaptick.arena.dimensions import memory_kinds
from synaptick.bench.gradients.compare import spikes_of
from synaptick.kernels.base.jit import ARITHMETIC

from ..support.credits import INPUTS, frozen_agent, policy_score
from ..support.harness import DoubleAgent, twin_of
from ..support.memory_oracle import GAIN, Memories, Memory, finite_differences, rtrl, run
from ..support.mutants import TRUE, put
from ..support.oracle import Array

# In fast arithmetic the step is compiled once more for this, in float64.
pytestmark = [pytest.mark.double, pytest.mark.any_arithmetic, *([pytest.mark.slow] if ARITHMETIC == "fast" else [])]

TICKS, N = 400, 9
ONE = {"memory": N, "memory_horizon": 30.0, "layers": (6,), "spatial_signal": False, "memory_delay": 3}
GRADED = {"spikes": "graded", "memory_payload_cap": 0.6, "v_th": 0.8}
TWO = {**ONE, "memory_layers": 2, "spatial_signal": True, "depth_filter": "tensor"}
KINDS = dict(
    zip(("taps", "holders", "integrators"), np.split(np.arange(N), np.cumsum(memory_kinds(N))[:-1]), strict=True)
)


def observations(ticks: int = TICKS, seed: int = 0) -> Array:
    """Return (ticks, INPUTS) smooth random observations."""
    xs = np.random.default_rng(seed).normal(size=(ticks, INPUTS))
    for t in range(1, ticks):
        xs[t] += 0.8 * xs[t - 1]
    return xs


def memory_agent(seed: int = 0, **changes: Any) -> DoubleAgent:
    """Build an agent that never changes a weight, and reads all its memory; what is between them has weights of 0."""
    agent = frozen_agent(seed, **changes)
    rng = np.random.default_rng(seed)
    for net in ("actor", "critic"):
        agent.views[f"{net}/w"][:, : N * agent.config.n_memory] = rng.normal(
            size=(len(agent.views[f"{net}/w"]), N * agent.config.n_memory)
        )
    return agent


def memories_of(agent: DoubleAgent, net: str) -> Memories:
    """Return the memory layers of `agent`; nothing may lie in the padding, or in what leads to the layers above."""
    views, c = agent.views, agent.config
    layers, readouts = [], []
    for index in range(c.n_memory):
        w = views[f"{net}/{index}/w"]
        m = index * N + INPUTS * (1 + (c.memory_delay > 0)) + 2
        assert not w[:, m:].any()
        assert not w[N:, m - 1].any()
        delays = np.arange(N) % c.memory_delay + 1 if c.memory_delay else np.zeros(0, int)
        layers.append(Memory(w[:, :m].copy(), delays, np.isin(np.arange(N), KINDS["integrators"])))
        readouts.append(views[f"{net}/w"][:, index * N : (index + 1) * N].copy())
    assert not views[f"{net}/{c.n_memory}/w"][:, :N].any()
    return Memories(tuple(layers), tuple(readouts), spikes_of(c, c.memory_payload_cap))


@dataclass
class Run:
    """What an agent, or its twin, did: credit (T, 2 n, m) and z (T, n) of each layer, means of z and g (T, K)."""

    credit: list[Array]
    z: list[Array]
    means: list[Array]
    gradients: Array


def live(model: Any, views: Callable[[], dict[str, Any]], net: str, layers: int, xs: Array) -> Run:
    credit, z, means = ([[] for _ in range(layers)] for _ in range(3))
    gradients = []
    for t, x in enumerate(xs):
        model.step(1.0, x) if t else model.start(x)
        now = views()
        for index in range(layers):
            credit[index].append(now[f"{net}/{index}/credit"].copy())
            z[index].append(now[f"{net}/{index}/z"].copy())
            means[index].append(z[index][-1] - now[f"{net}/{index}/output"])
        gradients.append(policy_score(model) if net == "actor" else np.ones(1))
    return Run(*([np.array(one) for one in many] for many in (credit, z, means)), np.array(gradients))


def compared(agent: DoubleAgent, net: str, twin: bool = False) -> list[tuple[Array, Array]]:
    """Return credit and exact gradient of each layer, (T, 2 n, m), of a network found alive; from the twin if asked."""
    xs, stack = observations(), memories_of(agent, net)
    model: Any = twin_of(agent) if twin else agent
    ours = live(model, lambda: model.arrays if twin else model.views, net, len(stack.layers), xs)
    pairs = []
    for credit, exact in zip(ours.credit, rtrl(stack, xs, ours.means), strict=True):
        pairs.append((credit[:, :, : exact.shape[-1]], np.einsum("tk,tkrm->trm", ours.gradients, exact)))
        assert not credit[:, :, exact.shape[-1] :].any()
    for past, z, (_, exact) in zip(run(stack, xs, ours.means)[1], ours.z, pairs, strict=True):
        np.testing.assert_allclose(past.z, z, rtol=0, atol=1e-12)  # payloads in another order of sums
        assert_alive(past, exact)
    return pairs


def assert_alive(past: Any, exact: Array) -> None:
    """Each kind spikes, but not always, integrators are on both sides of their least gain; each part has a gradient."""
    for name, neurons in KINDS.items():
        assert 0.03 < past.z[:, neurons].mean() < 0.97, name
        for part in parts(exact, neurons):
            assert (np.abs(part).max(axis=(0, 2)) > 1e-4).mean() > 0.6, name
    below = past.gate[:, KINDS["integrators"]] < GAIN
    assert 0.02 < below.mean() < 0.98
    assert (past.gate[:, KINDS["holders"]] < 0.5).mean() > 0.2  # something is held


def parts(x: Array, neurons: Array) -> list[Array]:
    """C, G and thresholds of some neurons."""
    return [x[:, neurons, :-1], x[:, N + neurons, :-1], x[:, neurons, -1:]]


def mismatch(pair: tuple[Array, Array]) -> float:
    """Return the largest difference of credit and gradient, of each part of each kind relative to its largest."""
    found = []
    for neurons in KINDS.values():
        for ours, exact in zip(*(parts(x, neurons) for x in pair), strict=True):
            cosine = np.sum(ours * exact) / max(np.sqrt(np.sum(ours**2) * np.sum(exact**2)), 1e-300)
            found += [np.abs(ours - exact).max() / np.abs(exact).max(), 1 - cosine]
    return float(np.max(found))


# ---- the oracle


@pytest.mark.parametrize("changes", [{}, GRADED], ids=["binary", "graded"])
def test_the_gradient_is_that_of_finite_differences(changes: dict[str, Any]) -> None:
    agent = memory_agent(**TWO | changes)
    xs, stack, rng = observations(25, seed=3), memories_of(agent, "actor"), np.random.default_rng(0)
    means, cost = [rng.random((25, N)) for _ in stack.layers], rng.normal(size=(25, len(stack.readouts[0])))
    exact = [np.einsum("tk,tkrm->rm", cost, part) for part in rtrl(stack, xs, means, smooth=True)]
    for ours, theirs in zip(exact, finite_differences(stack, xs, means, cost), strict=True):
        assert np.abs(ours).max() > 1e-2
        np.testing.assert_allclose(ours, theirs, atol=1e-5 * np.abs(ours).max())


# ---- exactness


@pytest.mark.parametrize("net", ["actor", "critic"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"memory_delay": 0},
        {"spatial_signal": True},
        {"v_th": 0.7, "dampening": 0.5},
        {"depth_filter": "tensor"},
        GRADED,
    ],
    ids=str,
)
def test_one_layer_is_exact(changes: dict[str, Any], net: str) -> None:
    (pair,) = compared(memory_agent(**ONE | changes), net)
    assert mismatch(pair) < 1e-10


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("net", ["actor", "critic"])
@pytest.mark.parametrize("changes", [{"memory_delay": 0}, {}, GRADED], ids=["no delay", "binary", "graded"])
def test_under_another_layer_it_is_exact_if_its_influence_is_carried(
    changes: dict[str, Any], net: str, seed: int
) -> None:
    lower, upper = compared(memory_agent(seed, **TWO | changes), net)
    assert mismatch(lower) < 1e-10
    assert mismatch(upper) < 1e-10


@pytest.mark.parametrize("changes", [{"depth_filter": "cascade"}, {"depth_filter": "none"}, {"spatial_signal": False}])
def test_otherwise_it_is_not(changes: dict[str, Any]) -> None:
    lower, upper = compared(memory_agent(**TWO | changes), "critic")
    assert mismatch(lower) > 1e-2
    assert mismatch(upper) < 1e-10


def test_without_a_trace_in_time_it_is_not() -> None:
    (pair,) = compared(memory_agent(**ONE, temporal_trace=False), "critic")
    assert mismatch(pair) > 1e-1


# ---- negative controls


def _push(change: Callable[[Any, Any], Any]) -> Any:
    """`memory.hold` that tells eligibility something else than what the cells do."""

    def hold(config: Any, old: Any, a: Any, h: Any, drive: Any) -> Any:
        cells = TRUE["memory.hold"](config, old, a, h, drive)
        gate, n = 1 - cells.keep, cells.v.size
        pushed = change(cells.push[n:], gate * (1 - gate) * old)
        return cells._replace(push=np.concatenate([cells.push[:n], pushed]))

    return hold


MUTATIONS: dict[str, Callable[..., Any]] = {
    "memory.hold without the old cell": _push(lambda b, of_old: b + of_old),
    "memory.hold no gradient of gates": _push(lambda b, of_old: 0 * b),
    "memory.filter_memory without the gate": lambda eps, keep, push, u: eps + push[:, None] * u,
    "memory.filter_memory by the mean": lambda eps, keep, push, u: TRUE["memory.filter_memory"](
        eps, np.full_like(keep, keep.mean()), push, u
    ),
    "memory.eligibility without psi": lambda agent, at: 0.2 * agent.arrays[f"{at}eps"],
}
OF_TWO: dict[str, Callable[..., Any]] = {
    "memory.influence without the gate": lambda trace, keep, *rest: TRUE["memory.influence"](
        trace, np.ones_like(keep), *rest
    ),
    "memory.influence by the mean": lambda trace, keep, *rest: TRUE["memory.influence"](
        trace, np.full_like(keep, keep.mean()), *rest
    ),
    "memory.influence of the tick": lambda trace, *rest: TRUE["memory.influence"](0 * trace, *rest),
    "memory.through_gates candidates only": lambda agent, at, n: (
        agent.arrays[f"{at}push"][:N, None] * agent.arrays[f"{at}w"][:N, :n]
    ),
    "memory.carried_credit straight only": lambda s, above, *rest: TRUE["memory.carried_credit"](
        s, above._replace(direct=0 * above.direct), *rest
    ),
}


@pytest.mark.parametrize("name", [None, *MUTATIONS])
def test_a_mutated_rule_is_not_exact(name: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin stands in for the kernels, which cannot be patched; unpatched it passes."""
    agent = memory_agent(**ONE)
    if name is not None:
        put(monkeypatch, name, MUTATIONS[name])
    (pair,) = compared(agent, "critic", twin=True)
    assert mismatch(pair) < 1e-10 if name is None else mismatch(pair) > 1e-2


@pytest.mark.parametrize("name", [None, *OF_TWO])
def test_a_mutated_way_down_is_not_exact(name: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = memory_agent(**TWO)
    if name is not None:
        put(monkeypatch, name, OF_TWO[name])
    lower, upper = compared(agent, "critic", twin=True)
    assert mismatch(upper) < 1e-10
    assert mismatch(lower) < 1e-10 if name is None else mismatch(lower) > 1e-2
