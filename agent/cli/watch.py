"""The part of the command line that shows an agent: ``synaptick watch``."""

from __future__ import annotations

import argparse
import re
from typing import Any

from ..errors import ConfigError
from ..files import expanded
from .options import add_command, add_json, whole


def add_watch(commands: Any) -> None:
    """Add ``watch`` to the commands of the parser."""
    parser = add_command(
        commands,
        "watch",
        "show the agent of a run act, with its spikes (extra: watch)",
        ["synaptick watch runs/mine", "synaptick watch runs/mine --gif mine.gif --steps 200 --deterministic"],
    )
    parser.add_argument("run_dir", type=expanded, metavar="RUN_DIR", help="folder of a run, which may still go on")
    parser.add_argument("--gif", type=expanded, metavar="FILE", help="film to write (default: a window)")
    parser.add_argument("--mp4", type=expanded, metavar="FILE", help="film to write, with a frame for every step")
    parser.add_argument("--steps", type=whole, default=300, metavar="N", help="steps to show (default 300)")
    parser.add_argument("--fps", type=float, default=30.0, metavar="F", help="steps a second (default 30)")
    parser.add_argument("--deterministic", action="store_true", help="take the most probable action each time")
    parser.add_argument("--net", default="actor", metavar="NET", help="whose spikes: actor (default) or critic")
    parser.add_argument("--size", default="960x600", metavar="WIDTHxHEIGHT", help="pixels of a frame (default 960x600)")
    parser.add_argument("--seed", type=whole, metavar="S", help="seed of the environment")
    add_json(parser)
    parser.set_defaults(command=_watch, show=_show)


def _watch(options: argparse.Namespace) -> dict[str, Any]:
    from ..watch.watch import watch

    return watch(
        options.run_dir,
        options.gif,
        options.mp4,
        options.steps,
        options.fps,
        options.deterministic,
        options.net,
        _size(options.size),
        options.seed,
    )


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([0-9]{1,6})x([0-9]{1,6})", text, re.IGNORECASE)
    if not found:
        raise ConfigError(f"--size {text}: allowed: WIDTHxHEIGHT in pixels, such as 960x600")
    return int(found[1]), int(found[2])


def _show(result: dict[str, Any]) -> None:
    mean = "" if result["mean_return"] is None else f", mean return {result['mean_return']:.1f}"
    where = f" -> {result['out']} ({result['frames']:,} frames, {result['bytes']:,} bytes)" if result["out"] else ""
    print(f"{result['env']}: {result['steps']:,} steps, {result['episodes']:,} episodes ended{mean}{where}")
