"""The least a learning step could cost: moving the bytes that it has to move."""

from __future__ import annotations

import math

from ...agent import Agent
from ...arena.placement import BYTES, Placement
from ...arena.plan import Lasts
from ...kernels.base.arrays import floats_at
from ...kernels.base.jit import kernel

# Bytes that `sweep` moves for each number of an array: two are read and written.
SWEPT = 16


def traffic(agent: Agent) -> int:
    """Return how many bytes a step moves in which nothing is left out: all that learns, remembers or fires.

    Weights are read by the forward pass; then they, credit, traces, statistics and the states of neurons are read and
    written once. Work rows are not counted, which stay in the nearest cache, nor is the table of places.
    """
    total = 0
    for _, row, _ in Placement.of(agent.arena.dimensions).placed:
        size = math.prod(row.shape) * BYTES[row.section]
        if row.section == "ints" or row.name.startswith("scratch"):
            continue
        passes = 1 if row.lasts is Lasts.FIXED else 3 if row.name == "w" else 2
        total += passes * size
    return total


@kernel
def sweep(first_at: int, second_at: int, size: int, scale: float, decay: float, push: float) -> None:
    """``x <- x + scale y; y <- decay y + push`` in one loop over `size` float32, in place.

    Addresses are passed as the step passes them, so that both pay the same for the call.
    """
    first, second = floats_at(first_at, size), floats_at(second_at, size)
    real = first.dtype.type
    factor, keep, constant = real(scale), real(decay), real(push)
    for k in range(first.shape[0]):
        old = second[k]
        first[k] += factor * old
        second[k] = keep * old + constant
