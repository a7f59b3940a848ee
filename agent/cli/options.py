"""What several commands take on the command line, and how it is checked."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from ..errors import ConfigError

MIN_BENCH_STEPS = 1000


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object on the last line")


def check_at_least(name: str, value: int | None, low: int) -> None:
    """Raise `ConfigError` if an option is given and below what is allowed."""
    if value is not None and value < low:
        raise ConfigError(f"--{name} {value}: allowed: {low} or more")


def check_among(name: str, given: Iterable[str] | None, allowed: Iterable[str]) -> None:
    """Raise `ConfigError` if a name that is given is not among those allowed."""
    for value in given or ():
        if value not in allowed:
            raise ConfigError(f"--{name} {value}: there is no such name; allowed: {', '.join(map(repr, allowed))}")
