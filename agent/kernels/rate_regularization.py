"""A pull of every neuron towards a target rate."""

from __future__ import annotations

from numpy.typing import NDArray

from .base.arrays import add_scaled, row
from .base.jit import kernel
from .layout import RATE_REGULARIZATION, TARGET_RATE
from .views import Layer


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
