"""Independent measurements on several processes, that stop together."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import Pool
from types import FrameType
from typing import Any, TypeVar

from ...config import Config
from ...errors import Interrupted, RunError
from ...training.interrupts import SIGNALS, on_stop
from .progress import Progress, each

J = TypeVar("J")
R = TypeVar("R")


def in_parallel(function: Callable[[J], R], jobs: Sequence[J], processes: int) -> Iterator[R]:
    """Yield ``function(job)`` for every job, in order, each as soon as it and all before it are done, with progress.

    Raises
    ------
    Interrupted
        On Ctrl-C, SIGTERM or SIGHUP; no process is left behind.
    """
    with on_stop(_stop):
        if processes == 1:
            yield from (function(job) for job in each(jobs, "runs"))
            return
        with Pool(min(processes, len(jobs)), initializer=_be_a_worker) as pool:  # its end terminates the workers
            progress = Progress(len(jobs), "runs")
            for done in pool.imap(function, jobs):
                yield done
                progress.advance()


def _be_a_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in SIGNALS[1:]:
        signal.signal(number, signal.SIG_DFL)


def _stop(number: int, _: FrameType | None) -> None:
    raise Interrupted(f"stopped by {signal.Signals(number).name}; rows already written stay", number)


# What says where and how long a run takes place. Any other setting that is not the default one is tuned.
PLACE = ("env", "env_kwargs", "wrappers", "steps", "seed")


def tuned(config: Config) -> str:
    """Return ``key=value`` for every setting of a task that is not the default one, empty if it has none."""
    default = Config().to_dict()
    changed = {key: value for key, value in config.to_dict().items() if key not in PLACE and value != default[key]}
    return " ".join(f"{key}={value}" for key, value in changed.items())


@contextmanager
def saying_where(run: str, place: Any) -> Iterator[None]:
    """Turn whatever an environment raises into a `RunError` that names the run and the step, ``place.steps`` + 1."""
    try:
        yield
    except Interrupted:
        raise
    except Exception as error:
        raise RunError(f"{run}, failed at step {place.steps + 1}: {error!r}") from error
