"""The settings that kernels read, from a configuration to their record in the arena."""

from __future__ import annotations

from dataclasses import fields

from ..config import Config
from ..config.kinds import Choice, kind_of
from ..kernels.base.records import names_of
from ..kernels.settings import Settings
from .arena import Arena


def fill_settings(arena: Arena, config: Config) -> None:
    """Write to the record of each setting, by its name, what the configuration has; in place.

    A choice is the number of its word, in the order of the words, and a switch 0 or 1.
    """
    words = {spec.name: kind.words for spec in fields(config) if isinstance(kind := kind_of(spec), Choice)}
    for name in names_of(Settings):
        value = getattr(config, name)
        setattr(arena.settings, name, words[name].index(value) if name in words else float(value))
