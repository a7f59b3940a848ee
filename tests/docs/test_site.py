"""The site: it is built without a warning, stands alone, and has what the hooks are for."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ..support.common import ROOT

for module in ("material", "mkdocstrings", "jupytext", "latex2mathml"):
    pytest.importorskip(module, reason='needs the extra: pip install "synaptick[docs]"')
HOOKS = ROOT / "docs" / "hooks"
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.py"))
# Whatever a browser would fetch from elsewhere.
FETCHED = re.compile(r"""<(?:script|img|iframe|link)\b[^>]*\b(?:src|href)=["']?(?:https?:)?//""")


def build(folder: Path, **environment: str) -> Path:
    """Build the site strictly: a warning is an error."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ
        | {"NO_MKDOCS_2_WARNING": "1", "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
        | environment,
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr
    return folder


def hook(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, HOOKS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("site"))


def test_the_site_has_every_page_and_loads_nothing_from_elsewhere(site: Path) -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").with_suffix(".html").as_posix().replace("README.html", "index.html")
        assert (site / name).is_file(), name
    pages = list(site.rglob("*.html"))
    assert len(pages) > 100
    assert not {
        page.name: FETCHED.findall(page.read_text(encoding="utf-8"))
        for page in pages
        if FETCHED.search(page.read_text(encoding="utf-8"))
    }


def test_formulas_are_mathml_and_signatures_are_there(site: Path) -> None:
    equations = (site / "equations.html").read_text(encoding="utf-8")
    assert equations.count("<math ") > 200
    assert "arithmatex" not in equations
    assert "$`" not in equations
    assert "leak_groups" in equations
    api = (site / "reference" / "api.html").read_text(encoding="utf-8")
    for name in ("synaptick.agent.Agent.step", "synaptick.agent.Agent.probe", "synaptick.realtime.loop.Loop.run"):
        assert f'id="{name}"' in api, name


def test_links_to_code_lead_to_pages_that_show_it(site: Path) -> None:
    equations = (site / "equations.html").read_text(encoding="utf-8")
    target = re.search(r'href="(source/agent/kernels/neuron\.py\.html)"', equations)
    assert target is not None
    assert "def" in (site / target[1]).read_text(encoding="utf-8")


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_have_a_page_and_a_notebook(notebook: Path, site: Path) -> None:
    made = json.loads((site / "notebooks" / f"{notebook.stem}.ipynb").read_text(encoding="utf-8"))
    code = [cell for cell in made["cells"] if cell["cell_type"] == "code"]
    assert code
    assert not [cell for cell in code if cell["outputs"]]
    page = (site / "notebooks" / f"{notebook.stem}.html").read_text(encoding="utf-8")
    # The picture of the gallery, as long as the notebook is not run.
    (picture,) = re.findall(r'<img [^>]*src="([^"]+)"', page)
    assert (site / "notebooks" / picture).is_file()


@pytest.mark.slow
def test_notebooks_run(tmp_path: Path) -> None:
    """They end in assertions of what they show; printed text and pictures are on the pages."""
    pytest.importorskip("matplotlib")
    site = build(tmp_path, SYNAPTICK_DOCS_EXECUTE="1")
    for notebook in NOTEBOOKS:
        made = json.loads((site / "notebooks" / f"{notebook.stem}.ipynb").read_text(encoding="utf-8"))
        kinds = {output["output_type"] for cell in made["cells"] for output in cell.get("outputs", ())}
        assert {"stream", "display_data"} <= kinds, notebook.stem
        page = (site / "notebooks" / f"{notebook.stem}.html").read_text(encoding="utf-8")
        assert page.count("<img ") == len(list((site / "notebooks").glob(f"{notebook.stem}-*.png"))) > 0


# ---- the hooks


def test_a_line_with_a_star_stands_for_what_no_other_line_names() -> None:
    nav = hook("nav")
    entries = ["a.md", {"Part": ["b/x.md", "b/*.md"]}, "*.md"]
    pages = ["a.md", "b/c/deep.md", "b/w.md", "b/x.md", "c.md"]
    found = list(nav.expanded(entries, pages, set(nav.named(entries))))
    assert found == ["a.md", {"Part": ["b/x.md", "b/w.md"]}, "c.md"]


def test_links_are_found_where_they_are_links() -> None:
    text = "[`a`](a.py) | `v` | [b](b.md#c)\n`[no](code.md)`\n```sh\n[no](block.md)\n```\n![p](p.png)\n"
    found = [match["target"] for match in hook("links").TARGET.finditer(text) if match["target"]]
    assert found == ["a.py", "b.md#c", "p.png"]


def test_a_formula_that_cannot_be_converted_ends_the_build() -> None:
    math = hook("math")
    assert "<msub>" in math.mathml(r"\epsilon_j", "inline")
    assert "a_b" in math.mathml(r"\text{a\_b}", "inline")
    with pytest.raises(ValueError, match="cannot be converted"):
        math.mathml(r"\frac{1}{\unknown}", "inline")
