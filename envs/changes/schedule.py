"""When the world changes and to which one, told as plain data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..arguments import checked_whole, listed
from ..random_streams import FOREIGN, check_keys, generator_state, set_generator_state, stream

LONGEST = 10**12
NEVER = 2**62
MOST_WORLDS = 1000
_WHEN = ("every", "times", "mean_interval")


def plain_number(value: Any) -> Any:
    """Return what YAML makes of 1e-4 or 2e5, a string or a float, as the number that was meant."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return value
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Schedule(ABC):
    """What all schedules share: when the next change is due, and how many there were.

    Attributes
    ----------
    name : str
        What changes.
    due : int
        Steps after which `advance` has something to do.
    at_reset : bool
        Whether changes wait for the next reset.
    changes : int
        Changes so far.
    world : int
        Which of the worlds it is; the same number is the same world.
    """

    def __init__(self, name: str, data: Mapping[str, Any], seed: int, key: str, allowed: Sequence[str]) -> None:
        unknown = [part for part in data if part not in allowed]
        if unknown:
            raise ValueError(f"{name}: got the key {unknown[0]!r}; allowed: {', '.join(allowed)}")
        self.name, self.due, self.changes, self.world = name, NEVER, 0, 0
        at = data.get("at", "step")
        if at not in ("step", "reset"):
            raise ValueError(f"{name}: at: got {at!r}; allowed: step, reset")
        self.at_reset = at == "reset"
        self._seed, self._key = seed, key
        self._rng = stream(seed, key, name)

    @abstractmethod
    def advance(self, clock: int) -> bool:
        """Let all changes take place that are due after so many steps; return whether there were any."""

    def get_state(self) -> dict[str, Any]:
        """Return what `set_state` needs, in plain numbers."""
        return {"due": self.due, "changes": self.changes, "rng": generator_state(self._rng)}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from where `get_state` was called."""
        check_keys(state, tuple(self.get_state()))
        self.due, self.changes = int(state["due"]), int(state["changes"])
        set_generator_state(self._rng, state["rng"])


class Worlds(Schedule):
    """A schedule of worlds, which are told apart by a number from 0.

    Time is counted in steps over the whole life, across episodes. A change that is due after n steps takes place
    before step n, counted from 0: that is the first one in the new world.

    | key | value | meaning |
    |---|---|---|
    | `every` | 1 to 10^12 | steps from change to change |
    | `times` | list of them | steps after which there is a change, in order; none after the last |
    | `mean_interval` | 1 to 10^12 | steps from change to change are geometrically distributed with this mean |
    | `worlds` | 2 to 1000 | how many there are, numbered from 0; without it every change leads to one never seen |
    | `values` | list | which worlds, instead of `worlds`: one after the other, the first from step 0 |
    | `order` | cycle, random | by turns (default), or at random, but never the same twice in a row |
    | `at` | step, reset | whether changes take place at once (default), or wait for the next reset |

    One of the first three says when. A number instead of a mapping is a world that lasts indefinitely.

    Parameters
    ----------
    name : str
        What changes, for errors, and for a stream of random numbers of its own.
    data : mapping or int
        See above.
    seed : int
        Seed of all that is drawn.
    key : str
        Further part of the seed, the name of the wrapper.

    Raises
    ------
    ValueError
        If `data` is not as said.
    """

    keys: tuple[str, ...] = (*_WHEN, "worlds", "values", "order", "at")

    def __init__(self, name: str, data: Any, seed: int, key: str = "") -> None:
        if not isinstance(data, Mapping):
            data = plain_number(data)
            if isinstance(data, bool) or not isinstance(data, int | float | np.number):
                raise ValueError(f"{name}: got {data!r}; allowed: a number, or a mapping with {', '.join(self.keys)}")
            data = {"values": [data]}
        super().__init__(name, data, seed, key, self.keys)
        self._place = 0
        when = [part for part in _WHEN if part in data]
        constant = not when and len(listed(data.get("values", ()))) == 1
        if len(when) != 1 and not constant:
            raise ValueError(
                f"{name}: got {dict(data)!r}; allowed: one of {', '.join(_WHEN)}, which say when it changes"
            )
        self._when = when[0] if when else ""
        self._times: list[int] = []
        self._interval = 0
        if self._when == "times":
            self._times = [self._whole("times", time, 1, LONGEST) for time in listed(data["times"])]
            if not self._times or any(b <= a for a, b in zip(self._times, self._times[1:], strict=False)):
                raise ValueError(f"{name}: times: got {data['times']!r}; allowed: whole numbers, each above the last")
        elif self._when:
            self._interval = self._whole(self._when, data[self._when], 1, LONGEST)
        self._random = data.get("order", "cycle") == "random"
        if data.get("order", "cycle") not in ("cycle", "random"):
            raise ValueError(f"{name}: order: got {data['order']!r}; allowed: cycle, random")
        self.count = self._parse(data, constant)
        if self._random and self.count is None:
            raise ValueError(f"{name}: order: got 'random' without worlds to choose from; give how many there are")
        self.due = self._next(0)

    def _whole(self, key: str, value: Any, low: int, high: int) -> int:
        return checked_whole(f"{self.name}: {key}", plain_number(value), low, high)

    def _several(self, data: Mapping[str, Any], constant: bool) -> list[Any]:
        """Return the values, unless they are too few or too many."""
        given = [plain_number(value) for value in listed(data["values"])]
        if not 2 - constant <= len(given) <= MOST_WORLDS:
            raise ValueError(
                f"{self.name}: values: got {data['values']!r}; allowed: a list of 2 to {MOST_WORLDS} of them"
            )
        if "worlds" in data:
            raise ValueError(f"{self.name}: got values and worlds; allowed: one of them")
        return given

    def _parse(self, data: Mapping[str, Any], constant: bool) -> int | None:
        """Read what there is to change to; return how many places the cycle has, None if it has no end."""
        self._numbers: list[int] = []
        self.most: int | None = None  # worlds that have to be told apart
        if "values" in data:
            given = self._several(data, constant)
            self._numbers = [self._whole("values", value, 0, MOST_WORLDS - 1) for value in given]
            self.world, self.most = self._numbers[0], max(self._numbers) + 1
            return len(self._numbers)
        if "worlds" in data:
            self.most = self._whole("worlds", data["worlds"], 2, MOST_WORLDS)
        return self.most

    def _next(self, clock: int) -> int:
        """Return when the change after one at `clock` is due."""
        if self._when == "every":
            return clock + self._interval
        if self._when == "mean_interval":
            return clock + int(self._rng.geometric(1.0 / self._interval))
        return self._times[self.changes] if self.changes < len(self._times) else NEVER

    def advance(self, clock: int) -> bool:
        """Let all changes take place that are due after so many steps; return whether there were any."""
        if clock < self.due:
            return False
        while clock >= self.due:
            self.changes += 1
            if self.count is None:
                self._place = self.changes
            elif self._random:
                self._place = (self._place + 1 + int(self._rng.integers(self.count - 1))) % self.count
            else:
                self._place = (self._place + 1) % self.count
            self.due = self._next(self.due)
        self._enter()
        return True

    def _enter(self) -> None:
        self.world = self._numbers[self._place] if self._numbers else self._place

    def get_state(self) -> dict[str, Any]:
        """Return what `set_state` needs, in plain numbers."""
        return super().get_state() | {"place": self._place}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from where `get_state` was called."""
        super().set_state(state)
        self._place = int(state["place"])
        if self._place < 0 or (self.count is not None and self._place >= self.count):
            raise ValueError(f"{self.name}: state: got place {self._place} of {self.count}; {FOREIGN}")
        self._enter()
