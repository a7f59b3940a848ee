"""The exact gradient of stacked memory layers, by forward-mode RTRL in plain numpy float64, and by finite differences.

All tangents are carried forward by the chain rule; nothing rests on which of them the eligibility of
`kernels/memory.py` knows to be 0. The derivative of a spike is the pseudo-derivative, or, with ``smooth=True``, a spike
is the integral of it, so that every derivative is a true one. What is taken off the spikes is a constant, which the
caller gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from synaptick.bench.gradients.bptt import BINARY, Spikes

from .oracle import Array, central_differences

GAIN = 0.1


@dataclass(frozen=True)
class Memory:
    """One layer; n neurons, m inputs in the order spikes below, observation, an earlier one, constant 1, threshold."""

    w: Array  # (2 n, m), rows of C, the last column their thresholds, then rows of G
    delays: Array  # (n,), which observation each neuron sees beside the present one; empty: none
    integrators: Array  # (n,), whether one adds at least a tenth of what it sees

    @property
    def n(self) -> int:
        """Return the number of neurons."""
        return len(self.w) // 2


@dataclass(frozen=True)
class Memories:
    """Layers, bottom first, under a linear readout of all their spikes."""

    layers: tuple[Memory, ...]
    readouts: tuple[Array, ...]  # (K, n) each
    spikes: Spikes = BINARY

    def with_weights(self, index: int, w: Array) -> Memories:
        """Return a copy with other weights in one layer."""
        changed = replace(self.layers[index], w=w)
        return replace(self, layers=(*self.layers[:index], changed, *self.layers[index + 1 :]))


class Trajectory(NamedTuple):
    """What happened in one layer; T ticks."""

    u: Array  # (T, n, m)
    h: Array  # (T, n)
    gate: Array  # (T, n)
    c: Array  # (T + 1, n), the last one that of the tick before the first
    z: Array  # (T, n)
    psi: Array  # (T, n)


def run(stack: Memories, xs: Array, means: Sequence[Array], smooth: bool = False) -> tuple[Array, list[Trajectory]]:
    """Run from rest; xs (T, k), means (T, n) a layer. Return readouts (T, K) and a trajectory a layer."""
    below, read, found = np.zeros((len(xs), 0)), np.zeros((len(xs), len(stack.readouts[0]))), []
    for layer, readout, mean in zip(stack.layers, stack.readouts, means, strict=True):
        n, m = layer.n, layer.w.shape[1]
        u, c = np.zeros((len(xs), n, m)), np.zeros((len(xs) + 1, n))
        h, gate, z, psi = (np.zeros((len(xs), n)) for _ in range(4))
        for t, x in enumerate(xs):
            for i in range(n):
                earlier = [xs[t - d] if t >= d else 0 * x for d in layer.delays[i : i + 1]]
                u[t, i] = np.concatenate([below[t], x, *earlier, [1.0, 0.0]])
                h[t, i], drive = layer.w[i] @ u[t, i], layer.w[n + i] @ u[t, i]
                gate[t, i] = 1 / (1 + np.exp(-drive))
            share = np.where(layer.integrators, np.maximum(gate[t], GAIN), gate[t])
            c[t] = (1 - gate[t]) * c[t - 1] + share * h[t]
            excess = c[t] - layer.w[:n, -1]
            z[t], psi[t] = stack.spikes.emit(excess, smooth), stack.spikes.psi(excess)
        found.append(Trajectory(u, h, gate, c, z, psi))
        below = z - mean
        read = read + below @ readout.T
    return read, found


def rtrl(stack: Memories, xs: Array, means: Sequence[Array], smooth: bool = False) -> list[Array]:
    """Return d readout_k(t) / d W of every layer, (T, K, 2 n, m) each, by carrying tangents forward."""
    _, trajectories = run(stack, xs, means, smooth)
    first = np.cumsum([0, *(layer.w.size for layer in stack.layers)])
    dc = [np.zeros((layer.n, first[-1])) for layer in stack.layers]
    gradient = np.zeros((len(xs), len(stack.readouts[0]), first[-1]))
    for t in range(len(xs)):
        dz = np.zeros((0, first[-1]))
        for index, (layer, past) in enumerate(zip(stack.layers, trajectories, strict=True)):
            n, m = layer.n, layer.w.shape[1]
            dcurrent = layer.w[:, : len(dz)] @ dz
            dthreshold = np.zeros((n, first[-1]))
            for r in range(2 * n):
                at = first[index] + r * m
                dcurrent[r, at : at + m] += past.u[t, r % n]
            for i in range(n):
                dthreshold[i, first[index] + (i + 1) * m - 1] = 1.0
            gate, old, h = past.gate[t], past.c[t - 1], past.h[t]
            dgate = (gate * (1 - gate))[:, None] * dcurrent[n:]
            constant = layer.integrators & (gate <= GAIN)
            share, dshare = np.where(constant, GAIN, gate), np.where(constant[:, None], 0.0, dgate)
            dc[index] = (1 - gate)[:, None] * dc[index] - dgate * old[:, None]
            dc[index] += dshare * h[:, None] + share[:, None] * dcurrent[:n]
            dz = past.psi[t][:, None] * (dc[index] - dthreshold)
            gradient[t] += stack.readouts[index] @ dz
    parts = np.split(gradient, first[1:-1], axis=2)
    return [part.reshape(*part.shape[:2], *layer.w.shape) for part, layer in zip(parts, stack.layers, strict=True)]


def finite_differences(
    stack: Memories, xs: Array, means: Sequence[Array], cost: Array, step: float = 1e-6
) -> list[Array]:
    """Return central differences of sum_tk cost_tk readout_k(t) of smooth spikes, (2 n, m) a layer."""
    return central_differences(stack, lambda other: np.sum(cost * run(other, xs, means, smooth=True)[0]), step)
