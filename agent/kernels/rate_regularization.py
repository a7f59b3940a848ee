"""A pull of every neuron towards a target rate."""

from __future__ import annotations

from typing import Any

from .base.arrays import row
from .base.jit import kernel
from .base.vectors import add_scaled
from .memory import regularize_memory
from .neuron import add_suppression
from .views import Layer, is_memory

SETTINGS = ("rate_regularization", "target_rate")


@kernel
def regularize_rates(settings: Any, layer: Layer) -> None:
    """Move the mean rate f of each neuron towards the target, in place (Bellec et al. 2020, firing rate term).

    ::

        W_ij <- W_ij - rate_regularization (f_i - target_rate) e_ij

    the gradient of half the squared difference by e-prop. It is called before this tick's e has moved epsa and epsr on,
    and is not multiplied by the TD error.
    """
    if is_memory(layer):
        regularize_memory(settings, layer)
        return
    real, m = layer.w.dtype.type, layer.m
    for i in range(layer.n):
        push = real(-settings.rate_regularization * (layer.rate[i] - settings.target_rate)) * layer.psi[i]
        w = row(layer.w, i, m)
        add_scaled(w, push, row(layer.eps, i % layer.groups, m))
        add_suppression(settings, layer, i, push, w)
