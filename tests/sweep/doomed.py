"""An environment and a wrapper that processes of a sweep import by name, and that fail as they are told."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

DOOMED = f"{__name__}:Doomed-v0"
HALVED = f"{__name__}:Halved"


class Doomed(gymnasium.Env[Any, Any]):
    """Episodes of 5 steps, whose reward is the action; at step `fail_at` it raises, at step `die_at` it is killed.

    Killed `times` times: each leaves a file in `folder`.
    """

    def __init__(self, fail_at: int = 0, die_at: int = 0, times: int = 0, folder: str = "") -> None:
        self.observation_space = spaces.Box(-9.0, 9.0, (2,), np.float64)
        self.action_space = spaces.Discrete(2)
        self.fail_at, self.die_at, self.times, self.folder = fail_at, die_at, times, folder
        self.time = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return np.zeros(2), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.time += 1
        if self.time == self.fail_at:
            raise RuntimeError("the motor is on fire")
        if self.time == self.die_at:
            deaths = len(list(Path(self.folder).glob("death*")))
            if deaths < self.times:
                Path(self.folder, f"death{deaths}").touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return self.np_random.normal(size=2), float(action), self.time % 5 == 0, False, {}


class Halved(gymnasium.RewardWrapper[Any, Any]):
    """Halves rewards."""

    def reward(self, reward: Any) -> float:
        return 0.5 * float(reward)


if "Doomed-v0" not in gymnasium.registry:
    gymnasium.register("Doomed-v0", Doomed, disable_env_checker=True)
