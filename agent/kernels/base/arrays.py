"""Arrays at an address, so that a compiled call needs one integer instead of array objects.

Turning an array object into a compiled array costs 0.25 us and a small allocation, and Numba counts references to the
memory behind every view that is taken of it: a step takes hundreds. Arrays made here own nothing and count nothing,
which halves the time of a small network's step. The caller keeps the memory alive for the length of the call.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic, overload
from numba.np.arrayobj import populate_array
from numpy.typing import NDArray

from .jit import kernel


def ints_at(address: int, size: int) -> NDArray[np.int64]:
    """Return the `size` int64 numbers at `address` as an array that does not own them."""
    return np.ctypeslib.as_array((ctypes.c_int64 * size).from_address(int(address)))


def reals_at(address: int, size: int) -> NDArray[np.float64]:
    """Return the `size` float64 numbers at `address` as an array that does not own them."""
    return np.ctypeslib.as_array((ctypes.c_double * size).from_address(int(address)))


def floats_at(address: int, size: int) -> NDArray[np.float32]:
    """Return the `size` float32 numbers at `address` as an array that does not own them."""
    return np.ctypeslib.as_array((ctypes.c_float * size).from_address(int(address)))


@intrinsic  # type: ignore[untyped-decorator]
def _pointer(typing_context: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(types.voidptr))

    return types.voidptr(types.intp), generate


# Numba compares the signatures of an overload and its implementation, annotations included: these have none.
@overload(ints_at)
def _compiled_ints_at(address, size):  # type: ignore[no-untyped-def]
    return lambda address, size: numba.carray(_pointer(address), size, np.int64)


@overload(reals_at)
def _compiled_reals_at(address, size):  # type: ignore[no-untyped-def]
    return lambda address, size: numba.carray(_pointer(address), size, np.float64)


@overload(floats_at)
def _compiled_floats_at(address, size):  # type: ignore[no-untyped-def]
    return lambda address, size: numba.carray(_pointer(address), size, np.float32)


def span(array: NDArray, offset: int, size: int) -> NDArray:
    """Return ``array[offset : offset + size]`` of a one-dimensional array, without any check.

    Compiled, a slice costs a dozen instructions to bring its ends into range, each time one is taken, and a step takes
    hundreds; this costs one addition, and the step compiles in two thirds of the time. The result owns nothing.
    """
    return array[offset : offset + size]


@intrinsic  # type: ignore[untyped-decorator]
def _unchecked_span(typing_context: Any, array: Any, offset: Any, size: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source = context.make_array(array)(context, builder, arguments[0])
        result = context.make_array(array)(context, builder)
        populate_array(
            result,
            data=builder.gep(source.data, [arguments[1]]),
            shape=[arguments[2]],
            strides=[source.itemsize],
            itemsize=source.itemsize,
            meminfo=None,
        )
        return result._getvalue()

    return array(array, types.intp, types.intp), generate


@overload(span)
def _compiled_span(array, offset, size):  # type: ignore[no-untyped-def]
    return lambda array, offset, size: _unchecked_span(array, offset, size)


@kernel
def view(section: NDArray, place: Any) -> NDArray:
    """Return the array at a place, a record of `records.PLACE`, of a section of the arena."""
    return span(section, place.at, place.length)


@kernel
def row(matrix: NDArray, index: int, size: int) -> NDArray:
    """Return row `index` of a matrix whose rows of `size` lie one after the other."""
    return span(matrix, index * size, size)
