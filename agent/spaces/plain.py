"""Trees of spaces as plain JSON, for the description in a checkpoint."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .tree import BRANCH_KINDS, LEAF_KINDS, Bounds, Branch, Leaf, Node


def to_plain(node: Node) -> dict[str, Any]:
    """Return a tree as mappings, lists, strings and finite numbers."""
    if isinstance(node, Branch):
        parts = [to_plain(part) for part in node.parts]
        return {"kind": node.kind, "keys": list(node.keys), "parts": parts}
    return {
        "kind": node.kind,
        "shape": list(node.shape),
        "dtype": node.dtype,
        "low": [_written(bound) for bound in node.low],
        "high": [_written(bound) for bound in node.high],
    }


def from_plain(values: Any, path: str) -> Node:
    """Undo `to_plain`; raise `ValueError` naming the part if something is missing or contradicts itself."""
    if not isinstance(values, Mapping):
        raise ValueError(f"{path} is described by {values!r}, which is not a mapping")
    kind = values.get("kind")
    if kind in BRANCH_KINDS:
        return _branch(values, path)
    if kind in LEAF_KINDS:
        return _leaf(values, path)
    raise ValueError(f"{path} is of kind {kind!r}; known: {', '.join([*LEAF_KINDS, *BRANCH_KINDS])}")


def _branch(values: Mapping[str, Any], path: str) -> Branch:
    keys, parts = values.get("keys"), values.get("parts")
    if not isinstance(keys, list) or not isinstance(parts, list) or len(keys) != len(parts):
        raise ValueError(f"{path} has keys {keys!r}, which do not fit its parts")
    kinds = str | int if values["kind"] == "dict" else int
    if not all(isinstance(key, kinds) for key in keys) or len(set(keys)) != len(keys):
        raise ValueError(f"{path} has keys {keys!r}, which no space has")
    read = tuple(from_plain(part, f"{path}[{key!r}]") for key, part in zip(keys, parts, strict=True))
    return Branch(values["kind"], path, tuple(keys), read)


def _leaf(values: Mapping[str, Any], path: str) -> Leaf:
    kind, shape = values["kind"], values.get("shape")
    if not isinstance(shape, list) or not all(type(k) is int and k >= 0 for k in shape):
        raise ValueError(f"{path} has shape {shape!r}, which no array has")
    if kind == "discrete" and shape:
        raise ValueError(f"{path} is a single index of shape {shape!r}; allowed: []")
    try:
        dtype = np.dtype(values.get("dtype", ""))
    except TypeError:
        dtype = np.dtype(object)
    if dtype.kind not in LEAF_KINDS[kind]:
        raise ValueError(f"{path} is of kind {kind} and dtype {values.get('dtype')!r}, which no space has")
    bounds = [_bounds(values.get(name), kind, dtype, path) for name in ("low", "high")]
    leaf = Leaf(kind, path, tuple(shape), str(dtype), *bounds)
    if any(len(bound) not in (1, leaf.size) for bound in bounds):
        raise ValueError(f"{path} has shape {shape!r} and {len(leaf.low)} and {len(leaf.high)} bounds")
    # Lone bounds are not spread out: the shape may be absurd.
    alike = len(leaf.low) == len(leaf.high)
    pairs = zip(leaf.low if alike else leaf.lows(), leaf.high if alike else leaf.highs(), strict=True)
    if not all(low <= high for low, high in pairs):
        raise ValueError(f"{path} has a low above its high")
    return leaf


def _bounds(values: Any, kind: str, dtype: np.dtype[Any], path: str) -> Bounds:
    if not isinstance(values, list):
        raise ValueError(f"{path} has bounds {values!r}, which are not a list")
    read = tuple(float(value) if value in ("inf", "-inf") else value for value in values)
    for value in read:
        infinite = kind == "box" and type(value) is float and math.isinf(value)
        if not infinite and type(value) is not (float if dtype.kind == "f" else int):
            raise ValueError(f"{path} has the bound {value!r}, which is no number of its dtype {dtype}")
    return read


def _written(bound: int | float) -> int | float | str:
    """Return a bound as strict JSON can write it, which knows no infinity."""
    return bound if math.isfinite(bound) else str(bound)
