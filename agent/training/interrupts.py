"""Being told to stop, by Ctrl-C or a signal: in our own code, and in code of others, which may never return."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import Any

from ..errors import Interrupted
from .console import warn

# Those that ask a process to stop: Ctrl-C, kill, a terminal that is closed.
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
# A call of code that is not ours may take so many seconds to return once the process was asked to stop.
GRACE = 0.4
# If not even a thread of this process can run by then, because the interpreter is held, the process is killed.
LAST_RESORT = 0.9

# Reads what a signal writes, even while the interpreter is held; passes it on; and, unless killed for that, kills.
_FUSE = """
while number=$(dd bs=1 count=1 2>/dev/null | od -An -tu1) && [ -n "$number" ]; do
    case $((number)) in {numbers})
        echo $((number))
        sleep {seconds}
        kill -9 {pid} && echo "$1" >&2
        exit
    esac
done
"""


@contextmanager
def on_stop(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Call `handler` on SIGINT, SIGTERM and SIGHUP; afterwards the handlers are as before.

    A SIGHUP that is ignored, as under nohup, stays so. Python delivers signals to the main thread only: in any other,
    nothing changes.
    """
    previous = _handle(handler) if threading.current_thread() is threading.main_thread() else {}
    try:
        yield
    finally:
        _put_back(previous)


def _handle(handler: Callable[[int, FrameType | None], None]) -> dict[int, Any]:
    """Install a handler and return those before, by their signals."""
    ignored = {number for number in SIGNALS[2:] if signal.getsignal(number) is signal.SIG_IGN}
    return {number: signal.signal(number, handler) for number in SIGNALS if number not in ignored}


def _put_back(handlers: dict[int, Any]) -> None:
    for number, handler in handlers.items():
        # None stands for one that was not installed from Python, and that Python cannot install again.
        signal.signal(number, signal.SIG_DFL if handler is None else handler)


class Elsewhere:
    """A context for calls of code that is not ours, which may never return; one object for all calls of a run.

    `turn` is locked but inside: whoever gets it there has everything of ours to itself, and at rest.

    A process that such code forks, and that comes out of the call as this one does, is ended: there is one run.

    Attributes
    ----------
    turn : threading.Lock
    calls : int
        Calls begun.
    """

    forks = 0  # of this process from the one that was started first

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.turn.acquire()
        self.calls = 0
        self._forks = Elsewhere.forks

    def __enter__(self) -> None:
        self.calls += 1
        self.turn.release()

    def __exit__(self, *_: object) -> None:
        if self._forks != Elsewhere.forks:
            os._exit(1)
        self.turn.acquire()


