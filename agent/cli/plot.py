"""The part of the command line that shows what runs have done: ``plot`` and ``report``."""

from __future__ import annotations

import argparse
from typing import Any

from ..files import expanded
from .options import add_command, add_json, whole

# Those of `plots.panels`, which is not loaded to show a help.
PANELS = (
    *("return", "reward", "value", "spikes", "payload", "retention", "weights", "latency", "speed"),
    *("recovery", "raster"),
)


def add_plot(commands: Any) -> None:
    """Add ``plot`` to the commands of the parser."""
    parser = add_command(
        commands,
        "plot",
        "a figure of one run, or of several (extra: plot)",
        ["synaptick plot runs/mine", "synaptick plot runs/a runs/b --out runs.pdf --only return spikes"],
    )
    parser.add_argument("runs", nargs="+", type=expanded, metavar="RUN", help="folders of runs")
    parser.add_argument(
        "--out",
        type=expanded,
        metavar="FILE",
        help="file to write, .png, .svg or .pdf (default: plot.png in the first folder)",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="PANEL",
        help=f"panels to draw: {', '.join(PANELS)} (default: all that have data)",
    )
    _add_replay(parser)
    add_json(parser)
    parser.set_defaults(command=_plot, show=_show_plot)


def add_report(commands: Any) -> None:
    """Add ``report`` to the commands of the parser."""
    parser = add_command(
        commands, "report", "a page that tells a run, one HTML file (extra: plot)", ["synaptick report runs/mine"]
    )
    parser.add_argument("run_dir", type=expanded, metavar="RUN_DIR", help="folder of a run")
    parser.add_argument(
        "--out", type=expanded, metavar="FILE", help="file to write, .html (default: report.html in the folder)"
    )
    _add_replay(parser)
    add_json(parser)
    parser.set_defaults(command=_report, show=_show_report)


def _add_replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--replay",
        nargs="?",
        type=whole,
        const=256,
        default=0,
        metavar="TICKS",
        help="let the last agent act in its environment, without learning (default 256 ticks), for a raster of spikes",
    )


def _plot(options: argparse.Namespace) -> dict[str, Any]:
    from ..plots.figure import plot

    return plot(options.runs, options.out, options.only, options.replay)


def _report(options: argparse.Namespace) -> dict[str, Any]:
    from ..plots.report import report

    return report(options.run_dir, options.out, options.replay)


def _show_plot(result: dict[str, Any]) -> None:
    print(f"{result['runs']} run(s), panels {', '.join(result['panels'])} -> {result['out']}")
    _show_left_out(result)


def _show_report(result: dict[str, Any]) -> None:
    print(f"{result['bytes']:,} bytes, figures {', '.join(result['panels']) or 'none'} -> {result['out']}")
    _show_left_out(result)


def _show_left_out(result: dict[str, Any]) -> None:
    """Name what could not be drawn, once for each reason."""
    for reason in dict.fromkeys(result["left_out"].values()):
        names = [name for name, why in result["left_out"].items() if why == reason]
        print(f"left out: {', '.join(names)} ({reason})")
