"""Runs as figures see them, and groups of those that differ in nothing but their seed."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arena.placement import NET_NAMES
from ..config import Config
from ..errors import ConfigError, StateError, one_line
from ..metrics import METRICS_FILE
from ..training.changes import CHANGES_FILE
from ..training.config_file import load_config
from ..training.results import RESULTS_FILE
from ..training.run_folder import CONFIG_FILE, RunFolder
from .read import Table, read_table

READOUT = "readout"
# What runs of one experiment may differ in, beside when they write files.
FREE = ("seed", "steps", "tuning_seeds")
# Settings that the label of a group names; further ones are counted.
MOST_NAMED = 3


@dataclass(frozen=True)
class Run:
    """A run folder, read as far as figures need it.

    Attributes
    ----------
    path : Path
    config : Config
    results, metrics, changes : dict of str to array
        Columns of results.csv, metrics.csv and changes.csv; empty if there is no such file.
    """

    path: Path
    config: Config
    results: Table
    metrics: Table
    changes: Table

    @cached_property
    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Weights of the newest checkpoint that are not 0, by network and layer, such as ``"actor memory[0]"``.

        Raises
        ------
        StateError
            If there is no checkpoint that can be used.
        """
        views = RunFolder.open(self.path).load().agent.arena.views
        names = layer_names(self.config)
        found = {f"{net} {name}": views[f"{net}/{k}/w"] for net in NET_NAMES for k, name in enumerate(names)}
        found |= {f"{net} {READOUT}": views[f"{net}/w"] for net in NET_NAMES}
        return {name: weights[weights != 0.0] for name, weights in found.items()}


@dataclass(frozen=True)
class Group:
    """Runs of one environment and one configuration, and what tells them from other groups."""

    label: str
    runs: tuple[Run, ...]


def layer_names(config: Config) -> list[str]:
    """Return the layers of either network, bottom first, as `Agent.summary` calls them."""
    memory = [f"memory[{index}]" for index in range(config.n_memory)]
    return memory + [f"layers[{index}]" for index in range(len(config.layers))]


def open_run(path: Path) -> Run:
    """Read configuration, results and metrics of a run, which may be going on.

    Raises
    ------
    StateError, ConfigError
        If the folder holds no run, or one of the files cannot be read.
    """
    if not (path / CONFIG_FILE).is_file():
        raise StateError(
            f"{path} holds no run: {CONFIG_FILE} is missing; give a folder that `synaptick run` has written"
        )
    config = load_config(path / CONFIG_FILE)
    return Run(path, config, *(read_table(path / name) for name in (RESULTS_FILE, METRICS_FILE, CHANGES_FILE)))


def run_folders(path: Path) -> list[Path]:
    """Return the folders of the runs at a path: itself, or those of a folder of many (``run --seeds``, ``sweep``)."""
    table = path / RESULTS_FILE
    if (path / CONFIG_FILE).is_file() or not table.is_file():
        return [path]
    with table.open(encoding="utf-8", newline="") as file:
        found = [path / row["run"] for row in csv.DictReader(file) if row.get("run")]
    return [folder for folder in found if (folder / CONFIG_FILE).is_file()] or [path]


def open_groups(paths: Sequence[Path]) -> list[Group]:
    """Read runs, also of folders of many; those that differ in nothing but `FREE` and when they write are a group.

    Raises
    ------
    ConfigError
        If a folder is given twice, or as for `open_run`.
    StateError
        As for `open_run`.
    """
    paths = [folder for path in paths for folder in run_folders(path)]
    seen: set[Path] = set()
    for path in paths:
        if path.resolve() in seen:
            raise ConfigError(f"{path} is given twice; give each run once")
        seen.add(path.resolve())
    groups: list[tuple[dict[str, Any], list[Run]]] = []
    for run in map(open_run, paths):
        settings = compared_settings(run.config)
        same = next((runs for others, runs in groups if others == settings), None)
        if same is None:
            groups.append((settings, [run]))
        else:
            same.append(run)
    labels = labels_of([settings for settings, _ in groups])
    return [Group(label, tuple(runs)) for label, (_, runs) in zip(labels, groups, strict=True)]


def compared_settings(config: Config) -> dict[str, Any]:
    """Return the settings that make two runs differ."""
    values = config.to_dict()
    kept = (spec.name for spec in fields(Config) if spec.name not in FREE and spec.metadata["group"] != "Files")
    return {name: values[name] for name in kept}


def labels_of(settings: Sequence[dict[str, Any]]) -> list[str]:
    """Return for each group what differs; where that is much, only what most others have otherwise."""
    differ = [name for name in settings[0] if any(each[name] != settings[0][name] for each in settings)]
    usual = {name: _most_common([each[name] for each in settings]) for name in differ}
    labels: list[str] = []
    for each in settings:
        named = differ
        if len(differ) > MOST_NAMED:
            named = [name for name in differ if name == "env" or each[name] != usual[name]]
        named = named or ["env"]
        label = ", ".join(_named(name, each[name]) for name in named[:MOST_NAMED])
        if len(named) > MOST_NAMED:
            label += f" (+{len(named) - MOST_NAMED} settings)"
        labels.append(f"{label} ({len(labels) + 1})" if label in labels else label)
    return labels


def _most_common(values: Sequence[Any]) -> Any:
    """Return the most common of values that cannot all be hashed, the first of those that are equally common."""
    return max(values, key=values.count)


def _named(name: str, value: Any) -> str:
    text = one_line(value, 40, quoted=False)
    return text if name == "env" else f"{name}={text}"
