"""The compiled step before a loop: made or loaded in time, sealed, and shipped with an application."""

from __future__ import annotations

import gc
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn, TextIO

import numba
from numba import types

from .errors import CompileError, ConfigError, StateError
from .kernels import tick as kernel
from .kernels.base import jit
from .kernels.base.cache import PYTHON, target

UNCOMPILED = "there is no compiled code while NUMBA_DISABLE_JIT is set; unset it"

# The one signature of the step; `Agent` casts what it is given to it.
SIGNATURE = (types.int64, types.float64, types.int64, types.boolean)

# Steps that are there, with and without rare parts; `Agent.start` asks each time.
_made: set[bool] = set()


def step_of(rare: bool) -> Any:
    """Return the compiled step with all parts of the rule, or that with the common ones."""
    return kernel.tick if rare else kernel.common_tick


def notice() -> str:
    """Return a line for a user who will wait for each step: empty if there is nothing to say."""
    if jit.COMPILES:
        return ""
    return (
        "NUMBA_DISABLE_JIT is set: kernels are not compiled, as is good for stepping through them; a step takes "
        "thousands of times longer"
    )


def make(rare: bool, load_only: bool = False, quiet: bool = False) -> None:
    """Compile a step, or load it, if that was not done; say on standard error that and how long it compiles."""
    if rare in _made:
        return
    step = step_of(rare)
    if not jit.COMPILES or SIGNATURE in step.overloads:
        _made.add(rare)
        return
    found = jit.is_compiled(step)
    if load_only and not found:
        raise CompileError(_not_found())
    _compile(step, SIGNATURE, quiet or found)
    if load_only and step.stats.cache_misses:
        raise CompileError(_not_found())
    _made.add(rare)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Keep the garbage collector from walking what the compiler builds, a fifteenth of its time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextmanager
