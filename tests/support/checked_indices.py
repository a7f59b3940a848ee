"""Kernels that check every index, where they run interpreted (NUMBA_DISABLE_JIT=1).

Compiled, nothing is checked; interpreted, NumPy takes an index below 0 for one from the end, and cuts a slice that is
too long. Both read or write something else in silence, which may even lie in the padding and change nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from synaptick.kernels.base import arrays


class Checked(np.ndarray):
    """An array of one dimension that refuses an index outside it."""

    def _checked(self, index: Any) -> Any:
        first = index.start or 0 if isinstance(index, slice) else index
        if not 0 <= first < self.size + isinstance(index, slice):
            raise IndexError(f"index {index} of {self.size} numbers")
        return index

    def __getitem__(self, index: Any) -> Any:
        return super().__getitem__(self._checked(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(self._checked(index), value)


def checked_span(array: Any, offset: int, size: int) -> Any:
    """`span`, refused unless all of it lies inside the array."""
    if not 0 <= offset <= offset + size <= array.size:
        raise IndexError(f"numbers {offset} to {offset + size} of {array.size}")
    return array[offset : offset + size].view(Checked)


def replace(old: Callable[..., Any], new: Callable[..., Any]) -> None:
    """Put a function in the place of another in all kernels, which hold it by its name."""
    for name, module in list(sys.modules.items()):
        if name.startswith("synaptick.kernels") and vars(module).get(old.__name__) is old:
            setattr(module, old.__name__, new)


def check_indices() -> None:
    """From now on, check every span that a kernel takes and every index into it."""
    checked_span.__name__ = arrays.span.__name__
    replace(arrays.span, checked_span)
