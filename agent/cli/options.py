"""What several commands take on the command line, and how it is checked."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from decimal import Decimal

from ..errors import ConfigError
from ..files import expanded

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


def add_saved(parser: argparse.ArgumentParser) -> None:
    """Add the place of an agent, which comes to be ``source``."""
    parser.add_argument(
        "source",
        type=expanded,
        metavar="RUN",
        help="folder of a run, folder that realtime.Snapshots writes, or a file such as agent.synaptick",
    )


def add_env(parser: argparse.ArgumentParser) -> None:
    """Add ``--env``."""
    parser.add_argument("--env", metavar="ENV_ID", help="environment to act in (default: that of the run or agent)")


def check_at_least(name: str, value: int | None, low: int) -> None:
    """Raise `ConfigError` if an option is given and below what is allowed."""
    if value is not None and value < low:
        raise ConfigError(f"--{name} {value}: allowed: {low} or more")


def check_among(name: str, given: Iterable[str] | None, allowed: Iterable[str]) -> None:
    """Raise `ConfigError` if a name that is given is not among those allowed."""
    for value in given or ():
        if value not in allowed:
            raise ConfigError(f"--{name} {value}: there is no such name; allowed: {', '.join(map(repr, allowed))}")
