"""The actor with the slope of its normalized currents held constant: what the normalization costs when it is left out.

A layer divides its current by its std over the neurons, of this very tick. That product of two signals cannot be
written with weights, leaks and thresholds. Held at its mean it can; this file finds that mean, and counts what differs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...agent import Agent
from ...kernels.distributions import LOG_STD_HIGH, LOG_STD_LOW
from ...kernels.forward import VARIANCE_FLOOR
from ...kernels.policy import REACH
from .recording import NET, Stream

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LayerParts:
    """One layer of the actor as plain arrays; n neurons.

    Attributes
    ----------
    below, observed, recurrent : (n, n_below), (n, n_input), (n, n) arrays, or None where the layer has no such input
        Weights less their mean over the neurons, which takes the mean off the current.
    bias : (n,) array
        Likewise.
    alpha, rho, strength : (n,) arrays
    readout : (K, n) array or None
    """

    below: Array | None
    observed: Array | None
    recurrent: Array | None
    bias: Array
    alpha: Array
    rho: Array
    strength: Array
    readout: Array | None


@dataclass(frozen=True)
class Parts:
    """The actor of an agent as plain arrays; K outputs: preferences, means, logarithms of stds."""

    layers: tuple[LayerParts, ...]
    bias: Array  # (K,)
    v_th: float
    fall: float  # of the membrane, the tick after a spike
    gain: float


def parts_of(agent: Agent) -> Parts:
    """Return the actor as it is now; a copy."""
    d, views = agent.arena.dimensions, agent.arena.views
    first, bias, _ = d.readout_columns()
    w_out = views[f"{NET}/w"].astype(np.float64)
    layers: list[LayerParts] = []
    for index, n in enumerate(d.layers):
        columns, prefix = d.columns(index), f"{NET}/{index}"
        w = views[f"{prefix}/w"].astype(np.float64)
        w -= w.mean(axis=0)
        observed, recurrent = columns["observed"], columns["recurrent"]
        layers.append(
            LayerParts(
                w[:, : columns["below"]] if columns["below"] else None,
                None if observed < 0 else w[:, observed : observed + d.n_input],
                None if recurrent < 0 else w[:, recurrent : recurrent + n],
                w[:, columns["bias"]].copy(),
                views[f"{prefix}/alpha"].astype(np.float64),
                views[f"{prefix}/rho"].astype(np.float64),
                views[f"{prefix}/strength"].astype(np.float64),
                None if first[index] < 0 else w_out[:, first[index] : first[index] + n],
            )
        )
    settings = agent.arena.settings
    return Parts(
        tuple(layers),
        w_out[:, bias].copy(),
        settings.v_th,
        settings.reset_strength * settings.v_th,
        settings.gain,
    )


class FrozenActor:
    """The actor of an agent that acts without learning, in float64, with slopes that are given.

    Parameters
    ----------
    parts : Parts
    slopes : sequence of float or None
        Slope of each layer's current; None: that of the tick, as the agent has it.
    to_zero : bool
        Whether a spike sets the membrane to 0, instead of taking `fall` off it in the next tick.
    """

    def __init__(self, parts: Parts, slopes: Array | None, to_zero: bool = False) -> None:
        self.parts, self.slopes, self.to_zero = parts, slopes, to_zero
        self.sums = np.zeros((len(parts.layers), 2))
        self.clear()

    def clear(self) -> None:
        """Begin an episode."""
        sizes = [layer.alpha.size for layer in self.parts.layers]
        self.v, self.a, self.z = ([np.zeros(n) for n in sizes] for _ in range(3))

    def tick(self, x: Array) -> Array:
        """Return the outputs, (K,), for an observation as the network sees it, (n_input,); the spikes are in `z`."""
        output = self.parts.bias.copy()
        for index, layer in enumerate(self.parts.layers):
            current = layer.bias.copy()
            for weights, source in (
                (layer.below, self.z[index - 1]),
                (layer.observed, x),
                (layer.recurrent, self.z[index]),
            ):
                if weights is not None:
                    current += weights @ source
            variance = float(np.mean(current * current))
            slope = self.parts.gain / np.sqrt(variance + VARIANCE_FLOOR)
            self.sums[index] += slope * variance, variance
            if self.slopes is not None:
                slope = self.slopes[index]
            before = self.z[index]
            kept = layer.alpha * self.v[index]
            kept = np.where(before > 0, 0.0, kept) if self.to_zero else kept - self.parts.fall * before
            self.v[index] = kept + slope * current
            self.a[index] = layer.rho * self.a[index] + before
            self.z[index] = (self.v[index] > self.parts.v_th + layer.strength * self.a[index]).astype(np.float64)
            if layer.readout is not None:
                output += layer.readout @ self.z[index]
        return output


def slopes_of(parts: Parts, stream: Stream) -> Array:
    """Return the constant slope of each layer that comes closest to the normalized currents of a stream.

    ::

        slope = sum_t slope_t var_t / sum_t var_t        least squares for slope_t (I - mean(I))
    """
    actor = FrozenActor(parts, None)
    for begins, x in zip(stream.begins, stream.seen, strict=True):
        if begins:
            actor.clear()
        actor.tick(x.astype(np.float64))
    scaled, variance = actor.sums.T
    # A layer whose current never varies has nothing to scale.
    return np.where(variance > 0.0, scaled / np.maximum(variance, 1e-300), parts.gain / np.sqrt(VARIANCE_FLOOR))


def differences(agent: Agent, parts: Parts, slopes: Array, stream: Stream, to_zero: bool = False) -> dict[str, Any]:
    """Return how far an actor with constant slopes is from the agent, shown the same observations.

    Returns
    -------
    dict
        ``steps``; ``spikes_that_differ``, the share of neurons and steps for each layer, bottom first; ``spike_rates``
        of the agent's layers, to compare that with; ``same_choice``, for each discrete factor the share of steps in
        which the likeliest category is the same; ``policy_distance``, for each the mean total variation distance of
        the probabilities, 0 to 1; ``mean_distance``, for each control the mean distance between the means, in
        stds.
    """
    d = agent.arena.dimensions
    actor = FrozenActor(parts, slopes, to_zero)
    ends = np.cumsum(d.layers)
    wrong, fired = np.zeros(len(d.layers)), np.zeros(len(d.layers))
    outputs = np.zeros_like(stream.outputs, dtype=np.float64)
    for t, x in enumerate(stream.seen):
        if stream.begins[t]:
            actor.clear()
        outputs[t] = actor.tick(x.astype(np.float64))
        for index, theirs in enumerate(np.split(stream.spikes[t], ends[:-1])):
            wrong[index] += np.mean((actor.z[index] > 0) != theirs)
            fired[index] += theirs.mean()
    steps = len(stream.seen)
    result: dict[str, Any] = {
        "steps": steps,
        "spikes_that_differ": (wrong / steps).tolist(),
        "spike_rates": (fired / steps).tolist(),
    }
    return result | _policy_differences(agent, outputs, stream.outputs.astype(np.float64))


def _policy_differences(agent: Agent, ours: Array, theirs: Array) -> dict[str, Any]:
    d = agent.arena.dimensions
    same, apart, first = [], [], 0
    for size in d.choices:
        p, q = (_softmax(outputs[:, first : first + size]) for outputs in (ours, theirs))
        same.append(float(np.mean(p.argmax(axis=1) == q.argmax(axis=1))))
        apart.append(float(np.mean(0.5 * np.abs(p - q).sum(axis=1))))
        first += size
    exponents = np.clip(theirs[:, first + d.controls :], LOG_STD_LOW, LOG_STD_HIGH)
    stds = agent.arena.settings.initial_std * np.exp(exponents)
    low, high = (agent.arena.views[f"control_{side}"] for side in ("low", "high"))
    means = [
        np.clip(outputs[:, first : first + d.controls], low - REACH * stds, high + REACH * stds)
        for outputs in (ours, theirs)
    ]
    distance = np.mean(np.abs(means[0] - means[1]) / stds, axis=0)
    return {"same_choice": same, "policy_distance": apart, "mean_distance": distance.tolist()}


def _softmax(preferences: Array) -> Array:
    raised = np.exp(preferences - preferences.max(axis=1, keepdims=True))
    shares: Array = raised / raised.sum(axis=1, keepdims=True)
    return shares
