"""Exact surrogate gradients of a stack of spiking layers, by BPTT, in plain numpy float64.

The network is the agent's, the derivative of a spike is the pseudo-derivative psi, and `Paths` says which derivatives
count. With ``smooth=True`` a spike is the integral of psi instead of a step, so that every derivative is a true one and
finite differences apply. Weights are constant over a run.

`tests/support/oracle.py` checks them by forward-mode RTRL and by finite differences.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

VARIANCE_FLOOR = 1e-5


@dataclass(frozen=True)
class Layer:
    """One layer; n neurons, m inputs in the order spikes below, observation, own spikes one tick ago, constant 1.

    `alpha`, `rho` and `strength` have one entry a neuron, so leak groups and LIF/ALIF mixes need nothing more.
    """

    w: Array  # (n, m)
    alpha: Array  # (n,)
    rho: Array  # (n,)
    strength: Array  # (n,), 0 for LIF
    observed: bool = True
    recurrent: bool = True
    is_read: bool = True


@dataclass(frozen=True)
class Spikes:
    """What neurons send that are x above their thresholds, see `kernels.spike`; `payload_cap` None: binary spikes."""

    v_th: float = 1.0
    dampening: float = 0.3
    payload_cap: float | None = None

    def emit(self, excess: Array, smooth: bool) -> Array:
        """Return z; smooth: the integral of psi, so that the derivative is a true one."""
        x = excess / self.v_th
        if self.payload_cap is None:
            within = np.clip(x, -1, 1)
            return self.dampening * (0.5 + within - 0.5 * within * np.abs(within)) if smooth else (x > 0).astype(float)
        sent: Array = np.clip(x / self.payload_cap, 0, 1)
        sent += smooth * 0.5 * (1 + np.clip(x, -1, 0)) ** 2 / self.payload_cap
        return sent

    def psi(self, excess: Array) -> Array:
        """Return the pseudo-derivative."""
        x = excess / self.v_th
        if self.payload_cap is None:
            return np.asarray(self.dampening / self.v_th * np.maximum(0, 1 - np.abs(x)))
        return np.where(x < self.payload_cap, np.clip(1 + x, 0, 1) / (self.payload_cap * self.v_th), 0.0)


BINARY = Spikes()


@dataclass(frozen=True)
class Stack:
    """Layers, bottom first, under a linear readout of the spikes of all layers with `is_read`, and a bias."""

    layers: tuple[Layer, ...]
    readout: Array  # (K, spikes read out + 1)
    spikes: Spikes = BINARY
    gain: float = 2.0
    reset_strength: float = 1.0

    @property
    def fall(self) -> float:
        """Return how far the membrane falls after a spike."""
        return self.reset_strength * self.spikes.v_th

    def n_below(self, index: int) -> int:
        """Return how many leading inputs of a layer are spikes of the layer below."""
        return len(self.layers[index - 1].w) if index else 0

    def own_columns(self, index: int) -> slice:
        """Return the inputs of a layer that are its own spikes one tick ago; an empty slice without recurrence."""
        n, m = self.layers[index].w.shape
        return slice(m - 1 - n, m - 1) if self.layers[index].recurrent else slice(m - 1, m - 1)

    def read_columns(self, index: int) -> slice:
        """Return the readout columns of a layer; an empty slice if it is not read out."""
        sizes = [len(layer.w) * layer.is_read for layer in self.layers]
        return slice(sum(sizes[:index]), sum(sizes[: index + 1]))

    def with_weights(self, index: int, w: Array) -> Stack:
        """Return a copy with other weights in one layer."""
        changed = replace(self.layers[index], w=w)
        return replace(self, layers=(*self.layers[:index], changed, *self.layers[index + 1 :]))


@dataclass(frozen=True)
class Paths:
    """Which derivatives count; what is left out is a constant.

    Attributes
    ----------
    hops : int or None
        How many times in all, in whichever layers, a change may pass through a layer's own spikes one tick ago, as its
        input; None: any number of times.
    reset : bool
        The soft reset of the membrane by the neuron's own spike, for the weights of its layer.
    reset_above : bool
        The same for the weights of layers below.
    normalizer : bool
        Mean and variance of a layer's current.
    adaptation_above : bool
        The adaptation of a layer, for the weights of layers below it (for its own weights it always counts).
    """

    hops: int | None = None
    reset: bool = True
    reset_above: bool = True
    normalizer: bool = True
    adaptation_above: bool = True

    @property
    def tangents(self) -> int:
        """Return how many: one for each number of hops that is told apart."""
        return 1 if self.hops is None else self.hops + 1

    def around(self, changes: Array) -> Array:
        """Return changes (tangents, ..), given by the hops taken so far, after one hop more."""
        return changes if self.hops is None else np.concatenate([np.zeros_like(changes[:1]), changes[:-1]])


ALL_PATHS = Paths()
# What e-prop keeps.
EPROP = Paths(hops=0, reset=False, reset_above=False, normalizer=False, adaptation_above=False)


@dataclass(frozen=True)
class Trajectory:
    """What happened in one layer; T ticks."""

    u: Array  # (T, m)
    centered: Array  # (T, n), current minus its mean
    slope: Array  # (T,), gain / std of the current
    v: Array  # (T, n)
    a: Array  # (T, n)
    z: Array  # (T, n)
    psi: Array  # (T, n)


def run(stack: Stack, xs: Array, smooth: bool = False) -> tuple[Array, list[Trajectory]]:
    """Run from rest; xs (T, k) observations. Return readouts (T, K) and a trajectory a layer."""
    below, read, trajectories = None, [], []
    for layer in stack.layers:
        n, m = layer.w.shape
        u, centered, slope = np.zeros((len(xs), m)), np.zeros((len(xs), n)), np.zeros(len(xs))
        v, a, z, psi = (np.zeros((len(xs) + 1, n)) for _ in range(4))
        for t, x in enumerate(xs):
            parts = [] if below is None else [below[t]]
            parts += [x] * layer.observed + [z[t - 1]] * layer.recurrent
            u[t] = np.concatenate([*parts, [1.0]])
            current = layer.w @ u[t]
            centered[t] = current - current.mean()
            slope[t] = stack.gain / np.sqrt(np.mean(centered[t] ** 2) + VARIANCE_FLOOR)
            v[t] = layer.alpha * v[t - 1] + slope[t] * centered[t] - stack.fall * z[t - 1]
            a[t] = layer.rho * a[t - 1] + z[t - 1]
            excess = v[t] - stack.spikes.v_th - layer.strength * a[t]
            z[t], psi[t] = stack.spikes.emit(excess, smooth), stack.spikes.psi(excess)
        # The last of the T + 1 rows is never written: index -1 is the state of rest before the first tick.
        below = z[:-1]
        trajectories.append(Trajectory(u, centered, slope, v[:-1], a[:-1], below, psi[:-1]))
        read += [below] * layer.is_read
    return np.concatenate([*read, np.ones((len(xs), 1))], axis=1) @ stack.readout.T, trajectories


def normalized(change: Array, centered: Array, slope: float, gain: float, paths: Paths) -> Array:
    """Change of the normalized current for changes (.., n, P) of the current; symmetric, so also the adjoint."""
    if not paths.normalizer:
        return slope * change
    shared = np.mean(centered[:, None] * change, axis=-2, keepdims=True)
    curvature = slope**3 / gain**2 * centered[:, None] * shared
    moved: Array = slope * (change - change.mean(axis=-2, keepdims=True)) - curvature
    return moved


def bptt(stack: Stack, xs: Array, cost: Array, paths: Paths = ALL_PATHS, smooth: bool = False) -> list[Array]:
    """Return d sum_tk cost_tk readout_k(t) / d W of every layer, (n, m) each, by running adjoints back; cost (T, K)."""
    _, trajectories = run(stack, xs, smooth)
    gradients: list[Array] = []
    from_above = np.zeros((len(xs), paths.tangents, len(stack.layers[-1].w)))
    for index in range(len(stack.layers) - 1, -1, -1):
        layer, past, z_bar = stack.layers[index], trajectories[index], from_above.copy()
        if layer.is_read:
            z_bar[:, 0] += cost @ stack.readout[:, stack.read_columns(index)]
        own = _currents_bar(stack, past, index, z_bar, paths, paths.reset, True)
        gradients.insert(0, own.sum(axis=1).T @ past.u)
        passed = _currents_bar(stack, past, index, z_bar, paths, paths.reset_above, paths.adaptation_above)
        from_above = passed @ layer.w[:, : stack.n_below(index)]
    return gradients


def _currents_bar(
    stack: Stack, past: Trajectory, index: int, z_bar: Array, paths: Paths, reset: bool, adaptation: bool
) -> Array:
    """Return the adjoints of the currents of one layer, given those of its spikes from everything above it.

    Both (T, tangents, n), by the number of hops on the way from there to the readout.
    """
    layer, own = stack.layers[index], stack.own_columns(index)
    currents = np.zeros_like(z_bar)
    v_bar, a_bar, back = (np.zeros_like(z_bar[0]) for _ in range(3))
    for t in range(len(past.v) - 1, -1, -1):
        # On the right v_bar, a_bar and back belong to tick t + 1.
        total = z_bar[t] + back - stack.fall * reset * v_bar + adaptation * a_bar
        v_bar = past.psi[t] * total + layer.alpha * v_bar
        a_bar = -layer.strength * past.psi[t] * total + layer.rho * a_bar
        change = normalized(v_bar[:, :, None], past.centered[t], past.slope[t], stack.gain, paths)
        currents[t] = change[:, :, 0]
        if layer.recurrent:
            back = paths.around(currents[t] @ layer.w[:, own])
    return currents
