"""Observations with parts taken away, so that what is missing has to be remembered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs

# Velocities in the observations of Gymnasium's own environments, by environment name without version.
VELOCITIES = {
    "CartPole": (1, 3),
    "Pendulum": (2,),
    "Acrobot": (4, 5),
    "MountainCar": (1,),
    "MountainCarContinuous": (1,),
}


class MaskVelocities(gymnasium.ObservationWrapper[np.ndarray, Any, np.ndarray], RecordConstructorArgs):
    """Leave the velocities out of a flat Box observation.

    Parameters
    ----------
    env : gymnasium.Env
        Environment with a one-dimensional Box observation.
    velocities : sequence of int, optional
        Indices to leave out; by default those known for the environment, see `VELOCITIES`.

    Raises
    ------
    ValueError
        If the observation is not a flat Box, an index does not exist, nothing is left, or the environment is not known
        and no indices are given.
    """

    def __init__(self, env: gymnasium.Env[np.ndarray, Any], velocities: Sequence[int] | None = None) -> None:
        RecordConstructorArgs.__init__(self, velocities=velocities)
        gymnasium.ObservationWrapper.__init__(self, env)
        space = env.observation_space
        if not isinstance(space, spaces.Box) or len(space.shape) != 1:
            raise ValueError(f"MaskVelocities needs a one-dimensional Box observation; {env} has {space}")
        if velocities is None:
            name = env.spec.name if env.spec else ""
            if name not in VELOCITIES:
                raise ValueError(
                    f"the velocities of {name or env} are not known; give velocities=[...], "
                    f"or use one of {', '.join(VELOCITIES)}"
                )
            velocities = VELOCITIES[name]
        wrong = [index for index in velocities if not 0 <= index < space.shape[0]]
        if wrong:
            raise ValueError(f"velocities {wrong} do not exist; the observation has indices 0 to {space.shape[0] - 1}")
        self.kept = np.array([index for index in range(space.shape[0]) if index not in set(velocities)], dtype=np.intp)
        if not self.kept.size:
            raise ValueError("no part of the observation is left; mask fewer velocities")
        self.observation_space = spaces.Box(space.low[self.kept], space.high[self.kept], dtype=space.dtype)

    def observation(self, observation: np.ndarray) -> np.ndarray:
        """Return the parts that are kept."""
        return observation[self.kept]


def cartpole_positions(**kwargs: Any) -> gymnasium.Env[np.ndarray, Any]:
    """CartPole-v1 with cart position and pole angle only; both velocities have to be inferred from the past.

    Keyword arguments go to CartPole. Episodes end after 500 steps, as in CartPole-v1.
    """
    return MaskVelocities(
        gymnasium.make("CartPole-v1", max_episode_steps=-1, **kwargs).unwrapped, VELOCITIES["CartPole"]
    )
