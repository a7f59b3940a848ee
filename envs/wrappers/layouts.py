"""Where positions and velocities stand in the observations of Gymnasium's own environments."""

from __future__ import annotations

from typing import Any, Literal

import gymnasium

Kind = Literal["positions", "velocities"]

# A letter an entry: p position, v velocity, . neither; the last is for all further ones. By name without version.
LAYOUTS = {
    "CartPole": "pvpv",
    "Pendulum": "ppv",
    "Acrobot": "ppppvv",
    "MountainCar": "pv",
    "MountainCarContinuous": "pv",
    # MuJoCo that is not put together of whole arrays. What the robot has to reach or to push is neither.
    "InvertedDoublePendulum": "pppppvvv.",  # cart, sines, cosines | velocities | constraint forces
    "Reacher": "pppp..vvpp",  # cosines, sines | target | velocities | from target to fingertip
    "Pusher": "pppppppvvvvvvvppp......",  # angles | velocities | fingertip | object, goal
}
VELOCITIES = {name: tuple(k for k, letter in enumerate(layout) if letter == "v") for name, layout in LAYOUTS.items()}

# Other MuJoCo observations are arrays of the simulator, one after the other.
_OF_KIND = {"positions": ("qpos", "cinert", "ten_length"), "velocities": ("qvel", "cvel", "ten_velocity")}
_BODIES = ("cinert", "cvel", "qfrc_actuator", "cfrc_ext")
# Version 5 says which; before, these followed `qpos` and `qvel`. An ant may have contact forces, or not.
_AFTER: dict[str, tuple[tuple[str, ...], ...]] = {
    "Hopper": ((),),
    "HalfCheetah": ((),),
    "Walker2d": ((),),
    "Swimmer": ((),),
    "InvertedPendulum": ((),),
    "Ant": ((), ("cfrc_ext",)),
    "Humanoid": (_BODIES,),
    "HumanoidStandup": (_BODIES,),
}
_MOST_LEFT_OUT = 2  # of `qpos`: horizontal coordinates, if the body may be anywhere
KNOWN = (*LAYOUTS, *_AFTER)


def entries(env: gymnasium.Env[Any, Any], kind: Kind) -> tuple[int, ...]:
    """Return the indices of positions or velocities in the observation; none if they are not known.

    Parameters
    ----------
    env : gymnasium.Env
        Environment whose observation is that of the innermost one, unchanged by wrappers.
    kind : {"positions", "velocities"}
        What to look for. In MuJoCo environments all that follows from joint positions is a position, and all that needs
        joint velocities too is a velocity; forces are neither.
    """
    name = env.spec.name if env.spec and env.spec.namespace is None else ""
    size = (env.observation_space.shape or (0,))[0]
    if name in LAYOUTS:
        layout = LAYOUTS[name]
        return tuple(k for k, letter in enumerate(layout.ljust(size, layout[-1])) if letter == kind[0])
    found: list[int] = []
    begin = 0
    for part, length in _parts(env.unwrapped, name, size):
        if part in _OF_KIND[kind]:
            found += range(begin, begin + length)
        begin += length
    return tuple(found) if begin == size else ()


def _parts(simulated: Any, name: str, size: int) -> list[tuple[str, int]]:
    """Return names and sizes of the arrays of which an observation of MuJoCo is made."""
    structure: Any = getattr(simulated, "observation_structure", None)
    if structure:
        return [(part, int(length)) for part, length in structure.items() if part != "skipped_qpos"]
    for after in _AFTER.get(name, ()):
        data = simulated.data
        known = [(part, int(getattr(data, part).size)) for part in ("qvel", *after)]
        left = size - sum(length for _, length in known)
        if 0 <= data.qpos.size - left <= _MOST_LEFT_OUT:
            return [("qpos", left), *known]
    return []
