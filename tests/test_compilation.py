"""Compiled before the loop, never in it; shipped with an application, wherever that lies and whatever it may write."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import types
from synaptick import Agent, CompileError, StateError, compilation
from synaptick.compilation import SIGNATURE, compile_into, depends_on
from synaptick.kernels import tick as kernel
from synaptick.kernels.base import jit

from .kernels.test_cache import block, double, places, refusing
from .support.common import ROOT, SIZE, drive, make_agent
from .support.runs import Cli

__all__ = ["places"]

# Refuses whatever would change a file anywhere, as a file system that is mounted read-only does, root or not.
READ_ONLY = """
import errno, os, sys
def refuse(event, arguments):
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if (writes and arguments[0] != os.devnull) or event in ("os.mkdir", "os.rename", "os.remove"):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(arguments[0]))
sys.dont_write_bytecode = True
sys.addaudithook(refuse)
"""
PROGRAM = """
import json
import synaptick
from synaptick import Agent, CompileError
from synaptick.kernels.base import jit
from synaptick.kernels.tick import tick
found = {"folder": jit.CACHE_FOLDER, "package": synaptick.__file__, "error": ""}
try:
    Agent.compile(load_only=True)
    from gymnasium import spaces
    from synaptick import Config
    agent = Agent(Config(layers=(4,), memory=0), spaces.Box(-1, 1, (3,)), spaces.Discrete(3))
    agent.start([0.0, 0.5, 1.0])
    found["action"] = int(agent.step(1.0, [0.0, 0.5, 1.0]))
except CompileError as error:
    found["error"] = str(error)
