"""What is in the layer that never learns: latches, delay lines, and neurons with random recurrent weights.

Each kind remembers what the others forget. A latch keeps one bit for as long as nothing inhibits it, however long that
is; a delay line what was seen in the last few ticks, in order; random recurrent neurons a mixture of the recent past
that no two histories share. See docs/decisions/0012-reservoir.md and 0013-three-kinds-of-memory.md.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..config import Config

# Fall of the threshold that a spike causes, units of the membrane, and what is left of it after a tick. The threshold
# of a latch that has fired once is at 1 - 2 = -1, and comes down to 1 - 2/(1 - 0.5) = -3 if it goes on. It stops when
# its current, whose std over the layer is `gain` = 2, falls below -2, the reset taking 1 more; one that has just begun
# stops below 0.
LATCH_STRENGTH = -2.0
LATCH_RHO = 0.5
# Recurrent weights of latches relative to those of the rest: enough to tell cues from each other that come after one
# another, too little to set or inhibit a latch at random.
LATCH_SCALE = 0.3
# Weight within a delay line, and to it: several times that of all others together, so that it decides.
DELAY_WEIGHT = 0.6


class Kinds(NamedTuple):
    """How many neurons of a reservoir are of which kind; in this order, from neuron 0 on."""

    latches: int
    random: int
    lines: int


def kinds(config: Config) -> Kinds:
    """Return the kinds of neurons in the reservoir that a configuration describes."""
    latches = round(config.latch_fraction * config.reservoir)
    room = min(round(config.delay_fraction * config.reservoir), config.reservoir - latches)
    lines = room // config.delay_length if config.recurrent else 0
    return Kinds(latches, config.reservoir - latches - lines * config.delay_length, lines)


def set_constants(
    config: Config, rho: NDArray[np.float32], strength: NDArray[np.float32], alpha: NDArray[np.float32]
) -> None:
    """Make the neurons of a layer what they are, in place; arrays (n,), as they would be in a layer that learns.

    Neurons of a delay line have the shortest membrane time constant and no adaptation: they pass on one tick.
    """
    latches, random, _ = kinds(config)
    adaptive = latches + round(config.adaptive_fraction * random)
    rho[latches:adaptive], strength[latches:adaptive] = rho[:1], strength[:1]
    rho[adaptive:], strength[adaptive:] = 0.0, 0.0
    rho[:latches], strength[:latches] = LATCH_RHO, LATCH_STRENGTH
    alpha[latches + random :] = alpha[:1]


def set_weights(config: Config, w: NDArray[np.float32], n_input: int) -> None:
    """Scale the recurrent weights of latches and wire the delay lines, in place.

    Parameters
    ----------
    w : (n, m) array
        Weights from observation (the first `n_input` columns), own spikes (n columns), bias and padding.
    n_input : int
        Entries of the observation.
    """
    if not config.recurrent:
        return
    latches, random, lines = kinds(config)
    w[:latches, n_input : n_input + config.reservoir] *= LATCH_SCALE
    for line in range(lines):
        first = latches + random + line * config.delay_length
        w[first : first + config.delay_length] = 0.0
        turn, entry = divmod(line, n_input)
        w[first, entry] = DELAY_WEIGHT * (-1) ** turn
        for neuron in range(first + 1, first + config.delay_length):
            w[neuron, n_input + neuron - 1] = DELAY_WEIGHT
