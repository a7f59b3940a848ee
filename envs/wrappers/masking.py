"""Observations with parts taken away, so that what is missing has to be remembered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs

from ..arguments import checked_whole, listed
from .layouts import KNOWN, VELOCITIES, Kind, entries

__all__ = ["VELOCITIES", "MaskPositions", "MaskVelocities"]


class _Mask(gymnasium.ObservationWrapper[np.ndarray, Any, np.ndarray], RecordConstructorArgs):
    """Leave entries out of a flat Box observation."""

    def __init__(self, env: gymnasium.Env[np.ndarray, Any], kind: Kind, indices: int | Sequence[int] | None) -> None:
        gymnasium.ObservationWrapper.__init__(self, env)
        space, title = env.observation_space, type(self).__name__
        if not isinstance(space, spaces.Box) or len(space.shape) != 1:
            raise ValueError(f"{title} needs a one-dimensional Box observation; {env} has {space}")
        if indices is None:
            indices = self._known(kind)
        given = listed(indices)
        wrong = [index for index in given if isinstance(index, int) and not 0 <= index < space.shape[0]]
        if wrong:
            raise ValueError(f"{kind} {wrong} do not exist; the observation has indices 0 to {space.shape[0] - 1}")
        left_out = {checked_whole(kind, index, 0, space.shape[0] - 1) for index in given}
        self.kept = np.array([index for index in range(space.shape[0]) if index not in left_out], dtype=np.intp)
        if not self.kept.size:
            raise ValueError(f"no part of the observation is left; mask fewer {kind}")
        self.observation_space = spaces.Box(space.low[self.kept], space.high[self.kept], dtype=space.dtype)

    def _known(self, kind: Kind) -> Sequence[int]:
        env = self.env
        name = env.spec.name if env.spec else ""
        if env.observation_space.shape != env.unwrapped.observation_space.shape:
            raise ValueError(f"a wrapper has changed the observation of {name or env}; give {kind}=[...]")
        known = entries(env, kind)
        if not known:
            raise ValueError(
                f"the {kind} of {name or env} are not known; give {kind}=[...], or use one of {', '.join(KNOWN)}"
            )
        return known

    def observation(self, observation: np.ndarray) -> np.ndarray:
        """Return the parts that are kept."""
        return observation[self.kept]


class MaskVelocities(_Mask):
    """Leave the velocities out of a flat Box observation.

    Parameters
    ----------
    env : gymnasium.Env
        Environment with a one-dimensional Box observation.
    velocities : int or sequence of int, optional
        What to leave out, by index; by default what is known for the environment, one of classic control and MuJoCo,
        see `layouts`.

    Raises
    ------
    ValueError
        If the observation is not a flat Box, an index is not a whole number or does not exist, nothing is left, or no
        indices are given and the environment is not known, or a wrapper has changed its observation.
    """

    def __init__(self, env: gymnasium.Env[np.ndarray, Any], velocities: int | Sequence[int] | None = None) -> None:
        RecordConstructorArgs.__init__(self, velocities=velocities)
        super().__init__(env, "velocities", velocities)


class MaskPositions(_Mask):
    """Leave the positions out of a flat Box observation; what moves has to be added up to know where it is.

    Parameters
    ----------
    env : gymnasium.Env
        Environment with a one-dimensional Box observation.
    positions : int or sequence of int, optional
        What to leave out, by index; by default what is known for the environment, one of classic control and MuJoCo,
        see `layouts`.

    Raises
    ------
    ValueError
        As `MaskVelocities`.
    """

    def __init__(self, env: gymnasium.Env[np.ndarray, Any], positions: int | Sequence[int] | None = None) -> None:
        RecordConstructorArgs.__init__(self, positions=positions)
        super().__init__(env, "positions", positions)


def _plain(env_id: str, kwargs: dict[str, Any]) -> gymnasium.Env[np.ndarray, Any]:
    return gymnasium.make(env_id, max_episode_steps=-1, **kwargs).unwrapped


def cartpole_positions(**kwargs: Any) -> gymnasium.Env[np.ndarray, Any]:
    """CartPole-v1 with cart position and pole angle only; both velocities have to be inferred from the past.

    Keyword arguments go to CartPole. Episodes end after 500 steps, as in CartPole-v1.
    """
    return MaskVelocities(_plain("CartPole-v1", kwargs))


def cartpole_velocities(**kwargs: Any) -> gymnasium.Env[np.ndarray, Any]:
    """CartPole-v1 with both velocities only; cart position and pole angle, which end episodes, have to be added up.

    Keyword arguments go to CartPole. Episodes end after 500 steps, as in CartPole-v1.
    """
    return MaskPositions(_plain("CartPole-v1", kwargs))


def pendulum_positions(**kwargs: Any) -> gymnasium.Env[np.ndarray, Any]:
    """Pendulum-v1 with cosine and sine of the angle only; the angular velocity has to be inferred from the past.

    Keyword arguments go to Pendulum. Episodes end after 200 steps, as in Pendulum-v1.
    """
    return MaskVelocities(_plain("Pendulum-v1", kwargs))
