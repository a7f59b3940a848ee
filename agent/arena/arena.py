"""The arena: every number the agent owns, in one contiguous block that is allocated once.

The block *is* the checkpoint: a snapshot is a copy of its bytes. Section order: int64, float64, float32; every array
starts on a 64-byte boundary of its section. `plan` says which arrays there are.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import StateError
from ..kernels import layout as at
from ..kernels import views
from ..kernels.base.records import names_of, record, words_of
from ..kernels.normalize import COUNT, ONES, SQUARES
from ..kernels.settings import Settings
from .dimensions import ALIGNMENT, Dimensions
from .named import Named
from .placement import NET_NAMES, Placed, Placement
from .plan import Lasts

# What may be infinite: controls without a bound.
UNBOUNDED = ("control_low", "control_high")

# Behind a state that goes to C and back.
CRC_BYTES = 4


def sealed(state: bytes) -> bytes:
    """Return the bytes of a state with their CRC-32, low byte first, behind them."""
    return state + zlib.crc32(state).to_bytes(CRC_BYTES, "little")


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
    clock, sizes, running, settings : Named
        Numbers with names, such as ``clock.tick``; each is a view of `block`.
    random : (4,) int64 array
        State of the random numbers, likewise.
    traces, neurons : float32 arrays
        All that the start of an episode clears: credit and eligibility, and the states of neurons, likewise.
    views : dict of str to array
        Named arrays, such as ``"actor/0/w"``, likewise.
    fixed : dict of str to array
        Those of `views` that the configuration gives and nothing changes.

    Raises
    ------
    StateError
        If `buffer` is too small, read-only or misaligned, or if there is no memory.
    """

    def __init__(self, dimensions: Dimensions, buffer: Any = None) -> None:
        self.dimensions = dimensions
        placement = Placement.of(dimensions)
        reals_at, floats_at, self.nbytes = placement.reals_at, placement.floats_at, placement.nbytes
        self.block = _claim(self.nbytes, buffer)
        self.address = int(self.block.ctypes.data)
        self.block[:] = 0
        self.ints: NDArray[np.int64] = self.block[:reals_at].view(np.int64)
        self.reals: NDArray[np.float64] = self.block[reals_at:floats_at].view(np.float64)
        self.floats: NDArray[np.float32] = self.block[floats_at:].view(np.float32)
        self.clock = Named(self.ints, at.CLOCK_AT, at.Clock)
        self.random = self.ints[at.RANDOM_AT : at.SIZES_AT]
        self.sizes = Named(self.ints, at.SIZES_AT, at.Sizes)
        self.running = Named(self.reals, at.RUNNING_AT, at.Running)
        self.settings = Named(self.reals, at.SETTINGS_AT, Settings)
        self.views: dict[str, NDArray[Any]] = {}
        ours = self.reals[at.SETTINGS_AT : at.SETTINGS_AT + words_of(Settings)]
        self.fixed: dict[str, NDArray[Any]] = {"settings": ours}
        self._fill_sizes(placement.used)
        self._fill_places(placement.placed)
        for owner, row in placement.shared:
            self.row_of(owner)[row.name] = self.row_of(owner)[row.same_as]
        learned, traced, last = (placement.ends[lasts] for lasts in (Lasts.LEARNED, Lasts.TRACE, Lasts.STATE))
        self.traces, self.neurons = self.floats[learned:traced], self.floats[traced:last]
        places = self.row_of("")
        places.traces, places.neurons = (learned, traced - learned), (traced, last - traced)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle as dimensions and bytes: the address belongs to this block alone."""
        return _restored, (self.dimensions, self.block.tobytes())

    def check(self, state: Any) -> NDArray[np.uint8]:
        """Return `state`, any bytes-like object, as an array; raise `StateError` unless it fits this arena.

        Sizes and places decide where kernels read and write, so they have to be this arena's own, entry by entry; so
        have settings and whatever else belongs to the configuration. The rest has to be finite, and such as a run can
        have left it. A state that C wrote has a CRC behind it, which is checked.
        """
        try:
            block = np.frombuffer(state, np.uint8)
        except (TypeError, ValueError, BufferError) as error:
            raise StateError(f"a state is a block of bytes, as snapshot() returns; got a {type(state)}") from error
        if block.size == self.nbytes + CRC_BYTES:
            if sealed(block[:-CRC_BYTES].tobytes()) != block.tobytes():
                raise StateError("the state is damaged: a bit of it has changed since its CRC was formed")
            block = block[:-CRC_BYTES]
        if block.size != self.nbytes:
            raise StateError(f"the state has {block.size} bytes; this network needs {self.nbytes}")
        table = self.ints[at.SIZES_AT :]
        if (self.same_place(block, table) != table).any():
            raise StateError("the state belongs to a network of another shape or version of synaptick")
        for name, ours in self.fixed.items():
            apart = self.same_place(block, ours) != ours
            if apart.any():
                which = ", ".join(np.array(names_of(Settings))[apart]) if name == "settings" else name
                raise StateError(f"the state belongs to an agent with other settings ({which})")
        damaged = self.non_finite(block) or self._impossible(block)
        if damaged:
            raise StateError(f"the state is damaged: {', '.join(damaged[:4])} cannot be what a run has left")
        return block

    def non_finite(self, state: NDArray[np.uint8]) -> list[str]:
        """Return the names of the arrays that are not finite in a state of this arena, but for infinite bounds."""
        named = {
            **self.views,
            "running": self.reals[at.RUNNING_AT : at.SETTINGS_AT],
            "settings": self.fixed["settings"],
        }
        found = (name for name in named if name not in UNBOUNDED)
        return [name for name in found if not np.isfinite(self.same_place(state, named[name])).all()]

    def _impossible(self, state: NDArray[np.uint8]) -> list[str]:
        """Return the names of what no run could have left there, and kernels take on trust."""
        clock = record(self.same_place(state, self.ints), at.CLOCK_AT, at.Clock)
        running = record(self.same_place(state, self.reals), at.RUNNING_AT, at.Running)
        words = self.same_place(state, self.random)
        returns, m2, action, stds = (
            self.same_place(state, self.views[name]) for name in ("returns", "observation_m2", "action", "stds")
        )
        indices, counts = action[: len(self.dimensions.choices)], np.array(self.dimensions.choices)
        fine = {
            "clock": clock.phase in (0, 1)
            and clock.stale in (0, at.ACTING, at.FOLLOWING)
            and min(clock.tick, clock.episode) >= 0,
            "random": words.any() and ((words >= 0) & (words < 2**32)).all(),
            "observation_count": running.observation_count >= 0,
            "observation_m2": (m2 >= 0).all(),
            "returns": (returns[[COUNT, ONES, SQUARES]] >= 0).all(),
            "action": ((indices >= 0) & (indices < counts) & (indices == np.floor(indices))).all(),
            "stds": (stds >= 0).all(),
        }
        return [name for name, holds in fine.items() if not holds]

    def same_place(self, block: NDArray[np.uint8], array: NDArray[Any]) -> NDArray[Any]:
        """Return what `block`, a state, holds where this arena has `array`, which is a view of it."""
        first = int(array.ctypes.data) - self.address
        return np.ndarray(array.shape, array.dtype, block[first : first + array.nbytes], strides=array.strides)

    def _fill_sizes(self, used: dict[str, int]) -> None:
        d = self.dimensions
        self.sizes.n_ints, self.sizes.n_reals, self.sizes.n_floats = used["ints"], used["reals"], used["floats"]
        for name, value in d.sizes().items():
            setattr(self.sizes, name, value)
        for net, owner in enumerate(NET_NAMES):
            of_net = self.row_of(owner)
            for name, value in d.net_sizes(net).items():
                of_net[name] = value
            for index in range(len(d.layers)):
                of_layer = self.row_of(f"{owner}/{index}")
                for name, value in d.layer_sizes(index).items():
                    of_layer[name] = value

    def _fill_places(self, placed: Iterable[Placed]) -> None:
        """Write the place of every array to its entry of the table, and make its view."""
        sections: dict[str, NDArray[Any]] = {"reals": self.reals, "floats": self.floats}
        entries = {owner: self.row_of(owner) for owner in {owner for owner, _, _ in placed}}
        for owner, row, first in placed:
            size = math.prod(row.shape)
            entries[owner][row.name] = (first, size)
            if row.section == "ints":  # part of the table, which a restore compares whole
                assert row.name == "categories", "what is to fill this array?"
                self.ints[first : first + size] = self.dimensions.choices
                continue
            view = row.view(sections[row.section][first : first + size])
            path = f"{owner}/{row.name}".lstrip("/")
            self.views[path] = view
            if row.lasts is Lasts.FIXED:
                self.fixed[path] = view

    def row_of(self, owner: str) -> Any:
        """Return the record of sizes and places of a network, "actor", a layer, "actor/0", or of no network, ""."""
        if not owner:
            return record(self.ints, at.PLACES_AT, at.Places)
        net, _, layer = owner.partition("/")
        number = NET_NAMES.index(net)
        if not layer:
            return record(self.ints, at.NETS_AT + number * views.NET_WORDS, views.NetRow)
        row = number * len(self.dimensions.layers) + int(layer)
        return record(self.ints, views.LAYERS_AT + row * views.LAYER_WORDS, views.LayerRow)


def _restored(dimensions: Dimensions, state: bytes) -> Arena:
    arena = Arena(dimensions)
    arena.block[:] = np.frombuffer(state, np.uint8)
    return arena


def _claim(nbytes: int, buffer: Any) -> NDArray[np.uint8]:
    if buffer is None:
        try:
            spare = np.zeros(nbytes + ALIGNMENT, np.uint8)
        except (MemoryError, ValueError) as error:  # a ValueError beyond what an address can be
            raise StateError(f"there is no memory for a state of {nbytes:,} bytes; make the network smaller") from error
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
