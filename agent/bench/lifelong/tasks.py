"""What `synaptick bench lifelong` runs: tasks whose world changes, and the arms that live in them, as data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from ..suites import MEMORYLESS


class Life(NamedTuple):
    """A task of a whole life.

    Attributes
    ----------
    place : callable
        From the steps between two changes, 0 for a world that stays what it is, to the settings of the environment.
        Its ``info`` has ``world`` and ``changed`` as `envs.changing.World` says, unless it never changes.
    steps, every : int
        Steps of a life, and from change to change; where nothing changes, from report to report.
    changes : bool
        Whether the world changes.
    episodic : bool
        Whether performance is the return of an episode; otherwise it is the reward of a step.
    solved, collapsed : float, optional
        Mean return of the last 100 episodes that counts as solved, and the return below which, after that, an episode
        counts as collapsed.
    """

    place: Callable[[int], dict[str, Any]]
    steps: int
    every: int
    changes: bool = True
    episodic: bool = True
    solved: float | None = None
    collapsed: float = 0.0


class Arm(NamedTuple):
    """One way to live.

    Attributes
    ----------
    settings : dict
        Settings that differ from those of the other arms.
    at_change : {"go on", "freeze", "reset"}
        What happens when the world changes: nothing, learning stops for good, or another agent takes over.
    drifts : bool
        False: the world stays the first one.
    """

    settings: dict[str, Any]
    at_change: Literal["go on", "freeze", "reset"] = "go on"
    drifts: bool = True


# The fresh agents come first: what the others reach is reported in terms of what they do.
FRESH = "reset"
ARMS: dict[str, Arm] = {
    FRESH: Arm({}, at_change="reset"),
    "learning": Arm({}),
    "frozen": Arm({}, at_change="freeze"),
    "no drift": Arm({}, drifts=False),
    "memoryless": Arm(MEMORYLESS),
}

# Factors of the worlds, which follow one another and then begin again. In them the pole falls 0.7 to 2.2 times as fast
# as it does, and a push turns it 0.25 to 4 times as far.
DRIFT = {
    "force": [1.0, 2.5, 0.5, 1.0, 2.0],
    "length": [1.0, 1.0, 2.0, 0.4, 0.5],
    "gravity": [1.0, 0.5, 2.0, 2.0, 0.5],
}


def _cartpole(every: int) -> dict[str, Any]:
    changes = {name: {"every": every, "values": factors} for name, factors in DRIFT.items()}
    wrappers = [{"synaptick.envs:DriftParameters": {"changes": changes}}] if every else []
    return {"env": "CartPole-v1", "wrappers": wrappers}


def _forager(every: int) -> dict[str, Any]:
    return {"env": "synaptick.envs:synaptick/Forager-v0", "env_kwargs": {"flip_every": every}}


TASKS: dict[str, Life] = {
    "CartPole drift": Life(_cartpole, 4_000_000, 200_000),
    "Forager": Life(_forager, 4_000_000, 100_000, episodic=False),
    "CartPole stationary": Life(_cartpole, 5_000_000, 200_000, changes=False, solved=475.0, collapsed=400.0),
}


def arms_of(task: str, arms: list[str] | None = None) -> list[str]:
    """Return the names of the arms, some of `arms`, that differ in a task; fresh agents first.

    Where nothing changes, only those with settings of their own differ from the one that learns.
    """
    chosen = [name for name in ARMS if name in (arms or ARMS)]
    if TASKS[task].changes:
        return chosen
    return [name for name in chosen if ARMS[name].at_change == "go on" and ARMS[name].drifts]
