"""The actor of an agent as a NIR graph (neuromorphic intermediate representation), for acting without learning.

Membranes, adaptation, reset, recurrence and readout have nodes, see `nir_graph`. What has none is the division of a
current by its std over the layer, a product of two signals: its slope is frozen, and the difference measured.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from ...agent import Agent
from ...errors import ConfigError
from ...files import write_atomically
from ...kernels.normalize import std
from . import frozen
from .graph import graph_of
from .recording import FEWEST_STEPS, NET, record

NEURONS = ("parts", "lif")
INTEGRATIONS = ("exact", "euler")


def export_nir(
    agent: Agent,
    path: Path,
    exact: bool = False,
    neurons: str = "parts",
    integration: str = "exact",
    tick_seconds: float = 1e-3,
    steps: int = 10_000,
    seed: int = 0,
) -> dict[str, Any]:
    """Write the actor of an agent as a NIR graph, and return what was left out and what that changes.

    The slope of each layer's normalized current is replaced by a constant, measured over `steps` steps.

    Input of the graph is the observation as the network sees it, standardized and clipped; how, is in the metadata, as
    is the order of the outputs. Drawing an action from the outputs is left to the reader.

    Parameters
    ----------
    agent : Agent
        Its environment (``config.env``) is made and acted in without learning; neurons and counts are changed.
    path : Path
        The file, replaced atomically.
    exact : bool
        Refuse an agent that the graph would not compute bit for bit, which with today's nodes is every one.
    neurons : {"parts", "lif"}
        Nodes that a neuron is made of.
    integration : {"exact", "euler"}
        How a reader will discretize ``tau dv/dt = v_leak - v + R I``: for an input held during a tick, which gives
        ``alpha = exp(-tick/tau)``, or by Euler's rule, ``alpha = 1 - tick/tau``. Time constants are chosen for it.
    tick_seconds : float
        Length of a tick in the time of the graph, above 0.
    steps : int
        Steps to measure slopes in, and as many others to count differences in, at least 10.
    seed : int
        Seed of the environment, at least 0.

    Returns
    -------
    dict
        ``file``, ``nodes``, ``neurons``, ``integration``, ``tick_seconds``, ``slopes``, ``differences`` (see
        `frozen.differences`), and with LIF nodes ``differences_if_reset_to_zero``.

    Raises
    ------
    ConfigError
        If something has no NIR node, an argument is not allowed, or the package is not installed.
    EnvError, RunError
        If the environment cannot be made, or fails.
    OSError
        If the file cannot be written.
    """
    nir = _package()
    _check(agent, exact, neurons, integration, tick_seconds, steps, seed)
    parts = frozen.parts_of(agent)
    slopes = frozen.slopes_of(parts, record(agent, steps, seed))
    fresh = record(agent, steps, seed + 1)
    result = {
        "file": str(path),
        "neurons": neurons,
        "integration": integration,
        "tick_seconds": tick_seconds,
        "slopes": slopes.tolist(),
        "differences": frozen.differences(agent, parts, slopes, fresh),
    }
    if neurons == "lif":
        result["differences_if_reset_to_zero"] = frozen.differences(agent, parts, slopes, fresh, to_zero=True)
    graph = graph_of(nir, parts, slopes, neurons, integration, tick_seconds)
    graph.metadata = _metadata(agent, result)
    buffer = io.BytesIO()
    nir.write(buffer, graph)
    write_atomically(path, buffer.getvalue())
    return {**result, "nodes": len(graph.nodes), "file_bytes": buffer.getbuffer().nbytes}


def _package() -> Any:
    try:
        import nir
    except ImportError as error:
        raise ConfigError("export nir needs the package nir; install it with pip install 'synaptick[nir]'") from error
    return nir


def _check(
    agent: Agent, exact: bool, neurons: str, integration: str, tick_seconds: float, steps: int, seed: int
) -> None:
    for name, given, allowed in (("neurons", neurons, NEURONS), ("integration", integration, INTEGRATIONS)):
        if given not in allowed:
            raise ConfigError(f"--{name} {given}: allowed: {', '.join(allowed)}")
    if not 0.0 < tick_seconds < np.inf:
        raise ConfigError(f"--tick {tick_seconds}: allowed: a number of seconds above 0")
    if seed < 0:
        raise ConfigError(f"--seed {seed}: allowed: 0 or more")
    if steps < FEWEST_STEPS:
        raise ConfigError(f"--steps {steps}: allowed: {FEWEST_STEPS} or more")
    if exact:
        raise ConfigError(
            "--exact: layer-normalized current has no NIR node: each layer divides its current by the std of that "
            "current over its neurons, and NIR has no product of two signals. Every network of synaptick does this; "
            "without --exact the divisor is held at its mean in the agent's own environment, and what that changes is "
            "measured and reported"
        )
    if agent.config.memory:
        raise ConfigError(
            f"memory neurons have no NIR node: the leak of each of the {agent.config.memory} of a layer is set "
            "anew in each tick by what it sees, that of NIR's LI and LIF is a constant; use a network with memory 0"
        )
    if agent.config.spikes == "graded":
        raise ConfigError(
            "graded spikes have no NIR node: what NIR's LIF sends is 0 or 1; use a network with spikes binary"
        )
    _check_time_constants(agent)
    if neurons == "lif":
        _check_lif(agent)


def _check_time_constants(agent: Agent) -> None:
    for index in range(len(agent.arena.dimensions.layers)):
        layer = {name: agent.arena.views[f"{NET}/{index}/{name}"] for name in ("alpha", "rho", "strength")}
        if (layer["alpha"] >= 1.0).any():
            raise ConfigError(
                f"layer {index} has membranes without a leak (tau_max {agent.config.tau_max:g} ticks, which rounds to "
                "forever): NIR's LI and LIF nodes have one; only settings with a tau_max below 3e7 can be exported"
            )
        if ((layer["rho"] >= 1.0) & (layer["strength"] != 0.0)).any():
            raise ConfigError(
                f"layer {index} has an adaptation without a leak (tau_adapt {agent.config.tau_adapt:g} ticks, which "
                "rounds to forever): NIR's LI node has one; only settings with a tau_adapt below 3e7 can be exported"
            )


def _check_lif(agent: Agent) -> None:
    config, d = agent.config, agent.arena.dimensions
    for index in range(len(d.layers)):
        strength = agent.arena.views[f"{NET}/{index}/strength"]
        if (strength > 0.0).any():
            raise ConfigError(
                f"adaptation (ALIF) has no NIR neuron: {int((strength > 0).sum())} neurons of layer {index} have a "
                "threshold that their own spikes raise, NIR's LIF has a constant one; use --neurons parts, or a "
                "network with adaptive_fraction 0"
            )
    if config.reset_strength != 1.0:
        raise ConfigError(
            f"reset_strength {config.reset_strength:g} has no NIR neuron: readers of NIR's LIF subtract the threshold, "
            "which is reset_strength 1, or set the membrane to v_reset; use --neurons parts"
        )


def _metadata(agent: Agent, result: dict[str, Any]) -> dict[str, Any]:
    """Return what a reader has to know beside the graph: strings, numbers and arrays, as the format has them."""
    views, d = agent.arena.views, agent.arena.dimensions
    count = float(agent.arena.running.observation_count)
    mean, m2 = views["observation_mean"], views["observation_m2"]
    stds = np.array([std(count, float(a), float(b)) for a, b in zip(mean, m2, strict=True)])
    chosen = views["standardized"] != 0.0
    found = result["differences"]
    metadata = {
        "source": "synaptick",
        "integration": result["integration"],
        "tick_seconds": result["tick_seconds"],
        "reset": "subtract the threshold in the tick after a spike" if result["neurons"] == "lif" else "a node",
        "state": "0 at the beginning of an episode" if not agent.config.keep_state else "kept over episodes",
        "input": "clip((observation - mean) / std, -clip, clip) where standardized, else the observation",
        "observation_mean": np.where(chosen, mean, 0.0),
        "observation_std": np.where(chosen, stds, 1.0),
        "observation_clip": float(agent.config.observation_clip),
        "observation_standardized": chosen.astype(np.int64),
        "output": "preferences of each factor, means of controls, logarithms of their stds",
        "output_categories": np.array(d.choices, np.int64),
        "output_controls": d.controls,
        "frozen_slopes": np.array(result["slopes"]),
    }
    # Empty arrays cannot be compressed, so they are left out.
    metadata |= {f"measured_{name}": np.asarray(value) if np.ndim(value) else value for name, value in found.items()}
    return {name: value for name, value in metadata.items() if not isinstance(value, np.ndarray) or value.size}
