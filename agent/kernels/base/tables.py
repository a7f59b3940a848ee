"""Views of a section by a row of a table: compiled, two pointers, from which what is asked for is made.

A layer has some fifty numbers and arrays. Passed by value, as a named tuple of them would be, they make three quarters
of the code that the optimizer is given, and of a kernel that uses three it has to find out that the others are not
needed.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    infer_getattr,
    lower_builtin,
    lower_getattr_generic,
    models,
    register_model,
    type_callable,
)
from numpy.typing import NDArray

from .lowering import array_at
from .records import names_of


def views(kind: type, section: NDArray, row: Any) -> Any:
    """Return what a row of a table says of a section: a `kind`, a named tuple of its numbers and views of its places.

    Compiled, the result is no tuple and has no length; its attributes are the same. Rows of a table never change.
    """
    return kind(**{name: _view(section, row[name]) for name in names_of(row.dtype)})


def _view(section: NDArray, entry: Any) -> Any:
    return section[entry.at : entry.at + entry.length] if names_of(entry.dtype) else entry


class _Views(types.Type):  # type: ignore[misc]
    def __init__(self, section: types.Array, row: types.Record) -> None:
        self.section, self.row = section, row
        super().__init__(f"views({section}, {row})")


@register_model(_Views)
class _Model(models.StructModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: _Views) -> None:
        super().__init__(manager, kind, [("data", types.CPointer(kind.section.dtype)), ("row", types.voidptr)])


@infer_getattr
class _Attributes(AttributeTemplate):  # type: ignore[misc]
    key = _Views

    def generic_resolve(self, kind: _Views, name: str) -> Any:
        if name not in kind.row.fields:
            return None
        entry = kind.row.typeof(name)
        return kind.section if isinstance(entry, types.Record) else entry


@lower_getattr_generic(_Views)  # type: ignore[untyped-decorator]
def _get(context: Any, builder: Any, kind: _Views, value: Any, name: str) -> Any:
    proxy = cgutils.create_struct_proxy(kind)(context, builder, value)
    entry, offset = kind.row.typeof(name), kind.row.offset(name)
    if not isinstance(entry, types.Record):
        return _load(builder, proxy.row, offset)
    data = builder.gep(proxy.data, [_load(builder, proxy.row, offset + entry.offset("at"))])
    size = _load(builder, proxy.row, offset + entry.offset("length"))
    return array_at(context, builder, kind.section, data, size)


def _load(builder: Any, row: Any, offset: int) -> Any:
    """Load a number that no store changes, so that a loop which writes to an array need not look it up again."""
    at = builder.gep(row, [cgutils.intp_t(offset)])
    number = builder.load(builder.bitcast(at, cgutils.intp_t.as_pointer()))
    number.set_metadata("invariant.load", builder.module.add_metadata([]))
    return number


@type_callable(views)  # type: ignore[untyped-decorator]
def _type(context: Any) -> Any:
    return lambda kind, section, row: _Views(section, row)


@lower_builtin(views, types.NamedTupleClass, types.Array, types.Record)  # type: ignore[untyped-decorator]
def _pair(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    result = cgutils.create_struct_proxy(signature.return_type)(context, builder)
    result.data = context.make_array(signature.args[1])(context, builder, arguments[1]).data
    result.row = builder.bitcast(arguments[2], cgutils.voidptr_t)
    return result._getvalue()
