"""Mutants of the twin: how a test shows that it would notice another rule.

A mutant is named by what it takes the place of, "file.function", "file.CONSTANT" or "file.Class.method", and, after a
space or a comma, by what sets it apart from others.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from .. import reference

TWINS = {
    path.stem: importlib.import_module(f"{reference.__name__}.{path.stem}")
    for path in sorted(Path(reference.__path__[0]).glob("*.py"))
    if path.stem != "__init__"
}

# The rules themselves, for mutants that make use of them.
TRUE: dict[str, Any] = {f"{stem}.{name}": value for stem, twin in TWINS.items() for name, value in vars(twin).items()}


def put(monkeypatch: pytest.MonkeyPatch, name: str, mutant: Any) -> None:
    """Put a mutant in the place that its name gives, until the test is over."""
    stem, *path, last = re.split("[ ,]", name, maxsplit=1)[0].split(".")
    owner: Any = TWINS[stem]
    for part in path:
        owner = getattr(owner, part)
    monkeypatch.setattr(owner, last, mutant)
