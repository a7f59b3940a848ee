"""Arrays at an address, so that a compiled call needs one integer instead of array objects.

Turning an array object into a compiled array costs 0.25 us and a small allocation, and Numba counts references to the
memory behind every view that is taken of it: a step takes hundreds. Arrays made here own nothing and count nothing,
which halves the time of a small network's step. The caller keeps the memory alive for the length of the call.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numba import types
from numba.extending import lower_builtin, type_callable
from numpy.typing import NDArray

from .jit import kernel
from .lowering import array_at, as_intp


def ints_at(address: int, size: int) -> NDArray[np.int64]:
    """Return the `size` int64 numbers at `address` as an array that does not own them."""
    return np.ctypeslib.as_array((ctypes.c_int64 * size).from_address(int(address)))


def reals_at(address: int, size: int) -> NDArray[np.float64]:
    """Return the `size` float64 numbers at `address` as an array that does not own them."""
    return np.ctypeslib.as_array((ctypes.c_double * size).from_address(int(address)))


def floats_at(address: int, size: int) -> NDArray[np.float32]:
    """Return the `size` float32 numbers at `address` as an array that does not own them."""
    return np.ctypeslib.as_array((ctypes.c_float * size).from_address(int(address)))


def _at_address(place: Any, number: types.Number) -> None:
    """Let compiled code call `place`, one of the functions above, for an array of numbers of this type."""
    kind = types.Array(number, 1, "C")

    @type_callable(place)  # type: ignore[untyped-decorator]
    def _type(context: Any) -> Any:
        return lambda address, size: kind

    @lower_builtin(place, types.Integer, types.Integer)  # type: ignore[untyped-decorator]
    def _lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address, size = as_intp(context, builder, signature, arguments)
        pointer = builder.inttoptr(address, context.get_value_type(types.CPointer(number)))
        return array_at(context, builder, kind, pointer, size)


_at_address(ints_at, types.int64)
_at_address(reals_at, types.float64)
_at_address(floats_at, types.float32)


def span(array: NDArray, offset: int, size: int) -> NDArray:
    """Return ``array[offset : offset + size]`` of a one-dimensional array, without any check.

    Compiled, a slice costs a dozen instructions to bring its ends into range, each time one is taken, and a step takes
    hundreds; this costs one addition, and the step compiles in two thirds of the time. The result owns nothing.
    """
    return array[offset : offset + size]


@type_callable(span)  # type: ignore[untyped-decorator]
def _type_span(context: Any) -> Any:
    return lambda array, offset, size: array


@lower_builtin(span, types.Array, types.Integer, types.Integer)  # type: ignore[untyped-decorator]
def _lower_span(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    kind = signature.args[0]
    _, offset, size = as_intp(context, builder, signature, arguments)
    data = context.make_array(kind)(context, builder, arguments[0]).data
    return array_at(context, builder, kind, builder.gep(data, [offset]), size)


@kernel
def view(section: NDArray, place: Any) -> NDArray:
    """Return the array at a place, a record of `records.PLACE`, of a section of the arena."""
    return span(section, place.at, place.length)


@kernel
def row(matrix: NDArray, index: int, size: int) -> NDArray:
    """Return row `index` of a matrix whose rows of `size` lie one after the other."""
    return span(matrix, index * size, size)
