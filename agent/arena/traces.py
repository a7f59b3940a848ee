"""Credit and traces of a layer as they are: of rows at rest, an arena holds what they were, and factors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.rest import FIRST, FIRST_IN_SECOND, HELD_CREDIT, HELD_EPSA, OF_FIRST, OF_SECOND, SECOND


def traces(views: Mapping[str, NDArray[Any]], layer: str) -> dict[str, NDArray[Any]]:
    """Return copies of ``credit`` (rows, m), ``epsa`` (adaptive neurons, m) and ``cascade`` (levels, rows, m).

    Parameters
    ----------
    views : mapping of str to array
        Those of an arena; they are not modified.
    layer : str
        Such as "actor/1".
    """
    credit, epsa, cascade, rest = (views[f"{layer}/{name}"] for name in ("credit", "epsa", "cascade", "rest"))
    found = {"credit": credit.copy(), "epsa": epsa.copy(), "cascade": cascade.copy()}
    if not rest.size:
        return found
    factor = rest[:, :, None]
    found["epsa"] *= factor[HELD_EPSA, : len(epsa)]
    found["credit"] *= factor[HELD_CREDIT]
    if len(cascade) > 0:
        found["credit"] += factor[OF_FIRST] * cascade[0]
        found["cascade"][0] *= factor[FIRST]
    if len(cascade) > 1:
        found["credit"] += factor[OF_SECOND] * cascade[1]
        found["cascade"][1] = factor[FIRST_IN_SECOND] * cascade[0] + factor[SECOND] * cascade[1]
    return {name: np.ascontiguousarray(array) for name, array in found.items()}
