"""What several commands take on the command line, and how it is checked."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from ..errors import ConfigError

MIN_BENCH_STEPS = 1000


def whole(text: str) -> int:
    """Read a whole number, also one such as 1e5 or 100_000."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        value = Decimal(text)
        if value.is_finite() and abs(value) < 10**18 and value == int(value):
            return int(value)
    except ArithmeticError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, such as 100000 or 1e5")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object on the last line")


def add_allow_tuning_seeds(parser: argparse.ArgumentParser) -> None:
    """Add ``--allow-tuning-seeds``."""
    parser.add_argument(
        "--allow-tuning-seeds", action="store_true", help="run on seeds that the configuration was tuned on, too"
    )


def make_engine(options: argparse.Namespace) -> Callable[[], Any]:
    """Return what makes the engine that ``--jobs`` or ``--ray`` asks for."""
    check_at_least("jobs", options.jobs, 1)
    if getattr(options, "ray", None) is not None:
        from ..sweep.cluster import Cluster

        return lambda: Cluster(options.ray)
    from ..sweep.processes import Processes

    return lambda: Processes(options.jobs or os.cpu_count() or 1)


def check_at_least(name: str, value: int | None, low: int) -> None:
    """Raise `ConfigError` if an option is given and below what is allowed."""
    if value is not None and value < low:
        raise ConfigError(f"--{name} {value}: allowed: {low} or more")


def check_among(name: str, given: Iterable[str] | None, allowed: Iterable[str]) -> None:
    """Raise `ConfigError` if a name that is given is not among those allowed."""
    for value in given or ():
        if value not in allowed:
            raise ConfigError(f"--{name} {value}: there is no such name; allowed: {', '.join(map(repr, allowed))}")
