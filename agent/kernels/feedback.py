"""Feedback weights that learn to mirror the forward ones, and a pull of every neuron towards a target rate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .jit import TINY, add_scaled, kernel
from .layout import (
    FEEDBACK_DECAY,
    FROZEN_LAYERS,
    N_LAYERS,
    RATE_REGULARIZATION,
    TARGET_RATE,
    Layer,
    synapses_view,
)
from .memory import row


@kernel
def _loosen(weights: NDArray, feedback: NDArray, keep: float) -> None:
    real = weights.dtype.type
    factor, tiny, zero = real(keep), real(TINY), real(0.0)
    for k in range(weights.shape[0]):
        apart, weight = factor * (feedback[k] - weights[k]), factor * weights[k]
        feedback[k] = apart if np.abs(apart) > tiny else zero
        weights[k] = weight if np.abs(weight) > tiny else zero


@kernel
def loosen_feedback(ints: NDArray, reals: NDArray, floats: NDArray, net: int) -> None:
    """Before the weights of `net` change: decay them, and leave in place of the feedback weights its decayed distance.

    ::

        B <- (1 - feedback_decay) (B - W);   W <- (1 - feedback_decay) W                       both flushed

    Together with `tie_feedback` after the change dW, whatever rule made it::

        W <- (1 - feedback_decay) W + dW;    B <- (1 - feedback_decay) B + dW

    so that B approaches W (Kolen and Pollack 1994; adaptive e-prop of Bellec et al. 2020, there for the readout only).
    """
    keep = 1.0 - reals[FEEDBACK_DECAY]
    for block in range(ints[FROZEN_LAYERS], ints[N_LAYERS] + 1):
        synapses = synapses_view(ints, floats, net, block)
        _loosen(synapses.w, synapses.feedback, keep)


@kernel
def tie_feedback(ints: NDArray, floats: NDArray, net: int) -> None:
    """After the weights of `net` have changed: ``B <- B + W``, see `loosen_feedback`; in place."""
    for block in range(ints[FROZEN_LAYERS], ints[N_LAYERS] + 1):
        synapses = synapses_view(ints, floats, net, block)
        add_scaled(synapses.feedback, 1.0, synapses.w)


@kernel
def regularize_rates(layer: Layer, reals: NDArray, fall: float) -> None:
    """Move the mean rate f of each neuron towards the target, in place (Bellec et al. 2020, firing rate term).

    ::

        W_ij <- W_ij - rate_regularization (f_i - target_rate) e_ij

    the gradient of half the squared difference by e-prop. It is called before this tick's e has moved epsa and epsr on,
    and is not multiplied by the TD error.
    """
    real = layer.w.dtype.type
    drop = real(fall)
    m, groups = layer.m, layer.alphas.shape[0]
    reset = layer.epsr.shape[0] > 0
    group = 0
    for i in range(layer.z.shape[0]):
        push = real(-reals[RATE_REGULARIZATION] * (layer.rate[i] - reals[TARGET_RATE])) * layer.psi[i]
        w, eps = row(layer.w, i, m), row(layer.eps, group, m)
        add_scaled(w, push, eps)
        if i < layer.n_adaptive:
            add_scaled(w, -push * layer.strength[i], row(layer.epsa, i, m))
        if reset:
            add_scaled(w, -push * drop, row(layer.epsr, i, m))
        group = group + 1 if group + 1 < groups else 0
