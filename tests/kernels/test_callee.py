"""Kernels that compiled code calls are lowered only; called from Python they are compiled for that."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from synaptick.kernels.base import jit
from synaptick.kernels.base.arrays import row
from synaptick.kernels.base.callee import Callee

pytestmark = pytest.mark.skipif(not jit.COMPILES, reason="NUMBA_DISABLE_JIT is set")


@jit.kernel
def doubled_sum(x: NDArray) -> float:
    """Return 2 sum_j x_j."""
    total = 0.0
    for j in range(x.shape[0]):
        total += x[j]
    return 2.0 * total


@jit.kernel
def last_row(x: NDArray, size: int) -> float:
    """Return twice the sum of the last `size` numbers, by a kernel that returns a view and one that reads it."""
    return doubled_sum(row(x, x.shape[0] // size - 1, size))


@jit.kernel
def largest_sum(x: NDArray) -> float:
    """Call a kernel that calls kernels, and what Numba compiles as a function of its own."""
    return max(last_row(x, 2), 1.5)


def reader(x: NDArray) -> float:
    """Call a kernel that calls kernels."""
    return last_row(x, 3)


def test_a_kernel_has_no_code_of_its_own_where_compiled_code_calls_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jit, "CACHE_FOLDER", None)  # code of an earlier run of the tests would be loaded, not made
    x = np.arange(6.0)
    assert jit.entry(reader)(x) == 2 * (3 + 4 + 5)
    assert isinstance(last_row, Callee)
    (compiled,) = last_row.overloads.values()
    with pytest.raises(AssertionError):
        compiled.entry_point(x, 3)


def test_a_kernel_can_be_called_from_python_for_any_types() -> None:
    for real in (np.float32, np.float64):
        x = np.arange(6, dtype=real)
        assert last_row(x, 2) == 2 * (4 + 5)
        assert doubled_sum(x) == 30
        assert largest_sum(x) == 18
        assert largest_sum(0 * x) == 1.5