class StopRequest:
    """A context that notes when the process is asked to stop, and ends it where code of others does not return.

    Inside, SIGINT, SIGTERM and SIGHUP only set `number`, which our own code is to look at between two steps. If a call
    within `elsewhere` lasts longer than `GRACE` after that, a thread calls `give_up` and ends the process with the exit
    code 128 + number. If that thread cannot run either, because code in C holds the interpreter, a small process that
    the signal reaches through a pipe kills this one after `LAST_RESORT`: then nothing is saved any more.

    Outside the main thread, which signals do not reach, none of this happens.

    Parameters
    ----------
    lost : str, optional
        What is lost if the process is killed, and how to go on: the end of what the small process says then.

    Attributes
    ----------
    number : int
        The signal, 0 until there is one.
    elsewhere : Elsewhere
    give_up : callable
        Called by the thread; it says what became of the process's work, after saving what there is to save. Until it is
        set there is nothing to save.
    """

    def __init__(self, lost: str = "") -> None:
        self.number = 0
        self.elsewhere = Elsewhere()
        self.give_up: Callable[[], None] = lambda: warn(f"stopped by {self.name} in a call that did not return")
        self.mask: set[int] = set()
        killed = "synaptick: killed, since a call in C neither returned nor let the interpreter go"
        self._words = "; ".join(filter(None, (killed, lost)))
        self._over = threading.Event()
        self._before: dict[int, Any] = {}
        self._fuse: subprocess.Popen[str] | None = None

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            self._before = _handle(self._note)
            self._read, self._write = os.pipe()
            self._pipe = os.fstat(self._write)
            os.set_blocking(self._write, False)
            self._wakeup_before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
            _current.append(self)
            self._light_fuse()
            self._thread = threading.Thread(target=self._watch, name="synaptick stop", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self in _current:
            self.leave_signals()
            self._put_out_fuse()
            with suppress(OSError):
                os.write(self._write, b"\0")  # no signal, so that the thread looks up
            self._thread.join(1.0)

    def check(self, words: str) -> None:
        """Raise `Interrupted`, with these words after the name of the signal, if there was one."""
        if self.number:
            self._put_out_fuse()
            raise Interrupted(f"stopped by {self.name}; {words}", self.number)

    @property
    def name(self) -> str:
        """Name of the signal."""
        return signal.Signals(self.number).name

    def leave_signals(self) -> None:
        """Let the signals do what they did before."""
        _current.remove(self)
        _put_back(self._before)
        signal.set_wakeup_fd(-1)
        with suppress(OSError, ValueError):  # code of others may have closed it
            signal.set_wakeup_fd(self._wakeup_before)

    def retake_signals(self) -> None:
        """Take the signals back from code that has put handlers of its own in the place of these."""
        if self in _current:
            for number in self._before:
                signal.signal(number, self._note)
            signal.set_wakeup_fd(-1)
            with suppress(OSError):
                if os.path.samestat(os.fstat(self._write), self._pipe):  # else it is somebody else's file by now
                    signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)

    def _note(self, number: int, _: FrameType | None) -> None:
        self.number = self.number or number

    def _light_fuse(self) -> None:
        numbers = "|".join(str(int(number)) for number in SIGNALS)
        script = _FUSE.format(numbers=numbers, seconds=LAST_RESORT, pid=os.getpid())
        with suppress(OSError):  # a system without a shell has no last resort but kill -9
            self._fuse = subprocess.Popen(
                ["/bin/sh", "-c", script, "synaptick", self._words],
                stdin=self._read,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )

    def _put_out_fuse(self) -> None:
        if self._fuse and self._fuse.returncode is None:
            with suppress(OSError):
                os.killpg(self._fuse.pid, signal.SIGKILL)  # the shell and what it waits for
            self._fuse.wait()

    def _asked(self) -> int:
        """Wait for a signal that asks to stop and return it, or 0 when the context has been left."""
        if self._fuse and self._fuse.stdout:
            with self._fuse.stdout as passed_on:
                line = passed_on.readline()
            if line.strip():
                return int(line)
        while not self._over.is_set() and (byte := os.read(self._read, 1)):
            if byte[0] in SIGNALS:
                return byte[0]
        return 0

    def _watch(self) -> None:
        with suppress(OSError):
            number = self._asked()
            self.number = self.number or number
        # The fuse burns on while code of others runs: it may come to hold the interpreter at any moment.
        if self.elsewhere.turn.locked():
            self._put_out_fuse()
        while not self._over.is_set():
            if not self.number:  # the pipe is gone: what is left is what the handler notes
                self._over.wait(GRACE)
                continue
            calls = self.elsewhere.calls
            if self._over.wait(GRACE):
                break
            stuck = self.elsewhere.calls == calls and self.elsewhere.turn.acquire(blocking=False)
            self._put_out_fuse()
            if stuck:
                try:
                    self.give_up()
                finally:
                    os._exit(128 + self.number)
        with suppress(OSError):
            os.close(self._read)
        with suppress(OSError):
            os.close(self._write)


# The one that has the signals, as the last entry.
_current: list[StopRequest] = []


def _before_fork() -> None:
    """Let signals wait that reach the new process before it is one of its own."""
    if _current:
        _current[-1].mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def _after_fork() -> None:
    if _current:
        signal.pthread_sigmask(signal.SIG_SETMASK, _current[-1].mask)


def _in_fork() -> None:
    """In the new process: its signals are not the run's, nor may they reach the run through the pipe."""
    Elsewhere.forks += 1
    requests = _current[::-1]
    for request in requests:
        request.leave_signals()
    if requests:
        signal.pthread_sigmask(signal.SIG_SETMASK, requests[0].mask)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_fork)
