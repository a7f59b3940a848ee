"""Where every array of an arena lies, and so how large it is, worked out before any memory is taken."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..kernels import layout as at
from ..kernels import views
from ..kernels.base.records import words_of
from ..kernels.settings import Settings
from .dimensions import Dimensions, padded
from .plan import Lasts, Row, agent_rows, layer_rows, net_rows

NET_NAMES = ("actor", "critic")
BYTES = {"ints": 8, "reals": 8, "floats": 4}


class Placed(NamedTuple):
    """An array: the name of its owner ("actor/0", "actor" or ""), its line of the plan, and where it begins."""

    owner: str
    row: Row
    first: int


def padded_size(row: Row) -> int:
    """Return how many numbers of its section an array takes, up to where the next one may begin."""
    return padded(math.prod(row.shape))


@dataclass(frozen=True)
class Placement:
    """The places of all arrays.

    Attributes
    ----------
    placed : list of Placed
        Arrays that have memory of their own; `first` counts numbers of their section.
    shared : list of (str, Row)
        Owner and row of those that are the memory of another.
    used : dict of str to int
        Numbers in each section.
    ends : dict of Lasts to int
        Where the floats of each kind end.
    """

    placed: list[Placed]
    shared: list[tuple[str, Row]]
    used: dict[str, int]
    ends: dict[Lasts, int]

    @classmethod
    def of(cls, dimensions: Dimensions) -> Placement:
        """Return the placement for these sizes."""
        used = {
            "ints": padded(views.LAYERS_AT + at.N_NETS * len(dimensions.layers) * views.LAYER_WORDS),
            "reals": padded(at.SETTINGS_AT + words_of(Settings)),
            "floats": 0,
        }
        rows = list(_rows(dimensions))
        placed: list[Placed] = []
        ends: dict[Lasts, int] = {}
        # Arrays that are cleared together lie one after the other, so that clearing them is one loop.
        for lasts in Lasts:
            for owner, row in rows:
                if row.lasts is lasts and not row.same_as:
                    placed.append(Placed(owner, row, used[row.section]))
                    used[row.section] += padded_size(row)
            ends[lasts] = used["floats"]
        return cls(placed, [(owner, row) for owner, row in rows if row.same_as], used, ends)

    @property
    def reals_at(self) -> int:
        """Byte at which the reals begin."""
        return BYTES["ints"] * self.used["ints"]

    @property
    def floats_at(self) -> int:
        """Byte at which the floats begin."""
        return self.reals_at + BYTES["reals"] * self.used["reals"]

    @property
    def nbytes(self) -> int:
        """Bytes of the arena."""
        return self.floats_at + BYTES["floats"] * self.used["floats"]


def _rows(d: Dimensions) -> Iterator[tuple[str, Row]]:
    """Yield every array of the plan after the name of its owner."""
    yield from (("", row) for row in agent_rows(d))
    for net, owner in enumerate(NET_NAMES):
        yield from ((owner, row) for row in net_rows(d, net))
        for index in range(len(d.layers)):
            yield from ((f"{owner}/{index}", row) for row in layer_rows(d, index))