found["loaded"], found["compiled"] = sum(tick.stats.cache_hits.values()), sum(tick.stats.cache_misses.values())
print(json.dumps(found))
"""


def run(program: str, folder: Path, **variables: str) -> dict[str, Any]:
    """Run a program in a new process without a home, with compiled code in `folder`, and return what it prints."""
    dropped = ("HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR", "PYTHONPATH")
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=folder.parent,
        env={**environment, "SYNAPTICK_CACHE_DIR": str(folder), "HOME": "/nonexistent", **variables},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """Return a folder with a copy of the compiled code of this session, as an application would have it."""
    Agent.compile()
    assert jit.CACHE_FOLDER is not None
    source = Path(jit.CACHE_FOLDER)
    shutil.copytree(source, tmp_path / "shipped" / "synaptick" / source.name)
    return tmp_path / "shipped"


# ---- never in a loop


def test_after_compile_no_call_compiles() -> None:
    Agent.compile()
    Agent.compile()  # harmless
    tick: Any = kernel.common_tick
    with pytest.raises(CompileError, match=r"array\(float64, 1d, C\), float64, int64, bool.*takes only"):
        tick(np.zeros(3), 1.0, kernel.STEP, True)
    with pytest.raises(RuntimeError, match="compilation disabled"):
        tick.compile((types.int64, types.complex128, types.int64, types.boolean))
    agent = make_agent()
    assert tick(agent.arena.address, 1, kernel.STEP, True) == kernel.NOT_STARTED  # cast to the one signature
    drive(agent, 50)
    agent.step(1, np.zeros(SIZE, np.float32))
    assert tick.signatures == [SIGNATURE]


def test_without_code_that_is_there_load_only_refuses_and_says_how_to_make_it(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    found = run(PROGRAM, tmp_path / "none")
    assert (found["loaded"], found["compiled"]) == (0, 0)
    for part in (
        "no compiled code for py3",
        "numba",
        "processor",
        "synaptick compile --out DIR",
        "SYNAPTICK_CACHE_DIR",
    ):
        assert part in found["error"]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_who_waits_for_the_compiler_sees_that_it_goes_on() -> None:
    log, terminal = io.StringIO(), Terminal()
    for stream in (log, terminal, None):
        with compilation._shown(stream):
            time.sleep(0.5)
    start, end = log.getvalue().splitlines()
    assert start == "synaptick: compiling the step, once on a machine, which takes some 10 seconds"
    assert re.fullmatch(r"synaptick: compiled the step in [01] s", end)
    assert "\rsynaptick: compiling the step, once on a machine / 0 s " in terminal.getvalue()
    assert re.search(r"\r +\rsynaptick: compiled the step in [01] s\n$", terminal.getvalue())


def test_warmup_makes_what_the_first_run_would(cli: Cli) -> None:
    Agent.compile()
    code, out, err = cli("warmup")
    assert (code, err) == (0, "")
    assert re.fullmatch(r"the step is ready after \d+\.\d s, kept in .*numba-[0-9a-f]{16}\n", out)
    code, out, _ = cli("warmup", "--json")
    assert json.loads(out)["folder"] == jit.CACHE_FOLDER


def test_an_error_of_the_compiler_is_not_hidden_and_a_closed_stream_does_no_harm() -> None:
    closed = io.StringIO()
    closed.close()
    with pytest.raises(CompileError, match="that"), compilation._shown(closed):
        raise CompileError("that")


# ---- shipped


def test_shipped_code_is_used_without_a_home_and_without_writing_anything(shipped: Path) -> None:
    before = sorted(path.stat().st_mtime_ns for path in shipped.rglob("*"))
    found = run(READ_ONLY + PROGRAM, shipped)
    assert (found["error"], found["loaded"], found["compiled"]) == ("", 1, 0)
    assert Path(found["folder"]).is_relative_to(shipped)
    assert found["action"] in (0, 1, 2)
    assert sorted(path.stat().st_mtime_ns for path in shipped.rglob("*")) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to any folder")
def test_shipped_code_is_used_in_a_folder_without_permission_to_write(shipped: Path) -> None:
    folders = [shipped, *(path for path in shipped.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o500)
    try:
        found = run(PROGRAM, shipped)
    finally:
        for folder in folders:
            folder.chmod(0o700)
    assert (found["error"], found["loaded"], found["compiled"]) == ("", 1, 0)


def test_shipped_code_is_found_wherever_the_package_and_the_folder_lie(shipped: Path, tmp_path: Path) -> None:
    """Not by path or time of a file, as Numba's own caches are."""
    site = tmp_path / "elsewhere" / "synaptick"
    for part in ("", "envs", "configs"):
        shutil.copytree(ROOT / (part or "agent"), site / part, copy_function=shutil.copyfile)
    moved = shipped.rename(tmp_path / "moved")
    found = run(PROGRAM, moved, PYTHONPATH=str(site.parent))
    assert Path(found["package"]).is_relative_to(site)
    assert (found["error"], found["loaded"], found["compiled"]) == ("", 1, 0)


def test_shipped_code_is_used_by_python_without_docstrings(shipped: Path) -> None:
    """Its bytecode is another one, which is no reason to compile again in every start from a read-only folder."""
    found = run(READ_ONLY + PROGRAM, shipped, PYTHONOPTIMIZE="2")
    assert (found["error"], found["loaded"], found["compiled"]) == ("", 1, 0)


def test_code_for_another_processor_is_not_used(shipped: Path) -> None:
    # The folder may hold code for a generic processor, but hardly with its features in this order.
    found = run(PROGRAM, shipped, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="+sse2,+sse")
    assert "processor generic" in found["error"]
    assert (found["loaded"], found["compiled"]) == (0, 0)


def test_with_nothing_that_can_be_written_or_read_no_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    found = run(READ_ONLY + PROGRAM, tmp_path / "none")
    assert found["folder"] is None
    assert "in any folder" in found["error"]


# ---- the command


