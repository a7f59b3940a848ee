"""The actor with constant slopes as nodes and edges of NIR.

What the network computes in a tick is put together from nodes that NIR has: weights and biases (`Affine`, `Linear`),
leaky integrators (`LI`), thresholds (`Threshold`), factors (`Scale`) and delays of one tick (`Delay`); edges that meet
are summed::

    spikes below ---> below -------+                          +--> delay ---> recurrent, reset, adaptation
    observation ----> observed ----+--> membrane ---> spike --+--> below of the next layer
    delay ----------> recurrent ---+                  ^       +--> readout ---> output
    delay ----------> reset -------+                  |
    delay ----------> adaptation (LI) ---> raise -----+

Every loop passes a `Delay`, so the order within a tick is that of the edges, and nothing is left to the reader but how
an integrator is discretized. Soft reset and adaptation come out exactly.

With ``neurons="lif"`` membrane, spike and reset are one `LIF` node, which most readers know better. It has no
adaptation, and by NIR's definition a spike sets it to `v_reset`. In continuous time, where a membrane spikes as it
reaches the threshold, that is the same as taking the threshold off; readers that step in time have to do the latter.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .frozen import Array, LayerParts, Parts

# Time constant, in ticks, of a membrane that forgets at once: what is left after a tick is lost in any rounding.
AT_ONCE = 1.0 / 40.0


def graph_of(nir: Any, parts: Parts, slopes: Array, neurons: str, integration: str, tick: float) -> Any:
    """Return the NIR graph of an actor with a slope for each layer.

    Parameters
    ----------
    nir : module
        The package.
    parts : Parts
    slopes : (layers,) array
    neurons : {"parts", "lif"}
    integration : {"exact", "euler"}
    tick : float
        Seconds; see `export_nir`.
    """
    n_input = next(layer.observed.shape[1] for layer in parts.layers if layer.observed is not None)
    nodes: dict[str, Any] = {"input": nir.Input({"input": np.array([n_input])})}
    edges: list[tuple[str, str]] = []
    output_bias: Array | None = parts.bias
    for index, layer in enumerate(parts.layers):
        builder = _LayerNodes(nir, nodes, edges, index, integration, tick)
        spike = builder.add_neurons(layer, parts, neurons)
        builder.add_currents(layer, float(slopes[index]))
        if layer.readout is not None:
            # The first readout brings the bias of all.
            nodes[f"{index}_readout"] = _weights(nir, layer.readout, output_bias)
            edges += [(spike, f"{index}_readout"), (f"{index}_readout", "output")]
            output_bias = None
    nodes["output"] = nir.Output({"output": np.array([parts.bias.size])})
    return nir.NIRGraph(nodes, edges)


def _weights(nir: Any, weights: Array, bias: Array | None) -> Any:
    if bias is None:
        return nir.Linear(weights.astype(np.float32))
    return nir.Affine(weights.astype(np.float32), bias.astype(np.float32))


class _LayerNodes:
    """Adds the nodes and edges of one layer."""

    def __init__(
        self,
        nir: Any,
        nodes: dict[str, Any],
        edges: list[tuple[str, str]],
        index: int,
        integration: str,
        tick: float,
    ) -> None:
        self.nir, self.nodes, self.edges, self.index = nir, nodes, edges, index
        self.integration, self.tick = integration, tick

    def _add(self, name: str, node: Any, *sources: str) -> str:
        name = f"{self.index}_{name}"
        self.nodes[name] = node
        self.edges += [(source, name) for source in sources]
        return name

    def _leak(self, alpha: Array) -> dict[str, Array]:
        """Return the parameters of an integrator that does ``v <- alpha v + I``."""
        if self.integration == "euler":
            tau = 1.0 / (1.0 - alpha)
        else:
            tau = np.full(alpha.shape, AT_ONCE)
            np.divide(-1.0, np.log(alpha, out=np.ones(alpha.shape), where=alpha > 0.0), out=tau, where=alpha > 0.0)
        # In float64: 1 - alpha of a long time constant has few digits left in float32.
        return {"tau": tau * self.tick, "r": 1.0 / (1.0 - alpha), "v_leak": np.zeros(alpha.shape)}

    def add_neurons(self, layer: LayerParts, parts: Parts, neurons: str) -> str:
        """Add membranes and what follows a spike; return the node whose output the spikes are."""
        n = layer.alpha.size
        threshold = np.full(n, parts.v_th)
        if neurons == "lif":
            leak = self._leak(layer.alpha)
            self.entry = self._add("membrane", self.nir.LIF(**leak, v_threshold=threshold, v_reset=np.zeros(n)))
            spike = self.entry
        else:
            self.entry = self._add("membrane", self.nir.LI(**self._leak(layer.alpha)))
            spike = self._add("spike", self.nir.Threshold(threshold), self.entry)
        adapts = layer.strength != 0.0
        resets = neurons == "parts" and parts.fall != 0.0
        self.late = ""
        if layer.recurrent is not None or adapts.any() or resets:
            self.late = self._add("delay", self.nir.Delay(np.full(n, self.tick)), spike)
        if resets:
            reset = self._add("reset", self.nir.Scale(np.full(n, -parts.fall)), self.late)
            self.edges.append((reset, self.entry))
        if adapts.any():
            leak = self._leak(np.where(adapts, layer.rho, 0.0))
            adaptation = self._add("adaptation", self.nir.LI(**leak), self.late)
            self.edges.append((self._add("raise", self.nir.Scale(-layer.strength), adaptation), spike))
        return spike

    def add_currents(self, layer: LayerParts, slope: float) -> None:
        """Add the weights of all inputs, scaled by the slope; the first brings the bias."""
        bias: Array | None = slope * layer.bias
        below = f"{self.index - 1}_{'spike' if f'{self.index - 1}_spike' in self.nodes else 'membrane'}"
        for name, weights, source in (
            ("observed", layer.observed, "input"),
            ("below", layer.below, below),
            ("recurrent", layer.recurrent, self.late),
        ):
            if weights is not None:
                node = self._add(name, _weights(self.nir, slope * weights, bias), source)
                self.edges.append((node, self.entry))
                bias = None
