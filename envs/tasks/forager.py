"""A field to forage in, without end: what was good to eat turns bad, and good again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded

from ..arguments import check_action, checked_real, checked_whole, listed, refuse_rendering
from ..changes.changing import World
from ..changes.schedule import LONGEST, NEVER
from ..random_streams import FOREIGN, check_keys, generator_state, set_generator_state

_MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))  # rows and columns: north, east, south, west
_ACTIONS = range(4)


class Forager(gymnasium.Env[np.ndarray, np.int64]):
    """Walk over a field and eat; from time to time all that was good turns bad, and all that was bad turns good.

    ## Description
    A square field without edges: who leaves it on one side comes back on the other. On it are things to eat, of several
    kinds; each kind has a reward. What is eaten grows again at once in another cell, any that is free, so that there
    always are as many of each kind. There are no episodes. After every `flip_every` steps all rewards change sign, and
    nothing but the rewards themselves tells. An agent that never changes earns nothing on average; how fast it earns
    again after a flip, the tenth as after the first, is what is tested.

    ## Action space
    `Discrete(4)`: walk one cell to the 0 north, 1 east, 2 south, 3 west. What is there is eaten.

    ## Observation space
    `Box`, float32, shape `(kinds * view^2,)`: a square of `view` by `view` cells around the agent, one for each
    kind, 1 where there is something of the kind, else 0.

    | index | entry |
    |---|---|
    | `kind * view^2 + row * view + column` | whether that kind is in that cell; row 0 is the northernmost |

    The cell in the middle is the agent's own, and always empty.

    ## Rewards
    That of the kind that was eaten, `rewards`, times -1 in every other stretch of `flip_every` steps; else 0. Mean
    reward of a step with the default arguments, of policies that are told the signs of now:

    | policy | reward |
    |---|---|
    | any that does not see; at random, it eats in 9.5 % of steps | 0.00 |
    | plans the best 8 steps in what it sees | 0.41 |
    | plans the best 8 steps, and sees the whole field | 0.47 |

    Measured over 20,000 steps by ``python -m tests.benchmarks.forager_rates``, which says how they plan; the standard
    errors are 0.003. The best possible rate is not known. Planning 6, 8 and 10 steps ahead on the whole field gives
    0.46, 0.47 and 0.48, so it is hardly much higher; a memory of what was seen may bring something between 0.41 and
    that. A policy of 0.41 that does not notice a flip earns -0.41 after it.

    ## Starting state
    The clock is at 0, rewards are as given, everything lies in random cells, but none in the agent's.

    ## Episode end
    There is none: call `reset` once. Another reset begins the stream anew, clock included, so that a time limit of less
    than `flip_every` steps would keep anything from changing.

    ## Info
    `world`, at reset too: how many flips there were, and of which sign rewards are, see `World`; the id is `(0,)` or
    `(1,)`. `changed`: whether this is the first step after a flip.

    ## Arguments
    - `size`: cells along a side of the field, 3 to 1000, default 20.
    - `view`: cells along a side of what is seen, odd, 3 to `size`, default 5.
    - `rewards`: one for each kind, 1 to 100 numbers from -1000000 to 1000000, default 1 and -1.
    - `counts`: how many there are of every kind, one number for all or one for each, 1 or more, together at most half
      of all cells; default 40.
    - `flip_every`: steps from flip to flip, 0 (never) to 10^12, default 100000.

    ## References
    Foraging without end under a limited view is the idea of Forager (github.com/andnp/forager) and of Foragax, its
    successor (pypi.org/project/continual-foragax).
    """

    def __init__(
        self,
        size: int = 20,
        view: int = 5,
        rewards: float | Sequence[float] = (1.0, -1.0),
        counts: int | Sequence[int] = 40,
        flip_every: int = 100_000,
        render_mode: str | None = None,
    ) -> None:
        refuse_rendering(render_mode)
        self.size = checked_whole("size", size, 3, 1000)
        self.view = checked_whole("view", view, 3, self.size)
        if self.view % 2 == 0:
            raise ValueError(f"view: got {view!r}; allowed: an odd number from 3 to size, so that it has a center")
        self.rewards = tuple(checked_real("rewards", reward, -1e6, 1e6) for reward in listed(rewards))
        kinds = len(self.rewards)
        if not 1 <= kinds <= 100:
            raise ValueError(f"rewards: got {kinds} of them; allowed: 1 to 100, one for each kind")
        each = listed(counts)
        each = each * kinds if len(each) == 1 else each
        most = self.size**2 // 2
        self.counts = tuple(checked_whole("counts", count, 1, most) for count in each)
        if len(self.counts) != kinds or sum(self.counts) > most:
            raise ValueError(
                f"counts: got {counts!r}; allowed: one number, or one for each of the {kinds} kinds, "
                f"together {most} at most, half of the field"
            )
        self.flip_every = checked_whole("flip_every", flip_every, 0, LONGEST)
        self.observation_space = spaces.Box(0.0, 1.0, (kinds * self.view**2,), np.float32)
        self.action_space = spaces.Discrete(4)
        # The field with a margin that repeats its other side, so that what is seen from anywhere is one slice.
        margin = self.view // 2
        wide = self.size + 2 * margin
        self._field = np.zeros((kinds, wide, wide), np.float32)
        self._copies = [
            [place for place in (at + margin - self.size, at + margin, at + margin + self.size) if 0 <= place < wide]
            for at in range(self.size)
        ]
        self._kinds = bytearray(self.size**2)  # of each cell: 0 empty, else 1 and up
        self._row = self._column = self._clock = 0
        self._ready = False
        self._enter(0)

    def _enter(self, changes: int) -> None:
        sign = -1.0 if changes % 2 else 1.0
        self._pays = [0.0, *(0.0 + sign * reward for reward in self.rewards)]
        self._world = World(changes, (changes % 2,))
        self._flip = (changes + 1) * self.flip_every if self.flip_every else NEVER

    def _put(self, cell: int, kind: int) -> None:
        self._kinds[cell] = kind
        self._draw(cell, kind, 1.0)

    def _draw(self, cell: int, kind: int, shown: float) -> None:
        row, column = divmod(cell, self.size)
        channel = self._field[kind - 1]
        for y in self._copies[row]:
            for x in self._copies[column]:
                channel[y, x] = shown

    def _clear(self) -> None:
        self._field[:] = 0.0
        self._kinds[:] = bytes(len(self._kinds))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin the stream anew, with a new field; there are no options."""
        super().reset(seed=seed)
        self._row = self._column = self._clock = 0
        self._enter(0)
        self._clear()
        cells = 1 + self.np_random.choice(self.size**2 - 1, sum(self.counts), replace=False)
        for cell, kind in zip(cells.tolist(), np.repeat(range(1, len(self.counts) + 1), self.counts), strict=True):
            self._put(cell, int(kind))
        self._ready = True
        return self._seen(), {"world": self._world, "changed": False}

    def _seen(self) -> np.ndarray:
        row, column, view = self._row, self._column, self.view
        return self._field[:, row : row + view, column : column + view].flatten()

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Walk, and eat what is there."""
        check_action(action, _ACTIONS)
        if not self._ready:
            raise ResetNeeded("call reset() before step()")
        changed = self._clock == self._flip
        if changed:
            self._enter(self._world.changes + 1)
        self._clock += 1
        down, right = _MOVES[action]
        row = self._row = (self._row + down) % self.size
        column = self._column = (self._column + right) % self.size
        cell = row * self.size + column
        kind = self._kinds[cell]
        if kind:
            self._eat(cell, kind)
        return self._seen(), self._pays[kind], False, False, {"world": self._world, "changed": changed}

    def _eat(self, cell: int, kind: int) -> None:
        """Take away what is in the agent's cell, and let the same grow in another one that is free."""
        self._draw(cell, kind, 0.0)
        free = cell
        while self._kinds[free]:  # at first its own cell, which therefore is not drawn either
            free = int(self.np_random.integers(len(self._kinds)))
        self._kinds[cell] = 0
        self._put(free, kind)

    def get_state(self) -> dict[str, Any]:
        """Return what `set_state` needs to go on from here: numbers, and lists of them."""
        kinds = np.frombuffer(self._kinds, np.uint8)
        return {
            "clock": self._clock,
            "changes": self._world.changes,
            "place": [self._row, self._column],
            "cells": [np.flatnonzero(kinds == kind + 1).tolist() for kind in range(len(self.counts))],
            "rng": generator_state(self.np_random),
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from where `get_state` was called; the arguments of the environment have to be the same.

        Raises
        ------
        ValueError
            If `state` is of an environment with other arguments.
        """
        check_keys(state, tuple(self.get_state()))
        found = tuple(len(cells) for cells in state["cells"])
        if found != self.counts or max(max(cells) for cells in state["cells"]) >= len(self._kinds):
            raise ValueError(f"state: got {found} things to eat for {self.counts}; {FOREIGN}")
        self._clock = int(state["clock"])
        self._row, self._column = (int(place) for place in state["place"])
        self._enter(int(state["changes"]))
        self._clear()
        for kind, cells in enumerate(state["cells"], start=1):
            for cell in cells:
                self._put(int(cell), kind)
        set_generator_state(self.np_random, state["rng"])
        self._ready = True
