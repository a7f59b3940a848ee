"""Weights of a layer by what they come from, and what memory neurons keep."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arena.arena import Arena
from ..errors import ProbeError
from .place import place_of


class Retention(NamedTuple):
    """What memory neurons keep of their cells.

    Attributes
    ----------
    share : (memory layers, neurons) float64 array
        1 - g as of the last tick, from 0 to 1.
    ticks : (memory layers, neurons) float64 array
        The time constant that share stands for, ``-1 / log(share)``, from 0 to infinity.
    """

    share: NDArray[np.float64]
    ticks: NDArray[np.float64]


def weights_by_source(arena: Arena, name: Any) -> dict[str, Any]:
    """Return copies of a layer's weights without padding; see `Agent.weights`.

    Raises
    ------
    ProbeError
        If there is no layer of that name.
    """
    place = place_of(arena, name, nets=False)
    n, columns = place.n, arena.dimensions.columns(place.layer or 0)
    w, x, bias = arena.views[f"{name}/w"], arena.dimensions.n_input, columns["bias"]
    spans = {"below": (0, columns["below"]), "observation": (columns["observed"], x)}
    spans |= {"recurrent": (columns["recurrent"], n), "earlier observation": (columns["delayed"], x)}

    def of(rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        parts = {
            source: np.array(rows[:, first : first + count], order="C")
            for source, (first, count) in spans.items()
            if first >= 0 and count
        }
        return {**parts, "bias": rows[:, bias].copy()}

    if not place.memory:
        return of(w)
    return {"C": {**of(w[:n]), "threshold": w[:n, columns["threshold"]].copy()}, "G": of(w[n:])}


def retention(arena: Arena, name: Any) -> Retention:
    """Return what the memory neurons of a network keep; see `Agent.retention`.

    Raises
    ------
    ProbeError
        If there is no network of that name, or it has no memory neurons.
    """
    place = place_of(arena, name, layers=False)
    if not arena.dimensions.memory:
        raise ProbeError("this agent has no memory neurons (memory: 0); make one of a Config with memory of 4 or more")
    keep = np.stack([arena.views[f"{place.path}/{index}/keep"] for index in range(arena.dimensions.memory)])
    share = keep.astype(np.float64)
    with np.errstate(divide="ignore"):
        # A share of 1 has the logarithm -0, of which the inverse would be negative.
        ticks = 1.0 / (0.0 - np.log(share))
    return Retention(share, ticks)
