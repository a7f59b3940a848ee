"""A search from its specification to the best configuration, by Optuna (extra: ``tune``)."""

from __future__ import annotations

import csv
import io
import json
import os
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml

from ..config import Config
from ..errors import ConfigError, StateError
from ..files import write_atomically
from ..training.console import announce
from ..training.interrupts import on_stop
from .engine import Died, Engine, outcomes, stopping
from .estimate import SECONDS, prepare
from .objective import Pruning, load_optuna, make_pruner
from .progress import make_progress
from .search import STUDY_FILE, Candidate, Score, Search, candidate_came_to, load_search, try_candidate
from .spec import Arm, cell
from .sweep import locked

SEARCH_FILE, BEST_FILE, TRIALS_FILE = "tune.yaml", "best.yaml", "trials.csv"


def tune(
    search: Search | None, out: Path, engine: Callable[[], Engine], quiet: bool = False, resume: bool = False
) -> dict[str, Any]:
    """Search, and write ``best.yaml``, a configuration for `synaptick run`, and ``trials.csv``, a row a trial.

    Parameters
    ----------
    search : Search, optional
        With `resume`, by default that of the folder.
    out : Path
        Folder; holds the study, if it has no other storage, and a run folder for each run, by trial and seed.
    engine, quiet
        As for `sweep.start_sweep`.
    resume : bool
        True: go on in this folder; trials that were cut off go on where they were.

    Returns
    -------
    dict
        ``out``, ``best`` (path), ``value``, ``settings`` (of the best), ``trials`` (numbers by state), ``failures`` and
        ``seconds``.

    Raises
    ------
    ConfigError
        If Optuna is not installed, or the search is not that of the folder.
    StateError
        If the folder cannot be used, or no trial has come to its end.
    Interrupted
        After Ctrl-C, SIGTERM or SIGHUP.
    """
    load_optuna()
    path = out / SEARCH_FILE
    if path.exists() != resume:
        how = f"holds no search: {SEARCH_FILE} is missing" if resume else f"already holds one; use --resume {out}"
        raise StateError(f"{out} {how}")
    if resume:
        if search is not None and search.record() != load_search(path).record():
            raise ConfigError(f"{path} is another search than the one given; resume it without one, or give --out")
        search = load_search(path)
    assert search is not None
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not resume:
            write_atomically(path, search.record().encode())
    except OSError as error:
        raise StateError(f"cannot write to {out}: {error.strerror or error}; give another --out") from error
    return _Tuning(search, out).go(engine, quiet)


