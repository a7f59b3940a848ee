"""The page of a run: it stands alone, says all there is to say, and is whole HTML."""

from __future__ import annotations

import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from synaptick.versions import versions

from ..support.runs import SMALL, Cli
from .conftest import USUAL, MakeRun

VOID = {"meta", "br", "hr", "img", "link", "input"}


class _Parser(HTMLParser):
    """Checks that every element is closed, and gathers what elements there are."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.ids.update(value for name, value in attributes if name == "id" and value)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(page: str) -> _Parser:
    parser = _Parser()
    parser.feed(page)
    assert not parser.open
    return parser


def test_the_page_stands_alone(make_run: MakeRun, cli: Cli, tmp_path: Path) -> None:
    run, out = make_run("a", lambda_value=0.5), tmp_path / "a.html"
    code, printed, err = cli("report", run, "--out", out, "--json")
    assert (code, err) == (0, "")
    page = out.read_text(encoding="utf-8")
    found = json.loads(printed)
    assert found == {"out": str(out), "bytes": len(page.encode()), "panels": list(USUAL), "left_out": {}}
    assert page.startswith("<!DOCTYPE html>")
    tags = parsed(page).tags
    assert tags["svg"] == len(USUAL)
    assert not tags.keys() & {"script", "link", "img", "iframe", "image", "object"}
    assert not re.search(r"https?://|//www|@import|\son\w+=", re.sub(r'xmlns(:\w+)?="[^"]*"', "", page))
    assert "#1a1a1b" not in page.partition("<body>")[2].lower()  # the ink of figures is that of the text


def test_names_within_figures_are_used_once_and_lead_somewhere(make_run: MakeRun, cli: Cli) -> None:
    run = make_run("a")
    assert cli("report", run)[0] == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    ids = parsed(page).ids
    assert set(ids.values()) == {1}
    assert set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', page)) <= {(name, "") for name in ids} | {
        ("", name) for name in ids
    }


def test_the_page_says_what_the_run_is(make_run: MakeRun, cli: Cli) -> None:
    run = make_run("a", lambda_value=0.5, env_kwargs={"render_mode": None})
    assert cli("report", run)[0] == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    text = " ".join(re.sub(r"<[^>]+>", " ", page.partition("<body>")[2]).split())
    summary = json.loads((run / "summary.json").read_text())
    assert "CartPole-v1, seed 0" in text
    assert f"bytes of state {summary['state_bytes']:,}" in text
    assert "lambda_value 0.5 0.95" in text  # with its default
    assert "discount 0.99 per tick" in text  # among all
    for name, version in versions().items():
        assert f"{name} {version}" in text
    assert f"In {run.resolve()}." in text
    assert "results.csv" in text


def test_text_of_a_run_is_no_html(make_run: MakeRun, cli: Cli) -> None:
    run = make_run("a<b>&amp;")
    assert cli("report", run)[0] == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "a&lt;b&gt;&amp;amp;" in page
    assert not parsed(page).tags["b"]


def test_a_real_run_and_one_without_data_have_pages(cli: Cli, make_run: MakeRun, tmp_path: Path) -> None:
    assert cli("run", "CartPole-v1", "--steps", 1000, *SMALL, "--out", "mine", "--quiet")[0] == 0
    code, printed, err = cli("report", "mine")
    assert (code, err) == (0, "")
    assert "-> mine/report.html" in printed
    run = make_run("a", metrics=False, results=False)
    for name in ("agent.synaptick", "agent.older.synaptick", "summary.json", "versions.json"):
        (run / name).unlink(missing_ok=True)
    assert cli("report", run)[0] == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "not finished" in page
    assert parsed(page).tags["svg"] == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("none",), "none holds no run: config.yaml is missing"),
        (("{run}", "--out", "a.pdf"), "--out a.pdf: allowed: a name that ends in .html, .htm"),
        (("{run}", "--out", "no/folder/a.html"), "no/folder/a.html: "),
    ],
)
def test_what_cannot_be_told_is_refused_in_one_line(
    arguments: tuple[str, ...], named: str, make_run: MakeRun, cli: Cli
) -> None:
    run = make_run("a")
    code, out, err = cli("report", *(argument.format(run=run) for argument in arguments))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert named in err
