"""Layers and networks by their names."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arena.arena import Arena
from ..arena.placement import NET_NAMES
from ..arena.traces import Chosen
from ..errors import ProbeError, one_line


class Place(NamedTuple):
    """A layer, or a whole network.

    Attributes
    ----------
    path : str
        Its name, such as "actor/1" or "actor".
    layer : int or None
        Number of the layer, bottom first; None for a network.
    n : int
        Neurons; 0 for a network.
    inputs : int
        Inputs of a neuron without padding; of memory neurons with the column of the threshold, which comes last.
    memory : bool
        Whether the layer is of memory neurons.
    """

    path: str
    layer: int | None
    n: int
    inputs: int
    memory: bool

    def rows_of_neurons(self, matrix: NDArray[Any]) -> NDArray[Any]:
        """Return a view by neurons of an array by rows of weights: (n, inputs), of memory neurons (n, 2, inputs)."""
        if not self.memory:
            return matrix[:, : self.inputs]
        # Splitting an axis never copies.
        return np.swapaxes(matrix.reshape(2, self.n, matrix.shape[1]), 0, 1)


def layers_of(arena: Arena) -> list[str]:
    """Return the names of all layers, those of the actor first, bottom up."""
    return [f"{net}/{index}" for net in NET_NAMES for index in range(len(arena.dimensions.layers))]


def place_of(arena: Arena, name: Any, nets: bool = True, layers: bool = True) -> Place:
    """Return the layer or network of a name.

    Parameters
    ----------
    arena : Arena
    name : str
        Such as "actor/1" or, a network, "actor".
    nets, layers : bool, optional
        Which of them are allowed.

    Raises
    ------
    ProbeError
        If there is none of that name.
    """
    allowed = [*(NET_NAMES if nets else ()), *(layers_of(arena) if layers else ())]
    if not isinstance(name, str) or name not in allowed:
        raise ProbeError(
            f"there is no {one_line(name)} here; allowed: {', '.join(allowed)}; `print(agent.summary())` shows what "
            "the layers are, memory first"
        )
    net, _, number = name.partition("/")
    if not number:
        return Place(net, None, 0, 0, False)
    d, index = arena.dimensions, int(number)
    columns = d.columns(index)
    memory = d.is_memory(index)
    return Place(name, index, d.layers[index], columns["threshold" if memory else "bias"] + 1, memory)


def as_chosen(neurons: NDArray[np.intp]) -> Chosen:
    """Return numbers of neurons as a slice where they follow one another: what it names is then not copied."""
    count = len(neurons)
    first = int(neurons[0]) if count else 0
    return slice(first, first + count) if (neurons == np.arange(first, first + count)).all() else neurons
