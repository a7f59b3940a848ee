"""Records of the arena for Python: a NumPy record takes two microseconds an entry, this a tenth of that."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.base.records import names_of


class Named:
    """Numbers with names, such as ``clock.tick``: a view of a stretch of a section, one entry after the other.

    Parameters
    ----------
    section : int64 or float64 array
    at : int
        Index of the first entry.
    dtype : numpy.dtype
        Of the record, whose entries are single numbers.

    Raises
    ------
    AttributeError
        On reading or writing a name that the record does not have.
    """

    def __init__(self, section: NDArray[Any], at: int, dtype: np.dtype[Any]) -> None:
        places = {name: k for k, name in enumerate(names_of(dtype))}
        vars(self).update(_places=places, _numbers=section[at : at + len(places)].data)

    def __reduce__(self) -> Any:
        raise TypeError("numbers of an arena belong to it: copy the agent, or take to_dict()")

    def __getattr__(self, name: str) -> Any:
        return self._numbers[self._place(name)]

    def __setattr__(self, name: str, value: Any) -> None:
        self._numbers[self._place(name)] = value

    def _place(self, name: str) -> int:
        try:
            return int(vars(self)["_places"][name])
        except KeyError:
            raise AttributeError(f"there is no {name!r} here; there are {', '.join(vars(self)['_places'])}") from None

    def to_dict(self) -> dict[str, Any]:
        """Return all entries by their names."""
        return dict(zip(vars(self)["_places"], self._numbers.tolist(), strict=True))
