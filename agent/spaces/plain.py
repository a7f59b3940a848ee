"""Trees of spaces as plain JSON, for the description in a checkpoint."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import one_line
from .tree import BRANCH_KINDS, DEEPEST, LEAF_KINDS, Bounds, Branch, Leaf, Node, contradiction, leaves


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


def from_plain(values: Any, path: str, most: int) -> Node:
    """Undo `to_plain`.

    Raises
    ------
    ValueError
        Naming the part, if something is missing or contradicts itself, or if the whole has more than `most` elements.
    """
    root = _read(values, path, 0)
    elements = sum(leaf.size for leaf in leaves(root))
    size = elements if elements > most else sum(leaf.entries() for leaf in leaves(root))
    if size > most:
        raise ValueError(f"{path} has {size} entries, at most {most} are allowed")
    return root


def _read(values: Any, path: str, depth: int) -> Node:
    if not isinstance(values, Mapping):
        raise ValueError(f"{path} is described by {one_line(values)}, which is not a mapping")
    if depth > DEEPEST:
        raise ValueError(f"{path[:60]}... lies {depth} deep, at most {DEEPEST} are allowed")
    kind = values.get("kind")
    if isinstance(kind, str) and kind in BRANCH_KINDS:
        return _branch(values, path, depth)
    if isinstance(kind, str) and kind in LEAF_KINDS:
        return _leaf(values, path)
    raise ValueError(f"{path} is of kind {one_line(kind)}; known: {', '.join([*LEAF_KINDS, *BRANCH_KINDS])}")


def _branch(values: Mapping[str, Any], path: str, depth: int) -> Branch:
    keys, parts = values.get("keys"), values.get("parts")
    if not isinstance(keys, list) or not isinstance(parts, list) or len(keys) != len(parts):
        raise ValueError(f"{path} has keys {one_line(keys)}, which do not fit its parts")
    known = all(type(key) in (str, int) for key in keys) and len(set(keys)) == len(keys)
    if not known or (values["kind"] == "tuple" and keys != list(range(len(keys)))):
        raise ValueError(f"{path} has keys {one_line(keys)}, which no space has")
    read = tuple(_read(part, f"{path}[{key!r}]", depth + 1) for key, part in zip(keys, parts, strict=True))
    return Branch(values["kind"], path, tuple(keys), read)


def _leaf(values: Mapping[str, Any], path: str) -> Leaf:
    kind, shape, name = values["kind"], values.get("shape"), values.get("dtype")
    if not isinstance(shape, list) or not all(type(k) is int and k >= 0 for k in shape):
        raise ValueError(f"{path} has shape {one_line(shape)}, which no array has")
    if kind == "discrete" and shape:
        raise ValueError(f"{path} is a single index of shape {one_line(shape)}; allowed: []")
    try:
        dtype = np.dtype(name if isinstance(name, str) else object)
    except (TypeError, ValueError, SyntaxError):  # NumPy's own little language, read by Python's parser in part
        dtype = np.dtype(object)
    if dtype.kind not in LEAF_KINDS[kind]:
        raise ValueError(f"{path} is of kind {kind} and dtype {one_line(name)}, which no space has")
    bounds = [_bounds(values.get(name), kind, dtype, path) for name in ("low", "high")]
    leaf = Leaf(kind, path, tuple(shape), str(dtype), *bounds)
    problem = contradiction(leaf)
    if problem:
        raise ValueError(f"{path} has {problem}")
    return leaf


def _bounds(values: Any, kind: str, dtype: np.dtype[Any], path: str) -> Bounds:
    if not isinstance(values, list):
        raise ValueError(f"{path} has bounds {one_line(values)}, which are not a list")
    read = tuple(float(value) if value in ("inf", "-inf") else value for value in values)
    for value in read:
        infinite = kind == "box" and type(value) is float and math.isinf(value)
        if not infinite and (type(value) is not (float if dtype.kind == "f" else int) or value != value):
            raise ValueError(f"{path} has the bound {one_line(value)}, which is no number of its dtype {dtype}")
    return read


def _written(bound: int | float) -> int | float | str:
    """Return a bound as strict JSON can write it, which knows no infinity."""
    return bound if math.isfinite(bound) else str(bound)
