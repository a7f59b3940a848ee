"""The part of the command line that compiles before there is anything to run: ``warmup``, and ``compile`` to ship."""

from __future__ import annotations

import argparse
import textwrap
import time
from typing import Any

from ..files import expanded
from .options import add_command, add_json


def add_compile(commands: Any) -> None:
    """Add ``compile`` to the commands of the parser."""
    parser = add_command(
        commands,
        "compile",
        "compile the step into a folder that an application can ship",
        ["synaptick compile --out compiled", "SYNAPTICK_CACHE_DIR=compiled synaptick run CartPole-v1"],
    )
    parser.add_argument("--out", type=expanded, required=True, metavar="DIR", help="the folder; may be read-only later")
    add_json(parser)
    parser.set_defaults(command=_compile, show=_show)


def add_warmup(commands: Any) -> None:
    """Add ``warmup`` to the commands of the parser."""
    parser = add_command(
        commands, "warmup", "compile the step for this machine now, so that no first run waits", ["synaptick warmup"]
    )
    add_json(parser)
    parser.set_defaults(command=_warmup, show=_show_warmup)


def _warmup(_: argparse.Namespace) -> dict[str, Any]:
    from ..agent import Agent
    from ..compilation import depends_on
    from ..config import Config

    begun = time.perf_counter()
    Agent.compile(Config())
    return {"seconds": time.perf_counter() - begun, **depends_on()}


def _show_warmup(result: dict[str, Any]) -> None:
    where = f"kept in {result['folder']}" if result["folder"] else "kept nowhere: no folder can be written"
    print(f"the step is ready after {result['seconds']:.1f} s, {where}")


def _compile(options: argparse.Namespace) -> dict[str, Any]:
    from ..compilation import compile_into

    return compile_into(options.out)


def _show(result: dict[str, Any]) -> None:
    features = textwrap.fill(result["features"].replace(",", ", "), 110, initial_indent="  ", subsequent_indent="  ")
    print(
        f"compiled into {result['out']} ({result['bytes']:,} bytes); a new process that may "
        f"write nothing loads it in {result['seconds_to_load']:.2f} s\n"
        f"use it with SYNAPTICK_CACHE_DIR={result['out']}; the folder may be copied, and may be read-only\n"
        "it is found by, and only by:\n"
        f"  python      {result['python']}\n"
        f"  numba       {result['numba']}\n"
        f"  platform    {result['platform']}\n"
        f"  processor   {result['processor']} (any, if NUMBA_CPU_NAME=generic here and there)\n"
        f"  sources     {result['sources']}, a digest of all kernels, numba's version and the arithmetic\n"
        f"  arithmetic  {result['arithmetic']}\n"
        "and these features of the processor (NUMBA_CPU_FEATURES overrides them):\n"
        f"{features}\n"
        "elsewhere the step is compiled anew; Agent.compile(load_only=True) refuses that"
    )
