"""Feedback weights that learn to mirror the forward ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base.jit import TINY, kernel
from .base.vectors import add_scaled
from .layout import sizes_of
from .views import synapses_view

SETTINGS = ("feedback", "feedback_decay")
# Values of `feedback`.
SYMMETRIC, RANDOM, ADAPTIVE = 0, 1, 2


@kernel
def _begin_mirroring(weights: NDArray, feedback: NDArray, keep: float) -> None:
    real = weights.dtype.type
    factor, tiny, zero = real(keep), real(TINY), real(0.0)
    for k in range(weights.shape[0]):
        apart, weight = factor * (feedback[k] - weights[k]), factor * weights[k]
        feedback[k] = apart if np.abs(apart) > tiny else zero
        weights[k] = weight if np.abs(weight) > tiny else zero


@kernel
def begin_mirroring(settings: Any, ints: NDArray, floats: NDArray, net: int) -> None:
    """Before the weights of `net` change: decay them, and leave in place of the feedback weights its decayed distance.

    ::

        B <- (1 - feedback_decay) (B - W);   W <- (1 - feedback_decay) W                       both flushed

    Together with `end_mirroring` after the change dW, whatever rule made it::

        W <- (1 - feedback_decay) W + dW;    B <- (1 - feedback_decay) B + dW

    so that B approaches W (Kolen and Pollack 1994; adaptive e-prop of Bellec et al. 2020, there for the readout only).
    """
    keep = 1.0 - settings.feedback_decay
    sizes = sizes_of(ints)
    for block in range(sizes.frozen_layers, sizes.n_layers + 1):
        synapses = synapses_view(ints, floats, net, block)
        _begin_mirroring(synapses.w, synapses.feedback, keep)


@kernel
def end_mirroring(ints: NDArray, floats: NDArray, net: int) -> None:
    """After the weights of `net` have changed: ``B <- B + W``, see `begin_mirroring`; in place."""
    sizes = sizes_of(ints)
    for block in range(sizes.frozen_layers, sizes.n_layers + 1):
        synapses = synapses_view(ints, floats, net, block)
        add_scaled(synapses.feedback, 1.0, synapses.w)
