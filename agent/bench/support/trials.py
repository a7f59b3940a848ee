"""Independent measurements on several processes, in order; what they are of, and where one failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from ...config import Config
from ...errors import Interrupted, RunError
from ...sweep.engine import Died, of_numbered, outcomes, stopping
from ...sweep.processes import Processes
from ...training.interrupts import on_stop
from .progress import Progress, each

J = TypeVar("J")
R = TypeVar("R")


def in_parallel(function: Callable[[J], R], jobs: Sequence[J], processes: int) -> Iterator[R]:
    """Yield ``function(job)`` for every job, in order, each as soon as it and all before it are done, with progress.

    Raises
    ------
    RunError
        If a process dies again and again.
    Interrupted
        On Ctrl-C, SIGTERM or SIGHUP; no process is left behind.
    """
    with on_stop(stopping("rows already written stay")):
        if processes == 1:
            yield from (function(job) for job in each(jobs, "runs"))
            return
        waiting: dict[int, R] = {}
        due = 0
        progress = Progress(len(jobs), "runs")
        with Processes(min(processes, len(jobs))) as engine:
            for (place, job), value in outcomes(engine, partial(of_numbered, function), enumerate(jobs)):
                if isinstance(value, Died):
                    raise RunError(f"{job}: {value.words}, again and again")
                waiting[place] = value
                while due in waiting:
                    yield waiting.pop(due)
                    due += 1
                    progress.advance()


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
