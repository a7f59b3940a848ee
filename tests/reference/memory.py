"""Twin of `kernels/memory.py`: neurons whose leak is set by what they see, and the eligibility of their synapses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import depth, feedback, spike, vectors
from .vectors import Array

if TYPE_CHECKING:
    from .agent import ReferenceAgent
    from .signals import Signals

GATE_CLIP, INTEGRATOR_GAIN = 40.0, 0.1


class Cells(NamedTuple):
    """n memory neurons after a tick."""

    v: Array  # (n,), c
    z: Array  # (n,)
    psi: Array  # (n,)
    keep: Array  # (n,), 1 - g
    push: Array  # (2 n,), a and b: what eC and eG take of the inputs


def see(n: int, below: Array | None, x: Array, past: Array) -> Array:
    """u_i = [z of the layer below; x; an earlier x; 1; 0 for the threshold] of n neurons; past (x, n)."""
    all_see = np.concatenate([np.zeros(0) if below is None else below, x])
    return np.hstack([np.tile(all_see, (n, 1)), past.T.reshape(n, -1), np.ones((n, 1)), np.zeros((n, 1))])


def keep_observation(past: Array, x: Array, delays: int) -> Array:
    """What neuron i sees in the next tick: what its neighbor saw, or, of each `delays`, the first, x; past (x, n)."""
    first = np.arange(past.shape[1]) % max(delays, 1) == 0
    return np.where(first, x[: len(past), None], np.roll(past, 1, axis=1))


def hold(config: Any, old: Array, a: Array, h: Array, drive: Array) -> Cells:
    """g = sigmoid(drive); c = (1 - g) c_old + a h; z and psi are those of c - A.

    a = g, of the last quarter of the neurons max(g, .1); b = dg/d drive (h - c_old), without h where a is .1.
    """
    gate = 1 / (1 + np.exp(-np.clip(drive, -GATE_CLIP, GATE_CLIP)))
    gated = (np.arange(gate.size) < gate.size - gate.size // 4) | (gate > INTEGRATOR_GAIN)
    gain = np.where(gated, gate, INTEGRATOR_GAIN)
    c, change = (1 - gate) * old + gain * h, gate * (1 - gate) * (gated * h - old)
    return Cells(
        vectors.flushed(c),
        *spike.emit(config, config.memory_payload_cap, c - a),
        1 - gate,
        np.concatenate([gain, change]),
    )


def filter_memory(eps: Array, keep: Array, push: Array, u: Array) -> Array:
    """eps_rj = (1 - g_i) eps_rj + push_r u_rj for both rows r of each neuron i."""
    found: Array = vectors.flushed(np.tile(keep, 2)[:, None] * eps + push[:, None] * u)
    return found


def mean_keep(keep: Array) -> float:
    """The mean leak of the layer."""
    return float(keep.mean())


def advance_memory(agent: ReferenceAgent, net: str, index: int, below: Array | None, x: Array, learn: bool) -> None:
    """One tick of a layer: cells, spikes and, if it learns, eligibility; then the observation is kept."""
    c, arrays, at = agent.config, agent.arrays, f"{net}/{index}/"
    w, past = arrays[at + "w"], arrays[at + "past"]
    n, lasts = len(w) // 2, float(c.temporal_trace)
    u = np.tile(see(n, below, x, past), (2, 1))
    current = (w * u).sum(axis=1)
    threshold = agent.threshold(index)
    cells = hold(c, arrays[at + "v"], w[:n, threshold], current[:n], current[n:])
    arrays.update({at + name: value for name, value in cells._asdict().items()})
    arrays[at + "past"] = keep_observation(past, x, c.memory_delay)
    if learn:
        eps = filter_memory(arrays[at + "eps"], lasts * cells.keep, cells.push, u)
        eps[:n, threshold] = -1.0
        arrays[at + "eps"], arrays[at + "slope"] = eps, 1.0
        arrays[f"{net}/leak"][index] = mean_keep(lasts * cells.keep)


def eligibility(agent: ReferenceAgent, at: str) -> Array:
    """e = psi eps, of C (with the thresholds) and of G."""
    found: Array = np.tile(agent.arrays[at + "psi"], 2)[:, None] * agent.arrays[at + "eps"]
    return found


def through_gates(agent: ReferenceAgent, at: str, n_below: int) -> Array:
    """dc_p/dz_i = a_p C_pi + b_p G_pi, (n, n_below), by the weights that signals come down through."""
    candidate, gate = np.split(agent.arrays[at + "push"][:, None] * feedback.feedback(agent, at)[:, :n_below], 2)
    return candidate + gate


def influence(trace: Array, keep: Array, weights: Array, e: Array) -> Array:
    """V_p,r = (1 - g_p) V_p,r + dc_p/dz_i e_r, for both rows r of each neuron i; trace (p, r, m)."""
    found: Array = vectors.flushed(keep[:, None, None] * trace + np.tile(weights, 2)[:, :, None] * e)
    return found


def carry_memory(agent: ReferenceAgent, net: str) -> None:
    """V of this tick, of each memory layer under another one that learns."""
    c, arrays = agent.config, agent.arrays
    for index in agent.learning:
        if agent.carries(index):
            at, above = f"{net}/{index}/", f"{net}/{index + 1}/"
            keep = arrays[above + "keep"] * (c.depth_filter != "none" and c.temporal_trace)
            trace = arrays[at + "tensor"].reshape(len(keep), *arrays[at + "w"].shape)
            weights = through_gates(agent, above, c.stack[index])
            arrays[at + "tensor"] = influence(trace, keep, weights, eligibility(agent, at)).reshape(
                arrays[at + "tensor"].shape
            )


def carried_credit(s: Signals, above: Signals, slopes: Array, psi: Array, e: Array, influence: Array) -> Array:
    """S_0 e + sum_p T_p psi_p V_p, T_p the whole signal to neuron p above: S_0 + sum_q slope_1 .. slope_q T_q."""
    whole = (above.direct + np.cumprod(slopes) @ above.hops) * psi
    found: Array = np.tile(s.direct, 2)[:, None] * e + np.einsum("p,prj->rj", whole, influence)
    return found


def memory_credit(
    agent: ReferenceAgent, net: str, index: int, found: list[Signals], leaks: Array, slopes: Array
) -> Array:
    """Credit of both rows of each neuron: carried through the layer above, or, with mean leaks, by the cascade."""
    at, arrays = f"{net}/{index}/", agent.arrays
    e = eligibility(agent, at)
    if agent.carries(index):
        above = f"{net}/{index + 1}/"
        v = arrays[at + "tensor"].reshape(-1, *e.shape)
        all_slopes, last = agent.slopes(net), agent.indices[-1]
        slopes = all_slopes[[min(index + 1 + q, last) for q in range(1, agent.levels[index + 1] + 1)]]
        return carried_credit(found[index], found[index + 1], slopes, arrays[above + "psi"], e, v)
    twice = found[index]._replace(**{k: np.concatenate([s, s], axis=-1) for k, s in found[index]._asdict().items()})
    return depth.cascade_credit(twice, e, *depth.advance_cascade(agent, at, e, leaks, slopes))
