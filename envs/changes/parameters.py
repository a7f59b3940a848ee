"""Where environments keep their physics: names of parameters, what they stand for, and how to set them."""

from __future__ import annotations

import copy
import importlib
import operator
from collections.abc import Callable, Mapping
from typing import Any, Generic

import gymnasium
import numpy as np

Targets = Mapping[str, float]

# By class, then by name: attributes, and to which power of the factor each is proportional. Lengths of Acrobot move its
# centers of mass too; moments of inertia follow masses and lengths. What its second link measures changes nothing.
PARAMETERS: dict[str, dict[str, Targets]] = {
    "CartPoleEnv": {
        "gravity": {"gravity": 1},
        "mass": {"masscart": 1, "masspole": 1},
        "length": {"length": 1},
        "force": {"force_mag": 1},
        "masscart": {"masscart": 1},
        "masspole": {"masspole": 1},
        "force_mag": {"force_mag": 1},
    },
    "PendulumEnv": {
        "gravity": {"g": 1},
        "mass": {"m": 1},
        "length": {"l": 1},
        "max_torque": {"max_torque": 1},
        "g": {"g": 1},
        "m": {"m": 1},
        "l": {"l": 1},
    },
    "AcrobotEnv": {
        "mass": {"LINK_MASS_1": 1, "LINK_MASS_2": 1, "LINK_MOI": 1},
        "length": {
            "LINK_LENGTH_1": 1,
            "LINK_LENGTH_2": 1,
            "LINK_COM_POS_1": 1,
            "LINK_COM_POS_2": 1,
            "LINK_MOI": 2,
        },
        "force": {"AVAIL_TORQUE": 1},
        "LINK_LENGTH_1": {"LINK_LENGTH_1": 1},
        "LINK_COM_POS_1": {"LINK_COM_POS_1": 1},
        "LINK_COM_POS_2": {"LINK_COM_POS_2": 1},
        "LINK_MASS_1": {"LINK_MASS_1": 1},
        "LINK_MASS_2": {"LINK_MASS_2": 1},
        "LINK_MOI": {"LINK_MOI": 1},
    },
    "MountainCarEnv": {"gravity": {"gravity": 1}, "force": {"force": 1}},
    "Continuous_MountainCarEnv": {"force": {"power": 1}, "power": {"power": 1}},
}
# Of the model of the simulator. Damping that grows with speed has been added to MuJoCo lately.
MUJOCO: dict[str, Targets] = {
    "gravity": {"opt.gravity": 1},
    "mass": {"body_mass": 1, "body_inertia": 1},
    "friction": {"geom_friction": 1, "pair_friction": 1},
    "force": {"actuator_gear": 1},
    "damping": {"dof_damping": 1, "dof_dampingpoly": 1},
    "fluid": {"opt.density": 1, "opt.viscosity": 1},
}
# Least and greatest factor.
ANY = (-1000.0, 1000.0)
_LIMITS = {
    **dict.fromkeys(("mass", "length", "masscart", "masspole", "m", "l"), (0.001, 1000.0)),
    **{name: (0.001, 1000.0) for name in PARAMETERS["AcrobotEnv"] if name.startswith("LINK")},
    **dict.fromkeys(("friction", "damping", "fluid"), (0.0, 1000.0)),
    "max_torque": (0.0, 1.0),  # above 1 it would do nothing, as actions stay what they are
}


def limits(name: str) -> tuple[float, float]:
    """Return the least and the greatest factor of a parameter."""
    return _LIMITS.get(name, ANY)


class Physics:
    """The parameters of an environment, and what they were when this was made.

    Parameters
    ----------
    env : gymnasium.Env
        Environment; what is inside all of its wrappers counts. Classes of classic control, those that derive from them,
        and MuJoCo are known; of others every attribute that is a float or an array of floats is a parameter.

    Attributes
    ----------
    known : tuple of str
        Names of the parameters. Where a simulator has nothing of a kind, such as damping, it is not among them.
    """

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        owner: Any = env.unwrapped
        self._owner = owner
        self._derive: Callable[[Any], None] = _nothing
        classes = [kind.__name__ for kind in type(owner).__mro__]
        classic = [name for name in classes if name in PARAMETERS]
        model = getattr(owner, "model", None)
        if classic:
            self._table: Mapping[str, Targets] = PARAMETERS[classic[0]]
            if "CartPoleEnv" in classic:
                self._derive = _derive_cartpole
        elif type(model).__module__.partition(".")[0] == "mujoco" and hasattr(model, "body_mass"):
            self._owner, self._table = model, _of_motors(model)
            mujoco: Any = importlib.import_module("mujoco")
            scratch = mujoco.MjData(model)  # what is derived is computed there, not in the midst of the simulation
            self._derive = lambda model: mujoco.mj_setConst(model, scratch)
        else:
            self._table = _floats(owner)
        self._nominal = {path: self._copy(path) for targets in self._table.values() for path in targets}
        self.known = tuple(name for name, targets in self._table.items() if any(map(self._counts, targets)))

    def _copy(self, path: str) -> Any:
        return copy.copy(operator.attrgetter(path)(self._owner)) if self._has(path) else 0.0

    def _has(self, path: str) -> bool:
        return "." in path or hasattr(self._owner, path)

    def _counts(self, path: str) -> bool:
        return bool(np.any(self._nominal[path]))

    def scale(self, factors: Mapping[str, float]) -> None:
        """Make parameters what they were, times these factors; where two share an attribute, both count."""
        scaled: dict[str, float] = {}
        for name, factor in factors.items():
            for path, power in self._table[name].items():
                scaled[path] = scaled.get(path, 1.0) * factor**power
        for path, factor in scaled.items():
            if self._has(path):
                nominal = self._nominal[path]
                self._set(path, [factor * part for part in nominal] if isinstance(nominal, list) else factor * nominal)
        self._derive(self._owner)

    def _set(self, path: str, value: Any) -> None:
        parent, _, attribute = path.rpartition(".")
        setattr(operator.attrgetter(parent)(self._owner) if parent else self._owner, attribute, value)


def _nothing(_: Any) -> None:
    """Nothing follows from the parameters."""


def _derive_cartpole(env: Any) -> None:
    env.total_mass = env.masspole + env.masscart
    env.polemass_length = env.masspole * env.length


def _of_motors(model: Any) -> dict[str, Targets]:
    """Return the table for MuJoCo; a gear makes a motor stronger, but a servo or a muscle something else."""
    motors = not np.any(model.actuator_biastype) and not np.any(model.actuator_gaintype)
    return {name: targets for name, targets in MUJOCO.items() if motors or name != "force"}


def _floats(env: Any) -> dict[str, Targets]:
    kinds = [vars(kind) for kind in type(env).__mro__ if kind not in (gymnasium.Env, Generic, object)]
    attributes = {name: value for found in (*reversed(kinds), vars(env)) for name, value in found.items()}
    real = (float, np.floating)
    return {
        name: {name: 1.0}
        for name, value in sorted(attributes.items())
        if not name.startswith("_")
        and (isinstance(value, real) or (isinstance(value, np.ndarray) and np.issubdtype(value.dtype, np.floating)))
    }
