"""What the lowering of functions on arrays and tables has in common.

Such functions are lowered in the place where they are called (`numba.extending.lower_builtin`): as an `overload`, each
would be a function of its own for each signature, typed, optimized and inlined again.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.np.arrayobj import populate_array


def as_intp(context: Any, builder: Any, signature: Any, arguments: Any) -> list[Any]:
    """Return the arguments of a call, integers as those that index an array."""
    return [
        context.cast(builder, value, kind, types.intp) if isinstance(kind, types.Integer) else value
        for value, kind in zip(arguments, signature.args, strict=True)
    ]


def array_at(context: Any, builder: Any, kind: types.Array, data: Any, size: Any) -> Any:
    """Return an array of `size` numbers at a pointer, which owns nothing."""
    result = context.make_array(kind)(context, builder)
    itemsize = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    populate_array(result, data=data, shape=[size], strides=[itemsize], itemsize=itemsize, meminfo=None)
    return result._getvalue()
