"""Every array of the arena: name, section, shape, and what becomes of it; one line each.

A name here is an entry of `kernels.layout.Places`, or an array of `kernels.views.Net` or `Layer`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any, NamedTuple

from numpy.typing import NDArray

from ..kernels.layout import N_NETS
from ..kernels.normalize import RETURNS_SIZE
from ..kernels.rest import SLOTS
from .dimensions import Dimensions


class Lasts(enum.Enum):
    """How long the numbers of an array last."""

    FIXED = "given by the configuration, never changed"
    LEARNED = "the whole life"
    TRACE = "an episode, and learned ticks without a break"
    STATE = "an episode"


FIXED, LEARNED, TRACE, STATE = Lasts


class Row(NamedTuple):
    """One array.

    Attributes
    ----------
    name : str
    lasts : Lasts
        Of the reals it decides only whether an array is fixed: nothing clears them by section, and what has to be
        cleared there (`credit_norms`, a part of `returns`) is named in `kernels.clearing`.
    shape : tuple of int
    section : str
        "ints", "reals" or "floats".
    same_as : str
        Name of the array of the same network or layer whose memory this one is; "" if it has its own.
    by_columns : bool
        Whether the last two axes lie in memory in the other order, as those of memory neurons do.
    """

    name: str
    lasts: Lasts
    shape: tuple[int, ...]
    section: str = "floats"
    same_as: str = ""
    by_columns: bool = False

    def view(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """Return the array that these numbers, (size,), are."""
        if not self.by_columns:
            return numbers.reshape(self.shape)
        *outer, rows, columns = self.shape
        return numbers.reshape(*outer, columns, rows).swapaxes(-1, -2)


def agent_rows(d: Dimensions) -> Iterator[Row]:
    """Yield the arrays that belong to no network."""
    n_layers, n_choices = len(d.layers), len(d.choices)
    widest = max(d.layer_sizes(index)["n" if d.is_memory(index) else "m"] for index in range(n_layers))
    most = max(d.vectors(index) + d.n_above(index) for index in range(n_layers))
    yield Row("categories", FIXED, (n_choices,), "ints")
    yield Row("staging", STATE, (d.n_input,), "reals")
    yield Row("standardized", FIXED, (d.n_input,), "reals")
    yield Row("observation_mean", LEARNED, (d.n_input,), "reals")
    yield Row("observation_m2", LEARNED, (d.n_input,), "reals")
    yield Row("returns", LEARNED, (RETURNS_SIZE,), "reals")
    yield Row("output_mean", LEARNED, (N_NETS, d.centered), "reals")
    yield Row("probabilities", STATE, (sum(d.choices),), "reals")
    yield Row("control_center", FIXED, (d.controls,), "reals")
    yield Row("control_scale", FIXED, (d.controls,), "reals")
    yield Row("control_low", FIXED, (d.controls,), "reals")
    yield Row("control_high", FIXED, (d.controls,), "reals")
    yield Row("stds", STATE, (d.controls,), "reals")
    yield Row("noise", STATE, (d.controls,), "reals")
    yield Row("slow_noise", STATE, (d.controls,), "reals")
    yield Row("scratch_pair", STATE, (2,), "reals")
    yield Row("action", STATE, (n_choices + d.controls,), "reals")
    yield Row("spike_rates", LEARNED, (N_NETS, n_layers), "reals")
    yield Row("credit_norms", TRACE, (N_NETS, n_layers + 1 + d.memory), "reals")
    yield Row("step_sizes", LEARNED, (N_NETS, n_layers + 1 + d.memory), "reals")
    yield Row("input", STATE, (d.n_input,))
    yield Row("scratch_e", STATE, (N_NETS, widest))
    yield Row("scratch_total", STATE, (N_NETS, widest))
    yield Row("scratch_factors", STATE, (N_NETS, most))


def net_rows(d: Dimensions, net: int) -> Iterator[Row]:
    """Yield the arrays of the readout of a network."""
    sizes = d.net_sizes(net)
    outputs, features, n_layers = sizes["n_outputs"], sizes["n_features"], len(d.layers)
    yield Row("w", LEARNED, (outputs, features))
    yield Row("feedback", LEARNED, (outputs, features), same_as="" if d.own_feedback else "w")
    yield Row("leak", LEARNED, (n_layers,))
    yield Row("credit", TRACE, (outputs, features))
    yield Row("features", STATE, (features,))
    yield Row("output", STATE, (outputs,))
    yield Row("gradient", STATE, (outputs,))
    yield Row("slope", STATE, (n_layers,))


def layer_rows(d: Dimensions, index: int) -> Iterator[Row]:
    """Yield the arrays of a layer, from 0, bottom first."""
    sizes = d.layer_sizes(index)
    n, m, groups = sizes["n"], sizes["m"], sizes["groups"]
    rows, memory = sizes["rows"], d.is_memory(index)
    matrices = d.cascade or memory
    levels, split, vectors = sizes["levels"], sizes["split"], sizes["vectors"]
    yield Row("w", LEARNED, (rows, m), by_columns=memory)
    yield Row("feedback", LEARNED, (rows, m), same_as="" if d.own_feedback else "w", by_columns=memory)
    yield Row("alpha", FIXED, (n,))
    yield Row("rho", FIXED, (n,))
    yield Row("strength", FIXED, (n,))
    yield Row("alphas", FIXED, (groups,))
    yield Row("filter_leak", FIXED, (split,))
    yield Row("psi_mean", LEARNED, (n,))
    yield Row("rate", LEARNED, (n,))
    yield Row("credit", TRACE, (rows, m), by_columns=memory)
    yield Row("eps", TRACE, (rows if memory else groups, m), by_columns=memory)
    yield Row("epsa", TRACE, (sizes["n_adaptive"], m))
    yield Row("epsr", TRACE, (n * d.reset_path * (not memory), m))
    yield Row("cascade", TRACE, (levels * matrices, rows, m), by_columns=memory)
    yield Row("filtered", TRACE, (groups, vectors, m))
    yield Row("tensor", TRACE, (sizes["n_above"], rows, m), by_columns=memory)
    yield Row("psi_past", TRACE, ((split + 1) * (vectors > 0), n))
    yield Row("mass", TRACE, (levels * matrices + vectors,))
    yield Row("share", STATE, (levels * matrices + vectors,))
    yield Row("rest", TRACE, (SLOTS[levels] if d.rests(index) else 0, n))
    yield Row("inputs", STATE, (m,))
    yield Row("current", STATE, (rows,))
    yield Row("past", STATE, (d.n_input * (sizes["delayed"] >= 0), n))
    yield Row("keep", STATE, (n * memory,))
    yield Row("push", STATE, (rows * memory,))
    yield Row("v", STATE, (n,))
    yield Row("a", STATE, (n,))
    yield Row("z", STATE, (n,))
    yield Row("psi", STATE, (n,))
    yield Row("output", STATE, (n,), same_as="" if memory else "z")
    yield Row("signals", STATE, (1 + 2 * split + levels, n))
