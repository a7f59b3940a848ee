"""docs/coming-from: what is ours on the pages runs, and settings that they name are there."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from synaptick import Config, ConfigError

from ..support.common import ROOT

FOLDER = ROOT / "docs" / "coming-from"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name != "index.md")


def blocks(page: Path) -> list[str]:
    """Return the blocks of a page: theirs are marked py, ours python, as all that is run here."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(r"^```(py|python)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert [language for language, _ in found] == ["py", "python"]
    return [code for _, code in found]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_page_has_their_code_and_ours_and_ours_runs(page: Path, tmp_path: Path) -> None:
    theirs, ours = blocks(page)
    ast.parse(theirs)
    assert "synaptick" not in theirs
    assert re.search(r"^from synaptick import", ours, re.MULTILINE)
    program = tmp_path / "ours.py"
    program.write_text(ours)
    command = [sys.executable, "-W", "error", str(program)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()
    if page.stem == "river":
        first, last = map(float, done.stdout.split())
        assert last < 0.5 * first  # it follows
    if page.stem == "stable-baselines3":
        trained, acting = map(float, done.stdout.split())
        assert trained > 60  # at random: 22
        assert acting > 60


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_settings_that_a_page_gives_a_value_are_settings(page: Path) -> None:
    """What is written `key: value` in the column of ours."""
    names = {spec.name for spec in fields(Config)}
    cells = [row.strip("|").split(" | ")[-1] for row in page.read_text().splitlines() if row.startswith("| `")]
    found = re.findall(r"`(\w+): ([^`]+)`", " ".join(cells))
    for key, _ in found:
        assert key in names, key


def test_names_of_others_lead_to_ours() -> None:
    for theirs, ours in (("gamma", "discount"), ("learning_rate", "lr_policy"), ("ent_coef", "entropy_bonus")):
        with pytest.raises(ConfigError, match=ours):
            Config(**{theirs: 0.5})  # type: ignore[arg-type]


def test_the_index_has_every_page() -> None:
    index = (FOLDER / "index.md").read_text()
    assert all(f"]({page.name})" in index for page in PAGES)
    assert len(PAGES) == 6
