"""The reference page of the command line, written from the parser itself.

``python -m synaptick.cli.command_page`` writes it anew into the source tree.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .parser import make_parser as parser_of_all

COMMAND = f"python -m {__package__}.command_page"
PAGE = "docs/reference/command-line.md"


def command_page() -> str:
    """Return the page as Markdown: a section for each command, with its usage, its options and its examples."""
    parser = parser_of_all()
    found = list(commands(parser))
    lines = "\n".join(f"- [`{part.prog}`](#{_anchor(part.prog)}): {text}" for part, text, _ in found)
    blocks = [
        f"<!-- Written by {COMMAND} from the parser. -->",
        "# Command line",
        f"{parser.description} `synaptick COMMAND --help` says what is here.",
        "A command ends with code 0 when it is done, 1 if the environment failed while running or a bound that was to "
        "be checked is broken, 2 if something given cannot be used, and 128 + n if signal n stopped it. With `--json` "
        "the last line of standard output is one JSON object; progress goes to standard error.",
        lines,
    ]
    for part, text, aliases in found:
        blocks += [f"## {part.prog}", _sentence(part.description or text)]
        if aliases:
            blocks.append(f"Also: {', '.join(f'`{name}`' for name in aliases)}.")
        blocks.append(f"```text\n{usage(part)}\n```")
        if rows := [_row(action) for action in arguments(part)]:
            blocks.append("\n".join(["| argument | meaning |", "| --- | --- |", *rows]))
        if part.epilog:
            blocks.append(f"```text\n{part.epilog.strip()}\n```")
    return "\n\n".join(blocks) + "\n"


def commands(parser: argparse.ArgumentParser) -> Iterator[tuple[argparse.ArgumentParser, str, list[str]]]:
    """Yield each command below a parser that takes no further one: its parser, its line of help, its other names."""
    for action in _choices(parser):
        texts = {choice.dest: choice.help or "" for choice in action._choices_actions}
        seen: dict[int, str] = {}
        for name, part in action.choices.items():
            if seen.setdefault(id(part), name) != name:
                continue
            aliases = [other for other, same in action.choices.items() if same is part and other != name]
            if any(_choices(part)):
                yield from commands(part)
            else:
                yield part, texts.get(name, ""), aliases


def _choices(parser: argparse.ArgumentParser) -> list[Any]:
    return [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]


def arguments(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return what a command takes, without --help and what is hidden."""
    hidden = (argparse.SUPPRESS,)
    return [a for a in parser._actions if not isinstance(a, argparse._HelpAction) and a.help not in hidden]


def usage(parser: argparse.ArgumentParser) -> str:
    """Return how a command is written, with what has to be given and no more."""
    words = [parser.prog]
    for action in arguments(parser):
        if not action.option_strings:
            name = _metavar(action)
            words.append(f"[{name}]" if action.nargs in ("?", "*") else f"{name} ..." if action.nargs == "+" else name)
        elif action.required:
            words.append(f"{action.option_strings[0]} {_metavar(action)}")
    optional = any(action.option_strings and not action.required for action in arguments(parser))
    return " ".join([*words, "[options]"] if optional else words)


def _metavar(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    return "{" + ",".join(map(str, action.choices)) + "}" if action.choices else action.dest.upper()


def _row(action: argparse.Action) -> str:
    if action.option_strings:
        value = "" if action.nargs == 0 else f" {_metavar(action)}"
        value = {"?": f" [{value.strip()}]", "+": f"{value} ..."}.get(str(action.nargs), value)
        name = ", ".join(action.option_strings) + value
    else:
        name = _metavar(action)
    text = (action.help or "") % {"default": action.default, "prog": "synaptick"} if action.help else ""
    return f"| `{name}` | {_sentence(text)} |".replace("\n", " ")


def _sentence(text: str) -> str:
    """Return a text with a capital and a full stop, pipes as cells of tables have them."""
    text = " ".join(text.split()).replace("|", "\\|")
    if not text:
        return text
    return f"{text[0].upper()}{text[1:]}{'' if text[-1] in '.:!?' else '.'}"


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def main() -> None:
    """Write the page into the source tree this module belongs to."""
    (Path(__file__).resolve().parents[2] / PAGE).write_text(command_page(), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
