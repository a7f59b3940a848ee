"""docs/reference/command-line.md: written from the parser, with every command and every option."""

from __future__ import annotations

import argparse

from synaptick.cli.command_page import COMMAND, PAGE, arguments, command_page, commands, parser_of_all, usage

from ..support.common import ROOT


def test_the_page_is_what_is_written_from_the_parser() -> None:
    assert (ROOT / PAGE).read_text(encoding="utf-8") == command_page(), f"write it anew with: {COMMAND}"


def test_every_command_has_a_section_and_every_option_a_row() -> None:
    found = list(commands(parser_of_all()))
    assert len(found) >= 20
    page = command_page()
    for parser, text, _ in found:
        assert text, f"{parser.prog} has no line of help"
        section = page.split(f"\n## {parser.prog}\n")[1].split("\n## ")[0]
        for action in arguments(parser):
            assert all(f"{name}" in section for name in action.option_strings)


def test_aliases_defaults_and_what_has_to_be_given_are_told() -> None:
    parser = argparse.ArgumentParser(prog="p")
    below = parser.add_subparsers()
    first = below.add_parser("first", aliases=["1st"], help="do it")
    first.add_argument("what", nargs="+", metavar="WHAT")
    first.add_argument("--out", required=True, metavar="FILE", help="default: %(default)s")
    first.add_argument("--fast", action="store_true")
    ((found, text, aliases),) = commands(parser)
    assert (found, text, aliases) == (first, "do it", ["1st"])
    assert usage(first) == "p first WHAT ... --out FILE [options]"
