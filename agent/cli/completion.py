"""The part of the command line that completes itself: ``synaptick completion``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from ..files import expanded
from .options import add_command, add_json

SHELLS = ("bash", "zsh", "tcsh")
_FOLDERS = {"DIR", "RUN_DIR", "RUN"}


def add_completion(commands: Any) -> None:
    """Add ``completion`` to the commands of the parser."""
    parser = add_command(
        commands,
        "completion",
        "print the script by which a shell completes commands, options and paths",
        [
            'eval "$(synaptick completion bash)"',
            "synaptick completion zsh > ~/.zfunc/_synaptick",
            "synaptick completion tcsh > ~/.synaptick.tcsh",
        ],
    )
    parser.add_argument("shell", choices=SHELLS, help="the shell")
    add_json(parser)
    parser.set_defaults(command=_completion, show=_show)


def _completion(options: argparse.Namespace) -> dict[str, Any]:
    import shtab

    from .parser import make_parser

    parser = make_parser()
    for action in _actions(parser):
        if action.type is expanded or action.dest == "source":
            action.complete = shtab.DIRECTORY if action.metavar in _FOLDERS else shtab.FILE  # type: ignore[attr-defined]
    return {"shell": options.shell, "script": shtab.complete(parser, shell=options.shell)}


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments of a parser and of all commands below it."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for below in {id(found): found for found in action.choices.values()}.values():
                yield from _actions(below)


def _show(result: dict[str, Any]) -> None:
    print(result["script"])
