"""The credit that the compiled agent forms, against the exact surrogate gradient of the same network.

With step sizes 0 and `trace_lambda` 0 the credit after a tick is the agent's estimate of the gradient of that tick's
value (critic), or of the log-probability of that tick's action (actor), and nothing else.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from synaptick.agent.config import Config
from synaptick.agent.spaces import ActionSpec, ObservationSpec

from . import reference
from .harness import DoubleAgent, twin_of
from .oracle import EPROP, Layer, Paths, Stack, bptt, finite_differences, rtrl, run

Array = NDArray[np.float64]

TICKS, INPUTS = 40, 3
FROZEN = {
    "lr_policy": 0.0,
    "lr_value": 0.0,
    "trace_lambda": 0.0,
    "normalize_observations": False,
    "connectivity": 1.0,
    "leak_groups": 3,
    "tau_max": 8.0,
}


def observations(seed: int = 0) -> Array:
    """Return (TICKS, INPUTS) smooth random observations."""
    rng = np.random.default_rng(seed)
    xs = rng.normal(size=(TICKS, INPUTS))
    for t in range(1, TICKS):
        xs[t] += 0.8 * xs[t - 1]
    return xs


def frozen_agent(seed: int = 0, **changes: Any) -> DoubleAgent:
    """Build an agent that forms credit but never changes a weight."""
    config = Config(**(FROZEN | changes))
    return DoubleAgent(config, ObservationSpec("box", (INPUTS,), INPUTS), ActionSpec(3), seed)


def stack_of(agent: DoubleAgent, net: str) -> Stack:
    """Return the network of `agent` without the padding, as the oracle takes it."""
    c, views, layers, read = agent.config, agent.views, [], 0
    for index, n in enumerate(c.layers):
        observed = index == 0 or c.observation_skip
        is_read = c.readout == "all" or index == len(c.layers) - 1
        width = (c.layers[index - 1] if index else 0) + INPUTS * observed + n * c.recurrent + 1
        w, alpha, rho, strength = (views[f"{net}/{index}/{name}"].copy() for name in ("w", "alpha", "rho", "strength"))
        assert not w[:, width:].any()
        layers.append(Layer(w[:, :width], alpha, rho, strength, observed, c.recurrent, is_read))
        read += n * is_read
    return Stack(tuple(layers), views[f"{net}/w"][:, : read + 1].copy(), c.v_th, c.dampening, c.gain)


def credits_of(agent: Any, views: Callable[[], dict[str, Any]], xs: Array, net: str) -> tuple[list[Array], Array]:
    """Return the credit of every layer after every tick, (T, n, m) each, and the readout gradients g, (T, K)."""
    found: list[list[Array]] = [[] for _ in agent.config.layers]
    gradients = []
    for t, x in enumerate(xs):
        action = agent.start(x) if t == 0 else agent.step(1.0, x)
        for index, credit in enumerate(found):
            credit.append(views()[f"{net}/{index}/credit"].copy())
        gradients.append(np.eye(3)[action] - views()["probabilities"] if net == "actor" else np.ones(1))
    return [np.array(credit) for credit in found], np.array(gradients)


def exact(stack: Stack, xs: Array, g: Array, paths: Paths) -> list[Array]:
    """Return the gradient of g(t) . readout(t), (T, n, m) a layer."""
    return [np.einsum("tk,tknm->tnm", g, part) for part in rtrl(stack, xs, paths)]


def assert_alive(stack: Stack, xs: Array, gradient: list[Array]) -> None:
    """Every layer spikes, but not always; every layer has a gradient."""
    for past, part in zip(run(stack, xs)[1], gradient, strict=True):
        assert 0.03 < past.z.mean() < 0.7
        assert (past.z.sum(axis=0) > 0).mean() > 0.5
        assert np.abs(part).max() > 1e-3


def mismatch(agent: DoubleAgent, net: str, paths: Paths, twin: bool = False) -> list[float]:
    """Return the largest difference of credit and gradient in each layer, relative to the largest gradient."""
    xs, stack = observations(), stack_of(agent, net)
    model: Any = twin_of(agent, True) if twin else agent
    credit, g = credits_of(model, lambda: model.arrays if twin else model.views, xs, net)
    gradient = exact(stack, xs, g, paths)
    assert_alive(stack, xs, gradient)
    return [
        float(np.abs(ours[:, :, : part.shape[2]] - part).max() / np.abs(part).max())
        for ours, part in zip(credit, gradient, strict=True)
    ]


def make_upper_simple(agent: DoubleAgent, strength: float = 0.0) -> DoubleAgent:
    """Give the top layer one leak group, and its neurons the adaptation strength of the argument."""
    top = len(agent.config.layers) - 1
    for net in ("actor", "critic"):
        agent.views[f"{net}/{top}/alphas"][:] = agent.views[f"{net}/{top}/alpha"][:] = 0.8
        agent.views[f"{net}/leak"][top] = 0.8
        agent.views[f"{net}/{top}/strength"][:] *= strength
    return agent


ONE_LAYER = [
    {"layers": (12,), "recurrent": False, "adaptive_fraction": 0.0},
    {"layers": (12,), "recurrent": False, "adaptive_fraction": 1.0},
    {"layers": (12,), "recurrent": False, "adaptive_fraction": 0.5},
    {"layers": (12,), "recurrent_scale": 2.0},
]


@pytest.mark.parametrize("changes", ONE_LAYER)
@pytest.mark.parametrize("net", ["actor", "critic"])
def test_one_layer_is_exact(changes: dict[str, Any], net: str) -> None:
    """Only the reset, the statistics of the current and, where there is one, the recurrence are left out."""
    assert mismatch(frozen_agent(**changes), net, EPROP)[0] < 1e-10


def test_what_is_left_out_matters() -> None:
    """Each path that e-prop leaves out changes the gradient, so that the agreement without it says something."""
    agent = frozen_agent(layers=(12, 10), recurrent_scale=2.0)
    xs, stack = observations(), stack_of(agent, "critic")
    base = exact(stack, xs, np.ones((TICKS, 1)), EPROP)[0]
    for name in ("recurrence", "reset", "normaliser", "adaptation_above"):
        changed = exact(stack, xs, np.ones((TICKS, 1)), Paths(**(vars(EPROP) | {name: True})))[0]
        assert np.abs(changed - base).max() > 1e-3 * np.abs(base).max(), name


@pytest.mark.parametrize("adaptive_fraction", [0.0, 1.0])
def test_one_layer_is_eprop_of_bellec(adaptive_fraction: float) -> None:
    """eps as an explicit sum (eq. 22); e = psi eps (23); epsa unrolled to a sum of products (24); e with epsa (25)."""
    agent = frozen_agent(layers=(10,), adaptive_fraction=adaptive_fraction, recurrent_scale=1.0)
    xs, stack = observations(), stack_of(agent, "critic")
    layer, past = stack.layers[0], run(stack, xs)[1][0]
    credit, _ = credits_of(agent, lambda: agent.views, xs, "critic")
    assert_alive(stack, xs, credit)
    assert agent.views["critic/0/strength"].any() == (adaptive_fraction > 0)
    readout = stack.readout[0]
    for i, t in itertools.product(range(10), (1, 7, TICKS - 1)):
        eps = np.array(
            [sum(layer.alpha[i] ** (s - r) * past.slope[r] * past.u[r] for r in range(s + 1)) for s in range(t + 1)]
        )
        psi, strength, rho = past.psi[:, i], layer.strength[i], layer.rho[i]
        epsa = sum(np.prod(rho - strength * psi[s + 1 : t]) * psi[s] * eps[s] for s in range(t))
        e = psi[t] * (eps[t] - strength * epsa)
        np.testing.assert_allclose(credit[0][t, i, : e.size], readout[i] * e, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("net", ["actor", "critic"])
@pytest.mark.parametrize(
    "changes",
    [
        {"readout": "top", "observation_skip": False, "recurrent": False},
        {"readout": "all", "recurrent": False},
        {"readout": "all", "recurrent_scale": 0.0},
        {"readout": "top", "adaptive_fraction": 0.0},
    ],
)
def test_layer_below_the_top_is_exact(changes: dict[str, Any], net: str) -> None:
    """With one leak group and LIF neurons above, and recurrent weights 0, the cascade loses nothing."""
    agent = make_upper_simple(frozen_agent(layers=(12, 10), **changes))
    assert max(mismatch(agent, net, Paths(True, False, False, True))) < 1e-10


def test_adaptation_above_is_all_that_alif_neurons_above_lose() -> None:
    agent = make_upper_simple(frozen_agent(layers=(12, 10), adaptive_fraction=1.0), strength=1.0)
    assert max(mismatch(agent, "critic", EPROP)) < 1e-10
    assert mismatch(agent, "critic", Paths(True, False, False, True))[0] > 1e-2


def test_three_layers() -> None:
    """The top two layers are exact; below, psi inside a filter is replaced by its mean."""
    agent = make_upper_simple(frozen_agent(layers=(12, 11, 10), adaptive_fraction=0.0))
    bottom, *upper = mismatch(agent, "critic", EPROP)
    assert max(upper) < 1e-10
    assert bottom > 1e-3
    xs, stack = observations(), stack_of(agent, "critic")
    credit, g = credits_of(agent, lambda: agent.views, xs, "critic")
    part = exact(stack, xs, g, EPROP)[0]
    ours = credit[0][:, :, : part.shape[2]]
    assert np.sum(ours * part) / np.sqrt(np.sum(ours**2) * np.sum(part**2)) > 0.9


def test_credit_is_the_decayed_sum_of_gradients() -> None:
    """credit(t) = sum_s (discount trace_lambda)^(t-s) gradient(s)."""
    agent = make_upper_simple(frozen_agent(layers=(12, 10), trace_lambda=0.8, discount=0.9))
    xs, stack = observations(), stack_of(agent, "actor")
    credit, g = credits_of(agent, lambda: agent.views, xs, "actor")
    for ours, part in zip(credit, exact(stack, xs, g, EPROP), strict=True):
        expected = sum(0.72 ** (TICKS - 1 - s) * part[s] for s in range(TICKS))
        np.testing.assert_allclose(ours[-1, :, : part.shape[2]], expected, rtol=1e-8, atol=1e-10 * np.abs(part).max())


# ---- negative controls


def test_without_the_depth_filter_the_lower_layer_is_not_exact() -> None:
    agent = make_upper_simple(frozen_agent(layers=(12, 10), depth_filter=False))
    for net in ("actor", "critic"):
        agent.views[f"{net}/leak"][:] = 0.0
    lower, top = mismatch(agent, "critic", EPROP)
    assert lower > 1e-2
    assert top < 1e-10


MUTATIONS: dict[str, Callable[..., Any]] = {
    "membrane_eligibility": lambda eps, alphas, slope, u: 0.9 * alphas[:, None] * eps + slope * u,
    "adaptive_eligibility": lambda epsa, eps, psi, strength, rho: psi[:, None] * eps + rho[:, None] * epsa,
    "eligibility": lambda epsa, eps, psi, strength: psi[:, None] * (eps + strength[:, None] * epsa),
    "cascade": lambda traces, e, leaks, slopes: traces * leaks[0] + e if len(traces) else traces,
    "signals": lambda direct, weights, psi, psi_mean, true=reference.signals: true(direct, weights, psi_mean, psi_mean),
}


@pytest.mark.parametrize("name", [None, *MUTATIONS])
def test_a_mutated_rule_is_not_exact(name: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin stands in for the kernels, which cannot be patched; unpatched it passes."""
    agent = make_upper_simple(frozen_agent(layers=(12, 10)))
    agent.views["critic/leak"][:] = 0.8
    if name is not None:
        monkeypatch.setattr(reference, name, MUTATIONS[name])
    worst = max(mismatch(agent, "critic", EPROP, twin=True))
    assert worst < 1e-10 if name is None else worst > 1e-3


