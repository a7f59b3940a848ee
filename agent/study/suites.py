"""What `synaptick bench learning` runs: data alone, without imports of the package.

`tests/benchmarks/baselines.py` reads this file by its path where synaptick is not installed, so that other algorithms
get the same environments, steps and thresholds.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Task(NamedTuple):
    """An environment, a budget of steps and a target.

    Attributes
    ----------
    settings : dict
        Environment and number of steps. The rule of the tables is that one configuration serves every task: any key
        beyond ``env``, ``env_kwargs``, ``wrappers`` and ``steps`` appears in them as *tuned*.
    threshold : float, optional
        Mean return of the last episodes that counts as reaching the target.
    config : str
        Shipped configuration that the settings change.
    """

    settings: dict[str, Any]
    threshold: float | None = None
    config: str = "default"


class Suite(NamedTuple):
    """Tasks by name, and how many seeds each gets by default."""

    tasks: dict[str, Task]
    seeds: int = 10


def _plain(*rows: tuple[str, int, float | None]) -> dict[str, Task]:
    """Return the default configuration in an environment, a task for each (environment, steps, threshold)."""
    return {env: Task({"env": env, "steps": steps}, threshold) for env, steps, threshold in rows}


# Observations in units 10^4 times smaller, reward in units 10^3 times larger.
OTHER_UNITS = {"synaptick.envs:ChangeUnits": {"observation": 1e4, "reward": 1e-3}}

SUITES = {
    "classic": Suite(
        _plain(
            ("CartPole-v1", 100_000, 495.0),
            ("Acrobot-v1", 300_000, -85.0),
            ("MountainCar-v0", 300_000, -115.0),
            ("Pendulum-v1", 300_000, -180.0),
            ("MountainCarContinuous-v0", 300_000, 90.0),
        )
    ),
    "box2d": Suite(
        _plain(
            ("LunarLander-v3", 500_000, 220.0),
            ("LunarLanderContinuous-v3", 500_000, 220.0),
            ("BipedalWalker-v3", 1_000_000, None),
        )
    ),
    "mujoco": Suite(
        _plain(
            ("InvertedPendulum-v5", 200_000, 900.0),
            ("Hopper-v5", 1_000_000, 1000.0),
            ("HalfCheetah-v5", 1_000_000, 2500.0),
        ),
        seeds=5,
    ),
    # What depth, its filter and memory are worth; "positions" hides both velocities.
    "cartpole": Suite(
        {
            "cartpole": Task({}, 495.0),
            "cartpole, 1 layer": Task({"layers": [64]}, 495.0),
            "cartpole, no depth filter": Task({"depth_filter": "none"}, 495.0),
            # Returns are in the new unit too.
            "cartpole, other units": Task({"wrappers": [OTHER_UNITS]}, 0.495),
            "positions": Task({}, None, "cartpole_positions"),
            "positions, 1 layer": Task({"layers": [64]}, None, "cartpole_positions"),
            "positions, no depth filter": Task({"depth_filter": "none"}, None, "cartpole_positions"),
            "positions, memoryless": Task({}, None, "cartpole_positions_memoryless"),
        }
    ),
}
