"""What happened: the last events in a ring, and how many there were of each kind."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..errors import ConfigError


class Event(NamedTuple):
    """One thing that happened.

    Attributes
    ----------
    step : int
        Step of the loop, from 1; 0 before the first.
    seconds : float
        Since the log was made, by the clock of the loop.
    kind : str
        What it concerns, such as ``"input"`` or ``"disk"``.
    what : str
        What happened and what was done about it, one line.
    """

    step: int
    seconds: float
    kind: str
    what: str


class EventLog:
    """The last `capacity` events, and a count of each kind.

    Parameters
    ----------
    capacity : int
        Events kept, at least 1.

    Raises
    ------
    ConfigError
        If `capacity` is not a whole number of 1 or more.

    Attributes
    ----------
    counts : dict of str to int
        Events of each kind since the log was made, those no longer kept too.
    """

    def __init__(self, capacity: int = 256) -> None:
        if isinstance(capacity, bool) or not isinstance(capacity, int) or capacity < 1:
            raise ConfigError(f"events is {capacity!r}; allowed: a whole number of 1 or more")
        self._ring: list[Event | None] = [None] * capacity
        self._number = 0
        self.counts: dict[str, int] = {}

    def __len__(self) -> int:
        return min(self._number, len(self._ring))

    @property
    def lost(self) -> int:
        """Events that are no longer kept."""
        return self._number - len(self)

    def add(self, step: int, seconds: float, kind: str, what: str) -> None:
        """Keep an event; the oldest one makes room."""
        self._ring[self._number % len(self._ring)] = Event(step, seconds, kind, what)
        self._number += 1
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def events(self) -> list[Event]:
        """Return the events that are kept, oldest first."""
        first = self._number % len(self._ring) if self.lost else 0
        ordered = self._ring[first:] + self._ring[:first]
        return [event for event in ordered if event is not None]

    def to_dict(self) -> dict[str, Any]:
        """Return events, counts and the number lost as plain data."""
        events = [event._asdict() for event in self.events()]
        return {"counts": dict(self.counts), "lost": self.lost, "events": events}
