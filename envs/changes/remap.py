"""Actions that come to mean something else, and rewards that come to be paid otherwise."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs

from ..arguments import checked_whole
from ..random_streams import MOST_SEED
from .array_schedules import Dealt, permutations
from .changing import Changing
from .number_schedules import number_schedule

Env = gymnasium.Env[Any, Any]
HOW = ("permute", "flip", "both")


class RemapActions(Dealt, RecordConstructorArgs):
    """Let actions swap what they do, or controls their places and signs; in world 0 they do what they did.

    What they do in another world is drawn with seed and number of the world.

    Parameters
    ----------
    env : gymnasium.Env
        Environment with Discrete actions, or a one-dimensional Box of real numbers.
    schedule : mapping or int
        When there is a change and to which world, see `schedule.Worlds`:
        ``{"every": 50000, "worlds": 2}`` goes to and fro, and with two actions swaps them each time.
    how : {"permute", "flip", "both"}, optional
        Of controls: whether they swap places, for which their bounds have to be the same; change sign, for which each
        has to be bounded by -x and x, or not at all; or both. Default flip. Discrete actions are permuted.
    seed : int
        Seed of what is drawn, and of random times.

    Raises
    ------
    ValueError
        If there is only one action, actions cannot be remapped in this way, or an argument is not as said.
    """

    def __init__(self, env: Env, schedule: Mapping[str, Any] | int, how: str | None = None, seed: int = 0) -> None:
        RecordConstructorArgs.__init__(self, schedule=schedule, how=how, seed=seed)
        space = env.action_space
        self._discrete = isinstance(space, spaces.Discrete)
        if isinstance(space, spaces.Discrete):
            self._check(how, ("permute",), f"{env} has Discrete actions")
            permute, flip, size = True, False, int(space.n)
        elif isinstance(space, spaces.Box) and len(space.shape) == 1 and np.issubdtype(space.dtype, np.floating):
            self._check(how, HOW, f"{env} has a Box of actions")
            permute, flip, size = how in ("permute", "both"), how != "permute", space.shape[0]
            self._bounded(space, permute, flip)
        else:
            raise ValueError(
                f"RemapActions needs Discrete actions or a one-dimensional Box of real numbers; {env} has {space}"
            )
        if permute and size < 2:
            raise ValueError(f"RemapActions needs two actions or controls to swap; {env} has {space}")

        def draw(rng: np.random.Generator) -> np.ndarray:
            order = rng.permutation(size) if permute else np.arange(size)
            signs = 1 - 2 * rng.integers(2, size=size) if flip else np.ones(size, np.int64)
            return np.array([order, signs])

        first = np.array([np.arange(size), np.ones(size, np.int64)])
        kinds = (permutations(size) if permute else 1) * (2**size if flip else 1)
        super().__init__(env, schedule, seed, first, draw, kinds)

    @staticmethod
    def _check(how: str | None, allowed: tuple[str, ...], why: str) -> None:
        if how is not None and how not in allowed:
            raise ValueError(f"how: got {how!r}; allowed: {', '.join(allowed)}, as {why}")

    @staticmethod
    def _bounded(space: spaces.Box, permute: bool, flip: bool) -> None:
        low, high = space.low, space.high
        alike = (low == low[0]).all() and (high == high[0]).all()
        if (permute and not alike) or (flip and (low != -high).any()):
            needed = "the same bounds for all controls" if permute and not alike else "bounds -x and x of each control"
            raise ValueError(
                f"RemapActions needs {needed}; got {space}; rescale it first, as with "
                "gymnasium.wrappers.RescaleAction(env, -1.0, 1.0)"
            )

    def deal(self) -> None:
        """Prepare what actions do in the world it is now."""
        self._order, signs = self.card
        space = self.env.action_space
        if isinstance(space, spaces.Discrete):
            start, kind = int(space.start), space.dtype.type
            self._means = {start + name: kind(start + action) for name, action in enumerate(self._order.tolist())}
        else:
            self._signs = signs.astype(space.dtype)

    def action(self, action: Any) -> Any:
        """Return what the environment is to do; what is no action is passed on, to be refused there."""
        if self._discrete:
            try:
                return self._means[operator.index(action)]
            except (KeyError, TypeError):
                return action
        controls = np.asarray(action)
        return controls[self._order] * self._signs if controls.shape == self._signs.shape else action


class FlipReward(Changing, RecordConstructorArgs):
    """Multiply the reward by a factor that changes, its sign by default.

    Parameters
    ----------
    env : gymnasium.Env
        Any environment.
    schedule : mapping or float
        Factors, -1000000 to 1000000, see `values.Values` and `values.Walk`; where it does not say which, 1 and -1 by
        turns: ``{"every": 100000}``.
    seed : int
        Seed of all that is drawn.

    Raises
    ------
    ValueError
        If an argument is not as said.
    """

    def __init__(self, env: Env, schedule: Mapping[str, Any] | float, seed: int = 0) -> None:
        RecordConstructorArgs.__init__(self, schedule=schedule, seed=seed)
        if isinstance(schedule, Mapping) and not {"values", "between", "wander"} & set(schedule):
            schedule = {**schedule, "values": [1.0, -1.0]}
        self._factor = number_schedule("schedule", schedule, checked_whole("seed", seed, 0, MOST_SEED), "FlipReward")
        super().__init__(env, (self._factor,))

    def reward(self, reward: Any) -> float:
        """Return the reward times the factor of now."""
        paid: float = float(reward) * self._factor.value
        return paid
