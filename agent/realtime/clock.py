"""Time: the clock of a loop, and a pacer that wakes it at absolute deadlines."""

from __future__ import annotations

import time
from fractions import Fraction
from typing import Protocol

SECOND = 1_000_000_000


class Clock(Protocol):
    """What a loop needs of a clock; a test has one whose time it sets itself."""

    def now(self) -> int:
        """Return nanoseconds since some fixed moment; never fewer than before."""

    def sleep(self, nanoseconds: int) -> None:
        """Return after about so many nanoseconds."""


class MonotonicClock:
    """The clock of the system that no one can set; it stands still while the machine is suspended, or does not.

    Which of both depends on the system; either way `Pacer` does not try to catch up.
    """

    now = staticmethod(time.monotonic_ns)

    @staticmethod
    def sleep(nanoseconds: int) -> None:
        """Return after about so many nanoseconds, usually some tens of thousands later."""
        time.sleep(nanoseconds / SECOND)


class Pacer:
    """Wakes a loop at the deadlines ``start + k / rate``, k = 1, 2, ..., which do not drift, however long it runs.

    A deadline is computed from k in whole numbers, never from the deadline before. Most of the time to it is slept, and
    the last `spin` nanoseconds are waited for by looking at the clock, because a sleep ends late by what the system
    takes to wake a thread.

    Parameters
    ----------
    rate : float
        Wake-ups a second.
    spin : int
        Nanoseconds of looking at the clock; 0: sleep only.
    jump : int
        Nanoseconds. Being late by that much or more is no overrun but a jump of the clock (the machine was suspended,
        the process stopped): deadlines begin anew from now.
    clock : Clock

    Attributes
    ----------
    late : int
        Nanoseconds by which the last wake-up came after its deadline.
    jumped : int
        Nanoseconds of the jump that the last wake-up found, below 0 for one backwards; 0 if it found none.
    missed : bool
        Whether the last `drop` came after a deadline.
    """

    def __init__(self, rate: float, spin: int, jump: int, clock: Clock) -> None:
        exact = Fraction(rate)  # of the float as it is; most rates are whole numbers
        self._numerator, self._denominator = SECOND * exact.denominator, exact.numerator
        self.period = self._numerator / self._denominator
        self._spin, self._jump, self._clock = spin, jump, clock
        self._start = self._k = 0
        self._last = 0
        self.late = self.jumped = 0
        self.missed = False

    def begin(self) -> None:
        """Let the first deadline be one period from now."""
        self._start, self._k = self._clock.now(), 1
        self._last = self._start

    @property
    def deadline(self) -> int:
        """When the next wake-up is due."""
        return self._start + self._k * self._numerator // self._denominator

    def wait(self) -> None:
        """Return at the next deadline, or at once if that has passed; the one after it is then due."""
        deadline, before, now = self.deadline, self._last, self._clock.now()
        if now >= before and now - deadline < self._jump:
            left = deadline - now - self._spin
            if left > 0:
                before = now
                self._clock.sleep(left)
                now = self._clock.now()
            while before <= now < deadline:
                before = now
                now = self._clock.now()
        self._last = now
        if now < before or now - deadline >= self._jump:
            self.jumped, self.late = (now - before if now < before else now - deadline), 0
            self._start, self._k = now, 1
            return
        self.jumped, self.late = 0, now - deadline
        self._k += 1

    def drop(self) -> int:
        """Give up the deadlines that have passed, and return how many; the next is the first that is still to come.

        A delay that `wait` would take for a jump of the clock is left to it: none is given up, and `missed` is true.
        """
        now = self._clock.now()
        self.missed = now >= self.deadline
        if not 0 <= now - self.deadline < self._jump:
            return 0
        first = (now - self._start) * self._denominator // self._numerator + 1
        dropped, self._k = first - self._k, first
        return dropped
