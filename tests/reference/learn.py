"""Twin of `kernels/learn.py`: the order of learning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import credit, feedback, memory, neuron, rate_regularization, signals, step_size, tensor
from .vectors import Arrays

if TYPE_CHECKING:
    from .agent import ReferenceAgent


def learn(agent: ReferenceAgent, delta: float, gradients: Arrays) -> None:
    """Signals of this tick's weights; weights by the credit of the tick before; then credit and traces.

    Without gradients, at the end of an episode, credit and traces stay as they are.
    """
    for number, net in enumerate(("actor", "critic")):
        found = signals.send_signals(agent, net, gradients[number]) if gradients else []
        if gradients:
            tensor.advance_tensors(agent, net)
            memory.carry_memory(agent, net)
        push = agent.push if agent.imitates and net == "actor" else delta
        change_weights(agent, net, push, follow=bool(gradients))
        if gradients:
            credit.advance_credit(agent, net, gradients[number], found)


def change_weights(agent: ReferenceAgent, net: str, delta: float, follow: bool) -> None:
    """W <- W + what the error and the pull of the rates change; adaptive feedback gets the same, and both decay."""
    c, arrays = agent.config, agent.arrays
    for index, (at, change) in enumerate(zip(agent.blocks(net), step_size.changes(agent, net, delta), strict=True)):
        if follow and index in agent.learning:
            rate = arrays[at + "rate"]
            if agent.is_memory(index):
                pull = rate_regularization.regularize_rates(c, np.tile(rate, 2), memory.eligibility(agent, at))
            else:
                pull = rate_regularization.regularize_rates(c, rate, neuron.layer_eligibility(agent, at)[1])
            change = change + pull
        decay = c.feedback_decay if c.feedback == "adaptive" and index >= agent.learning.start else 0.0
        arrays[at + "w"] = feedback.decayed_change(arrays[at + "w"], decay, change)
        if c.feedback == "adaptive":
            arrays[at + "feedback"] = feedback.decayed_change(arrays[at + "feedback"], decay, change)