# ---- the oracle itself


def random_stack(seed: int, sizes: tuple[int, ...] = (5, 4, 4), outputs: int = 2) -> Stack:
    """Return a stack with all features in use: leak groups, LIF and ALIF, skip, recurrence, a layer not read."""
    rng = np.random.default_rng(seed)
    layers = []
    for index, n in enumerate(sizes):
        observed, recurrent = index != 1, index != len(sizes) - 1
        m = (sizes[index - 1] if index else 0) + INPUTS * observed + n * recurrent + 1
        layers.append(
            Layer(
                w=rng.normal(size=(n, m)) / np.sqrt(m),
                alpha=np.resize([0.3, 0.9], n),
                rho=np.full(n, 0.8),
                strength=np.resize([0.0, 0.6, 0.4], n),
                observed=observed,
                recurrent=recurrent,
                is_read=index != 1,
            )
        )
    features = sum(n for index, n in enumerate(sizes) if index != 1) + 1
    return Stack(tuple(layers), rng.normal(size=(outputs, features)), v_th=0.9, dampening=0.4, gain=1.7)


@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("switches", list(itertools.product([False, True], repeat=4)))
def test_rtrl_equals_bptt(switches: tuple[bool, ...], smooth: bool) -> None:
    stack, xs, paths = random_stack(1), observations(1)[:15], Paths(*switches)
    cost = np.random.default_rng(2).normal(size=(15, 2))
    forward, backward = rtrl(stack, xs, paths, smooth), bptt(stack, xs, cost, paths, smooth)
    for tangents, adjoint in zip(forward, backward, strict=True):
        assert np.abs(adjoint).max() > 1e-2
        np.testing.assert_allclose(np.einsum("tk,tknm->nm", cost, tangents), adjoint, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("seed", [3, 4])
def test_finite_differences_on_the_smooth_twin(seed: int) -> None:
    """With all paths in, the oracle is the derivative of the smooth network; without any one of them it is not."""
    stack, xs = random_stack(seed), observations(seed)[:15]
    cost = np.random.default_rng(seed).normal(size=(15, 2))
    differences = finite_differences(stack, xs, cost)
    for found, true in zip(bptt(stack, xs, cost, smooth=True), differences, strict=True):
        assert np.abs(true).max() > 1e-2
        np.testing.assert_allclose(found, true, rtol=1e-5, atol=1e-6 * np.abs(true).max())
    for name in vars(Paths()):
        partial = bptt(stack, xs, cost, Paths(**{name: False}), smooth=True)
        worst = max(np.abs(a - b).max() / np.abs(b).max() for a, b in zip(partial, differences, strict=True))
        assert worst > 1e-3, name
