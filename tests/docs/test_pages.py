"""What pages say about the code, the folders and each other."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from synaptick.probes.views_table import AGENT, LAYER, NET

from ..support.common import ROOT
from ..support.runs import Cli

DOCS = ROOT / "docs"
EQUATIONS = (DOCS / "equations.md").read_text(encoding="utf-8")
PICTURES = DOCS / "assets" / "pictures"
# Pages on which something is run, or which one reads to begin with.
TIMED = [
    *sorted((DOCS / "start").glob("*.md")),
    *sorted((DOCS / "howto").glob("*.md")),
    DOCS / "examples" / "index.md",
    DOCS / "reference" / "run-folder.md",
    *sorted((DOCS / "notebooks").glob("*.py")),
]


def tables(header: str) -> list[list[str]]:
    """Return the cells of all rows of the tables of equations whose head begins so."""
    rows, inside = [], False
    for line in EQUATIONS.splitlines():
        inside = line.startswith(header) or (inside and line.startswith("|"))
        if inside and not line.startswith((header, "|---")):
            rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows


def defined(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def test_each_equation_names_functions_that_are_in_the_file_it_links_to() -> None:
    rows = tables("| equation | code | arrays |")
    assert len(rows) > 60
    linked = 0
    for row in rows:
        for name, path in re.findall(r"\[`(\w+)`\]\(\.\./([\w/]+\.py)\)", row[1]):
            assert name in defined(ROOT / path), (name, path)
            linked += 1
        assert "](" in row[1] or not re.search(r"\w", row[1]), row
    assert linked > 70


def test_arrays_of_equations_are_views() -> None:
    known = {*AGENT, *NET, *LAYER}
    named = [name for row in tables("| equation | code | arrays |") for name in re.findall(r"`(\w+)`", row[2])]
    assert set(named) <= known
    assert len(set(named)) > 35


def test_symbols_that_are_said_to_be_in_code_are_there() -> None:
    """As a view, as a setting, or as a function of a kernel."""
    from dataclasses import fields

    from synaptick import Config
    from synaptick.kernels.views import LayerRow

    known = {*AGENT, *NET, *LAYER, *(spec.name for spec in fields(Config)), *(LayerRow.names or ())}
    for path in (ROOT / "agent" / "kernels").glob("*.py"):
        known |= defined(path)
    rows = tables("| here | in code | in the papers |")
    assert len(rows) > 45
    for row in rows:
        for name in re.findall(r"`(\w+)(?:\(\))?`", row[1]):
            assert name in known, name


@pytest.mark.parametrize("page", [*sorted(DOCS.rglob("*.md"))], ids=lambda page: str(page.relative_to(DOCS)))
def test_formulas_are_written_so_that_the_repository_page_draws_them(page: Path) -> None:
    """Dollars outside of a code span leave backslashes to Markdown; a bar would end the cell of a table."""
    text = re.sub(r"^(```|~~~).*?^\1$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for formula in re.findall(r"\$`([^`]*)`\$", text):
        assert "\n" not in formula
        assert "|" not in formula, formula
        assert formula.count("{") == formula.count("}"), formula
    bare = re.sub(r"`[^`\n]*`", "", re.sub(r"\$`[^`]*`\$", "", text))
    assert not re.findall(r"\$[^$\n]*\\[^$\n]*\$", bare)


@pytest.mark.parametrize("page", TIMED, ids=lambda page: page.stem)
def test_a_page_says_how_long_it_takes(page: Path) -> None:
    first = page.read_text(encoding="utf-8")[:1500]
    assert re.search(r"\b(second|minute)s?\b", first), "say near the top how long reading, or what is run, takes"


def test_all_decisions_are_in_the_index_by_their_titles() -> None:
    index = (DOCS / "decisions" / "index.md").read_text(encoding="utf-8")
    for page in sorted((DOCS / "decisions").glob("0*.md")):
        number, title = re.match(r"# (\d+)\. (.*)", page.read_text(encoding="utf-8")).groups()  # type: ignore[union-attr]
        assert f"- {number}. [{title}]({page.name}): " in index


def test_all_pages_of_results_are_in_their_index() -> None:
    index = (DOCS / "results" / "README.md").read_text(encoding="utf-8")
    for page in (DOCS / "results").glob("*.md"):
        assert page.name == "README.md" or f"]({page.name})" in index, page.name


def test_the_gallery_shows_every_picture_and_all_are_small() -> None:
    gallery = (DOCS / "examples" / "index.md").read_text(encoding="utf-8")
    pictures = sorted(path for path in PICTURES.iterdir() if path.suffix in (".png", ".gif"))
    assert len(pictures) >= 8
    for picture in pictures:
        assert f"(../assets/pictures/{picture.name})" in gallery, picture.name
    assert sum(picture.stat().st_size for picture in pictures) < 3_000_000
    shown = gallery + "".join(page.read_text(encoding="utf-8") for page in (DOCS / "howto").glob("*.md"))
    for example in sorted((DOCS / "examples").glob("*.py")):
        assert example.name in shown, f"{example.name} is in no section of docs/examples/index.md, nor on a how-to page"
    assert gallery.count("\n## ") - 1 <= gallery.count("![")  # a picture each, but for C


@pytest.mark.slow
def test_pictures_are_drawn_from_the_examples(tmp_path: Path) -> None:
    """Those of the loops; the others are of notebooks and of commands, which have tests of their own."""
    pytest.importorskip("matplotlib")
    names = ["tank.png", "motor.png", "tanks.png"]
    command = [sys.executable, str(DOCS / "examples" / "pictures.py"), "--out", str(tmp_path), "--only", *names]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in names)


def test_the_page_of_the_run_folder_has_its_files_and_columns(cli: Cli, tmp_path: Path) -> None:
    page = (DOCS / "reference" / "run-folder.md").read_text(encoding="utf-8")
    assert cli("run", "CartPole-v1", "--steps", 2000, "--out", "mine", "--quiet")[0] == 0
    for path in (tmp_path / "mine").iterdir():
        assert path.name.startswith(".") or f"| `{path.name}` |" in page, path.name
    columns = (tmp_path / "mine" / "metrics.csv").read_text().splitlines()[0].split(",")
    said = set(re.findall(r"`([\w/]+)`", page))
    general = {re.sub(r"^critic/(?=\d)", "actor/", re.sub(r"/1/", "/0/", column)) for column in columns}
    assert general <= said
    assert len(columns) > 25
