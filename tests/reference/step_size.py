"""Twin of `kernels/step_size.py`: how far a weight moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import policy
from .vectors import Array

if TYPE_CHECKING:
    from .agent import ReferenceAgent


def bounded_step(lr: float, kappa: float, bound: float, delta: float, norm: float) -> float:
    """lr / max(1, lr kappa max(|delta| / bound, 1) ||credit||_1)."""
    return lr / max(1.0, lr * kappa * max(abs(delta) / bound, 1.0) * norm)


def bounded_steps(
    lr: float,
    kappa: float,
    bound: float,
    share: float,
    learning: int,
    readout: int,
    parts: int,
    delta: float,
    norms: Array,
) -> list[float]:
    """The step of each block; the readout has `share` of the bound, the others, `learning`, the rest; if it is 0, one.

    Each of K parts of an action moves as if it were alone: norms count 1/K in the readout, 1/sqrt(K) in other blocks.
    """
    is_readout = np.arange(norms.size) == readout
    norms = norms / np.where(is_readout, parts, np.sqrt(parts))
    if share == 0:
        return [bounded_step(lr, kappa, bound, delta, norms.sum())] * norms.size
    shares = np.where(is_readout, share, (1 - share) / max(learning, 1))
    return [bounded_step(lr, kappa / part, bound, delta, norm) for part, norm in zip(shares, norms, strict=True)]


def rates(agent: ReferenceAgent, net: str) -> tuple[float, float]:
    """The largest step of a network and the safety factor of its bounded step.

    A narrow policy is moved in small steps: the actor's kappa is divided by the spread of what it has just drawn.
    """
    c = agent.config
    if net == "critic":
        return c.lr_value, c.kappa_value
    return c.lr_policy, c.kappa_policy / policy.action_scale(agent.parts, agent.arrays["stds"])


def changes(agent: ReferenceAgent, net: str, delta: float) -> list[Array]:
    """What the error changes in the weights of each layer and, last, of the readout."""
    c, arrays = agent.config, agent.arrays
    lr, kappa = rates(agent, net)
    blocks = agent.blocks(net)
    parts = agent.parts.number if net == "actor" else 1
    memory = [index for index in agent.indices if agent.is_memory(index)]
    # Gates are blocks of their own.
    learning = len(agent.learning) + len({*memory} & {*agent.learning})
    readout = len(blocks) - 1
    steps = bounded_steps(
        lr, kappa, c.td_error_scale, c.readout_share, learning, readout, parts, delta, agent.norms(net)
    )
    found = []
    for index, at in enumerate(blocks):
        credit = arrays[at + "credit"]
        rows = np.full(len(credit), steps[index])
        if index in memory:
            rows[len(rows) // 2 :] = steps[len(blocks) + memory.index(index)]
        found.append(rows[:, None] * delta * credit)
    return found
