"""The parser of the command line, whose help shows the commands in groups."""

from __future__ import annotations

import argparse
import importlib.metadata
from typing import Any, NoReturn

from .bench import add_bench
from .compare import add_compare
from .compile import add_compile, add_warmup
from .completion import add_completion
from .doctor import add_doctor
from .evaluate import add_eval
from .export import add_export
from .init import add_init
from .plot import add_plot, add_report
from .run import add_run
from .soak import add_soak
from .sweep import add_sweep, add_tune
from .watch import add_watch

# What shows the commands of each group, in the order of the help; the title says what the group is for.
GROUPS = {
    "train": [
        add_init,
        add_run,
        add_sweep,
        add_tune,
        add_warmup,
    ],
    "look": [
        add_eval,
        add_plot,
        add_report,
        add_watch,
        add_compare,
    ],
    "measure": [
        add_bench,
        add_soak,
        add_doctor,
    ],
    "deploy": [
        add_export,
        add_compile,
        add_completion,
    ],
}


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as every other error does."""

    def error(self, message: str) -> NoReturn:
        """Say it on standard error, and end with code 2."""
        self.exit(2, f"synaptick: error: {' '.join(message.split())}; see {self.prog} --help\n")


class _Program(Parser):
    """The parser of the program itself, with its commands in groups."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.add_argument("--version", action="version", version=importlib.metadata.version("synaptick"))
        commands = self.add_subparsers(required=True, metavar="COMMAND", prog="synaptick", parser_class=Parser)
        self._groups: dict[str, list[argparse.Action]] = {}
        for title, adders in GROUPS.items():
            before = set(commands.choices)
            for add in adders:
                add(commands)
            found: dict[int, list[str]] = {}  # a command and its aliases are one parser under several names
            for name, parser in commands.choices.items():
                if name not in before:
                    found.setdefault(id(parser), []).append(name)
            self._groups[title] = [_line(names, commands.choices[names[0]]) for names in found.values()]

    def format_help(self) -> str:
        """Return the help: usage, what the program is, a section for each group of commands, options."""
        formatter = self._get_formatter()
        formatter.add_usage(self.usage, [], [], prefix=None)
        formatter.add_text(self.description)
        for title, lines in self._groups.items():
            formatter.start_section(title)
            formatter.add_arguments(lines)
            formatter.end_section()
        formatter.start_section("options")
        formatter.add_arguments([action for action in self._actions if action.option_strings])
        formatter.end_section()
        formatter.add_text(self.epilog)
        return formatter.format_help()


def _line(names: list[str], parser: argparse.ArgumentParser) -> argparse.Action:
    """Return what the formatter shows as the line of a command."""
    shown = names[0] + (f" ({', '.join(names[1:])})" if names[1:] else "")
    return argparse.Action([], dest=names[0], metavar=shown, help=parser.description)


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of ``synaptick``."""
    return _Program(
        prog="synaptick",
        usage="synaptick COMMAND ...",
        description="A spiking network that learns control online, one step at a time, in fixed memory.",
        epilog="synaptick COMMAND --help says more, with examples.",
    )
