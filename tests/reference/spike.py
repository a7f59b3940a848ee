"""Twin of `kernels/spike.py`: what a neuron above its threshold sends, and the pseudo-derivative of that."""

from __future__ import annotations

from typing import Any

import numpy as np

from .vectors import Array


def emit(config: Any, cap: float, excess: Array) -> tuple[Array, Array]:
    """z and psi of neurons that are `excess` above their thresholds; cap: in units of v_th.

    Binary: 1[x > 0] and dampening/v_th max(0, 1 - |x|/v_th). Graded: x/P cut off at 0 and 1, P = cap v_th, and
    its slope 1/P, which goes on below 0 as 1/P max(0, 1 + x/v_th).
    """
    below = excess / config.v_th
    if config.spikes == "binary":
        return (excess > 0).astype(float), config.dampening / config.v_th * np.maximum(0, 1 - np.abs(below))
    high = cap * config.v_th
    slope = np.select([excess > 0, below > -1], [np.ones_like(excess), 1 + below], 0.0) / high
    return np.clip(excess / high, 0, 1), np.where(excess < high, slope, 0.0)
