"""Random histories of an environment that does whatever an environment can do: nothing learned is lost by any."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ..support.common import ROOT
from ..support.hostile import DONE, RAISED, RETURNED, STOPPED

ALL_DEEDS = {*DONE, *RAISED, *RETURNED, *STOPPED}


def histories(first: int, count: int, folder: Path) -> Any:
    command = [sys.executable, "-m", "tests.support.hostile", str(first), str(count), str(folder)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_whatever_an_environment_does_nothing_learned_is_lost(tmp_path: Path) -> None:
    """After each of its deeds: exit code, last line, a checkpoint of all good steps, and a run that goes on."""
    found = histories(0, 24, tmp_path)
    assert found["wrong"] == []
    assert (found["histories"], sum(found["deeds"].values()) > 60) == (24, True)


@pytest.mark.long
@pytest.mark.parametrize("first", [1000, 1100, 1200])
def test_three_hundred_histories(tmp_path: Path, first: int) -> None:
    found = histories(first, 100, tmp_path)
    assert found["wrong"] == []
    assert (found["histories"], set(found["deeds"]) >= ALL_DEEDS) == (100, True)
