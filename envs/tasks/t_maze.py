"""A corridor with a sign at its beginning that says where to turn at its end: memory under the agent's own control."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded

from ..arguments import check_action, checked_real, checked_whole, refuse_rendering
from .cues import OVER

NORTH, EAST, SOUTH, WEST = range(4)

_SIGNS = {NORTH: np.array([0, 1, 1], np.float32), SOUTH: np.array([1, 1, 0], np.float32)}
_CORRIDOR = np.array([1, 0, 1], np.float32)
_JUNCTION = np.array([0, 1, 0], np.float32)
_OUTSIDE = np.zeros(3, np.float32)


class TMaze(gymnasium.Env[np.ndarray, np.int64]):
    """Walk along a corridor and turn at its end to the side that a sign at its beginning showed.

    ## Description
    The maze of Bakker (2001): a corridor from west to east with a junction at its end. In the first cell, and nowhere
    else, a sign tells whether the goal is north or south of the junction. Unlike in `MemoryChain` the agent has to do
    something all the time, and how long the sign has to be remembered is up to what it does.

    ::

                                          goal?
                                            |
        sign - cell - cell - ... - cell - junction        length steps east of the sign
                                            |
                                          goal?

    ## Action space
    `Discrete(4)`: 0 north, 1 east, 2 south, 3 west. A step against a wall stands still.

    ## Observation space
    `Box`, float32, shape `(3,)`, the bits of Bakker:

    | where | observation |
    |---|---|
    | first cell, goal in the north | 0 1 1 |
    | first cell, goal in the south | 1 1 0 |
    | cells of the corridor | 1 0 1 |
    | junction | 0 1 0 |
    | after the end | 0 0 0 |

    ## Rewards
    | event | argument | default | Bakker |
    |---|---|---|---|
    | turn to the goal | `right` | 1 | 4 |
    | turn away from it | `wrong` | -1 | -0.1 |
    | stand still | `idle` | -0.025 | -0.1 |
    | step west | `back` | -0.025 | 0 |
    | step east | | 0 | 0 |

    Best return: `right`, after `length + 1` steps. With Bakker's rewards half of all turns right, without any memory,
    is a return of 1.95; with the default ones it is 0, so that a mean return above 0.5 means that more than three turns
    in four are right. The penalty is the same share of the prize, 1/40, as Bakker's. It is for walking back too:
    otherwise going to and fro costs nothing, and is as good as a turn at random.

    Without memory the expected return is 0 at most. The turn cannot depend on the goal then, so one goal can only win
    what the other loses; and not to turn at all has at least `(max_steps - length) / 2` penalties, as every step west
    makes up for one step east. With the default arguments they add up to a wrong turn or more. Without penalties
    (`idle` and `back` 0) it is 0.5: staying where one sign is seen, and turning as the other one says.

    ## Starting state
    The goal is drawn at random, with equal chances; the agent is in the first cell.

    ## Episode end
    The episode terminates when the agent turns north or south at the junction, and is truncated after `max_steps`.

    ## Arguments
    - `length`: steps from the first cell to the junction, 1 to 100000, default 50.
    - `right`, `wrong`, `idle`, `back`: rewards, -1000000 to 1000000; Bakker's are
      `right=4, wrong=-0.1, idle=-0.1, back=0`.
    - `max_steps`: steps after which an episode is cut off, `length + 1` to 10000000, default
      `max(120, 4 (length + 1))`. Bakker has no limit.

    ## References
    - B. Bakker, Reinforcement learning with long short-term memory, NIPS 14, 2001.
    """

    def __init__(
        self,
        length: int = 50,
        right: float = 1.0,
        wrong: float = -1.0,
        idle: float = -0.025,
        back: float = -0.025,
        max_steps: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        refuse_rendering(render_mode)
        self.length = checked_whole("length", length, 1, 100_000)
        rewards = {"right": right, "wrong": wrong, "idle": idle, "back": back}
        checked = {name: checked_real(name, value, -1e6, 1e6) for name, value in rewards.items()}
        self.right, self.wrong, self.idle, self.back = checked.values()
        if max_steps is None:
            max_steps = max(120, 4 * (self.length + 1))
        self.max_steps = checked_whole("max_steps", max_steps, self.length + 1, 10_000_000)
        self.observation_space = spaces.Box(0.0, 1.0, (3,), np.float32)
        self.action_space = spaces.Discrete(4)
        self._goal = NORTH
        self._cell = self._time = 0
        self._over = True

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode; there are no options."""
        super().reset(seed=seed)
        self._goal = SOUTH if self.np_random.integers(2) else NORTH
        self._cell = self._time = 0
        self._over = False
        return self._seen(), {}

    def _seen(self) -> np.ndarray:
        if self._cell == self.length:
            return _JUNCTION.copy()
        return (_CORRIDOR if self._cell else _SIGNS[self._goal]).copy()

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Walk, stand still or turn."""
        check_action(action, range(4))
        if self._over:
            raise ResetNeeded(OVER)
        reward = self.idle
        if action == EAST:
            if self._cell < self.length:
                self._cell += 1
                reward = 0.0
        elif action == WEST:
            if self._cell:
                self._cell -= 1
                reward = self.back
        elif self._cell == self.length:
            self._over = True
            return _OUTSIDE.copy(), self.right if action == self._goal else self.wrong, True, False, {}
        self._time += 1
        self._over = self._time >= self.max_steps
        return self._seen(), reward, False, self._over, {}
