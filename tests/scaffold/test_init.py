"""What ``synaptick init`` writes is a small project that works at once, from above its folder and from within."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from synaptick import Agent

from ..support.common import ROOT
from ..support.runs import SMALL, Cli, rows


def program(*arguments: str, cwd: Path) -> str:
    command = [sys.executable, "-W", "error", *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def made(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delitem(sys.modules, "my_plant", raising=False)  # a page of the documentation has one of this name
    code, out, err = cli("init", "my_plant")
    assert (code, err) == (0, "")
    files = ["__init__.py", "my_plant.py", "config.yaml", "learn.py", "test_my_plant.py"]
    assert sorted(path.name for path in (tmp_path / "my_plant").iterdir()) == sorted(files)
    assert all(f"wrote my_plant/{name}" in out for name in files)
    assert {path.name for path in tmp_path.iterdir()} == {"my_plant"}
    return tmp_path / "my_plant"


def test_it_learns_at_once_and_is_resumed_in_the_middle_of_an_episode(made: Path) -> None:
    """In a process each: what is imported stays imported."""
    call = ("-m", "synaptick", "run")
    result = json.loads(program(*call, "my_plant/config.yaml", "--out", "whole", "--json", "--quiet", cwd=made.parent))
    assert (result["env"], result["steps"]) == ("my_plant:MyPlant-v0", 40_000)
    # Whoever acts at random is lost after some 40 steps, at a return near -10; the best is 200.
    assert result["mean_return_last_100"] > 150
    assert next(row[2] for row in rows(made.parent / "whole")) < 50

    short = ("--quiet", *SMALL)
    program(*call, "config.yaml", "--out", "once", "--steps", "1500", *short, cwd=made)
    program(*call, "config.yaml", "--out", "twice", "--steps", "700", *short, cwd=made)
    program(*call, "--resume", "twice", "--steps", "1500", "--quiet", cwd=made)
    agents = [Agent.load(made / name / "agent.synaptick").snapshot() for name in ("once", "twice")]
    assert (agents[0] == agents[1]).all()


def test_its_script_and_its_test_run_from_above_and_from_within(made: Path) -> None:
    script = (made / "learn.py").read_text()
    (made / "learn.py").write_text(script.replace("5_000", "400"))
    for path, cwd in (("learn.py", made), ("my_plant/learn.py", made.parent)):
        out = program(path, cwd=cwd)
        assert out.count("mean return") == 8
    assert (made / "agent.synaptick").exists()
    for path, cwd in (("my_plant", made.parent), (".", made)):
        out = program("-m", "pytest", "-q", "-p", "no:cacheprovider", path, cwd=cwd)
        assert "3 passed" in out


def test_it_is_code_that_one_would_write(made: Path) -> None:
    lines = [line for line in (made / "learn.py").read_text().splitlines()[2:] if line]
    assert len(lines) <= 10
    program("-m", "ruff", "check", "--no-cache", "--isolated", str(made), cwd=made.parent)
    program("-m", "ruff", "format", "--no-cache", "--isolated", "--check", "--line-length", "120", ".", cwd=made)


def test_the_page_names_what_is_written_and_shows_what_is_in_it(made: Path) -> None:
    page = (ROOT / "docs" / "howto" / "own-environment.md").read_text()
    table = page.split("| file | what it is |")[1].split("\n\n")[0]
    assert sorted(re.findall(r"^\| `([^`]+)`", table, re.MULTILINE)) == sorted(path.name for path in made.iterdir())
    source = (made / "my_plant.py").read_text()
    for line in re.findall(r"^```py\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[0].splitlines():
        assert line in source
    assert "`max_episode_steps`" in page
    assert "max_episode_steps=200" in source


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("numpy", "a module of this name is installed"),
        ("json", "a module of this name is installed"),
        ("My-Plant", "allowed: small letters, digits and _, at most 64, a letter first, such as my_plant"),
        ("class", "it becomes the name of a Python module"),
        ("../up", "such as up"),
        ("1st", "such as st"),
        ("", "it becomes the name"),
        ("x" * 65, "at most 64"),
    ],
)
def test_a_name_that_cannot_be_one_is_refused(cli: Cli, tmp_path: Path, name: str, said: str) -> None:
    code, out, err = cli("init", "--", name)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("taken", "file", "link"):
        code, _, err = cli("init", name)
        assert (code, err.count("\n")) == (2, 1)
        assert "is there already and stays as it is" in err
    assert (tmp_path / "file").read_text() == "mine"
    assert list((tmp_path / "taken").iterdir()) == []
    assert len(list(tmp_path.iterdir())) == 3


def test_a_folder_that_cannot_be_written_is_one_line(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryDirectory", refuse)
    code, _, err = cli("init", "plant")
    assert (code, err) == (2, "synaptick: error: [Errno 13] Permission denied\n")
