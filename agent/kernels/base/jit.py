"""The one decorator that compiles every kernel, and where compiled code is kept.

Numba's own file cache does not notice when a *callee* in another file changes. The cache folder used here is therefore
named after a digest of all kernel sources, so that an edit anywhere in this package starts from an empty folder.

The environment variable ``SYNAPTICK_ARITHMETIC``, read on import, chooses the arithmetic of all kernels:

``fast`` (default)
    The compiler may reorder sums, fuse products with sums and divide by multiplying. Results are the same from run to
    run on one machine, but depend in the last bits on its processor and on the compiler's version. Learning soon makes
    other histories of that: on CartPole, with the same observations, weights differ in the first step, and an action
    does after 172, 81 and 419 (one layer of 32, of 64, the default network; `synaptick bench export`).
``strict``
    IEEE 754 arithmetic in the order in which the source has it: the same bits on any machine whose C library has the
    same exp and log, and the same as those of the C code that `synaptick export c` writes. Slower, because a sum in
    order cannot be vectorized.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core.registry import CPUDispatcher

from ...errors import ConfigError
from .cache import holds_code, store
from .callee import ENTRY_COMPILER, Callee
from .rare import without_rare_parts

F = TypeVar("F", bound=Callable[..., Any])

# All sources that compiled code is made of lie below this folder.
_KERNELS = Path(__file__).parent.parent

ARITHMETICS = ("fast", "strict")
DEFAULT_ARITHMETIC = "fast"


def _chosen_arithmetic() -> str:
    chosen = os.environ.get("SYNAPTICK_ARITHMETIC") or DEFAULT_ARITHMETIC
    if chosen not in ARITHMETICS:
        allowed = ", ".join(ARITHMETICS)
        raise ConfigError(f"environment variable SYNAPTICK_ARITHMETIC is {chosen!r}; allowed: {allowed} (or unset it)")
    return chosen


ARITHMETIC = _chosen_arithmetic()

# `nnan` and `ninf` are left out: with them a compiler may take isnan to be false, and the finite checks would vanish.
FASTMATH = {"nsz", "arcp", "contract", "afn", "reassoc"} if ARITHMETIC == "fast" else set()

# Decaying traces below this are set to 0: denormal numbers slow a silent network many times over.
TINY = 1e-30
# Running statistics in float64 below this are 0 for the same reason; beside 1e-30 in a variance nobody can tell.
FAINT = 1e-60
# Observations and rewards are brought within this bound, whose square and whose float32 are still finite.
HUGE = 1e18
# A signal is cut off here: a deep stack can make a gradient of any size. Times the largest eligibility, HUGE times the
# steepest slope, and summed over a layer, it is still a float32.
SATURATION = 1e12


def _source_digest() -> str:
    digest = hashlib.sha256(f"{numba.__version__} {ARITHMETIC}".encode())
    for path in sorted(_KERNELS.rglob("*.py")):
        digest.update(path.relative_to(_KERNELS).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _first_usable(candidates: list[Path]) -> str | None:
    for folder in candidates:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return str(folder)
        except OSError:
            if holds_code(folder):
                return str(folder)
    return None


def find_cache_folder() -> str | None:
    """Return the folder for compiled code, or None if no candidate is of use (compile in memory, each process anew).

    A candidate is of use if it can be written, or if it holds code of these very kernels for this version of Python and
    this processor: an application may ship it read-only (`synaptick compile`).

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
    roots.append(_KERNELS / "__pycache__")
    digest = _source_digest()
    return _first_usable([root / f"numba-{digest}" for root in roots])


CACHE_FOLDER = find_cache_folder()

# With NUMBA_DISABLE_JIT=1 in the environment kernels are plain functions, which a debugger can step through.
COMPILES = not numba.config.DISABLE_JIT


def is_compiled(function: Callable[..., Any]) -> bool:
    """Return whether an earlier process has left the compiled code of an `entry` of this name."""
    return CACHE_FOLDER is not None and holds_code(Path(CACHE_FOLDER), function.__name__)


# "numpy": division by 0 gives what IEEE 754 says, and no exception.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "boundscheck": False, "fastmath": FASTMATH}


def kernel(function: F) -> F:
    """Compile `function` in nopython mode without bounds checks, releasing the GIL, as part of what calls it.

    Only an `entry` point has code of its own, on disk too: what it calls is inlined there. Without forced inlining, a
    process that has just compiled links calls to separately optimized copies, one that loads the cache to others, and
    the two differ in the last bit.
    """
    if not COMPILES:
        return function
    compiled: F = Callee(function, {**_OPTIONS, "forceinline": True})
    return compiled


def disjoint(function: F) -> F:
    """Promise that no two arrays that a kernel is given overlap: to be written below `kernel`.

    Its loops are then vectorized without tests at run time, whatever the number of arrays; with them, only up to about
    four.
    """
    function.disjoint = True  # type: ignore[attr-defined]
    return function


def entry(function: F) -> F:
    """Compile `function` to be called from Python, and keep the machine code in `CACHE_FOLDER` for the next process."""
    return _kept(function, CPUDispatcher)


def common_entry(function: F) -> F:
    """`entry` without the parts of the rule that few configurations use, see `rare.py`."""
    return _kept(function, _Common)


def paired_entry(function: F) -> F:
    """`common_entry` in two threads, see `halves.py`."""
    return _kept(function, _Paired)


class _Common(CPUDispatcher):  # type: ignore[misc]
    paired = False

    def compile(self, sig: Any) -> Any:
        with without_rare_parts(self.paired):
            return super().compile(sig)


class _Paired(_Common):
    paired = True


def _kept(function: F, kind: type) -> F:
    if not COMPILES:
        return function
    compiled = kind(function, targetoptions={"nopython": True, **_OPTIONS}, pipeline_class=ENTRY_COMPILER)
    if CACHE_FOLDER is not None:
        compiled._cache = store(function, CACHE_FOLDER, _source_digest())
    kept: F = compiled
    return kept
