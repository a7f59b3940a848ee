"""The part of the command line that writes something to start from: ``synaptick init``."""

from __future__ import annotations

import argparse
from typing import Any

from .options import add_command, add_json


def add_init(commands: Any) -> None:
    """Add ``init`` to the commands of the parser."""
    parser = add_command(
        commands,
        "init",
        "write an environment of your own to start from, with configuration, script and test",
        ["synaptick init my_plant", "synaptick run my_plant/config.yaml"],
    )
    parser.add_argument("name", metavar="NAME", help="folder to write, and name of the module in it")
    add_json(parser)
    parser.set_defaults(command=_init, show=_show)


def _init(options: argparse.Namespace) -> dict[str, Any]:
    from ..scaffold import write

    return {"name": options.name, "files": [path.as_posix() for path in write(options.name)]}


def _show(result: dict[str, Any]) -> None:
    name = result["name"]
    print(
        "\n".join(f"wrote {path}" for path in result["files"]) + f"\n\nlearn:  synaptick run {name}/config.yaml\n"
        f"or:     python {name}/learn.py\ntest:   python -m pytest {name}   (pip install pytest)\n"
        f"change: {name}/{name}.py, explained in own-environment.md of the documentation"
    )
