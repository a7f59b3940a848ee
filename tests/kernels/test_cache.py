"""Compiled code on disk: it computes what fresh code computes, and where no folder can be written, memory has to do."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import pytest
from synaptick.kernels.base import cache, jit

from ..support.common import ROOT

PROGRAM = """
import hashlib, json
from tests.support.common import drive, make_agent
from synaptick.kernels.tick import common_tick as tick
digests = []
for changes in ({"layers": (12,)}, {"layers": (12, 11, 10)}):
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
    assert len(set(cold["digests"])) == 2


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
    assert not jit.is_compiled(double)


def test_with_a_folder_code_is_kept_there_and_numba_is_left_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jit, "CACHE_FOLDER", str(tmp_path))
    before = numba.config.CACHE_DIR
    assert not jit.is_compiled(double)
    compiled: Any = jit.entry(double)
    assert before == numba.config.CACHE_DIR
    assert compiled(3.0) == 6.0
    assert sum(compiled.stats.cache_misses.values()) == 1
    assert jit.is_compiled(double)
    again: Any = jit.entry(double)
    assert again(3.0) == 6.0
    assert sum(again.stats.cache_hits.values()) == 1


# ---- a file is whole, and the right one, or as good as absent


def treble(x: float) -> float:
    return 3 * x


def kept(function: Callable[..., Any], folder: Path, stamp: str = "stamp") -> Any:
    """Return a compiled function whose code is kept in `folder`."""
    compiled: Any = numba.njit(function)
    compiled._cache = cache.store(function, str(folder), stamp)
    return compiled


def loads(function: Callable[..., Any], folder: Path, stamp: str = "stamp") -> bool:
    """Return whether the code of a function is found, and whether it is right in any case."""
    compiled = kept(function, folder, stamp)
    assert compiled(3.0) == function(3.0)
    hits, misses = (sum(count.values()) for count in (compiled.stats.cache_hits, compiled.stats.cache_misses))
    assert hits + misses == 1
    return bool(hits)


def flip(whole: bytes, at: int) -> bytes:
    return whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda whole: b"",
    "half": lambda whole: whole[: len(whole) // 2],
    "one byte short": lambda whole: whole[:-1],
    "one byte more": lambda whole: whole + b"0",
    "zeros": lambda whole: bytes(len(whole)),
    "a bit of the digest": lambda whole: flip(whole, 3),
    "a bit of what it is made of": lambda whole: flip(whole, 70),
    "a bit of the code": lambda whole: flip(whole, len(whole) // 2),
    "not a word of it": lambda whole: bytes(range(256)) * 40,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_as_good_as_absent_and_replaced(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    assert not loads(double, tmp_path)
    assert loads(double, tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert not cache.holds_code(tmp_path)
    assert not loads(double, tmp_path)
    assert list(tmp_path.iterdir()) == [path]
    assert cache.holds_code(tmp_path)
    assert loads(double, tmp_path)


def test_whole_code_that_numba_cannot_take_is_replaced(tmp_path: Path) -> None:
    assert not loads(double, tmp_path)
    (path,) = tmp_path.iterdir()
    made_of = path.read_bytes().split(b"\n")[1]
    for code in (b"", b"no pickle", pickle.dumps(3), pickle.dumps(())):
        rest = made_of + b"\n" + code
        path.write_bytes(hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest)
        assert not loads(double, tmp_path)
        assert loads(double, tmp_path)


def test_code_under_the_name_of_other_code_is_not_taken(tmp_path: Path) -> None:
    """Numba numbers the files of code, and of two processes one could leave the name of its own for the other's."""
    assert not loads(double, tmp_path / "double")
    assert not loads(double, tmp_path / "double", stamp="of other sources")
    assert not loads(treble, tmp_path / "treble")
    assert len(list((tmp_path / "double").iterdir())) == 2
    (of_treble,) = (tmp_path / "treble").iterdir()
    for path in (tmp_path / "double").iterdir():
        shutil.copyfile(of_treble, path)
    assert not loads(double, tmp_path / "double")
    assert not loads(double, tmp_path / "double", stamp="of other sources")
    assert loads(double, tmp_path / "double")


def test_a_function_with_a_closure_is_refused(tmp_path: Path) -> None:
    factor = 2.0
    with pytest.raises(TypeError, match=r"<lambda> has a closure"):
        cache.store(lambda x: factor * x, str(tmp_path), "")


# ---- other processes, and disks that fail

TINY = """
import json, sys
from pathlib import Path
from tests.kernels.test_cache import loads, treble
{first}
print(json.dumps(loads(treble, Path({folder!r}))))
"""


def tiny(folder: Path, first: str = "", **variables: str) -> subprocess.Popen[str]:
    """Start a process that calls `treble`, after the lines `first`, and prints whether its code was found."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", TINY.format(folder=str(folder), first=first)],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def found_by(process: subprocess.Popen[str]) -> bool:
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    return bool(json.loads(out))


def test_processes_that_write_at_once_for_two_processors(tmp_path: Path) -> None:
    """As on a shared home: none may be handed code for the other processor."""
    processors: list[dict[str, str]] = [{}, {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}]
    for process in [tiny(tmp_path, **variables) for variables in processors * 2]:
        found_by(process)  # its own, or that of the other one for this processor
    assert all(found_by(tiny(tmp_path, **variables)) for variables in processors)
    assert [path.suffix for path in tmp_path.iterdir()] == [".nbc", ".nbc"]


@pytest.mark.parametrize(
    "first",
    [
        # A disk that is full after so many bytes: the process is refused more, as it is there.
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))",
        "import errno, os\ndef full(*_):\n    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))\nos.fsync = full",
    ],
    ids=["cut short", "not synchronized"],
)
def test_on_a_full_disk_code_is_used_and_no_part_of_it_kept(first: str, tmp_path: Path) -> None:
    assert not found_by(tiny(tmp_path, first))
    assert list(tmp_path.iterdir()) == []
    assert not loads(treble, tmp_path)
    assert loads(treble, tmp_path)


def test_a_process_killed_while_it_writes_leaves_no_code(tmp_path: Path) -> None:
    killed = tiny(tmp_path, "import os, signal\nos.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)")
    assert killed.wait(timeout=120) == -signal.SIGKILL
    killed.communicate()
    assert len(list(tmp_path.iterdir())) == 1
    assert not cache.holds_code(tmp_path)
    assert not loads(treble, tmp_path)
    assert loads(treble, tmp_path)


def test_a_folder_that_vanishes_is_made_again_if_it_can_be(tmp_path: Path) -> None:
    folder = tmp_path / "some" / "folder"
    compiled = kept(double, folder)
    assert compiled(3.0) == 6.0
    shutil.rmtree(folder.parent)
    assert not loads(double, folder)
    assert loads(double, folder)
    shutil.rmtree(folder.parent)
    block(folder.parent)
    assert not loads(double, folder)
    assert not cache.holds_code(folder)
