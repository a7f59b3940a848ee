"""The oracle of exact gradients: forward against backward mode, and both against finite differences."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from synaptick.bench.gradients.bptt import Spikes

from ..support.oracle import Layer, Paths, Stack, bptt, finite_differences, rtrl, run

INPUTS, TICKS = 3, 15


def observations(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(TICKS, INPUTS)).cumsum(axis=0) / 2


def random_stack(
    seed: int, sizes: tuple[int, ...] = (5, 4, 4), outputs: int = 2, payload_cap: float | None = None
) -> Stack:
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
    return Stack(tuple(layers), rng.normal(size=(outputs, features)), spikes=Spikes(0.9, 0.4, payload_cap), gain=1.7)


@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("hops", [0, 1, 2, None])
@pytest.mark.parametrize("switches", list(itertools.product([False, True], repeat=4)))
def test_rtrl_equals_bptt(switches: tuple[bool, ...], hops: int | None, smooth: bool) -> None:
    stack, xs, paths = random_stack(1), observations(1), Paths(hops, *switches)
    cost = np.random.default_rng(2).normal(size=(TICKS, 2))
    forward, backward = rtrl(stack, xs, paths, smooth), bptt(stack, xs, cost, paths, smooth)
    for tangents, adjoint in zip(forward, backward, strict=True):
        assert np.abs(adjoint).max() > 1e-2
        np.testing.assert_allclose(np.einsum("tk,tknm->nm", cost, tangents), adjoint, rtol=1e-9, atol=1e-11)


LEFT_OUT = [{"hops": hops} for hops in (0, 1, 2)] + [{name: False} for name in vars(Paths()) if name != "hops"]


@pytest.mark.parametrize("payload_cap", [None, 0.8])
@pytest.mark.parametrize("seed", [3, 4])
def test_finite_differences_on_the_smooth_twin(seed: int, payload_cap: float | None) -> None:
    """With all paths in, the oracle is the derivative of the smooth network; without any one of them it is not."""
    stack, xs = random_stack(seed, payload_cap=payload_cap), observations(seed)
    cost = np.random.default_rng(seed).normal(size=(TICKS, 2))
    differences = finite_differences(stack, xs, cost)
    for found, true in zip(bptt(stack, xs, cost, smooth=True), differences, strict=True):
        assert np.abs(true).max() > 1e-2
        np.testing.assert_allclose(found, true, rtol=1e-5, atol=1e-6 * np.abs(true).max())
    for changes in LEFT_OUT:
        partial = bptt(stack, xs, cost, Paths(**changes), smooth=True)  # type: ignore[arg-type]
        worst = max(np.abs(a - b).max() / np.abs(b).max() for a, b in zip(partial, differences, strict=True))
        assert worst > 1e-4, changes


def test_enough_hops_are_all_hops() -> None:
    """A hop takes a tick, so that in T ticks there are at most T - 1 of them; fewer than that do not suffice."""
    stack, xs = random_stack(5), observations(5)
    everything, most, fewer = (rtrl(stack, xs, Paths(hops=hops)) for hops in (None, TICKS - 1, 3))
    for all_hops, enough, short in zip(everything[:-1], most, fewer, strict=False):
        np.testing.assert_allclose(enough, all_hops, rtol=1e-10, atol=1e-12)
        assert np.abs(short - all_hops).max() > 1e-6 * np.abs(all_hops).max()


def test_a_hop_around_one_layer_by_hand() -> None:
    """The part of one hop: dz(t) -> next tick's current -> membrane -> spike, summed over all pairs of ticks."""
    rng, n = np.random.default_rng(6), 4
    layer = Layer(rng.normal(size=(n, INPUTS + n + 1)), np.resize([0.3, 0.9], n), np.zeros(n), np.zeros(n))
    stack, xs = Stack((layer,), rng.normal(size=(1, n + 1))), observations(6)
    plain = {"reset": False, "reset_above": False, "normalizer": False, "adaptation_above": False}
    none, one = (rtrl(stack, xs, Paths(hops, **plain))[0] for hops in (0, 1))
    past = run(stack, xs)[1][0]
    own = layer.w[:, stack.own_columns(0)]
    eye = rtrl(Stack((layer,), np.eye(n, n + 1)), xs, Paths(0, **plain))[0]  # dz_i(t)/dW, (T, n, n, m)
    for t in (3, TICKS - 1):
        later = sum(
            (layer.alpha ** (t - s) * past.slope[s])[:, None, None] * np.einsum("ij,jnm->inm", own, eye[s - 1])
            for s in range(1, t + 1)
        )
        expected = np.einsum("i,inm->nm", stack.readout[0, :n] * past.psi[t], later)
        np.testing.assert_allclose(one[t, 0] - none[t, 0], expected, rtol=1e-9, atol=1e-12)
        assert np.abs(expected).max() > 1e-3
