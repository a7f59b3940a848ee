"""docs/control_loop.md: every block of code runs, in the order of the page, and its tables tell the defaults."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from synaptick import Agent
from synaptick.kernels.base import jit
from synaptick.realtime import Watchdog
from synaptick.realtime.watchdog import ALLOWED

from ..support.common import ROOT
from ..support.machines import Tank, tank_loop

PAGE = (ROOT / "docs" / "control_loop.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the blocks of code in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_code_of_the_page_runs(tmp_path: Path) -> None:
    """One program, in a process of its own, twice: the second time it finds the snapshots of the first."""
    found = blocks("python")
    assert len(found) == 12
    program = tmp_path / "page.py"
    program.write_text("\n".join(found))
    for _ in range(2):
        command = [sys.executable, "-W", "error", str(program)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)
        assert (done.returncode, done.stderr) == (0, "")
        assert len(done.stdout.splitlines()) == 4
    names = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert names == ["agent.older.synaptick", "agent.synaptick"]


@pytest.mark.parametrize("block", blocks("sh"))
def test_the_commands_of_the_page_run(block: str, tmp_path: Path) -> None:
    """With code that is compiled already in the folder, and for a moment where the page measures for a minute."""
    Agent.compile()
    assert jit.CACHE_FOLDER is not None
    shutil.copytree(jit.CACHE_FOLDER, tmp_path / "compiled" / "synaptick" / Path(jit.CACHE_FOLDER).name)
    words = shlex.split(block.replace("--seconds 60", "--seconds 0.2").replace("1x64 2x128", "1x64"))
    variables = dict(word.split("=", 1) for word in words if re.match(r"[A-Z_]+=", word))
    program, *arguments = [word for word in words if not re.match(r"[A-Z_]+=", word)]
    start = {"synaptick": [sys.executable, "-m", "synaptick"], "python": [sys.executable]}[program]
    done = subprocess.run(
        [*start, *arguments], cwd=tmp_path, env=os.environ | variables, capture_output=True, text=True, timeout=600
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_tables_of_the_page_tell_responses_and_defaults() -> None:
    defaults = {field.name: field.default for field in fields(Watchdog)}
    for name, allowed in ALLOWED.items():
        (row,) = re.findall(rf"^\| `{name}` \|(.*) \|$", PAGE, re.MULTILINE)
        default, others = (re.findall(r"`(\w+)`", cell) for cell in row.split("|")[-2:])
        assert default == [defaults[name]]
        assert sorted(default + others) == sorted(allowed)
    told = dict(re.findall(r"\| `(\w+)` \| (none|\d+) (?=\|)", PAGE))
    assert told.keys() == defaults.keys() - ALLOWED.keys()
    for name, text in told.items():
        assert defaults[name] == (None if text == "none" else float(text)), name


def test_the_page_tells_what_status_returns() -> None:
    (table,) = re.findall(r"^## Status\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
    told = [name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)]
    assert sorted(told) == sorted(tank_loop(Tank()).status())
