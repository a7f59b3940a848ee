"""README and docs: every command and every block of Python runs, page by page, in the order of the page."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from synaptick.cli import command_page

from ..support.common import ROOT
from ..support.runs import Cli
from .snippets import (
    ALL_PAGES,
    CODE_SHORTER,
    ELSEWHERE,
    EXCLUDED,
    GRANTED,
    LONG,
    PAGES,
    SLOW,
    Snippet,
    commands,
    missing,
    reason,
    shorter,
    snippets,
)

CLONE = ("docs/", "configs/", "agent/")


def tiers() -> Iterator[Any]:
    """Yield each page that has something to run, shortened, and once more as it stands."""
    for page in PAGES:
        if any(snippets(page)):
            name = page.relative_to(ROOT).as_posix()
            yield pytest.param(page, False, id=name)
            yield pytest.param(page, True, id=f"{name}, in full", marks=pytest.mark.slow)


@pytest.mark.parametrize(("page", "full"), list(tiers()))
def test_what_a_page_says_to_run_runs(page: Path, full: bool, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one folder and one namespace, as by somebody who reads it from top to bottom."""
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    namespace: dict[str, Any] = {"__name__": "__main__"}
    left_out = []
    for snippet in snippets(page):
        for text in commands(snippet.text) if snippet.language == "sh" else [snippet.text]:
            if absent := missing(text):
                left_out.append(f"{text.split()[:3]} needs {absent}")
            elif text[0] == " ":
                assert_excerpt(text, page)
            elif snippet.language == "python":
                run_python(text, namespace, f"{page.name}, line {snippet.line}")
            else:
                run_command(text, full, cli)
    if left_out:
        pytest.skip("; ".join(left_out))


def assert_excerpt(text: str, page: Path) -> None:
    """Check a block that begins indented, a part of a function: its lines stand in a file that is linked to.

    A fraction may have a name there.
    """
    lines = [re.sub(r"\d+\\\.\d+", r"\\S+?", re.escape(line.strip())) for line in text.splitlines()]
    linked = re.findall(r"\]\(([^)#\s]+\.py)\)", page.read_text(encoding="utf-8"))
    files = [(page.parent / link).read_text(encoding="utf-8") for link in linked]
    assert any(all(re.search(line, file) for line in lines) for file in files), text


def run_python(text: str, namespace: dict[str, Any], where: str) -> None:
    for name, stand_in in GRANTED.items():
        if re.search(rf"\b{name}\b", text) and name not in namespace:
            exec(stand_in, namespace)
    for pattern, replacement in CODE_SHORTER:
        text = re.sub(pattern, replacement, text)
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(text, where, "exec"), namespace)


def run_command(command: str, full: bool, cli: Cli) -> None:
    if reason(command, EXCLUDED):
        return
    program, *arguments = shlex.split(command)
    if program == "synaptick":
        command_page.parser_of_all().parse_args(arguments)
    if reason(command, LONG) or (reason(command, SLOW) and not full):
        return
    program, *arguments = shlex.split(shorter(command, full))
    if program == "synaptick":
        for folder in arguments[1:] if arguments[0] != "run" else ():
            if re.fullmatch(r"runs/\w+", folder) and not Path(folder).exists():  # a run that the page takes for granted
                assert cli("run", "CartPole-v1", "--steps", 1500, "--out", folder, "--quiet")[0] == 0
        code, out, err = cli(*arguments)
    else:
        parts = [str(ROOT / part) if part.startswith(CLONE) and (ROOT / part).exists() else part for part in arguments]
        start = [sys.executable] if program in ("python", "python3") else [program]
        done = subprocess.run([*start, *parts], capture_output=True, text=True, timeout=600)
        code, out, err = done.returncode, done.stdout, done.stderr
    assert code == 0, f"{command}\n{out}\n{err}"


def test_pages_that_are_left_to_other_tests_are_there_and_name_them() -> None:
    for page, test in ELSEWHERE.items():
        assert any(snippets(ROOT / page))
        assert Path(page).name in (ROOT / test).read_text()


def test_most_of_what_is_shown_is_run() -> None:
    """What is excluded or only read is less than a third: what installs, what needs a cluster, what takes hours."""
    found = [text for page in PAGES for snippet in snippets(page, ("sh",)) for text in commands(snippet.text)]
    not_run = [text for text in found if reason(text, EXCLUDED) or reason(text, LONG)]
    blocks = sum(1 for page in PAGES for _ in snippets(page, ("python",)))
    assert len(found) - len(not_run) >= 30
    assert blocks >= 20
    assert len(not_run) < (len(found) + blocks) / 3
    assert not [
        text
        for text in found
        if text.split()[0] not in {"synaptick", "python", "cc", "build/pole"} and text not in not_run
    ]


# ---- commands in the lines of a page


def mentioned() -> list[tuple[str, str]]:
    """Return page and text of every command that is named in a line, the ends of lines in it undone."""
    return [
        (page.relative_to(ROOT).as_posix(), " ".join(code.split()))
        for page in ALL_PAGES
        for code in re.findall(r"(?<!`)`(synaptick [^`]+)`(?!`)", page.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize("page", sorted({page for page, _ in mentioned()}))
def test_commands_in_the_lines_of_a_page_are_understood(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As far as they go: what has to be given may be missing, what is given has to be right."""
    for _, text in [pair for pair in mentioned() if pair[0] == page]:
        assert not wrong(text, capsys), text


def wrong(text: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what the parser says against a command, or an empty text."""
    words = shlex.split(text.replace("..", ""), comments=True)[1:]
    if words[0].isupper():
        return ""  # COMMAND
    words = ["1" if re.fullmatch(r"[A-Z]{1,2}", word) else word for word in words]  # the N of an option
    try:
        command_page.parser_of_all().parse_args(words)
    except SystemExit as stop:
        said = capsys.readouterr().err
        return "" if stop.code == 0 or "required" in said or "expected" in said else said
    return ""


def test_what_is_wrong_with_a_command_is_seen(capsys: pytest.CaptureFixture[str]) -> None:
    assert wrong("synaptick run CartPole-v1 --stepz 3", capsys)
    assert wrong("synaptick trane CartPole-v1", capsys)
    assert wrong("synaptick run X --steps many", capsys)
    assert not wrong("synaptick eval", capsys)
    assert not wrong("synaptick run X --steps N", capsys)


def test_an_excerpt_has_to_stand_in_a_file_that_the_page_links_to(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("def f():\n    a = 1\n    return a + HALF\n")
    (tmp_path / "page.md").write_text("[x](x.py)")
    assert_excerpt("    a = 1\n    return a + 0.5\n", tmp_path / "page.md")
    with pytest.raises(AssertionError):
        assert_excerpt("    a = 2\n", tmp_path / "page.md")


def test_commands_are_read_as_a_shell_would() -> None:
    block = 'a/bin/synaptick run X \\\n    --set "layers=[8]"  # a comment\n\npip install . && python x.py\n'
    assert list(commands(block)) == ["synaptick run X --set 'layers=[8]'", "pip install .", "python x.py"]
    assert shorter("synaptick run X --steps 1e6", False) == "synaptick run X --steps 3000"
    assert shorter("synaptick run X", False) == "synaptick run X --steps 3000"
    assert shorter("synaptick run --resume a --steps 80000", False) == "synaptick run --resume a --steps 5000"
    assert shorter("synaptick run X --steps 60000", True) == "synaptick run X --steps 60000"
    assert Snippet("sh", block, 1).language == "sh"
