"""Fixtures of several test files, and the arithmetic that all tests run in: strict, unless the variable is set."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Read when the kernels are imported. Whatever is learned is then the same on every processor, down to the last bit.
# What holds on any processor in the default, fast arithmetic is marked `any_arithmetic`; test_arithmetic.py runs it.
os.environ.setdefault("SYNAPTICK_ARITHMETIC", "strict")

from synaptick.cli.main import main
from synaptick.compilation import make
from synaptick.kernels.base.jit import ARITHMETIC

from .support.runs import Cli
from .support.trouble import Trouble


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


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what fits the arithmetic, each test once: what is marked is left to test_arithmetic.py where that is run.

    The worker that begins has the fast step compiled by that, then the strict one in float64, and the others the strict
    one meanwhile; half of the tests are theirs.
    """
    apart = [item for item in items if item.path.name == "test_arithmetic.py"]
    if ARITHMETIC == "strict" and not apart:
        return
    marked = [item for item in items if item.get_closest_marker("any_arithmetic")]
    others = [item for item in items if item not in {*apart, *marked}]
    others.sort(key=lambda item: item.get_closest_marker("double") is None)
    kept, left_out = ([*apart, *others], marked) if ARITHMETIC == "strict" else (marked, [*apart, *others])
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


@pytest.fixture(scope="session", autouse=True)
def _compiled() -> None:
    """Compile in silence: whichever test came first would have a line about it on standard error."""
    for rare in (False, True):
        make(rare, quiet=True)


@pytest.fixture(autouse=True)
def _calm() -> Iterator[None]:
    yield
    Trouble.at = None
