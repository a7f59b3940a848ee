"""What an agent consists of, as a table to read."""

from __future__ import annotations

from .arena import Arena
from .placement import NET_NAMES
from .size import Size


def synapses(arena: Arena) -> int:
    """Return how many weights there are, padding left out."""
    return sum(row[-1] for row in _rows(arena))


def summary(arena: Arena, size: Size) -> str:
    """Return a line for each layer of both networks, and one for what the bytes are for.

    Inputs are those of a neuron: spikes from below and its own layer's, the observation, a bias. Spikes are the running
    share of neurons that spike in a tick.
    """
    lines = [f"{'network':8} {'layer':10} {'neurons':>8} {'inputs':>7} {'synapses':>9} {'spikes':>7}"]
    rates = arena.views["spike_rates"]
    for k, (net, layer, neurons, inputs, weights) in enumerate(_rows(arena)):
        which, index = divmod(k, rates.shape[1] + 1)
        rate = f"{rates[which, index]:.2f}" if index < rates.shape[1] else ""  # the readout comes last
        lines.append(f"{net:8} {layer:10} {neurons:8,} {inputs:7,} {weights:9,} {rate:>7}".rstrip())
    parts = ", ".join(f"{name} {nbytes:,}" for name, nbytes in size.parts)
    lines.append(f"{synapses(arena):,} synapses; {size.nbytes:,} bytes: {parts}")
    return "\n".join(lines)


def _rows(arena: Arena) -> list[tuple[str, str, int, int, int]]:
    """Return network, layer, neurons, inputs of each and weights, actor first, bottom up."""
    d = arena.dimensions
    found = []
    for net, name in enumerate(NET_NAMES):
        for index in range(len(d.layers)):
            sizes = d.layer_sizes(index)
            memory = d.is_memory(index)
            layer = f"memory[{index}]" if memory else f"layers[{index - d.memory}]"
            inputs = sizes["bias"] + 1
            found.append((name, layer, sizes["n"], inputs, sizes["rows"] * inputs + (sizes["n"] if memory else 0)))
        readout = d.net_sizes(net)
        inputs, free = readout["bias"] + 1, readout["n_free"]
        outputs = readout["n_outputs"]
        found.append((name, "readout", outputs, inputs, (outputs - free) * inputs + free))
    return found
