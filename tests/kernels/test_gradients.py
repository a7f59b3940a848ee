"""The credit that the compiled agent forms, where it must equal the exact surrogate gradient of the same network."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from synaptick.kernels import distributions as kernels
from synaptick.kernels.base.jit import ARITHMETIC

from ..reference.distributions import Clipped
from ..support.credits import (
    TICKS,
    assert_alive,
    cosines,
    credits_of,
    exact,
    frozen_agent,
    make_upper_simple,
    mismatch,
    observations,
    stack_of,
)
from ..support.harness import up_to_date
from ..support.mutants import TRUE, put
from ..support.oracle import EPROP, Paths, run

# In fast arithmetic the step is compiled once more for this, in float64.
pytestmark = [pytest.mark.double, pytest.mark.any_arithmetic, *([pytest.mark.slow] if ARITHMETIC == "fast" else [])]

# All that a layer under LIF neurons can know, recurrence apart.
LIF_ABOVE = replace(EPROP, adaptation_above=True)

ONE_LAYER = [
    {"layers": (12,), "recurrent": False, "adaptive_fraction": 0.0},
    {"layers": (12,), "recurrent": False, "adaptive_fraction": 1.0},
    {"layers": (12,), "recurrent": False, "adaptive_fraction": 0.5},
    {"layers": (12,), "recurrent_scale": 2.0},
    {"layers": (12,), "recurrent": False, "spikes": "graded", "payload_cap": 0.7, "v_th": 0.8},
]


@pytest.mark.parametrize("changes", ONE_LAYER)
@pytest.mark.parametrize("net", ["actor", "critic"])
def test_one_layer_is_exact(changes: dict[str, Any], net: str) -> None:
    """Only the reset, the statistics of the current and, where there is one, the recurrence are left out."""
    assert mismatch(frozen_agent(**changes), net, EPROP)[0] < 1e-10


@pytest.mark.parametrize("changes", ONE_LAYER)
@pytest.mark.parametrize("net", ["actor", "critic"])
def test_one_layer_with_the_reset_is_exact(changes: dict[str, Any], net: str) -> None:
    agent = frozen_agent(**changes, reset_path=True)
    assert mismatch(agent, net, replace(EPROP, reset=True))[0] < 1e-10
    assert mismatch(frozen_agent(**changes), net, replace(EPROP, reset=True))[0] > 1e-2


def test_what_is_left_out_matters() -> None:
    """Each path that e-prop leaves out changes the gradient, so that the agreement without it says something."""
    agent = frozen_agent(layers=(12, 10), recurrent_scale=2.0)
    xs, stack = observations(), stack_of(agent, "critic")
    base = exact(stack, xs, np.ones((TICKS, 1)), EPROP)[0]
    left_out: list[dict[str, Any]] = [{"hops": 1}, {"hops": None}]
    left_out += [{name: True} for name in vars(Paths()) if name != "hops"]
    for changes in left_out:
        changed = exact(stack, xs, np.ones((TICKS, 1)), replace(EPROP, **changes))[0]
        assert np.abs(changed - base).max() > 1e-3 * np.abs(base).max(), changes


@pytest.mark.parametrize("adaptive_fraction", [0.0, 1.0])
def test_one_layer_is_eprop_of_bellec(adaptive_fraction: float) -> None:
    """eps as an explicit sum (eq. 22); e = psi eps (23); epsa unrolled to a sum of products (24); e with epsa (25)."""
    agent = frozen_agent(layers=(10,), adaptive_fraction=adaptive_fraction, recurrent_scale=1.0)
    xs, stack = observations(), stack_of(agent, "critic")
    layer, past = stack.layers[0], run(stack, xs)[1][0]
    credit, _ = credits_of(agent, lambda: up_to_date(agent), xs, "critic")
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


TWO_LAYERS = [
    {"readout": "top", "observation_skip": False, "recurrent": False},
    {"readout": "all", "recurrent": False},
    {"readout": "all", "recurrent_scale": 0.0},
    {"readout": "top", "adaptive_fraction": 0.0},
]


@pytest.mark.parametrize("net", ["actor", "critic"])
@pytest.mark.parametrize("changes", TWO_LAYERS)
def test_layer_below_the_top_is_exact(changes: dict[str, Any], net: str) -> None:
    """With one leak group and LIF neurons above, and recurrent weights 0, the cascade loses nothing."""
    agent = make_upper_simple(frozen_agent(layers=(12, 10), **changes))
    assert max(mismatch(agent, net, LIF_ABOVE)) < 1e-10


@pytest.mark.parametrize("net", ["actor", "critic"])
@pytest.mark.parametrize("changes", TWO_LAYERS)
def test_layer_below_the_top_is_exact_with_the_reset(changes: dict[str, Any], net: str) -> None:
    """It follows its own reset; the filter of the layer above does not know that of the membranes there."""
    agent = make_upper_simple(frozen_agent(layers=(12, 10), reset_path=True, **changes))
    assert max(mismatch(agent, net, replace(LIF_ABOVE, reset=True))) < 1e-10
    lower, top = mismatch(agent, net, replace(LIF_ABOVE, reset=True, reset_above=True))
    assert lower > 1e-2
    assert top < 1e-10


@pytest.mark.parametrize("reset_path", [False, True])
def test_adaptation_above_is_all_that_alif_neurons_above_lose(reset_path: bool) -> None:
    changes = {"layers": (12, 10), "adaptive_fraction": 1.0, "reset_path": reset_path}
    agent = make_upper_simple(frozen_agent(**changes), strength=1.0)
    assert max(mismatch(agent, "critic", replace(EPROP, reset=reset_path))) < 1e-10
    assert mismatch(agent, "critic", replace(LIF_ABOVE, reset=reset_path))[0] > 1e-2


@pytest.mark.parametrize("reset_path", [False, True])
def test_three_layers(reset_path: bool) -> None:
    """The top two layers are exact; below, psi inside a filter is replaced by its mean."""
    changes = {"layers": (12, 11, 10), "adaptive_fraction": 0.0, "reset_path": reset_path, "spikes": "binary"}
    agent, paths = make_upper_simple(frozen_agent(**changes)), replace(EPROP, reset=reset_path)
    bottom, *upper = mismatch(agent, "critic", paths)
    assert max(upper) < 1e-10
    assert bottom > 1e-3
    assert cosines(agent, "critic", paths)[0] > 0.9


# All ways that a signal can take without recurrent weights, neurons of all kinds.
THREE_LAYERS: dict[str, dict[str, Any]] = {
    "plain stack": {"readout": "top", "observation_skip": False, "recurrent": False},
    "all read out": {"readout": "all", "recurrent": False},
    "recurrent weights of 0": {"readout": "all", "recurrent_scale": 0.0},
}
TENSOR = {"layers": (12, 11, 10), "depth_filter": "tensor"}


@pytest.mark.parametrize("reset_path", [False, True])
@pytest.mark.parametrize("net", ["actor", "critic"])
@pytest.mark.parametrize("wiring", THREE_LAYERS)
def test_the_tensor_is_exact_at_any_depth_with_any_leaks(wiring: str, net: str, reset_path: bool) -> None:
    """What it leaves out is what it says: reset and adaptation of layers above, the statistics of currents."""
    changes, paths = THREE_LAYERS[wiring] | {"reset_path": reset_path}, replace(EPROP, reset=reset_path)
    agent = frozen_agent(**TENSOR, **changes)
    assert len(np.unique(agent.views[f"{net}/1/alpha"])) > 1
    assert max(mismatch(agent, net, paths)) < 1e-10
    assert min(mismatch(frozen_agent(**TENSOR | {"depth_filter": "cascade"}, **changes), net, paths)[:2]) > 1e-2
    np.testing.assert_allclose(cosines(agent, net, paths), 1.0, rtol=1e-12)
    assert min(mismatch(agent, net, replace(paths, reset_above=True))[:2]) > 1e-2
    assert min(mismatch(agent, net, replace(paths, adaptation_above=True))[:2]) > 1e-3


def test_the_tensor_leaves_out_nothing_of_lif_neurons_above() -> None:
    agent = frozen_agent(**TENSOR, adaptive_fraction=0.0, **THREE_LAYERS["plain stack"])
    assert max(mismatch(agent, "critic", LIF_ABOVE)) < 1e-10


# The rule, or what it would be with the mean leak; without psi in between; with weights that come from elsewhere.
WRONG_TENSORS: dict[str, Callable[..., Any]] = {
    "tensor.influence mean leak": lambda trace, leak, *rest: TRUE["tensor.influence"](
        trace, np.full_like(leak, leak.mean()), *rest
    ),
    "tensor.influence of the tick": lambda trace, *rest: TRUE["tensor.influence"](0 * trace, *rest),
    "tensor.influence one weight": lambda trace, leak, slope, weights, moved: TRUE["tensor.influence"](
        trace, leak, slope, np.broadcast_to(weights.mean(axis=0), weights.shape), moved
    ),
}


@pytest.mark.parametrize("name", [None, *WRONG_TENSORS])
def test_a_mutated_tensor_is_not_exact(name: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = frozen_agent(**TENSOR, **THREE_LAYERS["plain stack"])
    if name is not None:
        put(monkeypatch, name, WRONG_TENSORS[name])
    found = mismatch(agent, "critic", EPROP, twin=True)
    assert found[2] < 1e-10
    assert max(found[:2]) < 1e-10 if name is None else min(found[:2]) > 1e-2


# With tau at its lowest all leaks are 0: no filter, and no mean in its place.
MEMORYLESS = {"tau_min": 0.01, "tau_max": 0.01}


@pytest.mark.parametrize("depth_filter", ["cascade", "factored", "none", "tensor"])
def test_without_memory_all_filters_are_exact(depth_filter: str) -> None:
    agent = frozen_agent(layers=(12, 10), adaptive_fraction=0.0, depth_filter=depth_filter, **MEMORYLESS)
    assert max(mismatch(agent, "critic", EPROP)) < 1e-10


@pytest.mark.parametrize("depth_filter", ["cascade", "factored"])
@pytest.mark.parametrize("net", ["actor", "critic"])
def test_without_memory_one_hop_around_is_exact_but_for_the_slope(depth_filter: str, net: str) -> None:
    """The trace has the slope of the tick in which the spike went off, not of the next one, in which it arrived."""
    found = []
    changes = {"layers": (12,), "recurrent_scale": 2.0, "adaptive_fraction": 0.0, **MEMORYLESS}
    for hop in (False, True):
        agent = frozen_agent(recurrent_hop=hop, depth_filter=depth_filter, **changes)
        xs, stack = observations(), stack_of(agent, net)
        credit, g = credits_of(agent, lambda agent=agent: up_to_date(agent), xs, net)  # type: ignore[misc]
        part = exact(stack, xs, g, replace(EPROP, hops=int(hop)))[0]
        found.append((credit[0][:, :, : part.shape[2]], part))
    ours, true = (with_hop - without for without, with_hop in zip(*found, strict=True))
    slope = run(stack, xs)[1][0].slope
    assert_alive(stack, xs, [true])
    np.testing.assert_allclose(ours[0], 0.0, atol=1e-12)
    late = ours[1:] * (slope[1:] / slope[:-1])[:, None, None]
    np.testing.assert_allclose(late, true[1:], rtol=1e-8, atol=1e-10 * np.abs(true).max())


@pytest.mark.parametrize(("net", "decay"), [("actor", 0.9 * 0.8), ("critic", 0.9 * 0.6)])
def test_credit_is_the_decayed_sum_of_gradients(net: str, decay: float) -> None:
    """credit(t) = sum_s (discount lambda)^(t-s) gradient(s)."""
    agent = make_upper_simple(frozen_agent(layers=(12, 10), lambda_policy=0.8, lambda_value=0.6, discount=0.9))
    xs, stack = observations(), stack_of(agent, net)
    credit, g = credits_of(agent, lambda: up_to_date(agent), xs, net)
    for ours, part in zip(credit, exact(stack, xs, g, EPROP), strict=True):
        expected = sum(decay ** (TICKS - 1 - s) * part[s] for s in range(TICKS))
        np.testing.assert_allclose(ours[-1, :, : part.shape[2]], expected, rtol=1e-8, atol=1e-10 * np.abs(part).max())


# ---- controls

BOXES = {
    "bounded": spaces.Box(-1, 1, (2,)),
    "one-sided": spaces.Box(np.array([-2.0, -np.inf]), np.array([np.inf, 0.5]), dtype=np.float64),
    "unbounded": spaces.Box(-np.inf, np.inf, (2,)),
    "mixed": spaces.Tuple([spaces.Box(-1, 1, (1,)), spaces.MultiDiscrete([2, 3])]),
}
# One layer without recurrence, whose e-prop is exact; a std that clips often and is learned quickly.
CONTROLS = {"layers": (12,), "recurrent": False, "initial_std": 0.8, "std_lr_scale": 0.3}


@pytest.fixture
def kernel_hazard(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exact hazard, from which the kernels' differs by 1e-5, would hide smaller differences."""
    put(monkeypatch, "distributions.tail_hazard", kernels.tail_hazard)


