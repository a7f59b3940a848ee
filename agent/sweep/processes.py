"""Processes of this machine that make one call after the other: what is imported and compiled once is there for all."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from typing import Any

from ..errors import RunError, described
from .engine import Died, Raised

# A process is given a share of the machine, not all of it.
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM")}
# What processes get to save their work when they are asked to stop.
GRACE = 10.0


class Processes:
    """An `Engine` of so many processes, each of which lives as long as its calls return.

    Not `concurrent.futures`: there the death of one process ends the calls of all, and nobody learns whose it was.

    Parameters
    ----------
    processes : int
    """

    ahead = 0

    def __init__(self, processes: int) -> None:
        self.processes = processes
        self._idle: list[_Process] = []
        self._busy: dict[Connection, tuple[_Process, Any]] = {}

    def __enter__(self) -> Processes:
        self._before = {name: os.environ.get(name) for name in ONE_THREAD}
        os.environ.update({name: value for name, value in ONE_THREAD.items() if self._before[name] is None})
        return self

    def __exit__(self, *_: object) -> None:
        """End all processes; those that are in a call are asked to stop, as by kill, and get time for it."""
        processes = [*self._idle, *(process for process, _ in self._busy.values())]
        for process in processes:
            process.ask_to_stop()
        deadline = time.monotonic() + GRACE
        for process in processes:
            process.end(max(deadline - time.monotonic(), 0.0))
        self._idle, self._busy = [], {}
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)

    def submit(self, function: Callable[[Any], Any], item: Any) -> None:
        """Give a call to a process that has none, or to a new one."""
        while True:
            process = self._idle.pop() if self._idle else _Process()
            try:
                process.pipe.send((function, item))
            except (BrokenPipeError, ConnectionResetError):  # killed while it had nothing to do
                process.end(0.0)
                continue
            self._busy[process.pipe] = process, item
            return

    def ended(self, seconds: float) -> list[tuple[Any, Any]]:
        """Return what has ended."""
        found = []
        for pipe in connection.wait(list(self._busy), seconds):
            assert isinstance(pipe, Connection)
            process, item = self._busy.pop(pipe)
            try:
                fresh, value = pipe.recv()
            except (EOFError, OSError):
                found.append((item, process.death()))
                continue
            if fresh:
                self._idle.append(process)
            else:
                process.end(0.0)
            found.append((item, value))
        return found


class _Process:
    """One process and the pipe to it."""

    def __init__(self) -> None:
        self.pipe, theirs = get_context("spawn").Pipe()
        self._process = get_context("spawn").Process(target=_work, args=(theirs,))
        # Ctrl-C reaches every process of a terminal; one that is being started must not die of it, and has this mask.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()

    def ask_to_stop(self) -> None:
        self.pipe.close()  # which one without a call takes for the end
        with suppress(OSError):
            self._process.terminate()

    def death(self) -> Died:
        self._process.join()
        code = self._process.exitcode
        self.end(0.0)
        if code is None or code >= 0:
            return Died(code or 1, f"its process ended with exit code {code}")
        return Died(code, f"its process was killed by {signal.Signals(-code).name}")

    def end(self, seconds: float) -> None:
        self.pipe.close()
        self._process.join(seconds)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
        self._process.close()


def _work(pipe: Connection) -> None:
    """Make one call after the other; what this process runs until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_die_with_parent, name="synaptick parent", daemon=True).start()
    home = os.getcwd()
    while True:
        try:
            function, item = pipe.recv()
        except (EOFError, OSError):
            os._exit(0)  # whatever threads an environment has left behind
        except Exception as error:  # a function or a class that cannot be imported here
            answer: tuple[bool, Any] = (False, Raised(RunError(f"a call cannot be made ({described(error)})")))
        else:
            answer = _answer(function, item)
        with suppress(OSError):
            os.chdir(home)
        try:
            pipe.send(answer)
        except OSError:
            os._exit(0)
        except Exception as error:  # what cannot be pickled
            pipe.send((False, Raised(RunError(described(error)))))


def _answer(function: Callable[[Any], Any], item: Any) -> tuple[bool, Any]:
    """Return whether this process is as good as new, and what a function returns or raises."""
    try:
        value = function(item)
    except BaseException as error:  # SystemExit of an environment, too
        return False, Raised(error)
    # A call that has failed may have left anything behind.
    return not getattr(value, "failed", False), value


def _die_with_parent() -> None:
    """End this process at once when the one that has started it is gone: checkpoints are whole at any moment."""
    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)
