"""What a probe can record: names, units and axes, and how each of them is read from an arena after a tick."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arena.arena import Arena
from ..arena.traces import Chosen, credit_of
from .eligibility import Eligibility, MemoryEligibility
from .place import Place, as_chosen

# Writes what there is after a tick into a row of a buffer, in place.
Read = Callable[[NDArray[Any]], None]


class Quantity(NamedTuple):
    """A quantity that a probe can record.

    Attributes
    ----------
    unit : str
        "1" if it has none.
    axes : tuple of str
        Of a recorded array, after that of ticks. An axis "part" is there in memory neurons only: C, then G.
    text : str
        What it is.
    """

    unit: str
    axes: tuple[str, ...]
    text: str


_NEURON, _SYNAPSE = ("neuron",), ("neuron", "part", "input")
OF_LAYERS = {
    "spike": Quantity("0 to 1", _NEURON, "z: graded, or 0 or 1"),
    "v": Quantity("v_th", _NEURON, "membrane; of memory neurons the cell c"),
    "a": Quantity("spikes", _NEURON, "adaptation of the threshold; of memory neurons 0"),
    "psi": Quantity("1/v_th", _NEURON, "pseudo-derivative"),
    "rate": Quantity("spikes a tick", _NEURON, "running mean of the spikes"),
    "current": Quantity("v_th", _NEURON, "normalized input current; of memory neurons the candidate h"),
    "signal": Quantity("1/spike", _NEURON, "all learning signals together: of log pi(action) or of the value"),
    "weight": Quantity("v_th/spike", _SYNAPSE, "weights from each input, as equations.md orders them"),
    "credit": Quantity("1/weight", _SYNAPSE, "what the next TD error is multiplied with"),
    "eligibility": Quantity("spikes/weight", _SYNAPSE, "e_ij of this tick, NaN where none was formed"),
    "retention": Quantity("share a tick", _NEURON, "1 - g: what a memory neuron keeps of its cell"),
}
OF_NETS = {
    "value": Quantity("normalized reward", (), "value of the last observation"),
    "td_error": Quantity("normalized reward", (), "the last TD error"),
    "output": Quantity("preference, mean, log std", ("output",), "of the readout; of the critic the value"),
    "gradient": Quantity("1/output", ("output",), "of log pi(action), or of the value, with respect to the output"),
}
_PLAIN = {"spike": "z", "v": "v", "a": "a", "psi": "psi", "rate": "rate", "retention": "keep"}
_MEMORY_ONLY = ("retention",)


def quantities_of(place: Place) -> dict[str, Quantity]:
    """Return what can be recorded of a layer or of a network, with the axes that it has there."""
    if place.layer is None:
        value = OF_NETS["output"]._replace(unit="normalized reward")
        return OF_NETS if place.path == "actor" else {**OF_NETS, "output": value}
    kept = {name: spec for name, spec in OF_LAYERS.items() if place.memory or name not in _MEMORY_ONLY}
    if place.memory:
        return kept
    return {name: spec._replace(axes=tuple(x for x in spec.axes if x != "part")) for name, spec in kept.items()}


def reader(arena: Arena, place: Place, name: str, neurons: NDArray[np.intp]) -> tuple[Read, tuple[int, ...], Any]:
    """Return what reads a quantity, and shape and type of what it reads.

    Parameters
    ----------
    arena : Arena
        It is read in every tick, and never modified.
    place : Place
    name : str
        One of `quantities_of`.
    neurons : (k,) array
        Numbers of neurons; empty for a network.
    """
    views, path = arena.views, place.path
    if place.layer is None:
        if name in ("value", "td_error"):
            entry = "value_tm1" if name == "value" else "delta"
            return lambda out: out.fill(getattr(arena.running, entry)), (), np.float64
        view = views[f"{path}/{name}"]
        return _copy(view, slice(None)), view.shape, np.float32
    chosen, one_each = as_chosen(neurons), (len(neurons),)
    if name in _PLAIN:
        return _copy(views[f"{path}/{_PLAIN[name]}"], chosen), one_each, np.float32
    if name == "current":
        return _copy(views[f"{path}/current"][: place.n], chosen), one_each, np.float32
    if name == "signal":
        return _signal(arena, place, chosen), one_each, np.float32
    shape = (*one_each, 2, place.inputs) if place.memory else (*one_each, place.inputs)
    if name == "eligibility":
        kind = MemoryEligibility if place.memory else Eligibility
        return kind(arena, place, neurons), shape, np.float32
    if place.memory or name == "weight":
        matrix = views[f"{path}/{'w' if name == 'weight' else name}"]
        return _copy(place.rows_of_neurons(matrix), chosen), shape, np.float32
    return lambda out: np.copyto(out, credit_of(views, path, chosen)[:, : place.inputs]), shape, np.float32


def _copy(view: NDArray[Any], chosen: Chosen) -> Read:
    if isinstance(chosen, slice):
        seen = view[chosen]
        return lambda out: np.copyto(out, seen)
    return lambda out: np.copyto(out, view[chosen])


def _signal(arena: Arena, place: Place, chosen: Chosen) -> Read:
    """Read S_0 + sum_q T_q of a layer: what learning, which uses the slots up, leaves of them, put together again.

    The factored filter adds all but D_h to slot 0. The cascade takes the shares of its levels off T_q from q = 2 on.
    """
    sizes = arena.dimensions.layer_sizes(place.layer or 0)
    split, levels, factored = sizes["split"], sizes["levels"], sizes["vectors"] > 0
    signals, share = arena.views[f"{place.path}/signals"], arena.views[f"{place.path}/share"]
    around, hops = signals[1 + split : 1 + 2 * split], signals[1 + 2 * split :]

    def read(out: NDArray[Any]) -> None:
        total = signals[0, chosen].astype(np.float64)
        if factored:
            total += around[:, chosen].sum(axis=0, dtype=np.float64)
        elif levels:
            total += hops[0, chosen]
            held = float(share[0])
            for q in range(1, levels):
                held *= float(share[q])
                total += held * hops[q, chosen].astype(np.float64)
        out[...] = total

    return read