def score_parts(agent: Any) -> tuple[list[Any], Any, Any]:
    """Return the exact gradients that means and stds bring to the layers, and the score of every tick."""
    xs, stack = observations(), stack_of(agent, "actor")
    _, g = credits_of(agent, lambda: up_to_date(agent), xs, "actor")
    controls = agent.action.controls
    found = []
    for first in (g.shape[1] - 2 * controls, g.shape[1] - controls):
        only = np.zeros_like(g)
        only[:, first : first + controls] = g[:, first : first + controls]
        found.append(exact(stack, xs, only, EPROP)[0])
    return found, g, stack


@pytest.mark.usefixtures("kernel_hazard")
@pytest.mark.parametrize("std", ["state", "free"])
@pytest.mark.parametrize("kind", BOXES)
def test_credit_of_controls_is_exact(kind: str, std: str) -> None:
    """S_i e_ij is the gradient of log pi, of a mean times its std, of a log-std times `std_lr_scale`."""
    agent = frozen_agent(actions=BOXES[kind], std=std, **CONTROLS)
    assert mismatch(agent, "actor", EPROP)[0] < 1e-10
    (of_means, of_stds), g, _ = score_parts(agent)
    assert np.abs(of_means).max() > 1e-2
    assert np.abs(of_stds).max() > 1e-3 if std == "state" else not of_stds.any()
    assert (np.abs(g) > 1e-3).mean() > 0.8


