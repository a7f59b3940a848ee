"""How memory neurons begin: what each kind keeps, and weights of what it sees.

A tap keeps next to nothing: what it shows is a threshold of the present observation and of an earlier one. A holder
keeps what it sees for as long as its gate stays shut, an integrator adds it up. All of them learn to be something else.
Time constants of holders are uniform from 1 tick to the horizon, those of integrators in their logarithm.
See docs/decisions/0021-memory-neurons.md.
"""

from __future__ import annotations

import numpy as np

from ..config import Config
from .arena import Arena
from .dimensions import memory_kinds

# Time constant of a tap, ticks.
TAP = 1.05
# Initial weights are uniform in +- this / sqrt(fan-in), thresholds in +- the second.
SCALE, THRESHOLD = 2.0, 0.5


def fill_memory(arena: Arena, config: Config, rng: np.random.Generator, path: str, index: int) -> None:
    """Fill the weights of a memory layer, in place: C and G are drawn, the bias of G gives the time constant.

    Parameters
    ----------
    path : str
        Name of the layer, such as "actor/0".
    index : int
        The same as a number.
    """
    n = config.memory
    columns = arena.dimensions.columns(index)
    bias, threshold = columns["bias"], columns["threshold"]
    bound = SCALE / np.sqrt(bias + 1)
    w = arena.views[f"{path}/w"]
    w[:n, :bias] = rng.uniform(-bound, bound, (n, bias))
    w[:n, threshold] = rng.uniform(-THRESHOLD, THRESHOLD, n)
    w[n:, :bias] = rng.uniform(-bound, bound, (n, bias))
    taps, holders, integrators = memory_kinds(n)
    u, v = ((np.arange(count) + rng.uniform(size=count)) / max(count, 1) for count in (holders, integrators))
    horizon = config.memory_horizon
    constants = np.concatenate([np.full(taps, TAP), 1.0 + (horizon - 1.0) * u, horizon**v])
    share = 1.0 / np.maximum(constants, 1.001)
    w[n:, bias] = np.log(share / (1.0 - share))
