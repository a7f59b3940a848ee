"""Parts of the rule that few configurations use, and the step without them.

Kernels ask a constant, ``if RARE and ..``. Numba takes a global for what it is when a kernel is compiled, and drops a
branch that a constant rules out before it is typed: without `without_rare_parts` a step has every part, with it the
common ones, and compiles in two thirds of the time.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from numba.core.compiler_lock import global_compiler_lock

from .callee import forget

RARE = True

_KERNELS = __name__.rpartition(".base.")[0]


@contextmanager
def without_rare_parts() -> Iterator[None]:
    """Have kernels compiled without rare parts; those compiled otherwise, before or meanwhile, are forgotten."""
    with global_compiler_lock:
        ours = (module for name, module in list(sys.modules.items()) if name.startswith(_KERNELS))
        modules = [module for module in ours if hasattr(module, "RARE")]
        _set(modules, False)
        try:
            yield
        finally:
            _set(modules, True)


def _set(modules: list[ModuleType], value: bool) -> None:
    for module in modules:
        vars(module)["RARE"] = value
    forget()
