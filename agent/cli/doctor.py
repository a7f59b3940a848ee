"""The part of the command line that looks at the installation: ``synaptick doctor``."""

from __future__ import annotations

import argparse
from typing import Any

from ..training.console import announce
from .options import add_command, add_json


def add_doctor(commands: Any) -> None:
    """Add ``doctor`` to the commands of the parser."""
    parser = add_command(
        commands,
        "doctor",
        "what is installed, a test of ten seconds, what is wrong and how to mend it",
        ["synaptick doctor", "synaptick doctor --json"],
    )
    add_json(parser)
    # Its exit code is that of a check: 1 if anything is wrong.
    parser.set_defaults(command=_doctor, show=_show, failed=lambda _, result: bool(result["problems"]))


def _doctor(_: argparse.Namespace) -> dict[str, Any]:
    from ..bench.doctor import doctor

    announce("synaptick: testing the installation for some ten seconds, twenty if the step has to be compiled")
    return doctor()


def _show(result: dict[str, Any]) -> None:
    from ..bench.doctor import doctor_lines

    print("\n".join(doctor_lines(result)))
