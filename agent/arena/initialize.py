"""From a configuration and a seed to a filled arena: time constants, initial weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import Config
from ..errors import StateError
from ..spaces import ActionSpec, ObservationSpec
from .arena import Arena
from .dimensions import adaptive_neurons, dimensions
from .memory import fill_memory
from .placement import NET_NAMES
from .settings import fill_settings


def time_constants(config: Config) -> NDArray[np.float64]:
    """Return the membrane time constant of each leak group, ticks, shape (leak_groups,), smallest first."""
    if config.leak_groups == 1:
        return np.array([config.tau_max])
    return np.geomspace(config.tau_min, config.tau_max, config.leak_groups)


def decay(tau: Any) -> Any:
    """Return exp(-1/tau), the share of a trace that is left after one tick, for tau in ticks.

    Shares below 1e-8 are 0: float32 rounding loses them, and products with them are denormal numbers, which are slow.
    """
    share = np.exp(-1.0 / np.asarray(tau, dtype=np.float64))
    return np.where(share < 1e-8, 0.0, share)


def build(config: Config, observation: ObservationSpec, action: ActionSpec, seed: int, buffer: Any = None) -> Arena:
    """Allocate the arena and fill it: settings, time constants, initial weights and random state.

    Weights of a neuron start sparse (Elsayed et al. 2024): a share `connectivity` of its inputs, at least one, uniform
    in +- 1/sqrt(fan-in); its bias likewise uniform, never left out; recurrent weights uniform in +-
    recurrent_scale/sqrt(fan-in). Readouts are sparse in the same way, over the spikes of all layers read out. Memory
    (`memory.py`) is drawn from numbers of its own and connected to what sees it by weights of 0, which do not count as
    fan-in: at first, the layers above are what they would be without it.

    Parameters
    ----------
    config : Config
    observation, action : ObservationSpec, ActionSpec
    seed : int
        Seed of weights and of the actions drawn later; the environment's seed is the caller's business.
    buffer : writable buffer, optional
        Memory for the arena, see `Arena`.

    Raises
    ------
    StateError
        As `Arena` does, and if there is no memory for the weights that are drawn.
    """
    arena = Arena(dimensions(config, observation, action), buffer)
    try:
        _fill(arena, config, observation, action, seed)
    except MemoryError as error:
        raise StateError(f"there is no memory to fill a state of {arena.nbytes:,} bytes; make it smaller") from error
    return arena


def _fill(arena: Arena, config: Config, observation: ObservationSpec, action: ActionSpec, seed: int) -> None:
    fill_settings(arena, config)
    _fill_spaces(arena, config, observation, action)
    weights_seed, action_seed = np.random.SeedSequence(seed).spawn(2)
    arena.random[:] = action_seed.generate_state(4, np.uint32)
    for name, child in zip(NET_NAMES, weights_seed.spawn(len(NET_NAMES)), strict=True):
        rng = np.random.default_rng(child)
        # From numbers of their own, so that the other weights of a seed do not depend on them.
        memory, feedback = (np.random.default_rng(grandchild) for grandchild in child.spawn(2))
        for index in range(len(config.stack)):
            _fill_constants(arena, config, name, index)
            if arena.dimensions.is_memory(index):
                fill_memory(arena, config, memory, f"{name}/{index}", index)
            else:
                _fill_layer(arena, config, rng, name, index)
        _fill_readout(arena, config, rng, name)
        if arena.dimensions.own_feedback:
            _fill_feedback(arena, config, feedback, name)


def _fill_spaces(arena: Arena, config: Config, observation: ObservationSpec, action: ActionSpec) -> None:
    # A one-hot vector is bounded as it is, and standardizing it would blow up rare symbols.
    arena.views["standardized"][:] = config.normalize_observations & observation.standardized
    low, high = np.array(action.low), np.array(action.high)
    bounded, below, above = np.isfinite(low) & np.isfinite(high), np.isfinite(low), np.isfinite(high)
    with np.errstate(invalid="ignore", over="ignore"):  # of infinite bounds, which are not taken
        middle, half = low / 2 + high / 2, high / 2 - low / 2
    # A mean of 0 is the middle between two bounds, 1 away from the only one, else 0; a mean of 1 is half the range
    # further, or 1.
    views = arena.views
    views["control_center"][:] = np.select([bounded, below, above], [middle, low + 1, high - 1], 0.0)
    views["control_scale"][:] = np.where(bounded, half, 1.0)
    views["control_low"][:] = np.where(below, -1.0, -np.inf)
    views["control_high"][:] = np.where(above, 1.0, np.inf)


def _fill_constants(arena: Arena, config: Config, name: str, index: int) -> None:
    views, n = arena.views, config.stack[index]
    alphas = decay(time_constants(config))
    views[f"{name}/{index}/alphas"][:] = alphas if config.temporal_trace else 0.0
    views[f"{name}/{index}/alpha"][:] = alphas[np.arange(n) % config.leak_groups]
    adaptive = adaptive_neurons(config, n)
    rho, strength = views[f"{name}/{index}/rho"], views[f"{name}/{index}/strength"]
    rho[:adaptive], strength[:adaptive] = decay(config.tau_adapt), config.adapt_strength
    if config.depth_filter != "none" and config.temporal_trace:
        views[f"{name}/leak"][index] = views[f"{name}/{index}/alpha"].mean()
        filter_leak = views[f"{name}/{index}/filter_leak"]
        if filter_leak.size == config.leak_groups:  # else signals are not split, or there are none
            filter_leak[:] = alphas


def _sparse(rng: np.random.Generator, n: int, fan_in: int, connectivity: float, bound: float) -> NDArray[np.float64]:
    """Return (n, fan_in) weights, uniform in +-bound at max(1, connectivity fan_in) random places of each row."""
    kept = max(1, round(connectivity * fan_in))
    weights = np.zeros((n, fan_in))
    for row in weights:
        row[rng.choice(fan_in, kept, replace=False)] = rng.uniform(-bound, bound, kept)
    return weights


def _fill_layer(arena: Arena, config: Config, rng: np.random.Generator, name: str, index: int) -> None:
    n, columns = config.stack[index], arena.dimensions.columns(index)
    first = columns["below"] if index == config.n_memory else 0
    feedforward = columns["recurrent"] if config.recurrent else columns["bias"]
    bound = 1.0 / np.sqrt(columns["bias"] - first + 1)
    w = arena.views[f"{name}/{index}/w"]
    w[:, first:feedforward] = _sparse(rng, n, feedforward - first, config.connectivity, bound)
    if config.recurrent:
        scale = config.recurrent_scale * bound
        w[:, feedforward : columns["bias"]] = rng.uniform(-scale, scale, (n, n))
    w[:, columns["bias"]] = rng.uniform(-bound, bound, n)


def _fill_readout(arena: Arena, config: Config, rng: np.random.Generator, name: str) -> None:
    _, bias, _ = arena.dimensions.readout_columns()
    first = sum(config.stack[: config.n_memory]) if config.readout == "all" else 0
    bound = 1.0 / np.sqrt(bias - first + 1)
    w = arena.views[f"{name}/w"]
    w[:, first:bias] = _sparse(rng, w.shape[0], bias - first, config.connectivity, bound)
    w[:, bias] = rng.uniform(-bound, bound, w.shape[0])
    w[_free_outputs(arena, name), :bias] = 0.0


def _free_outputs(arena: Arena, name: str) -> slice:
    """Return the rows of a readout that learn nothing but their bias."""
    outputs = len(arena.views[f"{name}/w"])
    return slice(outputs - arena.dimensions.free_outputs[NET_NAMES.index(name)], outputs)


def _fill_feedback(arena: Arena, config: Config, rng: np.random.Generator, name: str) -> None:
    """Fill feedback weights, dense, in the ranges of the weights they stand for."""
    d = arena.dimensions
    blocks = [(f"{name}/{index}", d.columns(index)["bias"]) for index in range(len(d.layers))]
    for path, bias in [*blocks, (name, d.readout_columns()[1])]:
        feedback = arena.views[f"{path}/feedback"]
        bound = 1.0 / np.sqrt(bias + 1)
        feedback[:, :bias] = rng.uniform(-bound, bound, (len(feedback), bias))
    arena.views[f"{name}/feedback"][_free_outputs(arena, name)] = 0.0
    if config.recurrent:
        for index in range(len(d.layers)):
            columns = d.columns(index)
            arena.views[f"{name}/{index}/feedback"][:, columns["recurrent"] : columns["bias"]] *= config.recurrent_scale
