"""Compiled code on disk: it computes what fresh code computes, and where no folder can be written, memory has to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import pytest
from synaptick.kernels.base import jit

from ..support.common import ROOT

PROGRAM = """
import hashlib, json
from tests.support.common import COORDINATE, drive, make_agent
from synaptick.kernels.tick import tick
digests = []
for changes in ({"layers": (12,)}, {"layers": (12, 11, 10)}, {"layers": (9, 8), **COORDINATE}):
    agent = make_agent(**changes)
    drive(agent, 3000)
    digests.append(hashlib.sha256(agent.arena.block).hexdigest())
print(json.dumps({
    "digests": digests,
    "loaded": sum(tick.stats.cache_hits.values()),
    "compiled": sum(tick.stats.cache_misses.values()),
}))
"""


def run_with_cache(folder: Path) -> dict[str, Any]:
    """Run the program in a new process that keeps compiled code in `folder`."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        cwd=ROOT,
        env={**os.environ, "SYNAPTICK_CACHE_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_loaded_code_gives_the_bytes_that_fresh_code_gives(tmp_path: Path) -> None:
    """Kernels once compiled apart gave a warm process other roundings than a cold one."""
    cold, warm = run_with_cache(tmp_path), run_with_cache(tmp_path)
    assert (cold["compiled"], cold["loaded"]) == (1, 0)
    assert (warm["compiled"], warm["loaded"]) == (0, 1)
    assert cold["digests"] == warm["digests"]
    assert len(set(cold["digests"])) == 3


# ---- where compiled code is kept


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Point every candidate at a folder of its own, best first."""
    found = {name: tmp_path / name for name in ("SYNAPTICK_CACHE_DIR", "NUMBA_CACHE_DIR", "package", "XDG_CACHE_HOME")}
    for name, path in found.items():
        if name != "package":
            monkeypatch.setenv(name, str(path))
    found["package"].mkdir()
    (found["package"] / "some.py").write_text("x = 1\n")
    monkeypatch.setattr(jit, "_KERNELS", found["package"])
    return found


def block(path: Path) -> None:
    """Put a file where the folder should be (root may write to any folder, so modes prove nothing)."""
    path.write_text("")


def test_the_first_folder_that_can_be_written_is_taken(places: dict[str, Path]) -> None:
    for place in ("SYNAPTICK_CACHE_DIR", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "package"):
        folder = jit.find_cache_folder()
        assert folder is not None
        assert Path(folder).is_dir()
        assert Path(folder).is_relative_to(places[place])
        assert not list(Path(folder).iterdir())
        if place == "package":
            (places[place] / "__pycache__" / Path(folder).name).rmdir()
            (places[place] / "__pycache__").rmdir()
            block(places[place] / "__pycache__")
        else:
            for parent in (Path(folder), *Path(folder).parents):
                if parent.is_relative_to(places[place]):
                    parent.rmdir()
            block(places[place])
    assert jit.find_cache_folder() is None


def refusing(folder: Path) -> Callable[..., Any]:
    """Return a `tempfile.TemporaryFile` for which a folder is read-only."""
    real = tempfile.TemporaryFile

    def refuse(**options: Any) -> Any:
        if Path(options["dir"]).is_relative_to(folder):
            raise OSError(30, "Read-only file system")
        return real(**options)

    return refuse


def test_a_folder_that_exists_but_is_read_only_is_passed_over(
    places: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", refusing(places["SYNAPTICK_CACHE_DIR"]))
    folder = jit.find_cache_folder()
    assert folder is not None
    assert Path(folder).is_relative_to(places["NUMBA_CACHE_DIR"])


def test_an_edited_kernel_has_a_new_folder(places: dict[str, Path]) -> None:
    first = jit.find_cache_folder()
    assert jit.find_cache_folder() == first
    (places["package"] / "some.py").write_text("x = 2\n")
    second = jit.find_cache_folder()
    (places["package"] / "base").mkdir()
    (places["package"] / "base" / "another.py").write_text("")
    assert len({first, second, jit.find_cache_folder()}) == 3


def double(x: float) -> float:
    return 2 * x


def test_without_a_folder_code_is_compiled_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jit, "CACHE_FOLDER", None)
    compiled: Any = jit.entry(double)
    assert compiled(3.0) == 6.0
    assert compiled.stats.cache_path is None
    assert not jit.is_compiled()


def test_with_a_folder_code_is_kept_there_and_numba_is_left_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jit, "CACHE_FOLDER", str(tmp_path))
    before = numba.config.CACHE_DIR
    assert not jit.is_compiled()
    compiled: Any = jit.entry(double)
    assert before == numba.config.CACHE_DIR
    assert compiled(3.0) == 6.0
    assert sum(compiled.stats.cache_misses.values()) == 1
    assert jit.is_compiled()
    again: Any = jit.entry(double)
    assert again(3.0) == 6.0
    assert sum(again.stats.cache_hits.values()) == 1
