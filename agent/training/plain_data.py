"""Objects as plain data that JSON can hold, and back again, bit for bit; nothing is ever executed.

None, booleans, numbers, strings and lists stand for themselves, anything else is a mapping from its kind to what is in
it.
What was one object is one object again: a list or a generator that two places share is written once.
"""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

# Bound on what is written, bytes: more would make every checkpoint slow.
LARGEST = 2**24
_PLAIN = (bool, int, float, str)
_BITS: dict[str, Any] = {
    "MT19937": np.random.MT19937,
    "PCG64": np.random.PCG64,
    "PCG64DXSM": np.random.PCG64DXSM,
    "Philox": np.random.Philox,
    "SFC64": np.random.SFC64,
}


class NotPlain(Exception):
    """An object that cannot be written as plain data, or too much of them."""


class Writer:
    """Writes objects that may share parts with each other.

    None, booleans, numbers, strings, bytes, ranges, NumPy's scalars, arrays and generators, and lists, tuples, dicts
    and deques of them; of exactly these types, since a subclass may hold more.
    """

    def __init__(self) -> None:
        self._written: list[Any] = []  # kept, so that no other object takes the identity of one that is gone
        self._numbers: dict[int, int] = {}
        self._views: dict[int, list[NDArray[Any]]] = {}
        self._size = 0

    def write(self, value: Any) -> Any:
        """Return an object as plain data; raise `NotPlain` if that cannot be."""
        kind = type(value)
        self._size += value.nbytes if kind is np.ndarray else 8
        if self._size > LARGEST:
            raise NotPlain(f"more than {LARGEST} bytes")
        if value is None or kind in _PLAIN:
            return value
        if kind is tuple:
            return {"tuple": [self.write(item) for item in value]}
        if kind is range:
            return {"range": [value.start, value.stop, value.step]}
        if kind is bytes:
            return {"bytes": base64.b64encode(value).decode()}
        if isinstance(value, np.generic):
            return {"scalar": _array(np.asarray(value))}
        return self._shared(value, kind)

    def _shared(self, value: Any, kind: type) -> Any:
        """Write what can be changed in its place, so that it matters whether it is the same object."""
        if id(value) in self._numbers:
            return {"same": self._numbers[id(value)]}
        self._numbers[id(value)] = len(self._written)
        self._written.append(value)
        if kind is list:
            return [self.write(item) for item in value]
        if kind is dict:
            return {"dict": [[self.write(key), self.write(item)] for key, item in value.items()]}
        if kind is deque:
            return {"deque": [value.maxlen, [self.write(item) for item in value]]}
        if kind is np.ndarray:
            self._check_alone(value)
            return {"array": _array(value)}
        if kind is np.random.Generator:
            return {"generator": _generator(value)}
        raise NotPlain(f"a {kind.__module__}.{kind.__qualname__}")

    def _check_alone(self, value: NDArray[Any]) -> None:
        """Raise `NotPlain` if memory is shared with another array or with something else: copies would part ways."""
        owner: Any = value
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        views = self._views.setdefault(id(owner), [])
        if owner.base is not None or any(np.may_share_memory(value, other) for other in views):
            raise NotPlain("an array that shares its memory")
        views.append(value)


def _array(value: NDArray[Any]) -> dict[str, Any]:
    if value.dtype.hasobject or value.dtype.names:
        raise NotPlain(f"an array of {value.dtype}")
    # Sums depend on the order in memory.
    order: Literal["F", "C"] = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
    data = base64.b64encode(value.tobytes(order)).decode()
    return {"dtype": value.dtype.str, "shape": list(value.shape), "order": order, "data": data}


def _generator(value: np.random.Generator) -> dict[str, Any]:
    bits: Any = value.bit_generator
    if type(bits).__name__ not in _BITS:
        raise NotPlain(f"a generator of {type(bits).__name__}")
    # What the generator was seeded with is needed for those it spawns.
    seed = bits.seed_seq.state if type(getattr(bits, "seed_seq", None)) is np.random.SeedSequence else None
    return {"seed": Writer().write(seed), "state": Writer().write(bits.state)}


class Reader:
    """Reads what one `Writer` wrote, in the same order.

    Data that no `Writer` has written raises one of KeyError, IndexError, TypeError and ValueError.
    """

    def __init__(self) -> None:
        self._read: list[Any] = []
        self._kinds: dict[str, Callable[[Any], Any]] = {
            "tuple": lambda content: tuple(self.read(item) for item in content),
            "range": lambda content: range(*content),
            "bytes": lambda content: base64.b64decode(content),
            "scalar": lambda content: _read_array(content)[()],
            "same": lambda content: self._read[content],
            "dict": self._read_dict,
            "deque": self._read_deque,
            "array": lambda content: self._keep(_read_array(content)),
            "generator": lambda content: self._keep(_read_generator(content)),
        }

    def read(self, data: Any) -> Any:
        """Return the object that was written."""
        if isinstance(data, list):
            made: list[Any] = self._keep([])
            made.extend(self.read(item) for item in data)
            return made
        if not isinstance(data, dict):
            return data
        ((kind, content),) = data.items()
        return self._kinds[kind](content)

    def _keep(self, value: Any) -> Any:
        self._read.append(value)
        return value

    def _read_dict(self, content: Any) -> dict[Any, Any]:
        made: dict[Any, Any] = self._keep({})
        for key, item in content:
            name = self.read(key)
            made[name] = self.read(item)
        return made

    def _read_deque(self, content: Any) -> deque[Any]:
        length, items = content
        made: deque[Any] = self._keep(deque(maxlen=length))
        made.extend(self.read(item) for item in items)
        return made


def _read_array(content: Any) -> NDArray[Any]:
    dtype = np.dtype(str(content["dtype"]))
    if dtype.hasobject:
        raise ValueError("an array of objects")
    flat = np.frombuffer(base64.b64decode(content["data"]), dtype)
    return np.array(flat.reshape(content["shape"], order=content["order"]), order=content["order"])


def _read_generator(content: Any) -> np.random.Generator:
    state, seed = Reader().read(content["state"]), Reader().read(content["seed"])
    bits = _BITS[state["bit_generator"]](np.random.SeedSequence(**seed) if seed else 0)
    bits.state = state
    return np.random.Generator(bits)
