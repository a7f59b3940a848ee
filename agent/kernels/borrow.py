"""Arrays without reference counts, for the inside of one compiled call.

Numba counts references to the memory behind every view it takes. A step takes hundreds of views of one arena, and the
atomic increments and decrements cost more than the arithmetic of a small layer (measured: half of a 64-neuron step). The
caller owns the arena for the length of the call, so nothing has to be counted.
"""

from __future__ import annotations

from typing import Any

from numba.core.cgutils import get_null_value
from numba.extending import intrinsic, overload
from numpy.typing import NDArray


def borrow(array: NDArray) -> NDArray:
    """Return `array`; in compiled code, an alias that does not own its memory. It must not outlive the call."""
    return array


@intrinsic
def _without_owner(typing_context: Any, array: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        make = context.make_array(signature.args[0])
        alias = make(context, builder, value=arguments[0])
        alias.meminfo = get_null_value(alias.meminfo.type)
        alias.parent = get_null_value(alias.parent.type)
        return alias._getvalue()

    return array(array), generate


@overload(borrow)
def _compiled_borrow(array):  # type: ignore[no-untyped-def]  # numba compares the two signatures, annotations included
    def implementation(array):  # type: ignore[no-untyped-def]
        return _without_owner(array)

    return implementation
