"""Twin of `kernels/credit.py`: what each synapse had to do with what was done and is valued now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import depth, memory, neuron, policy, tensor, vectors
from .signals import Signals
from .vectors import Array

if TYPE_CHECKING:
    from .agent import ReferenceAgent


def advance_credit(agent: ReferenceAgent, net: str, gradient: Array, found: list[Signals]) -> None:
    """credit <- discount lambda credit + signals times eligibility; then traces; in the readout + g features.

    An actor that imitates keeps no credit of the tick before.
    """
    c, arrays = agent.config, agent.arrays
    decay = c.discount * (c.lambda_policy if net == "actor" else c.lambda_value)
    decay *= not (agent.imitates and net == "actor")
    fresh = {f"{net}/": np.outer(gradient, arrays[f"{net}/features"])}
    if net == "actor":
        policy.keep_free(agent, fresh["actor/"])
    for index in agent.learning:
        fresh[f"{net}/{index}/"] = layer_credit(agent, net, index, found)
    arrays.update({at + "credit": vectors.flushed(decay * arrays[at + "credit"] + new) for at, new in fresh.items()})


def layer_credit(agent: ReferenceAgent, net: str, index: int, signals: list[Signals]) -> Array:
    """Signals times eligibility as it is and as the layers above have filtered it; then traces."""
    c, arrays, at, found = agent.config, agent.arrays, f"{net}/{index}/", signals[index]
    slopes, last = agent.slopes(net), agent.indices[-1]
    remembers = float(c.depth_filter != "none" and c.temporal_trace)
    means = agent.leaks(net)
    above = [min(index + q, last) for q in range(1, agent.levels[index] + 1)]
    if agent.is_memory(index):
        return memory.memory_credit(agent, net, index, signals, means[above], slopes[above])
    x, e = neuron.layer_eligibility(agent, at)
    neuron.advance_eligibility(agent, at)
    if agent.tensor:
        return tensor.tensor_credit(agent, net, index, signals, e)
    if c.depth_filter == "cascade":
        return depth.cascade_credit(found, e, *depth.advance_cascade(agent, at, e, means[above], slopes[above]))
    leaks = remembers * arrays[at + "alphas"][: c.leak_groups * bool(above)]
    return depth.factored_credit(agent, at, found, e, x, leaks, means[above], slopes[above])
