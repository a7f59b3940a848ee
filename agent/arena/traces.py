"""Credit and traces of a layer as they are: of rows at rest, an arena holds what they were, and factors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.rest import FIRST, FIRST_IN_SECOND, HELD_CREDIT, HELD_EPSA, OF_FIRST, OF_SECOND, SECOND

# Neurons of a layer: all of them, or those that a slice or an array of their numbers names.
Chosen = slice | NDArray[np.intp]
ALL = slice(None)


def traces(views: Mapping[str, NDArray[Any]], layer: str) -> dict[str, NDArray[Any]]:
    """Return copies of ``credit`` (rows, m), ``epsa`` (adaptive neurons, m) and ``cascade`` (levels, rows, m).

    Parameters
    ----------
    views : mapping of str to array
        Those of an arena; they are not modified.
    layer : str
        Such as "actor/1".
    """
    cascade, rest = views[f"{layer}/cascade"].copy(), views[f"{layer}/rest"]
    if rest.size and len(cascade) > 0:
        factor = rest[:, :, None]
        if len(cascade) > 1:
            cascade[1] = factor[FIRST_IN_SECOND] * cascade[0] + factor[SECOND] * cascade[1]
        cascade[0] *= factor[FIRST]
    found = {"credit": credit_of(views, layer), "epsa": epsa_of(views, layer), "cascade": cascade}
    return {name: np.ascontiguousarray(array) for name, array in found.items()}


def credit_of(views: Mapping[str, NDArray[Any]], layer: str, rows: Chosen = ALL) -> NDArray[Any]:
    """Return a copy of the credit of some rows of a layer, all by default, (rows, m)."""
    cascade, rest = views[f"{layer}/cascade"], views[f"{layer}/rest"]
    credit: NDArray[Any] = views[f"{layer}/credit"][rows].copy()
    if not rest.size:
        return credit
    factor = rest[:, rows, None]
    credit *= factor[HELD_CREDIT]
    if len(cascade) > 0:
        credit += factor[OF_FIRST] * cascade[0, rows]
    if len(cascade) > 1:
        credit += factor[OF_SECOND] * cascade[1, rows]
    return credit


def epsa_of(views: Mapping[str, NDArray[Any]], layer: str, adaptive: Chosen = ALL) -> NDArray[Any]:
    """Return a copy of the adaptation eligibility of some adaptive neurons of a layer, all by default, (them, m)."""
    epsa: NDArray[Any] = views[f"{layer}/epsa"]
    held, rest = epsa[adaptive].copy(), views[f"{layer}/rest"]
    if rest.size:
        held *= rest[HELD_EPSA, : len(epsa)][adaptive, None]
    return held
