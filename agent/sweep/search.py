"""What a search tries, as data, and one trial of it: a configuration on all of its seeds."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

from ..config import Config
from ..config.seeds import read_seeds, shown_seeds
from ..errors import ConfigError, one_line
from ..training.run_folder import summary_of
from .engine import Died
from .objective import OBJECTIVES, PRUNERS, Pruning, objective_of, returns_of
from .space import Space, read_space
from .spec import load_mapping, read_base
from .trial import Trial, came_to, run_trial

KEYS = ("config", "settings", "seeds", "search", "trials", "objective", "pruner", "sampler_seed", "storage", "study")
STUDY_FILE = "study.db"


@dataclass(frozen=True)
class Search:
    """A search for settings.

    Attributes
    ----------
    base : Config
        What every trial has.
    seeds : tuple of int
        A trial has a run for each; its value is the mean over them.
    given : dict
        From settings to where their values are drawn from, as the file says it.
    trials : int
    objective, pruner : str
        Names in `OBJECTIVES` and `PRUNERS`.
    sampler_seed : int
    storage : str
        URL of an Optuna storage; empty: SQLite, in the folder.
    study : str
        Its name there; empty: after the folder.
    """

    base: Config
    seeds: tuple[int, ...]
    given: dict[str, Any]
    trials: int
    objective: str = "mean_return_last_100"
    pruner: str = "median"
    sampler_seed: int = 0
    storage: str = ""
    study: str = ""

    @property
    def spaces(self) -> dict[str, Space]:
        """Where the value of each setting is drawn from."""
        return {name: read_space(name, given) for name, given in self.given.items()}

    @property
    def tuning_seeds(self) -> str:
        """Seeds that the best configuration will have been chosen on, with those that the base was."""
        before = read_seeds(self.base.tuning_seeds) if self.base.tuning_seeds else ()
        return shown_seeds([*before, *self.seeds])

    def record(self) -> str:
        """Return the search as YAML that says all of it."""
        found = {
            "seeds": shown_seeds(self.seeds),
            "search": self.given,
            **{key: getattr(self, key) for key in KEYS[4:] if getattr(self, key) != ""},
            "settings": {key: value for key, value in self.base.to_dict().items() if key != "seed"},
        }
        return str(yaml.safe_dump(found, sort_keys=False, default_flow_style=None, width=120))


def load_search(path: Path) -> Search:
    """Read a search from YAML; raise `ConfigError` with the file and what is wrong in it."""
    values = load_mapping(path, KEYS)
    try:
        base, _ = read_base(values)
        given = values.get("search")
        if not isinstance(given, dict) or not given:
            raise ConfigError(f"search: got {one_line(given)}; allowed: a mapping from settings to spans or choices")
        for name, space in given.items():
            if name in ("seed", "env", "steps", "tuning_seeds"):
                raise ConfigError(f"search: {name} says what is searched on, and cannot be searched for")
            read_space(name, space)
        more = {key: values[key] for key in KEYS[4:] if key in values}
        for key, allowed in (("objective", tuple(OBJECTIVES)), ("pruner", PRUNERS)):
            if more.get(key, allowed[0]) not in allowed:
                raise ConfigError(f"{key}: got {one_line(more[key])}; allowed: {', '.join(allowed)}")
        for key in ("trials", "sampler_seed"):
            if type(more.get(key, 1)) is not int or more.get(key, 1) < (key == "trials"):
                raise ConfigError(f"{key}: got {one_line(more[key])}; allowed: a whole number")
        for key in ("storage", "study"):
            if not isinstance(more.get(key, ""), str):
                raise ConfigError(f"{key}: got {one_line(more[key])}; allowed: a text")
        if "seeds" not in values:
            raise ConfigError("seeds: missing; give those that the search may use, such as seeds: 100-104")
        return Search(base, read_seeds(values["seeds"]), given, **{"trials": 100, **more})
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


class Score(NamedTuple):
    """What became of a trial: its value, whether it was pruned, and why it has none."""

    value: float | None
    pruned: bool = False
    code: int = 0
    words: str = ""

    @property
    def failed(self) -> bool:
        """Whether it has no value."""
        return self.value is None


class Candidate(NamedTuple):
    """A trial that is to be: one configuration, on each of the seeds.

    Attributes
    ----------
    root, name, settings : str
        As those of `trial.Trial`.
    seeds : tuple of int
    pruning : Pruning
        Of the first run.
    """

    root: str
    name: str
    settings: str
    seeds: tuple[int, ...]
    pruning: Pruning

    def run(self, seed: int, before: tuple[float, ...] = ()) -> Trial:
        """Return the run of a seed."""
        settings = json.dumps({**json.loads(self.settings), "seed": seed})
        return Trial(self.root, f"{self.name}/seed{seed}", settings, replace(self.pruning, before=before))

    @property
    def folder(self) -> Path:
        """Folder of the run that goes on, or is next."""
        folders = [self.run(seed).folder for seed in self.seeds]
        return next((folder for folder in reversed(folders) if folder.exists()), folders[0])


def candidate_came_to(candidate: Candidate) -> object:
    """Return something that changes with each checkpoint of a trial."""
    return [came_to(candidate.run(seed)) for seed in candidate.seeds]


def try_candidate(candidate: Candidate) -> Score | Died:
    """Run what is left of a trial, in this process, seed by seed."""
    values: list[float] = []
    for seed in candidate.seeds:
        trial = candidate.run(seed, tuple(values))
        end = run_trial(trial)
        if isinstance(end, Died):
            return end
        if end.failed:
            return Score(None, code=end.code, words=f"seed {seed}: {end.words}")
        value = objective_of(candidate.pruning.objective, returns_of(trial.folder))
        if value is None:
            return Score(None, code=1, words=f"seed {seed}: no episode has ended in {trial.config.steps:,} steps")
        values.append(value)
        if summary_of(trial.folder).get("stopped"):
            return Score(float(np.mean(values)), pruned=True)
    return Score(float(np.mean(values)))