def test_the_command_compiles_verifies_and_says_what_it_depends_on(cli: Cli, shipped: Path) -> None:
    code, out, err = cli("compile", "--out", shipped, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert {name: found[name] for name in depends_on() if name != "folder"} == {
        name: value for name, value in depends_on().items() if name != "folder"
    }
    assert found["files"] == len(list(Path(found["folder"]).iterdir())) >= 1
    code, out, err = cli("compile", "--out", shipped)
    assert (code, err) == (0, "")
    for part in (f"SYNAPTICK_CACHE_DIR={shipped}", "numba", "processor", "features", "sources", "load_only"):
        assert part in out


@pytest.mark.long
def test_the_command_compiles_into_an_empty_folder(cli: Cli, tmp_path: Path) -> None:
    code, out, err = cli("compile", "--out", tmp_path / "new" / "folder", "--json")
    assert (code, err) == (0, "")
    assert Path(json.loads(out)["folder"]).is_relative_to(tmp_path / "new" / "folder")
    assert run(READ_ONLY + PROGRAM, tmp_path / "new" / "folder")["loaded"] == 1


def test_a_folder_that_cannot_be_made_is_refused(cli: Cli, tmp_path: Path) -> None:
    block(tmp_path / "file")
    code, out, err = cli("compile", "--out", tmp_path / "file" / "folder")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "give a folder that can be written now" in err
    with pytest.raises(StateError):
        compile_into(tmp_path / "file")


# ---- not compiled at all

INTERPRETED = """
import json
import numpy as np
from synaptick import Agent, CompileError
from synaptick.compilation import compile_into, notice
from synaptick.kernels.base import jit
from synaptick.kernels.tick import tick
from tests.support.common import SIZE, make_agent
agent, stream, said = make_agent(layers=(8,)), np.random.default_rng(0), notice()
Agent.compile()
assert notice() == ("" if jit.COMPILES else said)
actions = [agent.start(stream.standard_normal(SIZE))]
actions += [agent.step(stream.standard_normal(), stream.standard_normal(SIZE)) for _ in range(40)]
refused = []
if not jit.COMPILES:
    from synaptick.compiled_loop import load_tick
    for call in (load_tick, lambda: compile_into("nowhere")):
        try:
            call()
        except CompileError as error:
            refused.append(str(error))
kind = type(tick).__name__
print(json.dumps({"actions": list(map(int, actions)), "notice": said, "refused": refused, "function": kind}))
"""


def test_without_a_compiler_the_agent_does_the_same_slowly_and_says_so(tmp_path: Path) -> None:
    """The equations can be stepped through with NUMBA_DISABLE_JIT=1; sums differ in the last bit, so not for long."""
    assert jit.CACHE_FOLDER is not None
    cache = Path(jit.CACHE_FOLDER).parent.parent
    Agent.compile()
    compiled, plain = (
        run(INTERPRETED, cache, PYTHONPATH=str(ROOT), NUMBA_DISABLE_JIT=disabled) for disabled in ("0", "1")
    )
    assert (compiled["function"], plain["function"]) == ("CPUDispatcher", "function")
    assert plain["actions"] == compiled["actions"]
    assert len(set(plain["actions"])) > 1
    assert (compiled["notice"], compiled["refused"]) == ("", [])
    assert plain["notice"].startswith("NUMBA_DISABLE_JIT is set: kernels are not compiled")
    assert plain["refused"] == ["there is no compiled code while NUMBA_DISABLE_JIT is set; unset it"] * 2


# ---- which folder is taken


def test_a_folder_that_is_read_only_is_taken_if_it_holds_the_code(
    places: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = jit.find_cache_folder()
    assert folder is not None
    real, refuse = tempfile.TemporaryFile, refusing(places["SYNAPTICK_CACHE_DIR"])
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    other = jit.find_cache_folder()
    assert other is not None
    assert Path(other).is_relative_to(places["NUMBA_CACHE_DIR"])
    monkeypatch.setattr(jit, "CACHE_FOLDER", folder)
    monkeypatch.setattr(tempfile, "TemporaryFile", real)
    compiled: Any = jit.entry(double)
    assert compiled(3.0) == 6.0
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert jit.find_cache_folder() == folder
    assert jit.is_compiled(double)
    (code,) = Path(folder).glob("*.nbc")
    code.write_bytes(code.read_bytes()[:2000])  # damaged: of no use
    assert jit.find_cache_folder() == other
    assert not jit.is_compiled(double)


def test_code_that_cannot_be_kept_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    block(tmp_path / "file")
    monkeypatch.setattr(jit, "CACHE_FOLDER", str(tmp_path / "file" / "folder"))
    compiled: Any = jit.entry(double)
    assert compiled(3.0) == 6.0
    assert not jit.is_compiled(double)
