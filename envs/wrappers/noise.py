"""Observations with noise, so that one of them is not enough to go by."""

from __future__ import annotations

import math
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs

from ..arguments import checked_flag, checked_real
from ..tasks.cues import NOISE_LIMIT

Array = np.ndarray


class NoisyObservation(gymnasium.ObservationWrapper[Array, Any, Array], RecordConstructorArgs):
    """Add independent Gaussian noise to every entry of a Box observation.

    Entries of real numbers may leave their bounds: those of the wrapper are wider by `NOISE_LIMIT` stds, and keep
    their dtype. Whole numbers, such as those of an image, are rounded and kept within their bounds; those beyond 2^53
    are only as exact as float64. Without std nothing changes.

    The noise comes from a generator of the wrapper's own, seeded by ``reset(seed=...)``: the environment draws what it
    draws without the wrapper, and several such wrappers around one environment differ.

    Parameters
    ----------
    env : gymnasium.Env
        Environment with a Box observation.
    std : float
        Standard deviation of the noise, 0 to 1000000.
    relative : bool
        Whether `std` is a share of each entry's magnitude, so that an entry of 0 has no noise; else it is in the
        units of the observation.

    Raises
    ------
    ValueError
        If the observation is not a Box of numbers, or an argument is not as said.
    """

    def __init__(self, env: gymnasium.Env[Array, Any], std: float = 0.1, relative: bool = False) -> None:
        RecordConstructorArgs.__init__(self, std=std, relative=relative)
        gymnasium.ObservationWrapper.__init__(self, env)
        space = env.observation_space
        if not isinstance(space, spaces.Box):
            raise ValueError(f"NoisyObservation needs a Box observation; {env} has {space}")
        if space.dtype == np.bool_:
            raise ValueError(
                f"NoisyObservation needs numbers; {env} has {space}, of true and false; convert it first, as with "
                "gymnasium.wrappers.DtypeObservation(env, np.float32)"
            )
        self._std = checked_real("std", std, 0.0, 1e6)
        self._relative = checked_flag("relative", relative)
        self._shape, self._dtype = space.shape, space.dtype
        self._whole = np.issubdtype(space.dtype, np.integer)
        if self._whole:
            limits = np.iinfo(space.dtype)
            most = float(limits.max)  # of 64 bits it is rounded up, to what the dtype cannot hold
            self._limits = float(limits.min), most if most <= limits.max else math.nextafter(most, 0.0)
        else:
            low, high = (np.asarray(bound, np.float64) for bound in (space.low, space.high))
            scale = np.maximum(np.abs(low), np.abs(high)) if relative else 1.0
            room = NOISE_LIMIT * self._std * scale if std else 0.0
            with np.errstate(over="ignore"):  # a bound that the dtype has no room for is infinite
                low, high = (low - room).astype(self._dtype), (high + room).astype(self._dtype)
            self.observation_space = spaces.Box(low, high, dtype=space.dtype)
        self._low, self._high = space.low, space.high
        self._depth, inner = 0, env
        while isinstance(inner, gymnasium.Wrapper):
            self._depth += isinstance(inner, NoisyObservation)
            inner = inner.env
        self._seed(None)

    def _seed(self, seed: int | None) -> None:
        self._rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(self._depth,)))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Array, dict[str, Any]]:
        """Begin an episode; a seed is for the noise too."""
        if seed is not None:
            self._seed(seed)
        return super().reset(seed=seed, options=options)

    def observation(self, observation: Array) -> Array:
        """Return the observation with noise."""
        if not self._std:
            return np.array(observation, self._dtype)
        noise = self._rng.standard_normal(self._shape)
        noise *= self._std
        if self._relative:
            noise *= np.abs(observation, dtype=np.float64)
        noise += observation
        if self._whole:
            whole = np.clip(np.rint(noise), *self._limits).astype(self._dtype)
            noise = np.clip(whole, self._low, self._high)
        return noise.astype(self._dtype)
