"""Words in memory by which two threads hand work to each other, without a lock and without the interpreter.

Whoever acquires a word that another thread has released sees all that this thread wrote before. Both are lowered in the
place where they are called, to one instruction of the processor.
"""

from __future__ import annotations

import platform
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

# What a loop that waits for a word tells the processor, so that another thread on the same core gets its turn.
_PAUSE = "llvm.x86.sse2.pause" if platform.machine().lower() in ("x86_64", "amd64") else None


def _pointer(context: Any, builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, context.get_value_type(types.int64).as_pointer())


@intrinsic  # type: ignore[untyped-decorator]
def acquire(_: Any, address: Any) -> Any:
    """Return the int64 at an address, a multiple of 8."""

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_pointer(context, builder, arguments[0]), "acquire", 8)

    return types.int64(types.int64), lower


@intrinsic  # type: ignore[untyped-decorator]
def release(_: Any, address: Any, value: Any) -> Any:
    """Write an int64 to an address, a multiple of 8."""

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store_atomic(arguments[1], _pointer(context, builder, arguments[0]), "release", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), lower


def _call(builder: Any, name: str, kind: Any) -> None:
    builder.call(cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, []), name), [])


@intrinsic  # type: ignore[untyped-decorator]
def pause(_: Any) -> Any:
    """Wait for some tens of cycles, if the processor has an instruction for that."""

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if _PAUSE:
            _call(builder, _PAUSE, ir.VoidType())
        return context.get_dummy_value()

    return types.void(), lower


@intrinsic  # type: ignore[untyped-decorator]
def give_way(_: Any) -> Any:
    """Let another thread that wants this processor have it, if the system has POSIX's call for that."""

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if platform.system() != "Windows":
            _call(builder, "sched_yield", ir.IntType(32))
        return context.get_dummy_value()

    return types.void(), lower
