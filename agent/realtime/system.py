"""What a loop asks of the interpreter and of the operating system while it runs, and gives back after it."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Collection
from types import TracebackType

from ..errors import ConfigError

# A thread that wants to run waits so many seconds for the interpreter; the default is .005, five periods at 1 kHz.
SWITCH_INTERVAL = 1e-4


# Where Linux takes requests for the longest time, int32 microseconds, that processors may take to wake up; a request
# holds for as long as the file is open.
WAKE_UP_LATENCY = "/dev/cpu_dma_latency"


class Quiet:
    """A context without garbage collection, with a short switch interval, pinned and with priority if asked for.

    Everything that exists on entry is collected once and then frozen, so that no collection looks at it; cycles made
    inside stay until the end. All is as before after the context, however it ends. What the system does not allow is
    noted and left.

    Parameters
    ----------
    collect : bool
        True: leave the collector as it is; collections are counted all the same.
    cpus : int or collection of int, optional
        Processors that the calling thread is to run on.
    priority : int, optional
        Real-time priority (SCHED_FIFO), 1 to 99 on Linux. A thread that has it and never sleeps may take a whole
        processor from everything else.
    awake : bool
        True: keep all processors from sleeping, so that they are as fast after a wait as before it. It takes power.

    Attributes
    ----------
    notes : dict of str to str
        What became of each request: ``"collector"``, ``"cpus"``, ``"priority"``, ``"awake"``; and ``"given back"``, if
        something could not be.

    Raises
    ------
    ConfigError
        If `cpus` or `priority` is not of whole numbers.
    """

    def __init__(
        self,
        collect: bool = False,
        cpus: int | Collection[int] | None = None,
        priority: int | None = None,
        awake: bool = False,
    ) -> None:
        self._collect = collect
        self._cpus = None if cpus is None else set(cpus) if isinstance(cpus, Collection) else {cpus}
        for name, value, numbers in (("cpus", cpus, self._cpus or ()), ("priority", priority, (priority or 0,))):
            if any(isinstance(number, bool) or not isinstance(number, int) or number < 0 for number in numbers):
                raise ConfigError(f"{name} is {value!r}; allowed: whole numbers of 0 or more, or None")
        self._priority, self._awake = priority, awake
        self._undo: list[Callable[[], object]] = []
        self._before = self._collected = 0
        self._inside = False
        self.notes: dict[str, str] = {}

    def __enter__(self) -> Quiet:
        self.notes.clear()
        self._undo.clear()
        try:
            self._begin()
        except BaseException:  # a Ctrl-C, just now
            self._give_back()
            raise
        return self

    def _begin(self) -> None:
        if not self._collect:
            self._silence()
        interval = sys.getswitchinterval()
        sys.setswitchinterval(min(interval, SWITCH_INTERVAL))
        self._undo.append(lambda: sys.setswitchinterval(interval))
        if self._cpus is not None:
            self._ask("cpus", self._pin, f"pinned to {', '.join(map(str, sorted(self._cpus)))}")
        if self._priority is not None:
            self._ask("priority", self._raise_priority, f"SCHED_FIFO {self._priority}")
        if self._awake:
            self._ask("awake", self._keep_awake, "processors do not sleep")
        self._before, self._inside = _collections(), True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._collected, self._inside = self.collections, False
        self._give_back()

    @property
    def collections(self) -> int:
        """Collections of garbage inside the context, so far or, after it, in all."""
        return _collections() - self._before if self._inside else self._collected

    def _give_back(self) -> None:
        """Undo all that was done; what the system refuses by now keeps nothing else from being undone."""
        while self._undo:
            try:
                self._undo.pop()()
            except OSError as error:
                self.notes["given back"] = f"not allowed: {error}"

    def _silence(self) -> None:
        if gc.isenabled():
            self._undo.append(gc.enable)
        if not gc.get_freeze_count():  # else it is not known which objects were
            self._undo.append(gc.unfreeze)
        gc.collect()
        gc.freeze()
        gc.disable()
        self.notes["collector"] = "off"

    def _ask(self, name: str, request: Callable[[], None], done: str) -> None:
        try:
            request()
        except (AttributeError, OSError, ValueError, OverflowError) as error:
            why = "this system has no such call" if isinstance(error, AttributeError) else str(error)
            self.notes[name] = f"not allowed: {why}"
        else:
            self.notes[name] = done

    def _pin(self) -> None:
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, self._cpus or set())
        self._undo.append(lambda: os.sched_setaffinity(0, before))

    def _keep_awake(self) -> None:
        request = open(WAKE_UP_LATENCY, "r+b", buffering=0)  # noqa: SIM115 - open until it is given back
        self._undo.append(request.close)
        request.write(bytes(4))

    def _raise_priority(self) -> None:
        policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
        # Not for threads and processes that are started inside: at the same priority they would not be interrupted.
        chosen, wanted = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(int(self._priority or 0))
        os.sched_setscheduler(0, chosen, wanted)

        def undo() -> None:
            try:
                os.sched_setscheduler(0, policy, parameters)
            except PermissionError:  # who may raise a priority need not be allowed to let it be inherited again
                os.sched_setscheduler(0, policy | os.SCHED_RESET_ON_FORK, parameters)

        self._undo.append(undo)


def _collections() -> int:
    return sum(generation["collections"] for generation in gc.get_stats())
