"""A pull of every neuron towards a target rate."""

from __future__ import annotations

from typing import Any

from .base.arrays import add_scaled, row
from .base.jit import kernel
from .views import Layer

SETTINGS = ("rate_regularization", "target_rate")


@kernel
def regularize_rates(layer: Layer, settings: Any, fall: float) -> None:
    """Move the mean rate f of each neuron towards the target, in place (Bellec et al. 2020, firing rate term).

    ::

        W_ij <- W_ij - rate_regularization (f_i - target_rate) e_ij

    the gradient of half the squared difference by e-prop. It is called before this tick's e has moved epsa and epsr on,
    and is not multiplied by the TD error.
    """
    real = layer.w.dtype.type
    drop = real(fall)
    m, groups = layer.m, layer.groups
    reset = layer.epsr.shape[0] > 0
    group = 0
    for i in range(layer.n):
        push = real(-settings.rate_regularization * (layer.rate[i] - settings.target_rate)) * layer.psi[i]
        w, eps = row(layer.w, i, m), row(layer.eps, group, m)
        add_scaled(w, push, eps)
        if i < layer.n_adaptive:
            add_scaled(w, -push * layer.strength[i], row(layer.epsa, i, m))
        if reset:
            add_scaled(w, -push * drop, row(layer.epsr, i, m))
        group = group + 1 if group + 1 < groups else 0
