"""The one decorator that compiles every kernel, and where compiled code is kept.

Numba's own file cache does not notice when a *callee* in another file changes. The cache folder used here is therefore
named after a digest of all kernel sources, so that an edit anywhere in this package starts from an empty folder.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., Any])

# `nnan` and `ninf` are left out: with them a compiler may take isnan to be false, and the finite checks would vanish.
FASTMATH = {"nsz", "arcp", "contract", "afn", "reassoc"}

# Decaying traces below this are set to 0: denormal numbers slow a silent network many times over.
TINY = 1e-30
# Running statistics in float64 below this are 0 for the same reason; beside 1e-30 in a variance nobody can tell.
FAINT = 1e-60
# Observations and rewards are brought within this bound, whose square and whose float32 are still finite.
HUGE = 1e18


def _source_digest() -> str:
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _first_writable(candidates: list[Path]) -> str | None:
    for folder in candidates:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return str(folder)
        except OSError:
            continue
    return None


def find_cache_folder() -> str | None:
    """Return the folder for compiled code, or None if no candidate is writable (compile in memory, each process anew).

    Candidates in order: ``SYNAPTICK_CACHE_DIR`` or ``NUMBA_CACHE_DIR``, the user's cache folder (``XDG_CACHE_HOME`` or
    ``~/.cache``), ``__pycache__`` beside the kernels. The last comes last because uninstalling leaves it behind, and a
    folder that is left in site-packages hides a later editable installation.
    """
    roots: list[Path] = []
    for variable in ("SYNAPTICK_CACHE_DIR", "NUMBA_CACHE_DIR"):
        value = os.environ.get(variable)
        if value:
            roots.append(Path(value) / "synaptick")
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if not home.startswith("~"):  # without a home the tilde stays
        roots.append(Path(home) / "synaptick")
    roots.append(Path(__file__).parent / "__pycache__")
    digest = _source_digest()
    return _first_writable([root / f"numba-{digest}" for root in roots])


CACHE_FOLDER = find_cache_folder()


def is_compiled() -> bool:
    """Return whether an earlier process has left compiled code for these kernels."""
    return CACHE_FOLDER is not None and any(Path(CACHE_FOLDER).rglob("*.nbi"))


def kernel(function: F) -> F:
    """Compile `function` in nopython mode without bounds checks, releasing the GIL.

    Only an `entry` point is cached on disk: what it calls is inlined there. Without forced inlining, a process that has
    just compiled links calls to separately optimised copies, one that loads the cache to others, and the two differ in
    the last bit.
    """
    return _compile(function, cache=False, forceinline=True)


def entry(function: F) -> F:
    """Compile `function` like `kernel`, and keep the machine code in `CACHE_FOLDER` for the next process."""
    return _compile(function, cache=CACHE_FOLDER is not None, forceinline=False)


def _compile(function: F, *, cache: bool, forceinline: bool) -> F:
    previous = numba.config.CACHE_DIR
    if cache:
        numba.config.CACHE_DIR = CACHE_FOLDER
    try:
        compiled: F = numba.njit(
            cache=cache,
            forceinline=forceinline,
            nogil=True,
            error_model="numpy",
            boundscheck=False,
            fastmath=FASTMATH,
        )(function)
    finally:
        numba.config.CACHE_DIR = previous
    return compiled


@kernel
def flushed(x: float, floor: float) -> float:
    """Return x, or 0 if it is not above `floor` in magnitude."""
    return x if abs(x) > floor else 0.0


@kernel
def fill(out: NDArray, value: float) -> None:
    """Set every element of a vector, in place (a slice assignment costs several times more in a small kernel)."""
    constant = out.dtype.type(value)
    for k in range(out.shape[0]):
        out[k] = constant


@kernel
def copy(source: NDArray, out: NDArray) -> None:
    """Copy `source` to the first elements of `out`, in place."""
    for k in range(source.shape[0]):
        out[k] = source[k]


@kernel
def add_scaled(out: NDArray, factor: float, source: NDArray) -> None:
    """``out += factor source`` for vectors of one length, in place."""
    scale = out.dtype.type(factor)
    for k in range(out.shape[0]):
        out[k] += scale * source[k]
