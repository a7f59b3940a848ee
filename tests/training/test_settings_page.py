"""What is written from the fields of `Config`: both files are up to date, complete, and lead where they say."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from synaptick import Config
from synaptick.training.settings_page import COMMAND, default_yaml, pages, settings_page

from ..support.common import ROOT

NAMES = [spec.name for spec in fields(Config)]


@pytest.mark.parametrize("path", pages())
def test_a_page_is_what_is_written_from_the_settings(path: str) -> None:
    file = ROOT / path
    assert file.is_file(), f"{path} is missing; write it with: {COMMAND}"
    assert file.read_text(encoding="utf-8") == pages()[path], f"{path} is out of date; write it anew with: {COMMAND}"


def test_the_default_file_holds_every_default_below_a_comment() -> None:
    text = default_yaml()
    values = yaml.safe_load(text)
    assert list(values) == NAMES
    assert Config.from_dict(values).to_dict() == Config().to_dict()
    for paragraph in text.strip().split("\n\n"):
        keys = re.findall(r"^(\w+):", paragraph, flags=re.MULTILINE)
        assert len(keys) <= 1, f"{keys} share a comment"
        assert not keys or re.match(r"# \w.{9}", paragraph), f"{keys} has no comment"
    assert max(map(len, text.splitlines())) <= 120


def test_the_page_has_a_row_and_an_anchor_for_every_setting() -> None:
    rows = [line for line in settings_page().splitlines() if line.startswith("| <a id=")]
    assert [row.split('"')[1] for row in rows] == NAMES
    for row in rows:
        cells = re.split(r"(?<!\\\\) \| ", row.strip("| "))
        assert len(cells) == 5, row
        assert all(cells[index].strip() for index in (0, 1, 3, 4)), row


def test_links_of_the_page_lead_somewhere_and_anchors_are_unique() -> None:
    text = settings_page()
    headings = [line[3:].lower() for line in text.splitlines() if line.startswith("## ")]
    anchors = [*re.findall('<a id="([^"]+)">', text), *headings]
    assert len(set(anchors)) == len(anchors)
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert {link[1:] for link in links if link.startswith("#")} <= set(anchors)
    page = next(Path(path) for path in pages() if path.endswith(".md"))
    for link in links:
        assert link.startswith("#") or (ROOT / page.parent / link).is_file(), link
