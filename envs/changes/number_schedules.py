"""Schedules of numbers: such as jump from one to another, and such as wander."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arguments import checked_flag, checked_real, checked_whole, listed
from ..random_streams import FOREIGN, stream
from .schedule import LONGEST, MOST_WORLDS, Schedule, Worlds, plain_number

# Least and greatest number of a schedule, unless what it is for allows less.
WIDEST = (-1e6, 1e6)


class _Span:
    """Least and greatest number, and the coordinate, linear or logarithmic, in which it is drawn or walks."""

    def __init__(self, name: str, data: Mapping[str, Any], limits: tuple[float, float]) -> None:
        ends = listed(data["between"])
        if len(ends) != 2:
            raise ValueError(f"{name}: between: got {data['between']!r}; allowed: [low, high]")
        self.low, self.high = (checked_real(f"{name}: between", plain_number(end), *limits) for end in ends)
        self.log = checked_flag(f"{name}: log", data.get("log", False))
        if self.low >= self.high or (self.log and self.low <= 0.0):
            above = ", low above 0 because of log" if self.log else ""
            raise ValueError(f"{name}: between: got {data['between']!r}; allowed: [low, high], high above low{above}")
        self.start = None
        if "start" in data:
            self.start = checked_real(f"{name}: start", plain_number(data["start"]), *limits)
        self.begin = self.place(self.low)
        self.width = self.place(self.high) - self.begin

    def place(self, number: float) -> float:
        """Return the coordinate of a number."""
        return math.log(number) if self.log else number

    def number(self, place: Any) -> Any:
        """Return the number, or the array of numbers, at a distance from the low end."""
        place = self.begin + place
        if isinstance(place, np.ndarray):
            return np.clip(np.exp(place) if self.log else place, self.low, self.high)
        return min(max(math.exp(place) if self.log else float(place), self.low), self.high)


class Values(Worlds):
    """A schedule of numbers that jump: factors, gains, signs.

    The keys of `Worlds`, and these; `values` are the numbers themselves. The number of a world is the place of its
    value in the list.

    | key | value | meaning |
    |---|---|---|
    | `between` | [low, high] | instead of `values`: drawn for each world, the same again when a world returns |
    | `log` | true, false | whether the logarithm is drawn evenly, instead of the number (default) |
    | `start` | number | the value of world 0; by default it is drawn too |

    A number instead of a mapping lasts indefinitely.

    Parameters
    ----------
    name, data, seed, key
        As of `Worlds`.
    limits : (float, float)
        Least and greatest number allowed.
    size : int, optional
        Draw an array of so many; by default a single number.

    Attributes
    ----------
    value : float or array
        What it is now.
    range : (float, float)
        Between which numbers it stays.

    Raises
    ------
    ValueError
        If `data` is not as said.
    """

    keys = (*Worlds.keys, "between", "log", "start")

    def __init__(
        self,
        name: str,
        data: Any,
        seed: int,
        key: str = "",
        limits: tuple[float, float] = WIDEST,
        size: int | None = None,
    ) -> None:
        self._limits, self._size = limits, size
        self.value: Any = 0.0
        super().__init__(name, data, seed, key)
        self._enter()

    def _parse(self, data: Mapping[str, Any], constant: bool) -> int | None:
        if ("values" in data) == ("between" in data):
            raise ValueError(f"{self.name}: got {dict(data)!r}; allowed: one of values, between")
        if "values" in data:
            spare = [part for part in ("log", "start") if part in data]
            if spare:
                raise ValueError(f"{self.name}: got {spare[0]} with values; allowed: only with between")
            given = self._several(data, constant)
            self._given = [checked_real(f"{self.name}: values", value, *self._limits) for value in given]
            self.range = min(self._given), max(self._given)
            return len(self._given)
        self._given = []
        self._span = _Span(self.name, data, self._limits)
        start = self._span.low if self._span.start is None else self._span.start
        self.range = min(self._span.low, start), max(self._span.high, start)
        return self._whole("worlds", data["worlds"], 2, MOST_WORLDS) if "worlds" in data else None

    def _enter(self) -> None:
        self.world = self._place
        if self._given:
            self.value = self._given[self._place]
        elif not self._place and self._span.start is not None:
            self.value = self._span.start
        else:
            # By the number of the world, so that one that returns is what it was.
            drawn = stream(self._seed, self._key, self.name, self._place).random(self._size)
            self.value = self._span.number(drawn * self._span.width)
        if self._size is not None:
            self.value = np.broadcast_to(self.value, (self._size,))


class Walk(Schedule):
    """A number that wanders: a Gaussian random walk that is reflected where its range ends.

    | key | value | meaning |
    |---|---|---|
    | `wander` | above 0, to 10^6 | standard deviation of a step of the walk; of its logarithm with `log` |
    | `between` | [low, high] | range |
    | `log` | true, false | whether the logarithm walks, instead of the number (default) |
    | `start` | low to high | where it begins; default the middle of the range, with `log` the geometric one |
    | `every` | 1 to 10^12 | steps of the environment to a step of the walk, default 1 |
    | `at` | step, reset | whether it goes on at once (default), or at the next reset by all that is due |

    There is no moment of change: `changes` and `world` stay 0. Parameters and attributes are those of `Values`.

    Raises
    ------
    ValueError
        If `data` is not as said.
    """

    keys = ("wander", "between", "log", "start", "every", "at")

    def __init__(
        self,
        name: str,
        data: Mapping[str, Any],
        seed: int,
        key: str = "",
        limits: tuple[float, float] = WIDEST,
        size: int | None = None,
    ) -> None:
        super().__init__(name, data, seed, key, self.keys)
        if "between" not in data:
            raise ValueError(f"{name}: got wander without a range; give between: [low, high] too")
        self._std = checked_real(f"{name}: wander", plain_number(data["wander"]), 0.0, 1e6)
        if not self._std:
            raise ValueError(f"{name}: wander: got {data['wander']!r}; allowed: a number above 0")
        self._every = checked_whole(f"{name}: every", plain_number(data.get("every", 1)), 1, LONGEST)
        self._span, self._size = _Span(name, data, limits), size
        self.range = self._span.low, self._span.high
        self._place: Any = 0.5 * self._span.width
        if self._span.start is not None:
            checked_real(f"{name}: start", plain_number(data["start"]), *self.range)
            self._place = self._span.place(self._span.start) - self._span.begin
        if size is not None:
            self._place = np.full(size, self._place)
        self.due = self._every
        self.value: Any = self._span.number(self._place)

    def advance(self, clock: int) -> bool:
        """Walk as far as is due after so many steps; return whether anything is."""
        if clock < self.due:
            return False
        # A sum of steps that is reflected once is distributed as if each of them had been.
        steps = 1 + (clock - self.due) // self._every
        width = self._span.width
        moved = math.sqrt(steps) * self._std * self._rng.standard_normal(self._size)
        place = (self._place + moved) % (2.0 * width)
        self._place = width - abs(place - width)
        self.value = self._span.number(self._place)
        self.due += steps * self._every
        return True

    def get_state(self) -> dict[str, Any]:
        """Return what `set_state` needs, in plain numbers."""
        return super().get_state() | {"place": self._place if self._size is None else self._place.tolist()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from where `get_state` was called."""
        super().set_state(state)
        place = np.asarray(state["place"], np.float64)
        if place.shape != np.shape(self._place):
            raise ValueError(f"{self.name}: state: got {place.size} places for {np.size(self._place)}; {FOREIGN}")
        self._place = float(place) if self._size is None else place
        self.value = self._span.number(self._place)


def number_schedule(
    name: str,
    data: Any,
    seed: int,
    key: str = "",
    limits: tuple[float, float] = WIDEST,
    size: int | None = None,
) -> Values | Walk:
    """Return the schedule of numbers that `data` is: `Walk` if it says how far to wander, else `Values`."""
    kind = Walk if isinstance(data, Mapping) and "wander" in data else Values
    return kind(name, data, seed, key, limits, size)
