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


def _remember(name: str, threshold: float, **arguments: object) -> Task:
    """Return the default configuration in an environment that has to be remembered, 500,000 steps."""
    return Task({"env": f"synaptick.envs:synaptick/{name}-v0", "env_kwargs": arguments, "steps": 500_000}, threshold)


def _popgym(name: str, threshold: float | None) -> Task:
    """Return the default configuration in an easy task of POPGym (Morad et al. 2023), shown the last action too."""
    wrappers = ["popgym.wrappers:PreviousAction"]
    return Task({"env": f"popgym-{name}Easy-v0", "wrappers": wrappers, "steps": 1_000_000}, threshold)


def _without_velocities(name: str) -> Task:
    return Task({"env": f"{name}-v5", "wrappers": ["synaptick.envs:MaskVelocities"], "steps": 1_000_000})


def _arms(tasks: dict[str, Task], arms: dict[str, dict[str, Any]]) -> dict[str, Task]:
    """Return every task as it is and with the settings of every arm, whose name follows after a comma."""
    return {
        f"{name}{arm and ', '}{arm}": task._replace(settings=task.settings | settings)
        for name, task in tasks.items()
        for arm, settings in arms.items()
    }


# A network whose output depends on the present observation alone.
MEMORYLESS = {
    "memory": 0,
    "recurrent": False,
    "adaptive_fraction": 0.0,
    "tau_min": 0.01,
    "tau_max": 0.01,
    "reset_strength": 0.0,
}
# The same without spikes: a threshold of almost nothing and a payload up to four units make clipped ReLUs, on the same
# rule. What is left of the difference is what spikes, their reset and their memory cost or give.
DENSE = MEMORYLESS | {"v_th": 0.004, "payload_cap": 1000.0}
# Memory neurons as they begin; what reads them learns.
FROZEN = {"frozen_layers": 1}
# For episodes of about 100 ticks.
SHORT = {"memory_horizon": 50.0}
# Steps from the cue to the question.
CHAINS = (64, 128, 256, 512, 1024)
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
            ("Walker2d-v5", 1_000_000, 1000.0),
            ("Ant-v5", 1_000_000, 1000.0),
        ),
    ),
    # What a spike that carries a number is worth, and what spikes cost; the default itself is in the suites above.
    "spikes": Suite(
        _arms(
            _plain(
                ("CartPole-v1", 100_000, 495.0),
                ("Acrobot-v1", 300_000, -85.0),
                ("MountainCar-v0", 300_000, -115.0),
                ("Pendulum-v1", 300_000, -180.0),
                ("LunarLander-v3", 300_000, 220.0),
                ("HalfCheetah-v5", 300_000, 2000.0),
            ),
            {"binary": {"spikes": "binary"}, "dense": DENSE},
        ),
        seeds=5,
    ),
    # What layers are worth to control; the default has one.
    "layers": Suite(
        _arms(
            _plain(("LunarLander-v3", 300_000, 220.0), ("HalfCheetah-v5", 300_000, 2000.0)),
            {
                "2 layers": {"layers": [64, 64]},
                "3 layers": {"layers": [64, 64, 64]},
                "3 layers, no filter": {"layers": [64, 64, 64], "depth_filter": "none"},
                "4 layers": {"layers": [64, 64, 64, 64]},
            },
        ),
        seeds=5,
    ),
    # What depth and memory are worth; "positions" hides both velocities.
    "cartpole": Suite(
        {
            "cartpole": Task({}, 495.0),
            "cartpole, 3 layers": Task({"layers": [64, 64, 64]}, 495.0),
            "cartpole, no memory": Task({"memory": 0}, 495.0),
            # Returns are in the new unit too.
            "cartpole, other units": Task({"wrappers": [OTHER_UNITS]}, 0.495),
            "positions": Task({}, None, "cartpole_positions"),
            "positions, 3 layers": Task({"layers": [64, 64, 64]}, None, "cartpole_positions"),
            "positions, frozen memory": Task(FROZEN, None, "cartpole_positions"),
            "positions, no memory": Task({"memory": 0}, None, "cartpole_positions"),
            "positions, memoryless": Task(MEMORYLESS, None, "cartpole_positions"),
        }
    ),
    # What has to be remembered, and how much of it the same memory can do that learns nothing.
    "memory": Suite(
        _arms(
            {
                **{f"chain {length}": _remember("MemoryChain", 0.9, length=length) for length in CHAINS},
                "chain 32 beside noise": _remember("MemoryChain", 0.9, length=32, noise_channels=4),
                "T-maze 50": _remember("TMaze", 0.9, length=50),
                "T-maze 200": _remember("TMaze", 0.9, length=200),
                "evidence, 50 ms a step": _remember("EvidenceAccumulation", 0.8, tick_ms=50),
                "evidence, 10 ms a step": _remember("EvidenceAccumulation", 0.8, tick_ms=10),
            },
            {"": {}, "frozen": FROZEN},
        )
        | _arms({"chain 64": _remember("MemoryChain", 0.9, length=64)}, {"no memory": {"memory": 0}})
    ),
    # What a second layer of memory and the filter of its signals are worth, at the same number of memory neurons.
    "depth": Suite(
        _arms(
            {
                "first cue": _remember("FirstCue", 0.9, least=6, most=9),
                "announced cue": _remember("AnnouncedCue", 0.9),
                "delayed xor": _remember("DelayedXor", 0.9, gap=64, delay=64, noise_channels=0),
                "toggle": _remember("Toggle", 0.9),
            },
            {
                "2 layers, tensor": {"memory": 32, "memory_layers": 2, "depth_filter": "tensor", **SHORT},
                "2 layers, cascade": {"memory": 32, "memory_layers": 2, **SHORT},
                "2 layers, no filter": {"memory": 32, "memory_layers": 2, "depth_filter": "none", **SHORT},
                "1 layer": {"memory": 64, **SHORT},
            },
        )
    ),
    # Returns are POPGym's own, from -1 to 1; papers often show (1 + return) / 2.
    "popgym": Suite(
        {
            **{name: _popgym(name, 0.8) for name in ("RepeatPrevious", "RepeatFirst", "PositionOnlyCartPole")},
            **{
                name: _popgym(name, None)
                for name in (
                    *("NoisyPositionOnlyCartPole", "VelocityOnlyCartpole", "PositionOnlyPendulum"),
                    *("NoisyPositionOnlyPendulum", "Autoencode", "CountRecall", "HigherLower", "Concentration"),
                    *("MultiarmedBandit", "Battleship", "MineSweeper"),
                )
            },
        },
        seeds=5,
    ),
    "masked": Suite(
        _arms(
            {name: _without_velocities(name) for name in ("Hopper", "HalfCheetah")},
            {"": {}, "memoryless": MEMORYLESS},
        )
        | {
            "CartPole velocities": Task({"env": "synaptick.envs:synaptick/CartPoleVelocities-v0", "steps": 200_000}),
            "Pendulum positions": Task({"env": "synaptick.envs:synaptick/PendulumPositions-v0", "steps": 300_000}),
        },
        seeds=5,
    ),
}
