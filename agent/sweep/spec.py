"""What a sweep runs, as data: settings x environments x seeds, read from YAML and written down in its folder."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ..config import Config
from ..config.seeds import read_seeds, shown_seeds
from ..config.settings import check_key
from ..errors import ConfigError, one_line
from ..training.config_file import resolve_config
from ..training.yaml_loader import YamlError, read_yaml
from .space import read_space

WAYS = ("grid", "list", "random")
KEYS = ("config", "settings", "environments", "seeds", *WAYS)
# Characters of what a folder is called after.
NAME = 60
MOST = 1_000_000


@dataclass(frozen=True)
class Arm:
    """One configuration, which runs with every seed.

    Attributes
    ----------
    name : str
        Folder of its runs; empty if there is one configuration alone.
    varied : dict
        Settings that configurations of the sweep differ in.
    config : Config
    """

    name: str
    varied: dict[str, Any]
    config: Config


@dataclass(frozen=True)
class Spec:
    """A sweep.

    Attributes
    ----------
    base : Config
        What every run has, unless its environment or its place in the sweep says otherwise.
    environments : tuple of dict
        Settings of each environment, ``env`` among them.
    seeds : tuple of int
    way : str
        ``grid``, ``list``, ``random``, or empty.
    given : object
        What stands there.
    """

    base: Config
    environments: tuple[dict[str, Any], ...]
    seeds: tuple[int, ...]
    way: str = ""
    given: Any = None

    @cached_property
    def varied(self) -> list[str]:
        """Names of the settings that differ, ``env`` first."""
        names = ["env"] + [key for settings in self.environments for key in settings]
        return list(dict.fromkeys([*names, *(key for changes in self.changes for key in changes)]))

    @cached_property
    def changes(self) -> list[dict[str, Any]]:
        """Settings of each place of the sweep, the same for all environments."""
        if self.way == "grid":
            return [dict(zip(self.given, values, strict=True)) for values in itertools.product(*self.given.values())]
        if self.way == "list":
            return [dict(settings) for settings in self.given]
        if self.way == "random":
            rng = np.random.default_rng(self.given["seed"])
            spaces = {name: read_space(name, given) for name, given in self.given["settings"].items()}
            return [{name: space.draw(rng) for name, space in spaces.items()} for _ in range(self.given["samples"])]
        return [{}]

    @cached_property
    def arms(self) -> list[Arm]:
        """All configurations, in the order that results are in: by environment, then by place."""
        pairs = list(itertools.product(self.environments, self.changes))
        arms = []
        for number, (environment, changes) in enumerate(pairs):
            for key in environment.keys() & changes.keys():
                raise ConfigError(f"{key} is set by environments and by {self.way}; leave it out of one of them")
            config = self.base.with_changes({**environment, **changes})
            values = config.to_dict()
            varied = {name: values[name] for name in self.varied}
            name = "" if len(pairs) == 1 else f"{number:0{len(str(len(pairs) - 1))}d}-{_slug(config.env, changes)}"
            arms.append(Arm(name, varied, config))
        return arms

    def record(self) -> str:
        """Return the sweep as YAML that says all of it, whatever becomes of files that it named."""
        found: dict[str, Any] = {"seeds": shown_seeds(self.seeds), "environments": list(self.environments)}
        if self.way:
            found[self.way] = self.given
        found["settings"] = {key: value for key, value in self.base.to_dict().items() if key not in ("seed", "env")}
        return str(yaml.safe_dump(found, sort_keys=False, default_flow_style=None, width=120))


def _slug(env: str, changes: Mapping[str, Any]) -> str:
    """Return what tells a configuration from others as far as the name of a folder can."""
    words = [env, *(f"{name}={value}" for name, value in changes.items())]
    return re.sub(r"[^\w.=+-]+", "-", "-".join(words))[:NAME].strip("-")


def of_seeds(config: Config, seeds: tuple[int, ...]) -> Spec:
    """Return the sweep of one configuration over seeds."""
    return Spec(config, ({"env": config.env},), seeds)


def load_mapping(path: Path, keys: tuple[str, ...]) -> dict[str, Any]:
    """Return what a YAML file of these keys holds.

    Raises
    ------
    ConfigError
        If it cannot be read, or has another key.
    """
    try:
        values = read_yaml(path.read_bytes())[0]
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    except YamlError as error:
        raise ConfigError(f"{':'.join(filter(None, (str(path), error.place)))}: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: holds {type(values).__name__}; allowed: a mapping of {', '.join(keys)}")
    for key in values:
        if key not in keys:
            raise ConfigError(
                f"{path}: {one_line(key, quoted=False)}: there is no such key; allowed: {', '.join(keys)}"
            )
    return values


def load_spec(path: Path) -> Spec:
    """Read a sweep from YAML.

    Raises
    ------
    ConfigError
        With the file and what is wrong in it.
    """
    values = load_mapping(path, KEYS)
    try:
        ways = [way for way in WAYS if way in values]
        if len(ways) > 1:
            raise ConfigError(f"{' and '.join(ways)} are given; allowed: one of them")
        base, environments = read_base(values)
        seeds = read_seeds(values.get("seeds", 0))
        way = ways[0] if ways else ""
        spec = Spec(base, environments, seeds, way, _checked_way(way, values[way]) if way else None)
        if len(spec.environments) * len(spec.changes) * len(seeds) > MOST:
            raise ConfigError(f"has more than {MOST:,} runs")
        _ = spec.arms  # whose settings are checked by that
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    return spec


def read_base(values: Mapping[str, Any]) -> tuple[Config, tuple[dict[str, Any], ...]]:
    """Return the settings that all runs have, and the environments, of what a file says."""
    source, settings = values.get("config"), values.get("settings") or {}
    if source is not None and not isinstance(source, str):
        raise ConfigError(
            f"config: got {one_line(source)}; allowed: a file, a shipped configuration, or an environment"
        )
    base = Config() if source is None else resolve_config(source)
    base = base.with_changes(_settings("settings", settings))
    listed = values.get("environments", [base.env])
    if not isinstance(listed, list) or not listed:
        raise ConfigError(f"environments: got {one_line(listed)}; allowed: a list of ids, or of settings with env")
    environments = []
    for item in listed:
        settings = _settings("environments", {"env": item} if isinstance(item, str) else item)
        if "env" not in settings:
            raise ConfigError(f"environments: {one_line(item)} has no env")
        environments.append(settings)
    return base, tuple(environments)


def _settings(where: str, given: Any) -> dict[str, Any]:
    """Return settings, whose values are checked later, with others; a run has a seed of its own."""
    if not isinstance(given, Mapping):
        raise ConfigError(f"{where}: got {one_line(given)}; allowed: a mapping from settings to values")
    for key in given:
        if key == "seed":
            raise ConfigError(f"{where}: seed: each run has its own; give seeds, such as seeds: 0-9")
        check_key(str(key))
    return dict(given)


def _checked_way(way: str, given: Any) -> Any:
    """Return what is said under ``grid``, ``list`` or ``random``, if it can be used."""
    if way == "grid":
        for name, listed in _settings(way, given).items():
            if not isinstance(listed, list) or not listed:
                raise ConfigError(f"grid: {name}: got {one_line(listed)}; allowed: a list of values")
        return dict(given)
    if way == "list":
        if not isinstance(given, list) or not given:
            raise ConfigError(f"list: got {one_line(given)}; allowed: a list of mappings from settings to values")
        return [_settings(way, item) for item in given]
    keys = {"samples", "seed", "settings"}
    whole = isinstance(given, Mapping) and all(
        type(given.get(key, 0)) is int and given.get(key, 0) >= 0 for key in ("samples", "seed")
    )
    if not whole or not {"samples", "settings"} <= set(given) <= keys or not given["samples"]:
        raise ConfigError(f"random: got {one_line(given)}; allowed: {{samples: N, seed: S, settings: {{...}}}}")
    for name, space in _settings(way, given["settings"]).items():
        read_space(name, space)
    return {"samples": given["samples"], "seed": given.get("seed", 0), "settings": dict(given["settings"])}


def cell(value: Any) -> Any:
    """Return the value of a setting as a table has it."""
    return json.dumps(value, sort_keys=True) if isinstance(value, list | dict | bool) or value is None else value


def absolute(path: Path) -> str:
    """Return a path that means the same wherever a run changes the working directory to."""
    return os.path.abspath(path)


def numbered(arms: list[Arm], seeds: tuple[int, ...]) -> Iterator[tuple[Arm, int, str]]:
    """Yield configuration, seed and folder of every run, in the order of the results."""
    for arm in arms:
        for seed in seeds:
            yield arm, seed, "/".join(filter(None, (arm.name, f"seed{seed}")))
