"""Records in the arena: a stretch of 8-byte numbers whose entries have names.

Kernels read and write ``settings.gain`` or ``clock.tick`` in place of an array and an index. A record is the memory
itself, not a copy of it; in compiled code it is one pointer.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numba import types
from numba.extending import lower_builtin, models, register_model, type_callable
from numpy.typing import NDArray

from .lowering import as_intp

# Where an array lies: index of its first number in the section, and how many there are.
PLACE = np.dtype([("at", np.int64), ("length", np.int64)])


def names_of(dtype: np.dtype[Any]) -> tuple[str, ...]:
    """Return the names of the entries of a record."""
    return dtype.names or ()


def index_of(dtype: np.dtype[Any], name: str) -> int:
    """Return how many 8-byte numbers of a record come before an entry."""
    return int(dtype.fields[name][1]) // 8 if dtype.fields else 0


def words_of(dtype: np.dtype[Any]) -> int:
    """Return how many 8-byte numbers a record has."""
    return dtype.itemsize // 8


def record(array: NDArray, at: int, dtype: np.dtype[Any]) -> Any:
    """Return the record of type `dtype` that begins at index `at` of an array of 8-byte numbers, without any check."""
    return array[at : at + dtype.itemsize // 8].view(dtype).view(np.recarray)[0]


class _Record(types.Record):  # type: ignore[misc]
    """A record type with a short name: Numba's own spells out all entries, in the name of every function it meets."""

    def __init__(self, dtype: types.Record) -> None:
        entries = []
        for name, entry in dtype.fields.items():
            kind = _Record(entry.type) if isinstance(entry.type, types.Record) else entry.type
            entries.append((name, {**entry._asdict(), "type": kind}))
        super().__init__(entries, dtype.size, dtype.aligned)
        self.name: str = f"record{hashlib.sha256(dtype.name.encode()).hexdigest()[:8]}"


register_model(_Record)(models.RecordModel)


@type_callable(record)  # type: ignore[untyped-decorator]
def _type(context: Any) -> Any:
    return lambda array, at, dtype: _Record(dtype.dtype)


@lower_builtin(record, types.Array, types.Integer, types.DType)  # type: ignore[untyped-decorator]
def _lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    _, at, _ = as_intp(context, builder, signature, arguments)
    data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
    return builder.bitcast(builder.gep(data, [at]), context.get_value_type(signature.return_type))
