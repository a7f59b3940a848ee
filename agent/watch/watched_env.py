"""The environment that is watched: its picture, and what the last step brought."""

from __future__ import annotations

import warnings
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..agent import Agent
from ..config import Config
from ..errors import EnvError, one_line
from ..spaces import as_reward
from ..training.console import warn
from ..training.guarded_env import EnvRaised, GuardedEnv
from ..training.interrupts import StopRequest

Picture = NDArray[np.uint8]


class WatchedEnv:
    """A `GuardedEnv` that notes rewards, and gives a picture if it can; a context, at whose end it is closed.

    Parameters
    ----------
    config : Config
    agent : Agent
        Whose expectation is noted before each step.
    stop : StopRequest
    state : dict, optional
        State of an environment whose statistics the wrappers get.

    Attributes
    ----------
    td_error : float
        Of the last step, in units of the reward: NaN if the episode was cut off.
    episode_return : float
        Sum of rewards of the episode that is running.
    begins : bool
        Whether the last step was followed by a reset.

    Raises
    ------
    EnvError
        If it cannot be made, without a picture either.
    """

    def __init__(self, config: Config, agent: Agent, stop: StopRequest, state: dict[str, Any] | None = None) -> None:
        self._agent, self._discount = agent, agent.config.discount
        self._env, self._reason = _made(config, stop)
        self._say_why()
        self._env.restore_statistics(state)
        self._result: Any = None
        self._expected = 0.0
        self.td_error, self.episode_return, self.begins = np.nan, 0.0, True

    def reset(self, **arguments: Any) -> Any:
        """Return what the environment returns."""
        self.begins = True
        return self._env.reset(**arguments)

    def step(self, action: Any) -> Any:
        """Return what the environment returns."""
        self._expected = self._agent.expected_return
        self.begins = False
        self._result = self._env.step(action)
        return self._result

    def note(self) -> None:
        """Work out what the step brought, once the agent has seen it."""
        _, given, terminated, _, _ = self._result
        reward = as_reward(given)
        if self.begins:
            self.td_error = reward - self._expected if terminated else np.nan
            self.episode_return = 0.0
        else:
            self.td_error = reward + self._discount * self._agent.expected_return - self._expected
            self.episode_return += reward

    def picture(self) -> Picture | None:
        """Return the picture, (height, width, 3), or None if there is none; say once why."""
        if not self._reason:
            try:
                found = self._env.render()
            except EnvRaised as error:
                self._reason = str(error)
            else:
                if isinstance(found, np.ndarray) and found.ndim == 3 and found.shape[2] == 3 and found.size:
                    return np.clip(found, 0, 255).astype(np.uint8)
                self._reason = f"render() returned {one_line(found)}, not an array (height, width, 3)"
            self._say_why()
        return None

    def _say_why(self) -> None:
        if self._reason:
            warn(f"the environment gives no picture ({self._reason}); the network is shown without one")

    def __enter__(self) -> WatchedEnv:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._env.close()


def _made(config: Config, stop: StopRequest) -> tuple[GuardedEnv, str]:
    """Return the environment, and why it gives no picture, if it does not."""
    drawing = config.with_changes({"env_kwargs": {**config.env_kwargs, "render_mode": "rgb_array"}})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Gymnasium's, of a mode that is not there: `render` tells
            return GuardedEnv(drawing, stop), ""
    except EnvError as error:
        return GuardedEnv(config, stop), str(error)
