"""Twin of `kernels/tensor.py`: the influence of each synapse on each neuron above it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import feedback, neuron, vectors
from .signals import Signals
from .vectors import Array

if TYPE_CHECKING:
    from .agent import ReferenceAgent


def influence(trace: Array, leak: Array, slope: float, weights: Array, moved: Array) -> Array:
    """V_p,ij' = leak_p V_p,ij + slope sum_r weights_pr moved_r,ij; moved: what became of the spikes below."""
    found: Array = vectors.flushed(leak[:, None, None] * trace + slope * np.einsum("pr,rij->pij", weights, moved))
    return found


def advance_tensors(agent: ReferenceAgent, net: str) -> None:
    """V of this tick, layer upon layer: the spikes of the own layer moved by e, of those above by psi V."""
    arrays, slopes, last = agent.arrays, agent.slopes(net), agent.indices[-1]
    for index in agent.learning[:-1] if agent.tensor else ():
        if agent.is_memory(index):
            continue
        e = neuron.layer_eligibility(agent, f"{net}/{index}/")[1]
        moved, found, first = np.einsum("ri,ij->rij", np.eye(len(e)), e), [], 0
        for above in range(index + 1, last + 1):
            at = f"{net}/{above}/"
            n, psi = arrays[at + "psi"].size, arrays[at + "psi"]
            trace = arrays[f"{net}/{index}/tensor"][first : first + n]
            leak = np.resize(arrays[at + "alphas"], n)
            found.append(influence(trace, leak, slopes[above], feedback.feedback(agent, at)[:, : len(moved)], moved))
            moved, first = psi[:, None, None] * found[-1], first + n
        arrays[f"{net}/{index}/tensor"] = np.concatenate(found)


def tensor_credit(agent: ReferenceAgent, net: str, index: int, found: list[Signals], e: Array) -> Array:
    """S_0 e + sum_p (S_0 psi)_p V_p, p all neurons above."""
    above = [found[k].direct * agent.arrays[f"{net}/{k}/psi"] for k in agent.indices[index + 1 :]]
    credit: Array = found[index].direct[:, None] * e
    if above:
        credit = credit + np.einsum("p,pij->ij", np.concatenate(above), agent.arrays[f"{net}/{index}/tensor"])
    return credit
