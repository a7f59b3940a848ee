"""Twin of `kernels/depth.py`: eligibility carried through the layers above.

The equations are those of traces as they are; what is stored is each by its mass, see `stored`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import vectors
from .vectors import Array

if TYPE_CHECKING:
    from .agent import ReferenceAgent
    from .signals import Signals

# Below, a mean of past psi is 0.
PSI_FLOOR = 1e-12


def cascade(traces: Array, source: Any, leaks: Array, slopes: Array) -> Array:
    """R_0 = source, R_q' = leak_q R_q + slope_q R_{q-1}'; R_1..R_k along the first axis of traces, nearest layer first.

    Also D_q, from eps, and N_q, from 1.
    """
    filtered = np.zeros_like(traces)
    for q in range(len(traces)):
        source = filtered[q] = vectors.flushed(leaks[q] * traces[q] + slopes[q] * source)
    return filtered


def fan(traces: Array, source: Any, leaks: Array, slope: float) -> Array:
    """F_h' = leak_h F_h + slope source; F_h along the first axis. Also M_h, from 1."""
    return np.array([vectors.flushed(leak * f + slope * source) for leak, f in zip(leaks, traces, strict=True)])


def past_mean(past: Array, psi: Array, mass: float, fresh: float) -> Array:
    """P' = (old mass P + fresh psi) / mass, mass = old mass + fresh: mean of psi with the weights that mass sums."""
    found = ((mass - fresh) * past + fresh * psi) / mass
    return np.where(found > PSI_FLOOR, found, 0.0)


def cascade_credit(s: Signals, e: Array, before: Array, after: Array) -> Array:
    """S_0 e + U R_1 + D R_1(t-1) + sum_{q>1} T_q R_q; before, after (k, n, m): R as of the last tick and this one."""
    credit = s.direct[:, None] * e
    if len(after):
        credit = credit + s.up[0][:, None] * after[0] + s.around[0][:, None] * before[0]
    return credit + np.einsum("qi,qij->ij", s.hops[1:], after[1:])


def instant_credit(s: Signals, e: Array, slopes: Array) -> Array:
    """(S_0 + slope_1 sum_h U_h + sum_{q>1} slope_1 .. slope_q T_q) e: inputs of this very tick."""
    factor = s.direct
    if len(slopes):
        factor = factor + slopes[0] * s.up.sum(axis=0) + np.cumprod(slopes)[1:] @ s.hops[1:]
    return factor[:, None] * e


def one_hop_credit(s: Signals, x: Array, f: Array, m: Array, past: Array, leaks: Array) -> Array:
    """sum_h P_h (a_h U_h + D_h) (F_h - M_h x); f (s, n, m), m (s,), past (s, n) as of the tick before."""
    factors = past * (leaks[:, None] * s.up + s.around)
    return np.einsum("hi,hij->ij", factors, f - m[:, None, None] * x)


def deeper_credit(s: Signals, x: Array, d: Array, n: Array, past: Array, leak: float, slopes: Array) -> Array:
    """P a sum_q (sum_{r>=q, r>1} slope_{q+1} .. slope_r T_r) (D_q - N_q x); d (k, n, m), n (k,), past P (n,)."""
    credit = np.zeros_like(x)
    for q in range(1, len(n) + 1):
        for r in range(max(q, 2), len(n) + 1):
            factor = past * leak * np.prod(slopes[q:r]) * s.hops[r - 1]
            credit += factor[:, None] * (d[q - 1] - n[q - 1] * x)
    return credit


def weights(mass: Array, s: int = 0) -> Array:
    """M_1 .. M_s and N_1 .. N_k from M_h and N_q / N_{q-1}, as they are stored."""
    return np.concatenate([mass[:s], np.cumprod(mass[s:])])


def stored(weight: Array, s: int = 0) -> Array:
    """The opposite of `weights`."""
    return np.concatenate([weight[:s], weight[s:] / np.concatenate([[1.0], weight[s:]])[: len(weight) - s]])


def advance_cascade(agent: ReferenceAgent, at: str, e: Array, leaks: Array, slopes: Array) -> tuple[Array, Array]:
    """R_1..R_k as of the last tick and of this one."""
    arrays, weight = agent.arrays, weights(agent.arrays[at + "mass"])
    before = arrays[at + "cascade"] * weight[:, None, None]
    after, weight = cascade(before, e, leaks, slopes), cascade(weight, 1.0, leaks, slopes)
    arrays.update({at + "cascade": after / weight[:, None, None], at + "mass": stored(weight)})
    return before, after


def factored_credit(
    agent: ReferenceAgent, at: str, found: Signals, e: Array, x: Array, leaks: Array, means: Array, slopes: Array
) -> Array:
    """Credit by the filtered vectors of the tick before, which then take in this tick.

    Arrays hold F_1 .. F_s, then D_1 .. D_k if k > 1; likewise M and N, and P_1 .. P_s and P.
    """
    s = len(leaks)
    fresh = instant_credit(found, e, slopes)
    if s == 0:
        return fresh
    mass, past = weights(agent.arrays[at + "mass"], s), agent.arrays[at + "psi_past"]
    filtered = agent.arrays[at + "filtered"] * mass[:, None]
    rows = np.moveaxis(filtered[np.arange(len(e)) % agent.config.leak_groups], 0, 1)
    fresh = fresh + one_hop_credit(found, x, rows[:s], mass[:s], past[:s], leaks)
    fresh = fresh + deeper_credit(found, x, rows[s:], mass[s:], past[s], means[0], slopes)
    advance_filters(agent, at, leaks, means, slopes)
    return fresh


def advance_filters(agent: ReferenceAgent, at: str, leaks: Array, means: Array, slopes: Array) -> None:
    """F, D, P, M and N of the next tick."""
    arrays, s = agent.arrays, len(leaks)
    mass, past = weights(arrays[at + "mass"], s), arrays[at + "psi_past"].copy()
    filtered = arrays[at + "filtered"] * mass[:, None]
    # One leak for all D: that of the nearest layer.
    deep_leaks = np.full(len(means), means[0])
    for vector, source in zip([*filtered, mass], [*arrays[at + "eps"], 1.0], strict=True):
        vector[:s] = fan(vector[:s], source, leaks, slopes[0])
        vector[s:] = cascade(vector[s:], source, deep_leaks, slopes)
    # The last row of `past` goes with D_1, the first vector after all F; it is never used without one.
    for row, total in enumerate(mass[: s + 1]):
        past[row] = past_mean(past[row], arrays[at + "psi"], total, slopes[0])
    arrays.update({at + "filtered": filtered / mass[:, None], at + "mass": stored(mass, s), at + "psi_past": past})
