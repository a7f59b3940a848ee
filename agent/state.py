"""The arena: every number the agent owns, in one contiguous block that is allocated once.

The block *is* the checkpoint: a snapshot is a copy of its bytes. Section order: int64, float64, float32; every array
starts on a 64-byte boundary of the block. `agent.kernels.layout` names the table entries written here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .dimensions import ALIGNMENT, Dimensions, padded
from .errors import StateError
from .kernels import layout as at
from .kernels.normalize import RETURNS_SIZE

NET_NAMES = ("actor", "critic")
# Views that the configuration fixes, and that nothing changes.
CONSTANTS = (
    *("alpha", "alphas", "rho", "strength", "leak", "filter_leak"),
    *("standardised", "control_centre", "control_scale", "control_low", "control_high"),
)


class Arena:
    """One block of memory with named views.

    Parameters
    ----------
    dimensions : Dimensions
    buffer : writable buffer of at least ``nbytes`` bytes, optional
        Memory supplied by the caller, at an address divisible by 8; it is overwritten. Without it the block is
        allocated.

    Attributes
    ----------
    nbytes : int
        Size of the block.
    block : (nbytes,) uint8 array
    address : int
        Where the block lies in memory.
    ints, reals, floats : int64, float64, float32 arrays
        The sections, in the form the kernels take.
    views : dict of str to array
        Named arrays, such as ``"actor/0/w"``; each is a view of `block`.

    Raises
    ------
    StateError
        If `buffer` is too small, read-only or misaligned.
    """

    def __init__(self, dimensions: Dimensions, buffer: Any = None) -> None:
        self.dimensions = dimensions
        self._table: list[tuple[int, int]] = []
        self._plan: dict[str, tuple[str, int, tuple[int, ...]]] = {}
        self._used = {"reals": padded(at.REAL_HEADER), "floats": 0}
        self._draw_up()

        categories = at.LAYER_TABLE + at.N_NETS * len(dimensions.layers) * at.LAYER_STRIDE
        self._table += [(at.CATEGORIES, categories), *enumerate(dimensions.choices, categories)]
        n_ints = padded(categories + len(dimensions.choices))
        self._table += [
            (at.N_INTS, n_ints),
            (at.N_REALS, self._used["reals"]),
            (at.N_FLOATS, self._used["floats"]),
        ]
        reals_at = 8 * n_ints
        floats_at = reals_at + 8 * self._used["reals"]
        self.nbytes = floats_at + 4 * self._used["floats"]
        self.block = _claim(self.nbytes, buffer)
        self.address = int(self.block.ctypes.data)
        self.block[:] = 0
        self.ints: NDArray[np.int64] = self.block[:reals_at].view(np.int64)
        self.reals: NDArray[np.float64] = self.block[reals_at:floats_at].view(np.float64)
        self.floats: NDArray[np.float32] = self.block[floats_at:].view(np.float32)
        for index, value in self._table:
            self.ints[index] = value
        self.views: dict[str, NDArray[Any]] = {}
        for name, (section, offset, shape) in self._plan.items():
            source: NDArray[Any] = self.reals if section == "reals" else self.floats
            self.views[name] = source[offset : offset + int(np.prod(shape))].reshape(shape)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle as dimensions and bytes: the address belongs to this block alone."""
        return _restored, (self.dimensions, self.block.tobytes())

    def check(self, state: Any) -> NDArray[np.uint8]:
        """Return `state`, any bytes-like object, as an array; raise `StateError` unless it fits this arena.

        The offset table decides where kernels read and write, so it has to be this arena's own, entry by entry; so have
        options and hyperparameters, which belong to the configuration.
        """
        try:
            block = np.frombuffer(state, np.uint8)
        except (TypeError, ValueError, BufferError) as error:
            raise StateError(f"a state is a block of bytes, as snapshot() returns; got a {type(state)}") from error
        if block.size != self.nbytes:
            raise StateError(f"the state has {block.size} bytes; this network needs {self.nbytes}")
        n_ints = self.ints.nbytes
        ints, reals = block[:n_ints].copy().view(np.int64), block[n_ints : n_ints + 8 * at.REAL_HEADER].copy()
        if any(ints[index] != value for index, value in self._table):
            raise StateError("the state belongs to a network of another shape or version of synaptick")
        options, settings = slice(at.STEP_RULE, at.KEEP_STATE + 1), slice(0, at.DEVIATION_RATE + 1)
        if (ints[options] != self.ints[options]).any() or (
            reals.view(np.float64)[settings] != self.reals[settings]
        ).any():
            raise StateError("the state belongs to an agent with other settings")
        for name, view in self.views.items():
            if name.split("/")[-1] in CONSTANTS and (self._same_place(block, view) != view).any():
                raise StateError(f"the state belongs to an agent with other settings ({name} differs)")
        return block

    def _same_place(self, block: NDArray[np.uint8], view: NDArray[Any]) -> NDArray[Any]:
        """Return what `block` holds where this arena has `view`."""
        first = int(view.ctypes.data) - self.address
        found: NDArray[Any] = block[first : first + view.nbytes].view(view.dtype).reshape(view.shape)
        return found

    def _place(self, section: str, name: str, entry: int, *shape: int) -> None:
        """Give the next place in a section to an array, and write its offset to table entry `entry`."""
        offset = self._used[section]
        self._plan[name] = (section, offset, shape)
        self._table.append((entry, offset))
        self._used[section] = offset + padded(int(np.prod(shape)))

    def _alias(self, entry: int, other: int) -> None:
        """Write to table entry `entry` the offset that entry `other` has."""
        self._table.append((entry, dict(self._table)[other]))

    def _draw_up(self) -> None:
        """Fix every offset: first what lasts, then traces, then neurons, so that clearing is one fill."""
        d, n_layers = self.dimensions, len(self.dimensions.layers)
        self._table += [
            (at.N_INPUT, d.n_input),
            (at.N_PREFERENCES, sum(d.choices)),
            (at.N_CHOICES, len(d.choices)),
            (at.N_CONTROLS, d.controls),
            (at.N_PARTS, d.parts),
            (at.N_LAYERS, n_layers),
        ]
        self._place("reals", "staging", at.STAGING, d.n_input)
        self._place("reals", "observation_mean", at.OBSERVATION_MEAN, d.n_input)
        self._place("reals", "observation_m2", at.OBSERVATION_M2, d.n_input)
        self._place("reals", "returns", at.RETURNS, RETURNS_SIZE)
        reservoir = d.layers[0] if d.reservoir else 0
        self._place("reals", "reservoir_mean", at.RESERVOIR_MEAN, at.N_NETS, reservoir)
        self._place("reals", "standardised", at.STANDARDISED, d.n_input)
        self._place("reals", "probabilities", at.PROBABILITIES, sum(d.choices))
        self._place("reals", "control_centre", at.CONTROL_CENTRE, d.controls)
        self._place("reals", "control_scale", at.CONTROL_SCALE, d.controls)
        self._place("reals", "control_low", at.CONTROL_LOW, d.controls)
        self._place("reals", "control_high", at.CONTROL_HIGH, d.controls)
        self._place("reals", "deviations", at.DEVIATIONS, d.controls)
        self._place("reals", "noise", at.NOISE, d.controls)
        self._place("reals", "slow_noise", at.SLOW_NOISE, d.controls)
        self._place("reals", "action", at.ACTION, len(d.choices) + d.controls)
        self._place("reals", "spike_rates", at.SPIKE_RATES, at.N_NETS, n_layers)
        self._place("reals", "credit_norms", at.CREDIT_NORMS, at.N_NETS, n_layers + 1)
        self._place("reals", "step_sizes", at.STEP_SIZES, at.N_NETS, n_layers + 1)
        for net, name in enumerate(NET_NAMES):
            self._place_weights(net, name)
        self._table.append((at.TRACES_FIRST, self._used["floats"]))
        for net, name in enumerate(NET_NAMES):
            self._place_traces(net, name)
        self._table.append((at.NEURONS_FIRST, self._used["floats"]))
        for net, name in enumerate(NET_NAMES):
            self._place_neurons(net, name)
        self._place("floats", "input", at.INPUT, d.n_input)
        widest = max(d.columns(index)["m"] for index in range(n_layers))
        self._place("floats", "scratch_e", at.SCRATCH_E, widest)
        self._place("floats", "scratch_total", at.SCRATCH_TOTAL, widest)
        most = max(d.vectors(index) for index in range(n_layers))
        self._place("floats", "scratch_factors", at.SCRATCH_FACTORS, most)
        self._table.append((at.NEURONS_LAST, self._used["floats"]))

    def _layer_entry(self, net: int, layer: int) -> int:
        return at.LAYER_TABLE + (net * len(self.dimensions.layers) + layer) * at.LAYER_STRIDE

    def _place_weights(self, net: int, name: str) -> None:
        d = self.dimensions
        entry = at.NET_TABLE + net * at.NET_STRIDE
        first, bias, features = d.readout_columns()
        outputs = d.outputs[net]
        self._table += [
            (entry + at.NET_OUT, outputs),
            (entry + at.NET_FEATURES, features),
            (entry + at.NET_BIAS, bias),
            (entry + at.NET_FREE, d.free_outputs[net]),
        ]
        self._place("floats", f"{name}/w", entry + at.NET_W, outputs, features)
        self._place("floats", f"{name}/peak", entry + at.NET_PEAK, outputs if d.peaks else 0, features)
        if d.own_feedback:
            self._place("floats", f"{name}/feedback", entry + at.NET_FEEDBACK, outputs, features)
        else:
            self._alias(entry + at.NET_FEEDBACK, entry + at.NET_W)
        self._place("floats", f"{name}/leak", entry + at.NET_LEAK, len(d.layers))
        for index, n in enumerate(d.layers):
            row, c, prefix = self._layer_entry(net, index), d.columns(index), f"{name}/{index}"
            self._table += [
                (row + at.LAYER_N, n),
                (row + at.LAYER_M, c["m"]),
                (row + at.LAYER_BELOW, c["below"]),
                (row + at.LAYER_OBSERVED, c["observed"]),
                (row + at.LAYER_RECURRENT, c["recurrent"]),
                (row + at.LAYER_BIAS, c["bias"]),
                (row + at.LAYER_GROUPS, d.groups),
                (row + at.LAYER_LEARNS, d.learns(index)),
                (row + at.LAYER_ADAPTIVE, d.adaptive[index]),
                (row + at.LAYER_LEVELS, d.levels(index)),
                (row + at.LAYER_SPLIT, d.split(index)),
                (row + at.LAYER_VECTORS, d.vectors(index)),
                (row + at.LAYER_FIRST, first[index]),
            ]
            self._place("floats", f"{prefix}/w", row + at.LAYER_W, n, c["m"])
            self._place("floats", f"{prefix}/peak", row + at.LAYER_PEAK, n * (d.peaks and d.learns(index)), c["m"])
            self._place("floats", f"{prefix}/alpha", row + at.LAYER_ALPHA, n)
            self._place("floats", f"{prefix}/rho", row + at.LAYER_RHO, n)
            self._place("floats", f"{prefix}/strength", row + at.LAYER_STRENGTH, n)
            self._place("floats", f"{prefix}/psi_mean", row + at.LAYER_PSI_MEAN, n)
            self._place("floats", f"{prefix}/alphas", row + at.LAYER_ALPHAS, d.groups)
            self._place("floats", f"{prefix}/filter_leak", row + at.LAYER_FILTER_LEAK, d.split(index))
            self._place("floats", f"{prefix}/rate", row + at.LAYER_RATE, n)
            if d.own_feedback:
                self._place("floats", f"{prefix}/feedback", row + at.LAYER_FEEDBACK, n, c["m"])
            else:
                self._alias(row + at.LAYER_FEEDBACK, row + at.LAYER_W)

    def _place_traces(self, net: int, name: str) -> None:
        d = self.dimensions
        entry = at.NET_TABLE + net * at.NET_STRIDE
        _, _, features = d.readout_columns()
        self._place("floats", f"{name}/credit", entry + at.NET_CREDIT, d.outputs[net], features)
        for index, n in enumerate(d.layers):
            row, m, prefix = self._layer_entry(net, index), d.columns(index)["m"], f"{name}/{index}"
            learns = d.learns(index)
            self._place("floats", f"{prefix}/credit", row + at.LAYER_CREDIT, n * learns, m)
            self._place("floats", f"{prefix}/epsa", row + at.LAYER_EPSA, d.adaptive[index], m)
            self._place("floats", f"{prefix}/epsr", row + at.LAYER_EPSR, n * (d.reset_path and learns), m)
            self._place("floats", f"{prefix}/cascade", row + at.LAYER_CASCADE, d.levels(index) * d.cascade, n, m)
            vectors = d.vectors(index)
            self._place("floats", f"{prefix}/filtered", row + at.LAYER_FILTERED, d.groups, vectors, m)
            self._place(
                "floats", f"{prefix}/psi_past", row + at.LAYER_PSI_PAST, (d.split(index) + 1) * (vectors > 0), n
            )
            self._place("floats", f"{prefix}/mass", row + at.LAYER_MASS, vectors)
            self._place("floats", f"{prefix}/eps", row + at.LAYER_EPS, d.groups * learns, m)

    def _place_neurons(self, net: int, name: str) -> None:
        d = self.dimensions
        entry = at.NET_TABLE + net * at.NET_STRIDE
        _, _, features = d.readout_columns()
        outputs = d.outputs[net]
        self._place("floats", f"{name}/features", entry + at.NET_FEATURE, features)
        self._place("floats", f"{name}/output", entry + at.NET_OUTPUT, outputs)
        self._place("floats", f"{name}/gradient", entry + at.NET_GRADIENT, outputs)
        self._place("floats", f"{name}/slope", entry + at.NET_SLOPE, len(d.layers))
        for index, n in enumerate(d.layers):
            row, prefix = self._layer_entry(net, index), f"{name}/{index}"
            self._place("floats", f"{prefix}/inputs", row + at.LAYER_INPUTS, d.columns(index)["m"])
            for view, field in (
                ("v", at.LAYER_V),
                ("a", at.LAYER_A),
                ("z", at.LAYER_Z),
                ("psi", at.LAYER_PSI),
                ("current", at.LAYER_CURRENT),
            ):
                self._place("floats", f"{prefix}/{view}", row + field, n)
            if d.learns(index):
                self._alias(row + at.LAYER_OUTPUT, row + at.LAYER_Z)
            else:
                self._place("floats", f"{prefix}/output", row + at.LAYER_OUTPUT, n)
            self._place(
                "floats", f"{prefix}/signals", row + at.LAYER_SIGNALS, 1 + 2 * d.split(index) + d.levels(index), n
            )


def _restored(dimensions: Dimensions, state: bytes) -> Arena:
    arena = Arena(dimensions)
    arena.block[:] = np.frombuffer(state, np.uint8)
    return arena


def _claim(nbytes: int, buffer: Any) -> NDArray[np.uint8]:
    if buffer is None:
        spare = np.zeros(nbytes + ALIGNMENT, np.uint8)
        shift = -spare.ctypes.data % ALIGNMENT
        return spare[shift : shift + nbytes]
    try:
        block = np.frombuffer(buffer, np.uint8)
    except (TypeError, ValueError, BufferError) as error:
        raise StateError(f"the buffer given for the agent's state is a {type(buffer).__name__}, not memory") from error
    if not block.flags.writeable:
        raise StateError("the buffer given for the agent's state is read-only; give a writable one, such as bytearray")
    if block.size < nbytes:
        raise StateError(f"the buffer given for the agent's state has {block.size} bytes; this network needs {nbytes}")
    if block.ctypes.data % 8:
        raise StateError("the buffer given for the agent's state must start at an address that is a multiple of 8")
    return block[:nbytes]
