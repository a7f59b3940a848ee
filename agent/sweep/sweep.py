"""A sweep from its specification to results.csv, and its resumption."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ..aggregate import interquartile_mean
from ..config.seeds import overlap, shown_seeds
from ..errors import ConfigError, StateError
from ..files import write_atomically
from ..training.console import announce
from ..training.interrupts import on_stop
from ..training.lock import FolderLock
from ..training.results import RESULTS_FILE
from ..training.run import no_hooks
from ..training.run_folder import is_complete, summary_of
from .engine import Died, Engine, outcomes, stopping
from .estimate import SECONDS, prepare
from .progress import make_progress
from .rows import write_rows
from .spec import Spec, absolute, load_spec, numbered
from .trial import Ended, Hooks, Trial, came_to, run_trial

SPEC_FILE = "sweep.yaml"
HELD_OUT = (
    "their returns would look better than those of new seeds: give others, or --allow-tuning-seeds where nothing is "
    "concluded from it"
)


def start_sweep(
    spec: Spec,
    out: Path,
    engine: Callable[[], Engine],
    quiet: bool = False,
    hooks: Hooks = no_hooks,
    part: tuple[int, int] = (0, 1),
    allow_tuning_seeds: bool = False,
) -> dict[str, Any]:
    """Run a sweep in a folder of its own, and return what became of it.

    Parameters
    ----------
    spec : Spec
    out : Path
        Folder: ``sweep.yaml``, ``results.csv`` and a run folder for each run, by configuration and seed.
    engine : callable
        Makes the engine, once everything that can be wrong has been looked at.
    quiet : bool
        Show no progress, and no estimate.
    hooks : callable
        As for `training.run.start_run`; has to be picklable.
    part : (int, int)
        (k, n): every n-th run, from the k-th; the others are for other processes, with the same folder.
    allow_tuning_seeds : bool
        True: run on seeds that a configuration was tuned on.

    Returns
    -------
    dict
        ``out``, ``results``, ``runs``, ``complete`` (with those that a hook has stopped), ``failed`` (a list of run,
        exit_code, error), ``unfinished``, ``summary`` (a row a configuration) and ``seconds``.

    Raises
    ------
    ConfigError
        If a configuration was tuned on one of the seeds.
    StateError
        If the folder holds another sweep, or is being written, or cannot be.
    Interrupted
        After Ctrl-C, SIGTERM or SIGHUP: everything is saved, and can be resumed.
    """
    if not allow_tuning_seeds:
        refuse_tuning_seeds(spec)
    path = out / SPEC_FILE
    if path.exists():
        if part == (0, 1):
            raise StateError(f"{out} already holds a sweep; continue it with --resume {out}, or give another --out")
        _check_same(spec, path)
    else:
        try:
            out.mkdir(parents=True, exist_ok=True)
            if part == (0, 1) and any(out.iterdir()):
                raise StateError(f"{out} is not empty; give another --out")
            write_atomically(path, spec.record().encode())
        except OSError as error:
            raise StateError(f"cannot write to {out}: {error.strerror or error}; give another --out") from error
    return _go(spec, out, engine, quiet, hooks, part)


def resume_sweep(
    out: Path,
    engine: Callable[[], Engine],
    quiet: bool = False,
    hooks: Hooks = no_hooks,
    spec: Spec | None = None,
    part: tuple[int, int] = (0, 1),
) -> dict[str, Any]:
    """Complete what is missing in the folder of a sweep: runs that have not begun, were cut off, or failed.

    Raises
    ------
    StateError, Interrupted
        As for `start_sweep`, or if the folder holds no sweep.
    ConfigError
        If `spec` is not that of the folder.
    """
    path = out / SPEC_FILE
    if not path.is_file():
        raise StateError(f"{out} holds no sweep: {SPEC_FILE} is missing")
    if spec is not None:
        _check_same(spec, path)
    return _go(load_spec(path), out, engine, quiet, hooks, part)


def refuse_tuning_seeds(spec: Spec) -> None:
    """Raise `ConfigError` if a configuration runs on seeds that it was tuned on."""
    for arm in spec.arms:
        if seeds := overlap(arm.config.tuning_seeds, spec.seeds):
            raise ConfigError(
                f"seeds {shown_seeds(seeds)} are among those that {arm.name or 'this configuration'} was tuned on "
                f"(tuning_seeds: {arm.config.tuning_seeds}); {HELD_OUT}"
            )


def _check_same(spec: Spec, path: Path) -> None:
    if spec.record() != load_spec(path).record():
        raise ConfigError(
            f"{path} is another sweep than the one given; resume it without one, or give another folder with --out"
        )


def _go(
    spec: Spec, out: Path, make_engine: Callable[[], Engine], quiet: bool, hooks: Hooks, part: tuple[int, int]
) -> dict[str, Any]:
    begun, root = time.monotonic(), absolute(out)
    ended: dict[str, Ended] = {}
    with ExitStack() as stack:
        if part == (0, 1):
            stack.enter_context(locked(Path(root)))
        names, runs = _missing(spec, Path(root), part)
        counted = len(range(part[0], len(spec.arms) * len(spec.seeds), part[1]))
        stack.callback(lambda: write_rows(Path(root), spec, ended))
        stack.enter_context(on_stop(stopping(f"everything is in {out}; continue with --resume {out}")))
        if runs:
            engine = stack.enter_context(make_engine())
            arms = [arm for arm in spec.arms if arm.name in names]
            if (line := prepare(engine, arms, runs, 0.0 if quiet else SECONDS)) and not quiet:
                announce(line)
            progress = stack.enter_context(make_progress(quiet, counted, counted - runs))
            for trial, value in outcomes(engine, run_trial, _trials(spec, root, hooks, part), came_to, progress.look):
                end = Ended(value.code, value.words) if isinstance(value, Died) else value
                progress.ended(end.failed)
                if end.failed:
                    ended[trial.name] = end
    return _told(spec, out, ended, time.monotonic() - begun)


def _missing(spec: Spec, root: Path, part: tuple[int, int]) -> tuple[set[str], int]:
    """Return the names of configurations with runs that are not complete, and how many runs those are."""
    names, runs = set[str](), 0
    for index, (arm, _, name) in enumerate(numbered(spec.arms, spec.seeds)):
        if index % part[1] == part[0] and not is_complete(summary_of(root / name), arm.config.steps):
            names.add(arm.name)
            runs += 1
    return names, runs


def _trials(spec: Spec, root: str, hooks: Hooks, part: tuple[int, int]) -> Iterator[Trial]:
    for index, (arm, seed, name) in enumerate(numbered(spec.arms, spec.seeds)):
        if index % part[1] == part[0] and not is_complete(summary_of(Path(root, name)), arm.config.steps):
            yield Trial(root, name, json.dumps({**arm.config.to_dict(), "seed": seed}), hooks)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep a second sweep out of a folder; the lock is gone with this process, however it ends."""
    try:
        lock = FolderLock(folder)
    except OSError as error:
        raise StateError(f"cannot write to {folder}: {error.strerror or error}") from error
    try:
        yield
    finally:
        lock.release()


def _told(spec: Spec, out: Path, ended: dict[str, Ended], seconds: float) -> dict[str, Any]:
    found = write_rows(Path(absolute(out)), spec, ended)
    complete = [*found.get("complete", ()), *found.get("stopped", ())]
    by_arm: dict[str, list[float]] = {arm.name: [] for arm in spec.arms}
    for row in complete:
        if row["mean_return_last_100"] is not None:
            by_arm[row["run"].rpartition("/")[0]].append(row["mean_return_last_100"])
    failed = [
        {"run": row["run"], "exit_code": row["exit_code"], "error": ended[row["run"]].words}
        for row in found.get("failed", ())
    ]
    return {
        "out": str(out),
        "results": str(out / RESULTS_FILE),
        "runs": len(spec.arms) * len(spec.seeds),
        "complete": len(complete),
        "failed": failed,
        "unfinished": len(found.get("unfinished", ())),
        "summary": [
            {
                "configuration": name or spec.arms[0].config.env,
                "runs": len(returns),
                "iqm": interquartile_mean(returns) if returns else None,
                "lowest": min(returns, default=None),
                "highest": max(returns, default=None),
            }
            for name, returns in by_arm.items()
        ],
        "seconds": round(seconds, 1),
    }