@pytest.mark.usefixtures("kernel_hazard")
@pytest.mark.parametrize("std", ["state", "free"])
def test_accumulated_credit_is_the_gradient_of_the_log_probability_of_all_actions(std: str) -> None:
    """With lambda = discount = 1; of the readout too, where free stds have nothing but their bias."""
    agent = frozen_agent(1, BOXES["bounded"], std=std, **CONTROLS, lambda_policy=1.0, lambda_value=1.0, discount=1.0)
    xs, stack = observations(), stack_of(agent, "actor")
    credit, g = credits_of(agent, lambda: up_to_date(agent), xs, "actor")
    (part,) = exact(stack, xs, g, EPROP)
    assert_alive(stack, xs, [part])
    total = part.sum(axis=0)
    np.testing.assert_allclose(credit[0][-1, :, : total.shape[1]], total, rtol=1e-9, atol=1e-10 * np.abs(total).max())
    z = run(stack, xs)[1][0].z
    of_readout = g.T @ np.hstack([z, np.ones((TICKS, 1))])
    if std == "free":
        of_readout[2:, :-1] = 0.0
    assert np.abs(of_readout).max(axis=1).min() > 1e-2
    ours = agent.views["actor/credit"][:, : of_readout.shape[1]]
    np.testing.assert_allclose(ours, of_readout, rtol=1e-9, atol=1e-10)


