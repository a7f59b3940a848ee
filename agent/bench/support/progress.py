"""How far a bench has come and how long it still takes: lines on standard error, for whoever waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from ...training.console import announce

T = TypeVar("T")

# Whether anybody wants to see it: what a bench measures can be called from Python too, in silence.
_shown: list[bool] = []


@contextmanager
def shown() -> Iterator[None]:
    """Show the progress of what is measured inside."""
    _shown.append(True)
    try:
        yield
    finally:
        _shown.pop()


def say(line: str) -> None:
    """Say how far it is, if anybody wants to know."""
    if _shown:
        announce(f"  {line}")


class Progress:
    """Counts parts that are done, and works out from their time how long the others take.

    Parameters
    ----------
    total : int
        Number of parts, about as long as each other.
    parts : str
        What they are called.
    seconds : float, optional
        How long they take in all, where that is known before the first is done.
    clock : callable
        Seconds.
    """

    def __init__(
        self, total: int, parts: str, seconds: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._total, self._parts, self._clock = total, parts, clock
        self._done, self._begun = 0, clock()
        if total > 1:
            when = "the time is known once one is done" if seconds is None else f"about {span(seconds)}"
            say(f"{total} {parts}: {when}")

    def advance(self) -> None:
        """Count a part, and say how far it is."""
        self._done += 1
        if self._done < self._total:
            say(self.line())

    def line(self) -> str:
        """Return what there is to say: what is left takes as long, part by part, as what is done."""
        gone = self._clock() - self._begun
        left = gone / self._done * (self._total - self._done)
        return f"{self._done} of {self._total} {self._parts} in {span(gone)}, about {span(left)} left"


def each(items: Sequence[T], parts: str, seconds: float | None = None) -> Iterator[T]:
    """Yield every item, and show the progress as each is done."""
    progress = Progress(len(items), parts, seconds)
    for item in items:
        yield item
        progress.advance()


def span(seconds: float) -> str:
    """Return a time in the unit in which one reads it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
