"""The part of the command line that holds runs against each other: ``compare``."""

from __future__ import annotations

import argparse
from typing import Any

from ..errors import ConfigError
from ..files import expanded
from .options import add_command, add_json, check_at_least, whole

# Those of `compare.equal`, which is not loaded to show a help.
UNEQUAL = ("environments", "places", "steps", "seeds", "tuned", "unfinished")
FIGURE, TABLE = "compare.png", "compare.csv"
EXAMPLES = (
    "synaptick compare runs/deep runs/flat",
    "synaptick compare deep=runs/deep flat=runs/flat --out found",
)


def add_compare(commands: Any) -> None:
    """Add ``compare`` to the commands of the parser."""
    what = "arms of an experiment, with what is certain of them (extra: compare)"
    parser = add_command(commands, "compare", what, EXAMPLES)
    parser.add_argument(
        "arms",
        nargs="+",
        metavar="[NAME=]ARM",
        help="folders of runs (run --seeds, sweep), single runs, CSV files of bench learning; each against the first",
    )
    parser.add_argument("--out", type=expanded, metavar="DIR", help=f"write {FIGURE} and {TABLE} to this folder")
    parser.add_argument(
        "--unequal",
        nargs="+",
        default=[],
        metavar="WHAT",
        help=f"compare although this differs: {', '.join(UNEQUAL)}",
    )
    parser.add_argument(
        "--scale",
        action="append",
        default=[],
        metavar="ENV=LOW,HIGH",
        help="returns that count as 0 and 1 where several environments are put together (default: least and greatest)",
    )
    parser.add_argument("--draws", type=whole, default=50_000, metavar="N", help="samples an interval (default 50000)")
    add_json(parser)
    parser.set_defaults(command=_compare, show=_show)


def _compare(options: argparse.Namespace) -> dict[str, Any]:
    from ..compare.compare import compare
    from ..compare.show import lines, rows, table

    check_at_least("draws", options.draws, 100)
    if options.out is not None:
        from ..plots.style import check_installed

        check_installed("compare --out")
    found = compare(options.arms, options.unequal, dict(map(_scale, options.scale)), options.draws)
    result: dict[str, Any] = {
        "arms": [arm.label for arm in found.arms],
        "environments": found.envs,
        "notes": found.notes,
    }
    if options.out is not None:
        from ..compare.figure import figure_of
        from ..plots.figure import write_file

        try:
            options.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or error
            raise ConfigError(f"--out {options.out}: {reason}; give a folder that can be written") from error
        write_file(options.out / TABLE, table(found).encode())
        write_file(options.out / FIGURE, figure_of(found))
        result["out"] = str(options.out)
    result["rows"] = list(rows(found))
    return result if options.json else {**result, "lines": list(lines(found))}


def _scale(text: str) -> tuple[str, tuple[float, float]]:
    env, _, rest = text.rpartition("=")
    try:
        low, high = map(float, rest.split(","))
        if not low < high:
            raise ValueError
    except ValueError:
        raise ConfigError(f"--scale {text}: allowed: ENV=LOW,HIGH, such as CartPole-v1=0,500") from None
    return env, (low, high)


def _show(result: dict[str, Any]) -> None:
    print("\n".join(result["lines"]))
    if "out" in result:
        print(f"{TABLE}, {FIGURE} -> {result['out']}")
