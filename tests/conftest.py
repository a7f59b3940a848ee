"""Fixtures of several test files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from synaptick.cli.main import main

from .runs import Cli
from .trouble import Trouble


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Return a function that runs the command line in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: Any) -> tuple[int, str, str]:
        capfd.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = stop.code  # type: ignore[assignment]
        out, err = capfd.readouterr()
        return code, out, err

    return call


@pytest.fixture(autouse=True)
def _calm() -> Iterator[None]:
    yield
    Trouble.at = None
