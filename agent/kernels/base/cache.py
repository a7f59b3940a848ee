"""Compiled code on disk by rules of our own: found by what it was made of, not by where or when; also read-only.

Numba's rules name a cache after the folder of the source file, stamp it (before 0.62) with that file's time, and want a
folder that can be written even if there is nothing to write. Code that is shipped with an application would then be
compiled again wherever the application lies elsewhere or its folders are read-only. They also keep an index beside the
code, and number the files of code: an index that is damaged fails every later start, and of two processes that write
their first code at once (for two processors, on a shared file system) one can leave an index that has its own name for
the code of the other.

Here a file is all there is. It is named after a digest of everything that its code is made of, begins with the same in
words, and has a digest of the rest, so that it is whole, and the right one, or as good as absent.
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.registry import cpu_target
from numba.core.serialize import dumps

from ...files import write_atomically

# Machine code and the types around it are pickled, which differs between versions of Python.
PYTHON = f"py{sys.version_info[0]}{sys.version_info[1]}{getattr(sys, 'abiflags', '')}"


def target() -> tuple[str, str, str]:
    """Return what machine code is made for: platform, name of the processor, its features."""
    triple, processor, features = cpu_target.target_context.codegen().magic_tuple()
    return str(triple), str(processor), str(features)


def store(function: Callable[..., Any], folder: str, stamp: str) -> Any:
    """Return a cache for the `_cache` of a dispatcher of `function`, in `folder`.

    Code that cannot be written, because the folder is read-only or the disk full, is used all the same, and compiled
    again by the next process. So is code that cannot be read, because a file is damaged; the file is then replaced.

    Parameters
    ----------
    function : callable
        Without a closure: what that holds would be in the code and not in its name.
    folder : str
        Made if need be.
    stamp : str
        Of all that the code is made of beside the text of `function`.
    """
    if function.__closure__:
        raise TypeError(f"{function.__qualname__} has a closure; code that is kept must not depend on one")
    return _Store(function, Path(folder), stamp)


class _Store(NullCache):  # type: ignore[misc]
    def __init__(self, function: Callable[..., Any], folder: Path, stamp: str) -> None:
        self._function, self._folder, self._stamp = function, folder, stamp

    @property
    def cache_path(self) -> str:
        return str(self._folder)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        target_context.refresh()
        made_of = self._made_of(sig)
        found = _read(self._path(made_of))
        if found is None or found[0] != made_of:
            return None
        try:
            return CompileResult._rebuild(target_context, *pickle.loads(found[1]))
        except Exception:  # what is whole may still be of another build of LLVM, of which pickle may raise anything
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        if data.library.has_dynamic_globals:  # addresses, good in this process only
            return
        made_of = self._made_of(sig)
        rest = made_of.encode() + b"\n" + dumps(data._reduce())
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path(made_of), _digest(rest).encode() + b"\n", rest)

    def _made_of(self, sig: Any) -> str:
        """Return in one line what the code for a signature is made of: bytecode is not in it, which -OO changes."""
        name = f"{self._function.__module__}.{self._function.__qualname__}"
        own = (name, str(sig), _digest(_text(self._function)), self._stamp, numba.__version__)
        return "\t".join((PYTHON, *target(), *own))

    def _path(self, made_of: str) -> Path:
        return self._folder / f"{self._function.__name__}.{PYTHON}.{_digest(made_of.encode())[:16]}.nbc"


def _text(function: Callable[..., Any]) -> bytes:
    try:
        return inspect.getsource(function).encode()
    except OSError:  # typed in, or shipped without sources
        return function.__code__.co_code


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read(path: Path) -> tuple[str, bytes] | None:
    """Return what the code in a file is made of, and the code; None if it cannot be read or is not whole."""
    try:
        digest, _, rest = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    if _digest(rest).encode() != digest:
        return None
    made_of, _, code = rest.partition(b"\n")
    return made_of.decode(), code


def holds_code(folder: Path, name: str = "*") -> bool:
    """Return whether a folder has code, of a function of that name, and whole, for this processor and Python.

    That it is of the same sources and of the same version of Numba follows from the folder it lies in.
    """
    wanted = "\t".join((PYTHON, *target(), ""))
    try:
        kept = sorted(folder.glob(f"{name}.{PYTHON}.*.nbc"))
    except OSError:
        return False
    found = (_read(path) for path in kept)
    return any(code is not None and code[0].startswith(wanted) for code in found)
