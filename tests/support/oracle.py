"""Another way to the exact gradients of `synaptick.bench.gradients.bptt`: forward-mode RTRL; and finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from synaptick.bench.gradients.bptt import ALL_PATHS, EPROP, Array, Layer, Paths, Stack, bptt, normalized, run

__all__ = [
    "EPROP",
    "Array",
    "Layer",
    "Paths",
    "Stack",
    "bptt",
    "central_differences",
    "finite_differences",
    "rtrl",
    "run",
]


def rtrl(stack: Stack, xs: Array, paths: Paths = ALL_PATHS, smooth: bool = False) -> list[Array]:
    """Return d readout_k(t) / d W of every layer, (T, K, n, m) each, by carrying tangents forward."""
    _, trajectories = run(stack, xs, smooth)
    sizes = [layer.w.size for layer in stack.layers]
    first, total = np.cumsum([0, *sizes]), sum(sizes)
    shapes = [(paths.tangents, len(layer.w), total) for layer in stack.layers]
    dv, da, dz = ([np.zeros(shape) for shape in shapes] for _ in range(3))
    gradient = np.zeros((len(xs), len(stack.readout), total))
    for t in range(len(xs)):
        for index, (layer, past) in enumerate(zip(stack.layers, trajectories, strict=True)):
            n, m = layer.w.shape
            du = np.zeros((paths.tangents, m, total))
            if index:
                du[:, : stack.n_below(index)] = dz[index - 1]
            if layer.recurrent:
                du[:, stack.own_columns(index)] = paths.around(dz[index])
            change = layer.w @ du
            for i in range(n):
                change[0, i, first[index] + i * m : first[index] + (i + 1) * m] += past.u[t]
            change = normalized(change, past.centered[t], past.slope[t], stack.gain, paths)
            fall = stack.fall * np.where(np.arange(total) < first[index], paths.reset_above, paths.reset)
            dv[index] = layer.alpha[:, None] * dv[index] + change - fall * dz[index]
            da[index] = layer.rho[:, None] * da[index] + dz[index]
            if not paths.adaptation_above:
                da[index][:, :, : first[index]] = 0.0
            dz[index] = past.psi[t][:, None] * (dv[index] - layer.strength[:, None] * da[index])
            if layer.is_read:
                gradient[t] += stack.readout[:, stack.read_columns(index)] @ dz[index].sum(axis=0)
    parts = np.split(gradient, first[1:-1], axis=2)
    return [part.reshape(*part.shape[:2], *layer.w.shape) for part, layer in zip(parts, stack.layers, strict=True)]


def finite_differences(stack: Stack, xs: Array, cost: Array, smooth: bool = True, step: float = 1e-6) -> list[Array]:
    """Return central differences of sum_tk cost_tk readout_k(t) with respect to every weight, (n, m) a layer."""
    return central_differences(stack, lambda other: np.sum(cost * run(other, xs, smooth)[0]), step)


def central_differences(stack: Any, value: Callable[[Any], float], step: float = 1e-6) -> list[Array]:
    """Return central differences of a value with respect to every weight of a stack's layers, as `w` of each has them.

    value : callable
        Takes a stack with other weights (`with_weights`).
    """
    found = []
    for index, layer in enumerate(stack.layers):
        gradient = np.zeros_like(layer.w)
        for place in np.ndindex(*layer.w.shape):
            sides = []
            for sign in (1, -1):
                w = layer.w.copy()
                w[place] += sign * step
                sides.append(value(stack.with_weights(index, w)))
            gradient[place] = (sides[0] - sides[1]) / (2 * step)
        found.append(gradient)
    return found
