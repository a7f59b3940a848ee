"""What several commands take on the command line, and how it is checked."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

from ..config.seeds import MOST, read_seeds
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


def seeds(text: str) -> tuple[int, ...]:
    """Read several seeds: how many, such as 10, which are 0 to 9, or which, such as 0-9 or 1,4,7-9 (4-4 is one)."""
    which = f"0-{whole(text) - 1}" if re.fullmatch(r"\s*[0-9][0-9_.]*([eE]\+?[0-9]+)?\s*", text) else text
    try:
        return read_seeds(which)
    except ConfigError:
        raise argparse.ArgumentTypeError(
            f"{text!r} are no seeds; allowed: how many, such as 10, or which, such as 0-9 or 1,4,7-9 (4-4 is one), "
            f"each once, at most {MOST:,}"
        ) from None


def add_command(
    commands: Any, name: str, what: str, examples: Sequence[str], aliases: Sequence[str] = ()
) -> argparse.ArgumentParser:
    """Add a command and return its parser: what it does is one line of the help above it, examples end its own."""
    epilog = "\n".join(["Examples:", *(f"  {example}" for example in examples)])
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=what, description=what, epilog=epilog, aliases=aliases, formatter_class=_AsWritten
    )
    return parser


class _AsWritten(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the examples, and wraps what the command does."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if text.startswith("Examples:"):
            return super()._fill_text(text, width, indent)
        return argparse.HelpFormatter._fill_text(self, text, width, indent)


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object on the last line")


def add_allow_tuning_seeds(parser: argparse.ArgumentParser) -> None:
    """Add ``--allow-tuning-seeds``."""
    parser.add_argument(
        "--allow-tuning-seeds", action="store_true", help="run on seeds that the configuration was tuned on, too"
    )


def failed_runs(_: argparse.Namespace, result: dict[str, Any]) -> bool:
    """Return whether some of many runs failed, for the exit code."""
    return bool(result.get("failed"))


def make_engine(options: argparse.Namespace) -> Callable[[], Any]:
    """Return what makes the engine that ``--jobs`` or ``--ray`` asks for."""
    check_at_least("jobs", options.jobs, 1)
    if getattr(options, "ray", None) is not None:
        from ..sweep.cluster import Cluster

        return lambda: Cluster(options.ray)
    from ..sweep.processes import Processes

    return lambda: Processes(options.jobs or os.cpu_count() or 1)


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
