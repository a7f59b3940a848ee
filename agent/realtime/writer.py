"""A thread that brings snapshots to disk, so that the loop never waits for one."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..arena import checkpoint
from ..arena.checkpoint import NEWEST_FILE, OLDER_FILE
from ..files import expanded, replace_and_keep

Job: TypeAlias = tuple[int, NDArray[np.uint8], dict[str, Any], Callable[[], bool]]


class Outcome(NamedTuple):
    """What became of one snapshot: the step it is of, and what went wrong, or an empty text."""

    step: int
    problem: str


class Writer:
    """Writes one block at a time to the file ``agent.synaptick`` of a folder; the one before it becomes the older one.

    `Agent.load` reads both. At any moment one of them is whole. What takes long in writing (the digest, the disk) does
    not hold the interpreter.

    Parameters
    ----------
    folder : path
        Made if it does not exist and can be made.

    Attributes
    ----------
    outcomes : deque of Outcome
        What became of the last blocks, at most 64, for the loop to take from the left.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = expanded(folder)
        self.outcomes: deque[Outcome] = deque(maxlen=64)
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._idle = threading.Event()
        self._idle.set()
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether a block is being written, so that it must not be changed."""
        return not self._idle.is_set()

    def write(
        self, step: int, block: NDArray[np.uint8], metadata: dict[str, Any], is_sound: Callable[[], bool]
    ) -> None:
        """Begin to write a block; returns at once. Not to be called while `busy`.

        If `is_sound`, which is called by the thread, returns False, nothing is written.
        """
        self._idle.clear()
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="synaptick snapshots", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # of threads there may be no more
                self.outcomes.append(Outcome(step, str(error)))
                self._idle.set()
                return
            self._thread = thread
        self._jobs.put((step, block, metadata, is_sound))

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until nothing is being written, for at most so many seconds; return whether that is so."""
        return self._idle.wait(seconds)

    def close(self, seconds: float = 10.0) -> bool:
        """Let the thread finish and end; return whether it did within so many seconds."""
        if self._thread is None:
            return True
        self._jobs.put(None)
        self._thread.join(seconds)
        ended = not self._thread.is_alive()
        self._thread = None
        return ended

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            step, block, metadata, is_sound = job
            try:
                if not is_sound():
                    raise ArithmeticError("it holds a number that is not finite")
                self.folder.mkdir(parents=True, exist_ok=True)
                for leftover in self.folder.glob(
                    f".*{NEWEST_FILE}*.part"
                ):  # of a process that was killed while it wrote
                    leftover.unlink(missing_ok=True)
                fresh = self.folder / f".{NEWEST_FILE}.part"
                checkpoint.write(fresh, metadata, block)
                replace_and_keep(fresh, self.folder / NEWEST_FILE, self.folder / OLDER_FILE)
                problem = ""
            except OSError as error:
                problem = error.strerror or str(error)
            except ArithmeticError as error:
                problem = str(error)
            except Exception as error:  # a thread that ends silently would write nothing ever again
                problem = f"{type(error).__name__}: {error}"
            self.outcomes.append(Outcome(step, problem))
            self._idle.set()
