"""What there is to compare: runs of each arm, from run folders, folders of runs, and tables of `bench learning`."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..bench.learning import MARKS
from ..config import Config
from ..config.seeds import overlap
from ..errors import ConfigError, StateError, one_line
from ..metrics.episodes import RECENT
from ..plots.read import STEP, Column
from ..plots.runs import compared_settings, labels_of, open_run
from ..plots.series import curve_of, trailing_mean
from ..training.results import RESULTS_FILE
from ..training.run_folder import CONFIG_FILE, is_complete, summary_of

# Settings that say where a run lives, not what the agent is.
PLACE = ("env", "env_kwargs", "wrappers")


class Outcome(NamedTuple):
    """What became of a run.

    Attributes
    ----------
    env : str
        Environment, or task of a suite.
    place : str
        Arguments, wrappers and limits of the environment, in words; "" if they are not known.
    seed, steps : int
    steps_at, returns : (n,) arrays
        Mean return of the last 100 episodes, and after how many steps.
    known_between : bool
        Whether that is known of all steps, or only of these.
    complete : bool
        Whether the run came to its end.
    source : str
        Where it was read.
    tuned : bool
        Whether its configuration was chosen on its seed (`tuning_seeds`).
    """

    env: str
    place: str
    seed: int
    steps: int
    steps_at: Column
    returns: Column
    known_between: bool
    complete: bool
    source: str
    tuned: bool = False

    def score(self, steps: float) -> float:
        """Return the mean return of the last 100 episodes after so many steps; NaN if it is not known."""
        at = int(np.searchsorted(self.steps_at, steps, side="right")) - 1
        known = at >= 0 and (self.known_between or self.steps_at[at] == steps)
        return float(self.returns[at]) if known else np.nan


class Arm(NamedTuple):
    """Runs of one agent, in one or several environments."""

    label: str
    outcomes: tuple[Outcome, ...]

    @property
    def envs(self) -> list[str]:
        """Its environments."""
        return list(dict.fromkeys(outcome.env for outcome in self.outcomes))

    def of(self, env: str) -> list[Outcome]:
        """Return the runs in an environment, by seed."""
        return sorted((outcome for outcome in self.outcomes if outcome.env == env), key=lambda outcome: outcome.seed)


def read_arms(given: Sequence[str]) -> list[Arm]:
    """Read the arms of a comparison.

    Parameters
    ----------
    given : sequence of str
        Folders of runs or of many runs, and CSV files of ``bench learning``, each with a name before it if wanted
        (``NAME=PATH``). Each is an arm, but: what has the same name is one arm; run folders that differ in nothing but
        seed and environment are one; runs of a folder of many that differ in more are several.

    Raises
    ------
    ConfigError
        If there are fewer than two arms, or an arm has a run twice.
    StateError
        If there is nothing at a path that can be compared, or it cannot be read.
    """
    sources: dict[tuple[str, str], list[_Found]] = {}
    for text in given:
        name, path = _split(text)
        # Run folders without a name come together if they are alike.
        title = name or ("" if (path / CONFIG_FILE).is_file() else path.resolve().name.removesuffix(".csv"))
        key = ("name", name) if name else ("path", str(path.resolve()) if title else "")
        sources.setdefault(key, []).extend(found._replace(title=title) for found in _read(path))
    arms = [arm for found in sources.values() for arm in _arms_of(found)]
    for arm in arms:
        _check_once(arm)
    if len(arms) < 2:
        raise ConfigError(
            f"compare: {', '.join(given)} is one arm, {arms[0].label}; give two or more, or name what is to be told "
            "apart: NAME=PATH"
        )
    return _told_apart(arms)


class _Found(NamedTuple):
    settings: dict[str, Any]
    outcome: Outcome
    title: str = ""


def _split(text: str) -> tuple[str, Path]:
    name, equals, rest = text.partition("=")
    if equals and name and "/" not in name and not Path(text).exists():
        return name, Path(rest).expanduser()
    return "", Path(text).expanduser()


def _read(path: Path) -> Iterable[_Found]:
    if path.is_file():
        return list(_of_table(path))
    if (path / CONFIG_FILE).is_file():
        return [_of_run(path, path)]
    if (path / RESULTS_FILE).is_file():
        return [_of_run(path / row["run"], path) for row in _rows(path / RESULTS_FILE, ("run",))]
    raise StateError(
        f"{path} cannot be compared; allowed: the folder of a run, or of many with {RESULTS_FILE}, or a CSV file that "
        "`synaptick bench learning --out` has written"
    )


def _of_run(path: Path, root: Path) -> _Found:
    run = open_run(path)
    summary = summary_of(path)
    ends = curve_of(run.results[STEP], trailing_mean(run.results["return"], RECENT)) if run.results else None
    if ends is None or not len(ends.steps):
        raise StateError(f"{path}: no episode has ended; only returns of episodes are compared")
    steps = int(summary.get("steps", ends.steps[-1]))
    # What labels fall back to for an arm that has nothing of its own stands at `env`.
    settings = {name: value for name, value in compared_settings(run.config).items() if name not in PLACE}
    settings["env"] = "as most"
    complete = is_complete(summary, run.config.steps)
    tuned = bool(overlap(run.config.tuning_seeds, (run.config.seed,)))
    outcome = Outcome(
        *(run.config.env, _place(run.config), run.config.seed, steps, ends.steps, ends.values, True, complete),
        *(str(path), tuned),
    )
    return _Found(settings, outcome)


def _place(config: Config) -> str:
    return json.dumps({name: getattr(config, name) for name in PLACE[1:]}, sort_keys=True, default=str)


def _of_table(path: Path) -> Iterable[_Found]:
    """Yield the runs of a table of `bench learning`, of which a few points of each curve are known."""
    for row in _rows(path, ("task", "seed", "steps", "last_100")):
        steps = int(row["steps"])
        points = {mark: row.get(name) for name, mark in MARKS.items() if mark < steps} | {steps: row["last_100"]}
        known = {at: float(value) for at, value in points.items() if value}
        if steps not in known:
            raise StateError(f"{path}: no episode of {row['task']}, seed {row['seed']} has ended; leave the row out")
        yield _Found(
            {},
            Outcome(
                *(row["task"], "", int(row["seed"]), steps, np.array(list(known), np.float64)),
                *(np.array(list(known.values())), False, True, str(path)),
            ),
        )


def _rows(path: Path, needed: Sequence[str]) -> list[dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StateError(f"{path}: cannot be read ({one_line(error, quoted=False)})") from error
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    missing = [name for name in needed if not rows or rows[0].get(name) is None]
    if missing:
        raise StateError(
            f"{path}: has no {'rows' if not rows else 'column ' + missing[0]}; allowed: {RESULTS_FILE} of a folder of "
            "runs, or a table that `synaptick bench learning --out` has written"
        )
    return rows


def _arms_of(found: Sequence[_Found]) -> Iterable[Arm]:
    """Yield an arm for each of the settings there are."""
    groups: list[tuple[dict[str, Any], list[Outcome]]] = []
    for settings, outcome, _ in found:
        same = next((outcomes for others, outcomes in groups if others == settings), None)
        if same is None:
            groups.append((settings, [outcome]))
        else:
            same.append(outcome)
    told = labels_of([settings for settings, _ in groups]) if len(groups) > 1 else [""]
    for label, (_, outcomes) in zip(told, groups, strict=True):
        parts = [part for part in (found[0].title, label) if part] or [Path(outcomes[0].source).name]
        yield Arm(": ".join(parts), tuple(outcomes))


def _check_once(arm: Arm) -> None:
    seen: dict[tuple[str, int], Outcome] = {}
    for outcome in arm.outcomes:
        before = seen.setdefault((outcome.env, outcome.seed), outcome)
        if before is not outcome:
            raise ConfigError(
                f"{arm.label} has {outcome.env}, seed {outcome.seed} twice: {before.source} and {outcome.source}; give "
                "each run once, or name arms that are to be told apart: NAME=PATH"
            )


def _told_apart(arms: Sequence[Arm]) -> list[Arm]:
    """Return arms whose labels differ, by where they were read where need be."""
    labels = [arm.label for arm in arms]
    return [
        arm if labels.count(arm.label) == 1 else arm._replace(label=f"{arm.label} ({arm.outcomes[0].source})")
        for arm in arms
    ]
