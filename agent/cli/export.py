"""The part of the command line that takes an agent elsewhere: ``synaptick export``."""

from __future__ import annotations

import argparse
from typing import Any

from ..errors import StateError
from ..files import expanded
from .export_nir import add_nir
from .options import add_command, add_json, add_saved

EXAMPLES = (
    "synaptick export c runs/mine --out build",
    "synaptick export c runs/mine --out build --name pilot --blank",
    "synaptick export nir runs/plain --out agent.nir",
)


def add_export(commands: Any) -> None:
    """Add ``export`` and everything below it to the commands of the parser."""
    export = add_command(commands, "export", "write the agent of a run for another place", EXAMPLES)
    kinds = export.add_subparsers(required=True, metavar="WHAT")
    _add_c(kinds)
    add_nir(kinds)


def _add_c(kinds: Any) -> None:
    c = add_command(
        kinds, "c", "one C99 header and source that go on learning, without allocating memory", EXAMPLES[:2]
    )
    add_saved(c)
    c.add_argument("--out", type=expanded, required=True, metavar="DIR", help="folder for NAME.h and NAME.c")
    c.add_argument(
        "--name", default="agent", metavar="NAME", help="name of files, functions and macros (default agent)"
    )
    c.add_argument(
        "--blank", action="store_true", help="leave the learned state out: less flash, but it has to be loaded"
    )
    add_json(c)
    c.set_defaults(command=_export_c, show=_show_c)


def _export_c(options: argparse.Namespace) -> dict[str, Any]:
    from ..export import export_c
    from ..training.console import warn
    from ..training.saved import load_saved

    saved = load_saved(options.source)
    agent = saved.agent
    if saved.around:
        warn(
            f"the agent alone is exported, without what its loop had around it: {', '.join(saved.around)}; these are "
            'yours to write, see "What is not exported" in docs/howto/deploy.md'
        )
    try:
        return export_c(agent, options.out, options.name, initial=not options.blank)
    except OSError as error:
        raise StateError(
            f"--out {options.out}: {error.strerror or error}; give a folder that can be written"
        ) from error


def _show_c(result: dict[str, Any]) -> None:
    print(
        f"{' and '.join(result['files'])}: {result['state_bytes']:,} bytes of state; {result['inputs']} inputs, "
        f"an action of {result['choices']} discrete and {result['controls']} continuous parts.\n"
        f"Compile: cc -std=c99 -O2 -c {result['files'][1]}"
    )
