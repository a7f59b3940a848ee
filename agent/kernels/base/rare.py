"""Parts of the rule that few configurations use, and the step without them.

Kernels ask a constant, ``if RARE and ..``. Numba takes a global for what it is when a kernel is compiled, and drops a
branch that a constant rules out before it is typed: without `without_rare_parts` a step has every part, with it the
common ones, and compiles in two thirds of the time.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numba.core.compiler_lock import global_compiler_lock

from .callee import forget

RARE = True
# Whether another thread does the critic's half of a step, see `halves.py`.
PAIRED = False

_KERNELS = __name__.rpartition(".base.")[0]


@contextmanager
def without_rare_parts(paired: bool = False) -> Iterator[None]:
    """Have kernels compiled without rare parts, if `paired` for two threads.

    Those compiled otherwise, before or meanwhile, are forgotten.
    """
    with global_compiler_lock:
        ours = (module for name, module in list(sys.modules.items()) if name.startswith(_KERNELS))
        spaces = [vars(module) for module in ours]
        _set(spaces, RARE=False, PAIRED=paired)
        try:
            yield
        finally:
            _set(spaces, RARE=True, PAIRED=False)


def _set(spaces: list[dict[str, Any]], **constants: bool) -> None:
    for space in spaces:
        space.update((name, value) for name, value in constants.items() if name in space)
    forget()