class _Plain(Clipped):
    """The score of a Gaussian that has no bounds, at the number that was drawn."""

    def beyond(self, u: float) -> tuple[float, int]:
        return np.nan, 0


class _Executed(Clipped):
    """The same at the number that was executed."""

    def mean_gradient(self, u: float) -> float:
        return float((np.clip(u, self.low, self.high) - self.mean) / self.std)


class _WithoutOne(Clipped):
    """n^2 for n^2 - 1."""

    def std_gradient(self, u: float) -> float:
        return ((u - self.mean) / self.std) ** 2


class _PlainScale(Clipped):
    """d log pi / d mean, not multiplied by the std."""

    def mean_gradient(self, u: float) -> float:
        return super().mean_gradient(u) / self.std


@pytest.mark.parametrize("mutation", [None, _Plain, _Executed, _WithoutOne, _PlainScale])
def test_a_mutated_score_is_not_exact(mutation: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = frozen_agent(actions=BOXES["bounded"], **CONTROLS)
    if mutation is not None:
        put(monkeypatch, "distributions.Clipped", mutation)
    worst = mismatch(agent, "actor", EPROP, twin=True)[0]
    assert worst < 1e-10 if mutation is None else worst > 1e-2


# ---- negative controls


def test_without_the_depth_filter_the_lower_layer_is_not_exact() -> None:
    agent = frozen_agent(layers=(12, 10), depth_filter="none", leak_groups=1, adaptive_fraction=0.0)
    lower, top = mismatch(agent, "critic", EPROP)
    assert lower > 1e-2
    assert top < 1e-10


MUTATIONS: dict[str, Callable[..., Any]] = {
    "neuron.filter_inputs": lambda eps, alphas, slope, u: 0.9 * alphas[:, None] * eps + slope * u,
    "neuron.adaptive_eligibility": lambda epsa, eps, undone, psi, strength, rho: (
        psi[:, None] * eps + rho[:, None] * epsa
    ),
    "neuron.reset_eligibility": lambda *arguments: TRUE["neuron.reset_eligibility"](
        *arguments[:-1], np.sqrt(arguments[-1])
    ),
    "neuron.suppression": lambda epsa, epsr, strength, fall: strength[:, None] * epsa,
    "neuron.eligibility": lambda eps, x, psi: psi[:, None] * (eps + x),
    "depth.cascade": lambda traces, e, leaks, slopes: traces * leaks[0] + e if len(traces) else traces,
    "signals.signals": lambda direct, weights, psi, psi_mean, *rest: TRUE["signals.signals"](
        direct, weights, psi_mean, psi_mean, *rest
    ),
}


@pytest.mark.parametrize("name", [None, *MUTATIONS])
def test_a_mutated_rule_is_not_exact(name: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin stands in for the kernels, which cannot be patched; unpatched it passes."""
    agent = make_upper_simple(frozen_agent(layers=(12, 10), reset_path=True))
    if name is not None:
        put(monkeypatch, name, MUTATIONS[name])
    worst = max(mismatch(agent, "critic", replace(EPROP, reset=True), twin=True))
    assert worst < 1e-10 if name is None else worst > 1e-3


GRADED: dict[str, Callable[..., Any]] = {
    "spike.emit without a cap on psi": lambda config, cap, excess: (
        TRUE["spike.emit"](config, cap, excess)[0],
        np.clip(1 + excess / config.v_th, 0, 1) / cap / config.v_th,
    ),
    "spike.emit with that of binary spikes": lambda config, cap, excess: (
        TRUE["spike.emit"](config, cap, excess)[0],
        np.maximum(0, 1 - np.abs(excess) / config.v_th) / cap / config.v_th,
    ),
    "spike.emit above the threshold alone": lambda config, cap, excess: (
        TRUE["spike.emit"](config, cap, excess)[0],
        (excess > 0) * TRUE["spike.emit"](config, cap, excess)[1],
    ),
}


@pytest.mark.parametrize("name", [None, *GRADED])
def test_a_mutated_graded_spike_is_not_exact(name: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = frozen_agent(layers=(12,), recurrent=False, reset_path=True, spikes="graded", payload_cap=0.7)
    if name is not None:
        put(monkeypatch, name, GRADED[name])
    worst = mismatch(agent, "critic", replace(EPROP, reset=True), twin=True)[0]
    assert worst < 1e-10 if name is None else worst > 1e-3
