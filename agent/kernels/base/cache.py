"""Compiled code on disk by rules of our own: found by what it was made of, not by where or when; also read-only.

Numba's rules name a cache after the folder of the source file, stamp it (before 0.62) with that file's time, and want a
folder that can be written even if there is nothing to write. Code that is shipped with an application would then be
compiled again wherever the application lies elsewhere or its folders are read-only. Here the folder and its stamp come
from the caller, who derives both from the content of all kernels. What stays Numba's: one index per function and
version of Python, in which compiled code is found by signature, processor (name and features) and bytecode.
"""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable, Iterable
from typing import Any

from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator
from numba.core.registry import cpu_target


def target() -> tuple[str, str, str]:
    """Return what machine code is made for: platform, name of the processor, its features."""
    triple, processor, features = cpu_target.target_context.codegen().magic_tuple()
    return str(triple), str(processor), str(features)


def store(function: Callable[..., Any], folder: str, stamp: str) -> Any:
    """Return a cache for the `_cache` of a dispatcher of `function`, in `folder`, for sources that have this `stamp`.

    Code that cannot be written, because the folder is read-only or the disk full, is used all the same, and compiled
    again by the next process; so is code that cannot be read, because a file is damaged.
    """

    class Place(_CacheLocator):  # type: ignore[misc]
        def __init__(self, py_func: Any, py_file: str) -> None:
            self._py_file = py_file  # named in the warnings of Numba
            self._line = py_func.__code__.co_firstlineno

        def get_cache_path(self) -> str:
            return folder

        def get_source_stamp(self) -> str:
            return stamp

        def get_disambiguator(self) -> str:
            return str(self._line)

        @classmethod
        def from_function(cls, py_func: Any, py_file: str) -> Any:
            return cls(py_func, py_file)

    class Rules(CompileResultCacheImpl):  # type: ignore[misc]
        _locator_classes = (Place,)

    class Store(FunctionCache):  # type: ignore[misc]
        _impl_class = Rules

        def load_overload(self, sig: Any, target_context: Any) -> Any:
            try:
                return super().load_overload(sig, target_context)
            except Exception:  # of which pickle may raise anything
                return None

        def save_overload(self, sig: Any, data: Any) -> None:
            with contextlib.suppress(OSError):
                super().save_overload(sig, data)

    return Store(function)


def holds_code(indices: Iterable[Any], python: str) -> bool:
    """Return whether one of the index files (paths) has code for this processor and version of Python, as "py311".

    That an index is of the same sources and of the same version of Numba follows from the folder it lies in.
    """
    for path in indices:
        if not path.stem.endswith(python):
            continue
        try:
            with path.open("rb") as file:
                pickle.load(file)  # the version of Numba
                _, found = pickle.load(file)
            if any(key[1] == target() for key in found):
                return True
        except Exception:  # a damaged file, of which pickle may raise anything
            continue
    return False
