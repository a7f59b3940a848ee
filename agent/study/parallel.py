"""Independent measurements on several processes, that stop together."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import Pool
from types import FrameType
from typing import TypeVar

from ..errors import Interrupted
from ..stopping import on_stop

J = TypeVar("J")
R = TypeVar("R")


def in_parallel(function: Callable[[J], R], jobs: Sequence[J], processes: int) -> Iterator[R]:
    """Yield ``function(job)`` for every job, in order, each as soon as it and all before it are done.

    Raises
    ------
    Interrupted
        On Ctrl-C or SIGTERM; no process is left behind.
    """
    with on_stop(_stop):
        if processes == 1:
            yield from map(function, jobs)
            return
        with Pool(min(processes, len(jobs)), initializer=_be_a_worker) as pool:  # its end terminates the workers
            yield from pool.imap(function, jobs)


def _be_a_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _stop(number: int, _: FrameType | None) -> None:
    raise Interrupted(f"stopped by {signal.Signals(number).name}; rows already written stay", number)
