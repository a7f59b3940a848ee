"""Twin of `kernels/forward.py`: one tick of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import memory, neuron, vectors
from .vectors import Array

if TYPE_CHECKING:
    from .agent import ReferenceAgent

PSI_MEAN_RATE, RATE_RATE = 0.05, 0.01


def gather_inputs(size: int, below: Array | None, x: Array | None, own: Array | None) -> Array:
    """u = [z of the layer below; x; own z one tick ago; 1; zero padding], None for an absent part."""
    u = np.concatenate([*(part for part in (below, x, own) if part is not None), [1.0]])
    return np.pad(u, (0, size - u.size))


def normalize_current(current: Array, gain: float) -> tuple[Array, float]:
    """slope = gain / sqrt(var(I) + 1e-5); returns slope (I - mean(I)) and slope."""
    slope = gain / np.sqrt(np.mean((current - current.mean()) ** 2) + 1e-5)
    return slope * (current - current.mean()), float(slope)


def center(count: float, learn: bool, z: Array, mean: Array) -> tuple[Array, Array]:
    """z - mean and mean, after mean' = mean + (z - mean)/n if it learns."""
    mean = vectors.flushed(vectors.running_mean(1 / count, z, mean)) if learn else mean
    return z - mean, mean


def advance_layer(agent: ReferenceAgent, net: str, index: int, below: Array | None, x: Array, learn: bool) -> None:
    """One tick of a layer that is not memory: membranes, spikes and, if it learns, eps."""
    c, arrays, at = agent.config, agent.arrays, f"{net}/{index}/"
    state = arrays[at + "v"], arrays[at + "a"], arrays[at + "z"]
    constants = arrays[at + "alpha"], arrays[at + "rho"], arrays[at + "strength"]
    seen = x if agent.sees(index) else None
    u = gather_inputs(arrays[at + "w"].shape[1], below, seen, state[2] if c.recurrent else None)
    current, slope = normalize_current(arrays[at + "w"] @ u, c.gain)
    found = neuron.fire(c, state, constants, current)
    arrays.update({at + name: new for name, new in zip(("v", "a", "z", "psi"), found, strict=True)})
    if learn:
        arrays[at + "slope"] = slope
        arrays[at + "eps"] = neuron.filter_inputs(arrays[at + "eps"], arrays[at + "alphas"], slope, u)


def forward(agent: ReferenceAgent, net: str, x: Array, learn: bool) -> None:
    """Spikes up through the layers, eps and the means of psi and z; output = W_out [spikes read out; 1]."""
    c, arrays = agent.config, agent.arrays
    spikes: list[Array] = []
    for index in agent.indices:
        at = f"{net}/{index}/"
        below = spikes[-1] if spikes else None
        if agent.is_memory(index):
            memory.advance_memory(agent, net, index, below, x, learn)
        else:
            advance_layer(agent, net, index, below, x, learn)
        spikes.append(arrays[at + "z"])
        if agent.is_memory(index):
            first = sum(c.stack[:index])
            mean = arrays["output_mean"][("actor", "critic").index(net), first : first + c.stack[index]]
            spikes[-1], mean[:] = center(agent.scalars["observation_count"], learn, spikes[-1], mean.copy())
            arrays[at + "output"] = spikes[-1]
        if learn:
            for name, running, rate in (("psi", "psi_mean", PSI_MEAN_RATE), ("z", "rate", RATE_RATE)):
                arrays[at + running] = vectors.running_mean(rate, arrays[at + name], arrays[at + running])
    read = np.concatenate([spikes[index] for index in agent.read])
    arrays[f"{net}/features"] = gather_inputs(arrays[f"{net}/w"].shape[1], read, None, None)
    arrays[f"{net}/output"] = arrays[f"{net}/w"] @ arrays[f"{net}/features"]
