"""Sensors that change: entries of the observation that swap places, drift in gain, or fail."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs

from ..arguments import checked_real, checked_whole
from ..random_streams import MOST_SEED, generator_state, set_generator_state, stream
from .array_schedules import Dealt, chosen, permutations
from .changing import Changing
from .number_schedules import number_schedule

Array = np.ndarray
Env = gymnasium.Env[Array, Any]
Indices = int | Sequence[int] | None
MODES = ("stuck", "zero", "noise")


def _box(env: Env, title: str) -> tuple[spaces.Box, int]:
    """Return the space of the observation and the number of its entries, or raise `ValueError` unless it is a Box."""
    space = env.observation_space
    if not isinstance(space, spaces.Box):
        raise ValueError(f"{title} needs a Box observation; {env} has {space}")
    return space, int(np.prod(space.shape))


class PermuteObservations(Dealt, RecordConstructorArgs):
    """Let entries of the observation swap places; in world 0 they are where the environment has them.

    The permutation of another world is drawn with seed and number of the world. Bounds are widened, so that any of
    the entries may be in any of the places.

    Parameters
    ----------
    env : gymnasium.Env
        Environment with a Box observation; of several dimensions, entries are counted along the last first.
    schedule : mapping or int
        When there is a change and to which world, see `schedule.Worlds`:
        ``{"every": 200000}`` has a new permutation each time, ``{"every": 200000, "worlds": 3}`` three by turns.
    indices : int or sequence of int, optional
        Which entries; by default all.
    seed : int
        Seed of permutations and random times.

    Raises
    ------
    ValueError
        If the observation is not a Box, fewer than two entries are chosen, or an argument is not as said.
    """

    def __init__(self, env: Env, schedule: Mapping[str, Any] | int, indices: Indices = None, seed: int = 0) -> None:
        RecordConstructorArgs.__init__(self, schedule=schedule, indices=indices, seed=seed)
        space, size = _box(env, "PermuteObservations")
        places = chosen(indices, size, 2, "PermuteObservations")

        def draw(rng: np.random.Generator) -> Array:
            order = np.arange(size)
            order[places] = rng.permutation(places)
            return order

        super().__init__(env, schedule, seed, np.arange(size), draw, permutations(len(places)))
        low, high = space.low.flatten(), space.high.flatten()
        low[places], high[places] = low[places].min(), high[places].max()
        self._shape = space.shape
        self.observation_space = spaces.Box(low.reshape(space.shape), high.reshape(space.shape), dtype=space.dtype)

    def observation(self, observation: Array) -> Array:
        """Return the entries in the places they have in this world."""
        permuted: Array = np.ravel(observation)[self.card].reshape(self._shape)
        return permuted


class ScaleObservations(Changing, RecordConstructorArgs):
    """Multiply entries of the observation by gains that jump or wander.

    What is drawn at random is drawn for every entry by itself, and every entry wanders by itself; ``values`` are for
    all entries alike.

    Parameters
    ----------
    env : gymnasium.Env
        Environment with a Box observation of real numbers. Bounds are widened to what the gains can make of them.
    schedule : mapping or float
        Gains, -1000 to 1000, see `values.Values` and `values.Walk`: ``{"every": 200000, "values": [1, 2, 0.5]}``,
        ``{"every": 200000, "between": [0.5, 2], "log": True}``,
        ``{"wander": 0.001, "between": [0.5, 2], "log": True}``.
    indices : int or sequence of int, optional
        Which entries; by default all.
    seed : int
        Seed of all that is drawn.

    Raises
    ------
    ValueError
        If the observation is not a Box of real numbers, or an argument is not as said.
    """

    def __init__(self, env: Env, schedule: Mapping[str, Any] | float, indices: Indices = None, seed: int = 0) -> None:
        RecordConstructorArgs.__init__(self, schedule=schedule, indices=indices, seed=seed)
        title = "ScaleObservations"
        space, size = _box(env, title)
        if not np.issubdtype(space.dtype, np.floating):
            raise ValueError(
                f"{title} needs real numbers; {env} has {space}; convert it first, as with "
                "gymnasium.wrappers.DtypeObservation(env, np.float32)"
            )
        self._places = chosen(indices, size, 1, title)
        seed = checked_whole("seed", seed, 0, MOST_SEED)
        self._gains = number_schedule("schedule", schedule, seed, title, (-1000.0, 1000.0), len(self._places))
        super().__init__(env, (self._gains,))
        self._shape, self._dtype = space.shape, space.dtype
        self._all = np.ones(size)
        low, high = (np.asarray(bound, np.float64).flatten() for bound in (space.low, space.high))
        with np.errstate(over="ignore", invalid="ignore"):  # a bound that the dtype has no room for is infinite
            ends = np.array([bound[self._places] * gain for gain in self._gains.range for bound in (low, high)])
            ends[np.isnan(ends)] = 0.0  # no gain, no bound
            low[self._places], high[self._places] = ends.min(axis=0), ends.max(axis=0)
            ends = np.array([low, high]).astype(space.dtype).reshape(2, *space.shape)
        self.observation_space = spaces.Box(*ends, dtype=space.dtype)
        self.enter()

    @property
    def gains(self) -> Array:
        """The factor of every entry."""
        return self._all.reshape(self._shape)

    def enter(self) -> None:
        """Take the gains of now."""
        self._all[self._places] = self._gains.value

    def observation(self, observation: Array) -> Array:
        """Return the observation times its gains."""
        scaled: Array = (observation * self.gains).astype(self._dtype)
        return scaled


class FailSensors(Dealt, RecordConstructorArgs):
    """Let some entries of the observation fail; in world 0 all of them work.

    Which ones fail in another world is drawn with seed and number of the world.

    Parameters
    ----------
    env : gymnasium.Env
        Environment with a Box observation of numbers, within whose bounds failing entries stay.
    schedule : mapping or int
        When there is a change and to which world, see `schedule.Worlds`: ``{"every": 100000, "worlds": 2}`` has a
        failure of the same entries every other time, ``{"every": 100000}`` fails new ones each time.
    count : int
        How many fail at a time, 1 to the number of entries.
    mode : {"stuck", "zero", "noise"}
        Whether a failing entry shows what it showed last, 0, or Gaussian noise of mean 0.
    std : float
        Standard deviation of that noise, 0 to 1000000.
    indices : int or sequence of int, optional
        Which entries may fail; by default all.
    seed : int
        Seed of failures, noise and random times.

    Raises
    ------
    ValueError
        If the observation is not a Box of numbers, or an argument is not as said.
    """

    def __init__(
        self,
        env: Env,
        schedule: Mapping[str, Any] | int,
        count: int = 1,
        mode: str = "stuck",
        std: float = 1.0,
        indices: Indices = None,
        seed: int = 0,
    ) -> None:
        RecordConstructorArgs.__init__(
            self, schedule=schedule, count=count, mode=mode, std=std, indices=indices, seed=seed
        )
        title = "FailSensors"
        space, size = _box(env, title)
        if space.dtype == np.bool_:
            raise ValueError(f"{title} needs numbers; {env} has {space}; convert it first, as with DtypeObservation")
        if mode not in MODES:
            raise ValueError(f"mode: got {mode!r}; allowed: {', '.join(MODES)}")
        places = chosen(indices, size, 1, title)
        count = checked_whole("count", count, 1, len(places))
        self._mode, self._std = mode, checked_real("std", std, 0.0, 1e6)

        def draw(rng: np.random.Generator) -> Array:
            return np.sort(rng.choice(places, count, replace=False))

        super().__init__(env, schedule, seed, np.zeros(0, np.intp), draw, math.comb(len(places), count), again=False)
        self._shape, self._dtype = space.shape, space.dtype
        self._low, self._high = space.low.flatten(), space.high.flatten()
        self._shown: Array | None = None
        self._rng = stream(seed, title, "noise")

    def observation(self, observation: Array) -> Array:
        """Return the observation with what its failing entries show."""
        shown = np.array(observation, self._dtype).reshape(-1)
        failed = self.card
        if failed.size:
            shown[failed] = self._failing(shown, failed)
        self._shown = shown
        return shown.reshape(self._shape).copy()

    def _failing(self, shown: Array, failed: Array) -> Array:
        if self._mode == "stuck":
            held: Array = shown if self._shown is None else self._shown
            return np.take(held, failed)
        wrong = np.zeros(failed.size)
        if self._mode == "noise":
            wrong += self._std * self._rng.standard_normal(failed.size)
            if np.issubdtype(self._dtype, np.integer):
                np.rint(wrong, out=wrong)
        within: Array = np.clip(wrong, self._low[failed], self._high[failed])
        return within

    def get_state(self) -> dict[str, Any]:
        """Return what `set_state` needs to go on from here: numbers, and lists and mappings of them."""
        shown = [] if self._shown is None else self._shown.tolist()
        return super().get_state() | {"shown": shown, "rng": generator_state(self._rng)}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from where `get_state` was called; the arguments of the wrapper have to be the same."""
        super().set_state(state)
        self._shown = np.array(state["shown"], self._dtype) if len(state["shown"]) else None
        set_generator_state(self._rng, state["rng"])
