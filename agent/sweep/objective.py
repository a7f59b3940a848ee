"""What a search looks for in a run, and the hook that ends one that is not worth its time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..agent import Agent
from ..errors import ConfigError
from ..metrics.episodes import RECENT, Tally
from ..metrics.hooks import StopRun
from ..training.results import OLDER_RESULTS_FILE, RESULTS_FILE

# By name: what is greatest in the best run.
OBJECTIVES = {
    "mean_return": "of all episodes, which is high for those that learn early",
    "mean_return_last_100": "of the last 100 episodes",
}
PRUNERS = ("median", "hyperband", "none")


def returns_of(folder: Path) -> list[float]:
    """Return the returns of the episodes of a run that are on disk."""
    found: list[float] = []
    for name in (OLDER_RESULTS_FILE, RESULTS_FILE):
        if (folder / name).exists():
            lines = (folder / name).read_text().splitlines()[1:]
            found += [float(line.split(",")[2]) for line in lines]
    return found


def objective_of(name: str, returns: list[float]) -> float | None:
    """Return the objective of that name, of the returns of a run; None without an episode that has ended."""
    chosen = returns[-RECENT:] if name == "mean_return_last_100" else returns
    return float(np.mean(chosen)) if chosen else None


@dataclass(frozen=True)
class Pruning:
    """Hooks of one run of a trial of a study, which may end it early; can be sent to another process.

    Attributes
    ----------
    storage, study : str
        URL and name.
    trial : int
        Id of the trial in the storage.
    pruner : str
        A name in `PRUNERS`.
    objective : str
        A name in `OBJECTIVES`.
    steps, runs : int
        Steps of a run, and runs of a trial.
    before : tuple of float
        What the objective was in the runs of the trial that have ended.
    """

    storage: str
    study: str
    trial: int
    pruner: str
    objective: str
    steps: int
    runs: int
    before: tuple[float, ...] = ()

    def __call__(self, folder: Path) -> list[Any]:
        """Return the hook of the run in a folder."""
        optuna = load_optuna()
        pruner = make_pruner(self.pruner, self.steps, self.runs)
        study = optuna.load_study(study_name=self.study, storage=self.storage, pruner=pruner)
        return [_Pruner(optuna.trial.Trial(study, self.trial), folder, self)]


def make_pruner(name: str, steps: int, runs: int) -> Any:
    """Return a pruner of Optuna for trials of so many runs of so many steps."""
    pruners = load_optuna().pruners
    if name == "median":
        return pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=steps // 4)
    if name == "hyperband":
        return pruners.HyperbandPruner(min_resource=max(steps // 8, 1), max_resource=steps * runs)
    return pruners.NopPruner()


class _Pruner:
    """Reports what has been reached to a study, row by row of metrics, and ends a run that the study gives up."""

    def __init__(self, trial: Any, folder: Path, given: Pruning) -> None:
        self._trial, self._folder, self._given = trial, folder, given
        self._returns: list[float] = []

    def on_start(self, agent: Agent, tally: Tally) -> None:
        """Take the episodes that a run that is resumed has had."""
        self._returns = returns_of(self._folder) if tally.episodes else []

    def on_episode(self, tally: Tally) -> None:
        """Take the episode that has ended."""
        self._returns.append(tally.last_return)

    def on_log(self, row: Mapping[str, float | None]) -> None:
        """Report, and ask whether to go on."""
        now, step = objective_of(self._given.objective, self._returns), int(row["step"] or 0)
        if now is None or step >= self._given.steps:  # the end is told by who has the result
            return
        value = float(np.mean([*self._given.before, now]))
        self._trial.report(value, len(self._given.before) * self._given.steps + step)
        if self._trial.should_prune():
            raise StopRun(f"pruned at step {step}: {value:.4g} is not worth more")


def load_optuna() -> Any:
    """Return Optuna, which then says only what is wrong.

    Raises
    ------
    ConfigError
        If it is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise ConfigError("tune needs optuna: pip install synaptick[tune]") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna
