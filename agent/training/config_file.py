"""Configurations as YAML files, and ``key=value`` changes from the command line."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from ..config import Config, check_key
from ..errors import ConfigError

SHIPPED = "synaptick.configs"


class _Loader(yaml.SafeLoader):
    """The safe loader, but a key that is given twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key} is given twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


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
    path = Path(source)
    if path.is_file():
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: cannot be read: {error}") from error
    elif str(source) in shipped_names():
        text = resources.files(SHIPPED).joinpath(f"{source}.yaml").read_text(encoding="utf-8")
    else:
        raise ConfigError(f"{source}: there is no such file; shipped configurations: {', '.join(shipped_names())}")
    return parse_config(text, str(source))


def resolve_config(source: str) -> Config:
    """Return the configuration a name stands for: a file, a shipped one, or the default one in that environment."""
    if Path(source).is_file() or source in shipped_names() or source.endswith((".yaml", ".yml")):
        return load_config(source)
    return Config(env=source)


def parse_config(text: str, source: str) -> Config:
    """Build a configuration from YAML text; `source` names it in errors."""
    try:
        values = yaml.load(text, _Loader)
    except (yaml.YAMLError, ValueError) as error:  # a ValueError for what looks like a date but is none
        raise ConfigError(f"{source}: not valid YAML: {error}") from error
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise ConfigError(f"{source}: holds {type(values).__name__}; allowed: one `key: value` a line")
    try:
        return Config.from_dict(values)
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}") from error


def dump_config(config: Config) -> str:
    """Return the configuration as YAML, every key in the order of its definition."""
    return str(yaml.safe_dump(config.to_dict(), sort_keys=False, default_flow_style=None))


def parse_changes(pairs: Iterable[str]) -> dict[str, Any]:
    """Read ``key=value`` pairs, the value as YAML; raise `ConfigError` for a pair without ``=`` or an unknown key."""
    changes: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        key = key.strip()
        if not equals:
            raise ConfigError(f"--set {pair}: has no '='; allowed: key=value, such as discount=0.98")
        try:
            check_key(key)
            changes[key] = yaml.safe_load(value)
        except ConfigError as error:
            raise ConfigError(f"--set {error}") from error
        except (yaml.YAMLError, ValueError) as error:
            raise ConfigError(f"--set {key}: {value!r} is not valid YAML: {error}") from error
    return changes
