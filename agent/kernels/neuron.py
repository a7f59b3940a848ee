"""The neuron model: leaky (LIF) and adaptive (ALIF) integrate-and-fire, and the eligibility of their synapses.

::

    v_i <- alpha_i v_i + I_i - reset_strength v_th z_i(t-1)
    a_i <- rho_i a_i + z_i(t-1);   A_i = v_th + strength_i a_i
    z_i, psi_i: what `spike.py` makes of v_i - A_i

Bellec et al. 2020, Nat. Commun. 11:3625, eqs. 6-10 and 20 (soft reset; strength 0 is a LIF neuron). For a synapse from
input j to neuron i (eqs. 22-26)::

    eps_j  <- alpha_g eps_j + slope u_j                      one a leak group g; slope: `forward.normalize_current`
    e_ij    = psi_i (eps_j - fall epsr_ij - strength_i epsa_ij)
    epsa_ij <- rho_i epsa_ij + e_ij                          adaptive neurons only
    epsr_ij <- alpha_i epsr_ij + e_ij                        with `reset_path`; fall = reset_strength v_th

The third line is the paper's recursion ``psi_i eps_j + (rho_i - psi_i strength_i) epsa_ij`` with e_ij put in, and gives
the value that the *next* tick uses. The fourth follows the reset of the membrane in the same way; the paper leaves it
out (see docs/decisions/0006-deep-eprop.md).

What other kernels, and the exports, ask of a model: `fire`, `filter_inputs`, `eligibility_row` and `add_suppression`;
`rest.py` knows that eligibility is 0 where psi is, and has the second and third equation for itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base.arrays import row
from .base.jit import TINY, disjoint, kernel
from .base.vectors import add_scaled, leaky_filter, scale
from .spike import emit
from .views import Layer

SETTINGS = ("v_th", "reset_strength", "payload_cap")


@kernel
def fire(settings: Any, layer: Layer) -> float:
    """Advance membrane and adaptation of a layer by one tick, emit spikes, and return their number.

    ``layer.current`` is read; v, a, z and psi are modified in place. On entry z holds the spikes of the tick before, on
    return those of this one.
    """
    current, alpha, rho, strength = layer.current, layer.alpha, layer.rho, layer.strength
    v, a, z, psi = layer.v, layer.a, layer.z, layer.psi
    real = v.dtype.type
    tiny = real(TINY)
    threshold, drop, zero = real(settings.v_th), real(fall(settings)), real(0.0)
    for i in range(current.shape[0]):
        membrane = alpha[i] * v[i] + current[i] - drop * z[i]
        adaptation = rho[i] * a[i] + z[i]
        psi[i] = membrane - (threshold + strength[i] * adaptation)
        v[i] = membrane if np.abs(membrane) > tiny else zero
        a[i] = adaptation if adaptation > tiny else zero
    return emit(settings, settings.payload_cap, z, psi)


@kernel
def fall(settings: Any) -> float:
    """Return how far a spike lowers the membrane, ``reset_strength v_th``."""
    return settings.reset_strength * settings.v_th


@kernel
def filter_inputs(layer: Layer, slope: float) -> None:
    """``eps_j <- alpha_g eps_j + slope u_j`` for each leak group g of a layer, flushed; ``layer.eps`` in place."""
    for group in range(layer.eps.shape[0] // layer.m):
        leaky_filter(row(layer.eps, group, layer.m), layer.alphas[group], slope, layer.inputs)


@kernel
@disjoint
def adaptive_row(epsa: NDArray, eps: NDArray, psi: float, strength: float, rho: float, e: NDArray) -> None:
    """Write the eligibility of an ALIF neuron to `e` and advance its `epsa`; rows (m,), both in place."""
    real = e.dtype.type
    tiny, zero = real(TINY), real(0.0)
    for j in range(e.shape[0]):
        eligibility = psi * (eps[j] - strength * epsa[j])
        trace = rho * epsa[j] + eligibility
        epsa[j] = trace if np.abs(trace) > tiny else zero
        e[j] = eligibility


@kernel
@disjoint
def _reset_row(
    epsa: NDArray,
    epsr: NDArray,
    eps: NDArray,
    psi: float,
    strength: float,
    rho: float,
    drop: float,
    alpha: float,
    e: NDArray,
) -> None:
    """`adaptive_row` for a neuron whose membrane's reset counts too; epsa, epsr and e in place."""
    real = e.dtype.type
    tiny, zero = real(TINY), real(0.0)
    for j in range(e.shape[0]):
        eligibility = psi * (eps[j] - drop * epsr[j] - strength * epsa[j])
        trace = rho * epsa[j] + eligibility
        epsa[j] = trace if np.abs(trace) > tiny else zero
        trace = alpha * epsr[j] + eligibility
        epsr[j] = trace if np.abs(trace) > tiny else zero
        e[j] = eligibility


@kernel
def eligibility_row(settings: Any, layer: Layer, i: int, eps: NDArray, e: NDArray) -> None:
    """Write e of neuron i, whose leak group has `eps`, to `e` and advance its epsa and epsr; rows (m,), in place."""
    m = layer.m
    drop = e.dtype.type(fall(settings))
    reset = layer.epsr.shape[0] > 0
    if i < layer.n_adaptive:
        epsa = row(layer.epsa, i, m)
        if reset:
            epsr = row(layer.epsr, i, m)
            _reset_row(epsa, epsr, eps, layer.psi[i], layer.strength[i], layer.rho[i], drop, layer.alpha[i], e)
        else:
            adaptive_row(epsa, eps, layer.psi[i], layer.strength[i], layer.rho[i], e)
    elif reset:
        # To its eligibility, the reset of a LIF neuron is an adaptation that decays as the membrane does.
        adaptive_row(row(layer.epsr, i, m), eps, layer.psi[i], drop, layer.alpha[i], e)
    else:
        scale(eps, layer.psi[i], e)


@kernel
def add_suppression(settings: Any, layer: Layer, i: int, weight: float, out: NDArray) -> None:
    """``out_j -= weight (strength_i epsa_ij + fall epsr_ij)``: what lowers the eligibility of neuron i; (m,), in place.

    To be called before this tick's e moves epsa and epsr on.
    """
    m = layer.m
    if i < layer.n_adaptive:
        add_scaled(out, -weight * layer.strength[i], row(layer.epsa, i, m))
    if layer.epsr.shape[0] > 0:
        add_scaled(out, -weight * out.dtype.type(fall(settings)), row(layer.epsr, i, m))


@kernel
@disjoint
def adaptive_credit_row(
    w: NDArray,
    credit: NDArray,
    epsa: NDArray,
    eps: NDArray,
    psi: float,
    strength: float,
    rho: float,
    step: float,
    decay: float,
    signal: float,
) -> float:
    """`adaptive_row` and `credit_row` in one sweep; return the L1 norm of the credit."""
    real = w.dtype.type
    tiny, zero = real(TINY), real(0.0)
    norm = zero
    for j in range(w.shape[0]):
        eligibility = psi * (eps[j] - strength * epsa[j])
        trace = rho * epsa[j] + eligibility
        epsa[j] = trace if np.abs(trace) > tiny else zero
        old = credit[j]
        w[j] += step * old
        new = decay * old + signal * eligibility
        new = new if np.abs(new) > tiny else zero
        credit[j] = new
        norm += np.abs(new)
    return norm
