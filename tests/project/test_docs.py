"""README, changelog and docs: every relative link leads to a file that exists, and to a heading or anchor in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..support.common import ROOT

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
RESULTS = ROOT / "docs" / "results"


def without_blocks(page: Path) -> str:
    """Return the text of a page without its blocks of code, in which # is no heading and ]( no link."""
    return re.sub(r"^(```|~~~).*?^\1$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def links(page: Path) -> Iterator[str]:
    """Yield the relative links of a page, pictures and definitions of references among them."""
    text = re.sub(r"`[^`\n]*`", "``", without_blocks(page))  # the text of a link may be code
    for inline, definition in re.findall(r"\]\(\s*<?([^)\s>]+)[^)]*\)|^\[[^\]]+\]:\s*<?([^\s>]+)", text, re.MULTILINE):
        target = inline or definition
        if not re.match(r"[a-z][a-z+.-]*:", target):
            yield target


def anchors(page: Path) -> set[str]:
    """Return what a link may name behind #: headings as GitHub spells them, and anchors in HTML."""
    text = without_blocks(page)
    found, seen = set(re.findall(r'<a (?:id|name)="([^"]+)">', text)), Counter[str]()
    for heading in re.findall(r"^#{1,6} +(.*?)[ #]*$", text, re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def dead(page: Path, root: Path) -> list[str]:
    """Return the relative links of a page that lead nowhere, or out of the repository."""
    found = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        there = target.exists() and target.is_relative_to(root.resolve())
        if not there or (anchor and (target.suffix != ".md" or anchor not in anchors(target))):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page: Path) -> None:
    assert dead(page, ROOT) == []


def test_every_page_is_reached_from_the_front_and_every_row_from_a_page_beside_it() -> None:
    """From README, or the front page of the documentation; a link to a folder reaches what lies in it."""
    ahead = [PAGES[0], ROOT / "docs" / "index.md"]
    reached = {*ahead}
    while ahead:
        page = ahead.pop()
        for link in links(page):
            target = (page.parent / link.partition("#")[0]).resolve()
            for new in {target, *(target.glob("*.md") if target.is_dir() else ())} - reached:
                reached.add(new)
                ahead += [new] if new.suffix == ".md" else []
    assert set(PAGES[2:]) <= reached
    linked = {link for page in RESULTS.glob("*.md") for link in links(page)}
    rows = {path.name for path in RESULTS.glob("*.csv")}
    assert rows
    assert rows <= linked


def test_what_counts_as_a_dead_link(tmp_path: Path) -> None:
    """The check itself, on a page that has each kind."""
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside.md").write_text("")
    (root / "other.md").write_text("# A *Title*, of two\n\n## Again\n\n## Again\n\n```sh\n# no heading\n```\n")
    (root / "data.csv").write_text("")
    good = ("other.md", "other.md#a-title-of-two", "other.md#again-1", "data.csv", "#named", "https://example.org/none")
    bad = ("none.md", "other.md#again-2", "other.md#no-heading", "data.csv#row", "../outside.md", "#none", "none.png")
    code = "\n```python\nrows[0](absent)\n```\n`[no](link.md)` [`a name`](gone.md)\n\n[reference]: lost.md\n"
    text = "".join(f"[text]({link})\n" for link in good + bad)
    (root / "page.md").write_text(f'<a id="named"></a>\n{text}![picture](away.png "its title"){code}')
    assert dead(root / "page.md", root) == [*bad, "away.png", "gone.md", "lost.md"]
