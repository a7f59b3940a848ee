"""One run of many: an ordinary run folder, begun or gone on with, and whether it is complete."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from ..config import Config
from ..errors import BusyError, Interrupted, SynaptickError, described, exit_code
from ..training.console import warn
from ..training.run import no_hooks, resume_run, start_run
from ..training.run_folder import CHECKPOINTS, is_complete, summary_of
from .engine import Died

# What a run says, its error above all; there is no such file if it says nothing.
OUTPUT_FILE = "output.txt"
# Seconds for which the process that had a run before may still be at it.
PATIENCE = 60.0

Hooks = Callable[[Path], Iterable[Any]]


class Trial(NamedTuple):
    """A run that is to be.

    Attributes
    ----------
    root : str
        Folder of the sweep.
    name : str
        Folder of the run in it, by which it is known.
    settings : str
        All settings of the run, as JSON.
    hooks : callable
        As for `training.run.start_run`; pickled.
    """

    root: str
    name: str
    settings: str
    hooks: Hooks = no_hooks

    @property
    def folder(self) -> Path:
        """Folder of the run."""
        return Path(self.root, self.name)

    @property
    def config(self) -> Config:
        """Settings of the run."""
        return Config.from_dict(json.loads(self.settings))


class Ended(NamedTuple):
    """How a run ended: exit code, and what it said if that is not 0."""

    code: int = 0
    words: str = ""

    @property
    def failed(self) -> bool:
        """Whether it did not come to its end."""
        return self.code != 0


def came_to(trial: Trial) -> object:
    """Return something that changes with each checkpoint of a run."""
    try:
        return (trial.folder / CHECKPOINTS[0]).stat().st_mtime_ns
    except OSError:
        return None


def run_trial(trial: Trial) -> Ended | Died:
    """Run what is left of a run, in this process; whatever happens is returned, and in its folder."""
    folder = trial.folder
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(_output_into(folder / OUTPUT_FILE))
        except OSError as error:
            return Ended(2, f"cannot write to {folder}: {error.strerror or error}")
        try:
            _go_on(folder, trial)
        except Interrupted as error:
            return Died(exit_code(error), str(error))
        except (SynaptickError, OSError) as error:
            warn(f"error: {error}")
            return Ended(exit_code(error), " ".join(str(error).split()))
        except Exception as error:
            sys.excepthook(type(error), error, error.__traceback__)
            return Ended(1, described(error))
    return Ended()


def _go_on(folder: Path, trial: Trial) -> None:
    """Begin a run, or go on with it; wait if the process that had it has not noticed yet that it is to end."""
    config, deadline = trial.config, time.monotonic() + PATIENCE
    while True:
        if is_complete(summary_of(folder), config.steps):
            return
        try:
            if any((folder / name).exists() for name in CHECKPOINTS):
                resume_run(folder, config.steps, quiet=True, hooks=trial.hooks)
            else:
                start_run(config, folder, quiet=True, hooks=trial.hooks)
        except BusyError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


@contextmanager
def _output_into(path: Path) -> Iterator[None]:
    """Send what this process prints, its environment's C code too, to a file."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)  # which may raise: nothing is open before
    kept = [(number, os.dup(number)) for number in (1, 2)]
    for number, _ in kept:
        os.dup2(file, number)
    os.close(file)
    try:
        yield
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        for number, copy in kept:
            os.dup2(copy, number)
            os.close(copy)
        with suppress(OSError):
            if path.stat().st_size == 0:
                path.unlink()