class _Tuning:
    """One stretch of a search."""

    def __init__(self, search: Search, out: Path) -> None:
        self.search, self.out, self.root = search, out, os.path.abspath(out)
        self.optuna = load_optuna()
        self.storage = search.storage or f"sqlite:///{self.root}/{STUDY_FILE}"
        self.name = search.study or Path(self.root).name
        self.failed: dict[int, Score] = {}
        self.begun = time.monotonic()

    def go(self, make_engine: Callable[[], Engine], quiet: bool) -> dict[str, Any]:
        with ExitStack() as stack:
            stack.enter_context(locked(Path(self.root)))
            self.study = self._open()
            before = self.study.get_trials(deepcopy=False)
            done = sum(trial.state.is_finished() for trial in before)
            stack.enter_context(on_stop(stopping(f"everything is in {self.out}; continue with --resume {self.out}")))
            left = max(self.search.trials, len(before)) - done
            if left:
                engine = stack.enter_context(make_engine())
                runs = left * len(self.search.seeds)
                arms = [Arm("", {}, self.search.base)]
                if (line := prepare(engine, arms, runs, 0.0 if quiet else SECONDS)) and not quiet:
                    announce(f"{line}, less what is pruned")
                engine.ahead = 0  # what is tried next depends on what has been found
                progress = stack.enter_context(make_progress(quiet, done + left, done, "trials"))
                asked = self._asked([trial for trial in before if not trial.state.is_finished()])
                for candidate, value in outcomes(engine, try_candidate, asked, candidate_came_to, progress.look):
                    score = Score(None, code=value.code, words=value.words) if isinstance(value, Died) else value
                    self._tell(candidate, score)
                    progress.ended(score.failed)
            return self._told()

    def _open(self) -> Any:
        """Return the study, a new one if there is none."""
        try:
            study = self.optuna.create_study(
                study_name=self.name,
                storage=self.storage,
                pruner=make_pruner(self.search.pruner, self.search.base.steps, len(self.search.seeds)),
                direction="maximize",
                load_if_exists=True,
            )
        except Exception as error:  # whatever a driver of a data base raises
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ConfigError(f"storage {self.storage}: {first}") from error
        # A search that is resumed must not draw once more what it has drawn.
        seed = (self.search.sampler_seed + len(study.get_trials(deepcopy=False))) % 2**32
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", self.optuna.exceptions.ExperimentalWarning)
            study.sampler = self.optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        return study

    def _asked(self, cut_off: list[Any]) -> Iterator[Candidate]:
        """Yield trials that were cut off, then new ones, each asked for when there is a process for it."""
        for frozen in cut_off:
            if (candidate := self._candidate(self.optuna.trial.Trial(self.study, frozen._trial_id))) is not None:
                yield candidate
        while len(self.study.get_trials(deepcopy=False)) < self.search.trials:
            if (candidate := self._candidate(self.study.ask())) is not None:
                yield candidate

    def _candidate(self, trial: Any) -> Candidate | None:
        """Return a trial with its settings; None if these do not go together."""
        search, base = self.search, self.search.base
        settings = {name: space.suggest(trial, name) for name, space in search.spaces.items()}
        name = f"trial{trial.number:04d}"
        pruning = Pruning(
            *(self.storage, self.name, trial._trial_id, search.pruner, search.objective),
            *(base.steps, len(search.seeds)),
        )
        try:
            config = base.with_changes(settings)
        except ConfigError as error:
            self.failed[trial.number] = Score(None, code=2, words=str(error))
            self.study.tell(trial, state=self.optuna.trial.TrialState.FAIL)
            return None
        return Candidate(self.root, name, json.dumps(config.to_dict()), search.seeds, pruning)

    def _tell(self, candidate: Candidate, score: Score) -> None:
        states = self.optuna.trial.TrialState
        number = int(candidate.name.removeprefix("trial"))
        if score.failed:
            self.failed[number] = score
            self.study.tell(number, state=states.FAIL)
        elif score.pruned:
            self.study.tell(number, state=states.PRUNED)
        else:
            self.study.tell(number, score.value)

    def _told(self) -> dict[str, Any]:
        """Write what was found, and return it."""
        trials = self.study.get_trials(deepcopy=False)
        self._write_trials(trials)
        complete = [trial for trial in trials if trial.state == self.optuna.trial.TrialState.COMPLETE]
        if not complete:
            why = next((score.words for score in self.failed.values()), "none was tried")
            raise StateError(f"{self.out}: no trial has come to its end ({why})")
        best = max(complete, key=lambda trial: (trial.value, -trial.number))
        settings = {name: _value(best.params[name]) for name in self.search.given}
        config = self.search.base.with_changes({**settings, "tuning_seeds": self.search.tuning_seeds})
        counts: dict[str, int] = {}
        for trial in trials:
            state = trial.state.name.lower()
            counts[state] = counts.get(state, 0) + 1
        how = ", ".join(f"{count} {state}" for state, count in counts.items())
        head = (
            f"# The best of {len(trials)} trials ({how}): {self.search.objective} {best.value:.6g} on seeds "
            f"{self.search.tuning_seeds}, trial {best.number}.\n# Returns on those seeds say little about others."
        )
        path = self.out / BEST_FILE
        write_atomically(path, f"{head}\n{differing(config)}".encode())
        return {
            "out": str(self.out),
            "best": str(path),
            "value": best.value,
            "settings": settings,
            "objective": self.search.objective,
            "trials": counts,
            "failures": [
                {"run": f"trial{number:04d}", "exit_code": score.code, "error": score.words}
                for number, score in sorted(self.failed.items())
            ],
            "seconds": round(time.monotonic() - self.begun, 1),
        }

    def _write_trials(self, trials: list[Any]) -> None:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["trial", "state", "value", "last_step", *self.search.given])
        for trial in trials:
            at = [cell(_value(trial.params.get(name))) for name in self.search.given]
            writer.writerow([trial.number, trial.state.name.lower(), trial.value, trial.last_step, *at])
        write_atomically(self.out / TRIALS_FILE, text.getvalue().encode())


def _value(kept: Any) -> Any:
    """Return the value of a setting that a study keeps, choices as text."""
    return json.loads(kept) if isinstance(kept, str) else kept


def differing(config: Config) -> str:
    """Return a configuration as YAML, without what is as in the default one."""
    default = Config().to_dict()
    found = {key: value for key, value in config.to_dict().items() if value != default[key] or key in ("env", "steps")}
    return str(yaml.safe_dump(found, sort_keys=False))
