"""Configurations as YAML files, and ``key=value`` changes from the command line."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from ..config import Config, check_key
from ..errors import ConfigError, one_line
from .yaml_loader import LONGEST, YamlError, read_yaml

SHIPPED = "synaptick.configs"


def shipped_names() -> list[str]:
    """Return the names of the configurations that come with the package, without their ending."""
    return sorted(entry.name[:-5] for entry in resources.files(SHIPPED).iterdir() if entry.name.endswith(".yaml"))


def load_config(source: str | os.PathLike[str]) -> Config:
    """Read a configuration from a YAML file, or by name from those that come with the package.

    Parameters
    ----------
    source : path or str
        ``path/to/file.yaml``, or a name such as ``default``.

    Raises
    ------
    ConfigError
        Naming the file, the key, what was given and what is allowed.
    """
    content: str | bytes
    if _is_file(source):
        try:
            with open(source, "rb") as file:
                content = file.read(2 * LONGEST + 4)  # of one that is longer, or without an end, enough to refuse it
        except OSError as error:
            raise ConfigError(f"{source}: cannot be read: {error}") from error
    elif str(source) in shipped_names():
        content = resources.files(SHIPPED).joinpath(f"{source}.yaml").read_bytes()
    else:
        given, names = one_line(source, 300, quoted=False), ", ".join(shipped_names())
        raise ConfigError(f"{given}: there is no such file; shipped configurations: {names}")
    return parse_config(content, str(source))


def _is_file(source: str | os.PathLike[str]) -> bool:
    try:
        return Path(source).is_file()
    except OSError:  # a name that is too long for one, or a folder that may not be looked into
        return False


def resolve_config(source: str) -> Config:
    """Return the configuration a name stands for: a file, a shipped one, or the default one in that environment."""
    if _is_file(source) or source in shipped_names() or source.endswith((".yaml", ".yml")):
        return load_config(source)
    return Config(env=source)


def parse_config(content: str | bytes, source: str) -> Config:
    """Build a configuration from a YAML text; `source` names it in errors, which have the form ``source:line:column``.

    Raises
    ------
    ConfigError
        For whatever else a text may hold, in one line.
    """
    try:
        values, places = read_yaml(content)
    except YamlError as error:
        raise ConfigError(f"{':'.join(part for part in (source, error.place) if part)}: {error}") from error
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise ConfigError(f"{source}: holds {type(values).__name__}; allowed: one `key: value` a line")
    try:
        return Config.from_dict(values)
    except ConfigError as error:
        name = str(error).partition(":")[0]  # of the setting, which each of these errors begins with
        raise ConfigError(f"{':'.join([source, places[name]] if name in places else [source])}: {error}") from error


def dump_config(config: Config) -> str:
    """Return the configuration as YAML, every key in the order of its definition.

    Raises
    ------
    ConfigError
        If the text would be too long to be read again.
    """
    text = str(yaml.safe_dump(config.to_dict(), sort_keys=False, default_flow_style=None))
    if len(text) > LONGEST:
        raise ConfigError(
            f"the configuration has {len(text):,} characters as YAML, at most {LONGEST:,} are allowed; let env_kwargs "
            "or wrappers name a file"
        )
    return text


def parse_changes(pairs: Iterable[str]) -> dict[str, Any]:
    """Read ``key=value`` pairs, the value as YAML; raise `ConfigError` for a pair without ``=`` or an unknown key."""
    changes: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        key = key.strip()
        if not equals:
            raise ConfigError(
                f"--set {one_line(pair, quoted=False)}: has no '='; allowed: key=value, such as discount=0.98"
            )
        try:
            check_key(key)
            changes[key] = read_yaml(value)[0]
        except ConfigError as error:
            raise ConfigError(f"--set {error}") from error
        except YamlError as error:
            raise ConfigError(f"--set {key}: {one_line(value)} is {error}") from error
    return changes
