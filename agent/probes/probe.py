"""A probe: what some neurons do, tick by tick, in buffers that are allocated once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ..arena.arena import Arena
from ..errors import ProbeError, one_line
from .place import Place, place_of
from .quantities import quantities_of, reader


class Probe:
    """Ring buffers of what some neurons of a layer, or a network, did; `Agent.probe` makes it and says what it takes.

    It is not part of the agent's state. Every `every`-th call of `start`, `step` and `end` that is not refused gives a
    row; the oldest rows are overwritten.

    Parameters
    ----------
    arena : Arena
        It is read, and never modified.
    where, quantities, neurons, every, capacity
        See `Agent.probe`.

    Attributes
    ----------
    where : str
        Name of the layer or network.
    neurons : (k,) int array
        Numbers of the neurons; empty for a network.
    units : dict of str to str
        Unit of each quantity, "1" if it has none.
    axes : dict of str to tuple of str
        Axes of each array in `data`.
    every, capacity : int
    nbytes : int
        Bytes of all buffers; they never grow.
    recorded : int
        Rows since the probe was made or cleared, those that are overwritten among them.

    Raises
    ------
    ProbeError
        See `Agent.probe`.
    """

    def __init__(
        self, arena: Arena, where: str, quantities: Iterable[str], neurons: Any, every: int, capacity: int
    ) -> None:
        place = place_of(arena, where)
        self.where, self.every = where, _count("every", every)
        self.capacity = _count("capacity", capacity)
        names = _named(place, quantities)
        self.neurons = _numbers(place, neurons)
        specs = quantities_of(place)
        self.units = {name: specs[name].unit for name in names}
        self.axes = {name: ("tick", *specs[name].axes) for name in names}
        readers = {name: reader(arena, place, name, self.neurons) for name in names}
        self.nbytes = self.capacity * (
            16 + sum(math.prod(shape) * np.dtype(kind).itemsize for _, shape, kind in readers.values())
        )
        try:
            # Filled, so that there is memory behind them now, and not when it is needed.
            self._buffers = {name: np.full((self.capacity, *x[1]), np.nan, x[2]) for name, x in readers.items()}
            self._when = np.zeros((self.capacity, 2), np.int64)
        except (MemoryError, ValueError) as error:  # a ValueError beyond what an address can be
            raise ProbeError(
                f"there is no memory for a probe of {self.nbytes:,} bytes; take fewer neurons, fewer quantities or a "
                "smaller capacity"
            ) from error
        self._clock = arena.clock
        self._pairs = [(self._buffers[name], read) for name, (read, _, _) in readers.items()]
        self._prepares = [read.prepare for read, _, _ in readers.values() if hasattr(read, "prepare")]
        self._wait, self.recorded = self.every, 0
        self._detach: Callable[[], None] | None = None

    def __reduce__(self) -> NoReturn:
        raise TypeError("a probe belongs to the agent that it looks at: copy or pickle its data")

    def __len__(self) -> int:
        """Return how many rows there are to be read."""
        return min(self.recorded, self.capacity)

    def __enter__(self) -> Probe:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def __repr__(self) -> str:
        """Return what is recorded, in one line."""
        return (
            f"<Probe: {', '.join(self.units)} of {self.where}, {len(self)} of {self.capacity:,} rows, "
            f"{self.nbytes:,} bytes{'' if self.active else ', removed'}>"
        )

    # ---- what is read

    @property
    def data(self) -> dict[str, NDArray[Any]]:
        """Copy of every quantity, (rows, ...) as `axes` says, oldest row first."""
        return {name: self._in_order(buffer) for name, buffer in self._buffers.items()}

    @property
    def ticks(self) -> NDArray[np.int64]:
        """`Agent.ticks` after the call of each row, (rows,); a start is not counted and repeats the number."""
        return self._in_order(self._when)[:, 0]

    @property
    def episodes(self) -> NDArray[np.int64]:
        """`Agent.episodes` at each row, (rows,)."""
        return self._in_order(self._when)[:, 1]

    def raster(self, binary: bool = False) -> NDArray[Any]:
        """Return the spikes, (rows, neurons): float32 from 0 to 1, or with `binary` whether there was one.

        Raises
        ------
        ProbeError
            If "spike" is not recorded.
        """
        if "spike" not in self._buffers:
            raise ProbeError(f'this probe records {", ".join(self.units)} and no spikes; name "spike" among them')
        spikes = self._in_order(self._buffers["spike"])
        return spikes > 0.0 if binary else spikes

    def traces(self) -> dict[str, NDArray[Any]]:
        """Return `data` without the spikes."""
        return {name: self._in_order(buffer) for name, buffer in self._buffers.items() if name != "spike"}

    # ---- what is done with it

    @property
    def active(self) -> bool:
        """Whether it still records."""
        return self._detach is not None

    def clear(self) -> None:
        """Forget all rows; the next is that of the `every`-th call from now."""
        self._wait, self.recorded = self.every, 0

    def remove(self) -> None:
        """Record no more; what was recorded can still be read. Doing so again is harmless."""
        if self._detach is not None:
            self._detach()
        self._detach = None

    # ---- what a `Recorder` calls

    def attach(self, detach: Callable[[], None]) -> None:
        """Take over what `remove` is to call."""
        self._detach = detach

    def prepare(self, mode: int, learning: bool) -> None:
        """Before a call: let quantities copy what it is about to change, if a row is due."""
        if self._wait == 1:
            for prepare in self._prepares:
                prepare(mode, learning)

    def take(self) -> None:
        """After a call: write a row if one is due, over the oldest if all are taken."""
        self._wait -= 1
        if self._wait:
            return
        self._wait = self.every
        at = self.recorded % self.capacity
        when = self._when[at]
        when[0], when[1] = self._clock.tick, self._clock.episode
        for buffer, read in self._pairs:
            read(buffer[at, ...])
        self.recorded += 1

    def _in_order(self, buffer: NDArray[Any]) -> NDArray[Any]:
        first = self.recorded % self.capacity if self.recorded > self.capacity else 0
        return np.concatenate([buffer[first : len(self)], buffer[:first]])


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ProbeError(f"{name} is {one_line(value)}; allowed: a whole number from 1 on")
    return int(value)


def _named(place: Place, quantities: Any) -> list[str]:
    allowed = quantities_of(place)
    try:
        names = [quantities] if isinstance(quantities, str) else list(dict.fromkeys(quantities))
        unknown = [name for name in names if name not in allowed]
    except TypeError:
        names, unknown = [], [quantities]
    if unknown or not names:
        given = f"{one_line(unknown[0])} is no quantity of" if unknown else "no quantity is named of"
        raise ProbeError(f"{given} {place.path}; allowed: {', '.join(allowed)}")
    return names


def _numbers(place: Place, neurons: Any) -> NDArray[np.intp]:
    if place.layer is None:
        if neurons is not None:
            raise ProbeError(
                f"neurons is {one_line(neurons)}, and {place.path} is a network: leave it out, or name a layer, such "
                f"as {place.path}/0"
            )
        return np.zeros(0, np.intp)
    if neurons is None:
        return np.arange(place.n)
    allowed = f"numbers from 0 to {place.n - 1}, at least one, such as [0, {place.n - 1}], or None for all"
    try:
        found = np.array(list(neurons))
    except (TypeError, ValueError):
        found = np.zeros(0)
    if found.ndim != 1 or not found.size or found.dtype.kind not in "iu":
        raise ProbeError(f"neurons is {one_line(neurons)}; allowed: {allowed}")
    outside = found[(found < 0) | (found >= place.n)]
    if outside.size:
        raise ProbeError(f"{place.path} has no neuron {outside[0]}; allowed: {allowed}")
    return found.astype(np.intp)