def _shown(stream: TextIO | None) -> Iterator[None]:
    """Show on a stream, from a thread of its own, that something is going on."""
    if stream is None:
        yield
        return
    done = threading.Event()
    thread = threading.Thread(target=_show, args=(stream, done), name="synaptick compiles", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _show(stream: TextIO, done: threading.Event) -> None:
    begun, text = time.monotonic(), "synaptick: compiling the step, once on a machine"
    with suppress(OSError, ValueError):  # a stream that is closed
        if stream.isatty():
            for sign in itertools.cycle("|/-\\"):
                print(f"\r{text} {sign} {time.monotonic() - begun:.0f} s ", end="", file=stream, flush=True)
                if done.wait(0.2):
                    break
            print("\r" + " " * 78 + "\r", end="", file=stream)
        else:
            print(f"{text}, which takes some 10 seconds", file=stream, flush=True)
            done.wait()
        print(f"synaptick: compiled the step in {time.monotonic() - begun:.0f} s", file=stream, flush=True)


def check_pair(rare: bool) -> None:
    """Raise the error of `Agent.in_two_threads` if there is no step in two threads, of a kind or at all."""
    if rare:
        raise ConfigError(
            "a step in two threads has only the common parts of the rule: no depth_filter factored or tensor (or none "
            "under a second memory layer), no more than three layers, no recurrent_hop, reset_path, "
            "rate_regularization or adaptive feedback; take one thread"
        )
    if not jit.COMPILES:
        raise CompileError(UNCOMPILED)


def make_pair(quiet: bool = False) -> None:
    """`make` the step in two threads, which is known to be there."""
    make(False, quiet=quiet)
    halves: tuple[Any, Any] = kernel.paired_tick, kernel.accompany
    for half, signature in zip(halves, ((*SIGNATURE, types.int64), (types.int64,) * 2), strict=True):
        if signature not in half.overloads:
            _compile(half, signature, quiet or jit.is_compiled(half))


def _compile(step: Any, signature: tuple[Any, ...], quiet: bool) -> None:
    with _shown(None if quiet else sys.stderr), _without_collection():
        step.compile(signature)


def prepare(steps: Iterable[bool] = (False, True), load_only: bool = False, quiet: bool = False) -> None:
    """Compile steps, or load them, and seal them: see `Agent.compile`."""
    for rare in steps if jit.COMPILES else ():
        seal(rare, load_only, quiet)


def seal(rare: bool, load_only: bool = False, quiet: bool = False) -> Any:
    """`make` a step, which then takes the one signature only, and return it."""
    make(rare, load_only, quiet)
    step = step_of(rare)
    step.disable_compile()
    # Numba's own words for this are a TypeError without a way out. A call finds the method by name, in the instance.
    step._explain_matching_error = _refuse
    return step


def _refuse(*arguments: Any, **_: Any) -> NoReturn:
    given = ", ".join(str(numba.typeof(argument)) for argument in arguments)
    raise CompileError(
        f"the step was called with ({given}), for which it would have to be compiled anew; after Agent.compile() it "
        f"takes only {tuple(map(str, SIGNATURE))}: address, reward, mode and learning as int, float, int and bool"
    )


def _not_found() -> str:
    facts = depends_on()
    return (
        f"no compiled code for {facts['python']}, numba {facts['numba']}, processor {facts['processor']} and sources "
        f"{facts['sources']} in {facts['folder'] or 'any folder'}; make it in the place where it is to run, with "
        "synaptick compile --out DIR, and start the program with SYNAPTICK_CACHE_DIR=DIR"
    )


def depends_on() -> dict[str, Any]:
    """Return what compiled code is found by in this process; if anything else differs, it is found all the same.

    Returns
    -------
    dict
        ``folder`` where it is kept (None: in memory only); ``python`` and ``numba``, versions; ``platform``,
        ``processor`` and ``features`` of the machine, as LLVM names them (``NUMBA_CPU_NAME`` and ``NUMBA_CPU_FEATURES``
        override them); ``arithmetic``; ``sources``, a digest of all kernels, the version of Numba and the arithmetic.
        Paths and times of files do not matter.
    """
    platform, processor, features = target()
    return {
        "folder": jit.CACHE_FOLDER,
        "python": PYTHON,
        "numba": numba.__version__,
        "platform": platform,
        "processor": processor,
        "features": features,
        "arithmetic": jit.ARITHMETIC,
        "sources": jit._source_digest(),
    }


_COMPILE = "from synaptick import Agent; Agent.compile()"

# Refuses whatever would change a file, so that the folder is as good as read-only, and so is all else.
_VERIFY = """
import errno, os, sys
def refuse(event, arguments):
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if (writes and arguments[0] != os.devnull) or event in ("os.mkdir", "os.rename", "os.remove"):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(arguments[0]))
sys.dont_write_bytecode = True
sys.addaudithook(refuse)
import json, time
begun = time.perf_counter()
from synaptick import Agent
from synaptick.compilation import depends_on
Agent.compile(load_only=True)
print(json.dumps({**depends_on(), "seconds_to_load": time.perf_counter() - begun}))
"""


def compile_into(folder: Path) -> dict[str, Any]:
    """Compile the step into a folder, verify in a new process that may not write anything that it is found there.

    Parameters
    ----------
    folder : Path
        Made if need be. Later processes find the code with ``SYNAPTICK_CACHE_DIR=folder``; the folder may be copied and
        may be read-only.

    Returns
    -------
    dict
        `depends_on`, ``files``, ``bytes`` and ``seconds_to_load``.

    Raises
    ------
    StateError
        If the folder cannot be written.
    CompileError
        If compiling fails, or the code is not found.
    """
    if not jit.COMPILES:
        raise CompileError(UNCOMPILED)
    folder = folder.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise StateError(
            f"--out {folder}: {error.strerror or error}; give a folder that can be written now (it may be read-only "
            "later)"
        ) from error
    _python(_COMPILE, folder)
    found: dict[str, Any] = json.loads(_python(_VERIFY, folder).splitlines()[-1])
    if not Path(found["folder"]).is_relative_to(folder):
        raise CompileError(f"compiled code was found in {found['folder']}, not in {folder}")
    sizes = [path.stat().st_size for path in Path(found["folder"]).iterdir()]
    return {"out": str(folder), **found, "files": len(sizes), "bytes": sum(sizes)}


def _python(program: str, folder: Path) -> str:
    environment = {**os.environ, "SYNAPTICK_CACHE_DIR": str(folder)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise CompileError(f"compiling into {folder} failed: {last}")
    return done.stdout
