"""Eligibility traces of deep e-prop, row by row.

For a synapse from input j to neuron i of layer l (Bellec et al. 2020, Nat. Commun. 11:3625, eqs. 22-26)::

    eps_j  <- alpha_g eps_j + gain s u_j                     one vector a leak group g
    e_ij    = psi_i (eps_j - fall epsr_ij - strength_i epsa_ij)
    epsa_ij <- rho_i epsa_ij + e_ij                          adaptive neurons only
    epsr_ij <- alpha_i epsr_ij + e_ij                        with `reset_path`; fall = reset_strength v_th

The third line is the paper's recursion ``psi_i eps_j + (rho_i - psi_i strength_i) epsa_ij`` with e_ij put in, and gives
the value that the *next* tick uses. The fourth follows the reset of the membrane in the same way; the paper leaves it
out (see docs/decisions/0006-deep-eprop.md).

The functions below work on one row (m,) of a matrix: compiled code vectorises over a slice, but not over ``row + j``,
and only up to about four arrays a loop.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .base.arrays import row
from .base.jit import TINY, kernel


@kernel
def filter_inputs(eps: NDArray, alpha: float, slope: float, inputs: NDArray) -> None:
    """``eps_j <- alpha eps_j + slope u_j``, flushed; eps, inputs (m,) float32, `eps` in place."""
    real = eps.dtype.type
    factor, tiny, zero = real(slope), real(TINY), real(0.0)
    for j in range(inputs.shape[0]):
        trace = alpha * eps[j] + factor * inputs[j]
        eps[j] = trace if np.abs(trace) > tiny else zero


@kernel
def plain_row(eps: NDArray, psi: float, e: NDArray) -> None:
    """Write the eligibility of a LIF neuron, ``e_j = psi eps_j``, to `e`, (m,), in place."""
    for j in range(e.shape[0]):
        e[j] = psi * eps[j]


@kernel
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
def reset_row(
    epsa: NDArray,
    epsr: NDArray,
    eps: NDArray,
    psi: float,
    strength: float,
    rho: float,
    fall: float,
    alpha: float,
    e: NDArray,
) -> None:
    """`adaptive_row` for a neuron whose membrane's reset counts too; epsa, epsr and e in place."""
    real = e.dtype.type
    tiny, zero = real(TINY), real(0.0)
    for j in range(e.shape[0]):
        eligibility = psi * (eps[j] - fall * epsr[j] - strength * epsa[j])
        trace = rho * epsa[j] + eligibility
        epsa[j] = trace if np.abs(trace) > tiny else zero
        trace = alpha * epsr[j] + eligibility
        epsr[j] = trace if np.abs(trace) > tiny else zero
        e[j] = eligibility


@kernel
def cascade_row(
    trace: NDArray, source: NDArray, leak: float, slope: float, signal: float, delayed: float, total: NDArray
) -> None:
    """``total += delayed R; R <- leak R + slope source; total += signal R`` for rows (m,), in place.

    `trace` is R of this level. `source` holds R of the level below on entry and, ready for the next level, this R on
    return.
    """
    real = total.dtype.type
    tiny, zero = real(TINY), real(0.0)
    for j in range(total.shape[0]):
        old = trace[j]
        filtered = leak * old + slope * source[j]
        filtered = filtered if np.abs(filtered) > tiny else zero
        trace[j] = filtered
        source[j] = filtered
        total[j] += signal * filtered + delayed * old


@kernel
def add_four_rows(total: NDArray, factors: NDArray, rows: NDArray) -> None:
    """``total_j += sum_k factors_k rows_kj`` for k = 0 .. 3, in place; total (m,), factors (4,), rows (4 m,)."""
    m = total.shape[0]
    a, b, c, d = row(rows, 0, m), row(rows, 1, m), row(rows, 2, m), row(rows, 3, m)
    p, q, r, s = factors[0], factors[1], factors[2], factors[3]
    for j in range(m):
        total[j] += p * a[j] + q * b[j] + r * c[j] + s * d[j]


@kernel
def credit_row(weights: NDArray, credit: NDArray, scale: float, decay: float, factor: float, source: NDArray) -> float:
    """Change a row of weights by the credit of the tick before, then bring that up to date; rows (m,), in place.

    ::

        W_j      <- W_j + scale credit_j
        credit_j <- decay credit_j + factor source_j         flushed

    Returns
    -------
    float
        Sum of the absolute credit of the row, for the overshoot bound of the next tick.
    """
    real = weights.dtype.type
    tiny, zero = real(TINY), real(0.0)
    norm = zero
    for j in range(weights.shape[0]):
        old = credit[j]
        weights[j] += scale * old
        new = decay * old + factor * source[j]
        new = new if np.abs(new) > tiny else zero
        credit[j] = new
        norm += np.abs(new)
    return norm


@kernel
def adaptive_credit_row(
    weights: NDArray,
    credit: NDArray,
    epsa: NDArray,
    scale: float,
    decay: float,
    signal: float,
    psi: float,
    strength: float,
    rho: float,
    eps: NDArray,
) -> float:
    """`adaptive_row` and `credit_row` in one sweep, where e is needed for nothing else; faster by a quarter."""
    real = weights.dtype.type
    tiny, zero = real(TINY), real(0.0)
    norm = zero
    for j in range(weights.shape[0]):
        eligibility = psi * (eps[j] - strength * epsa[j])
        trace = rho * epsa[j] + eligibility
        epsa[j] = trace if np.abs(trace) > tiny else zero
        old = credit[j]
        weights[j] += scale * old
        new = decay * old + signal * eligibility
        new = new if np.abs(new) > tiny else zero
        credit[j] = new
        norm += np.abs(new)
    return norm
