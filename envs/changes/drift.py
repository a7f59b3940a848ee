"""Physics that changes: gravity, masses, forces and friction that jump or wander."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
from gymnasium.utils import RecordConstructorArgs

from ..arguments import checked_whole
from ..random_streams import MOST_SEED
from .changing import Changing
from .number_schedules import number_schedule
from .parameters import Physics, limits


class DriftParameters(Changing, RecordConstructorArgs):
    """Multiply physical parameters of an environment by factors that jump or wander.

    A factor is of what the parameter was when the wrapper was made: 1 is the environment as it is. Bounds of
    observations and actions stay what they are.

    | environment | parameters |
    |---|---|
    | CartPole | `gravity`, `mass` (both), `masscart`, `masspole`, `length`, `force` or `force_mag` |
    | Pendulum | `gravity` or `g`, `mass` or `m`, `length` or `l`, `max_torque` (0 to 1: what is above is cut off) |
    | Acrobot | `mass`, `length`, `force`; `LINK_MASS_1`, `LINK_MASS_2`, `LINK_LENGTH_1`, `LINK_COM_POS_1`, |
    | | `LINK_COM_POS_2`, `LINK_MOI` |
    | MountainCar | `gravity`, `force` |
    | MountainCarContinuous | `force` or `power` |
    | MuJoCo | `gravity`, `mass` (with inertia), `friction` (of contacts), `force` (of motors), `damping` (of joints), |
    | | `fluid` (density and viscosity around it); none that is 0 |
    | others | any attribute that is a float or an array of floats |

    A mass or a length of Acrobot as a whole takes the moments of inertia with it, and a length the centers of mass.
    Whether an attribute of another environment does anything, and when, is up to it: LunarLander reads its `gravity` at
    reset. Gymnasium's MuJoCo environments pay for controls, not for forces: a stronger motor costs no more.

    Parameters
    ----------
    env : gymnasium.Env
        Environment.
    changes : mapping
        From the name of a parameter to the schedule of its factor, see `values.Values` and `values.Walk`:
        ``{"gravity": {"every": 200000, "values": [1, 2, 0.5]}, "force": {"mean_interval": 50000, "between": [0.5, 2]},
        "length": {"wander": 0.0001, "between": [0.5, 2], "log": True}}``. Factors are -1000 to 1000, of masses and
        lengths 0.001 to 1000, of friction, damping and fluid 0 to 1000. Each has random numbers of its own; what one
        of them draws does not depend on the others.
    seed : int
        Seed of all that is drawn.

    Raises
    ------
    ValueError
        If a parameter is not known, parameters are changed by another such wrapper inside, or an argument is not as
        said.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], changes: Mapping[str, Any], seed: int = 0) -> None:
        RecordConstructorArgs.__init__(self, changes=changes, seed=seed)
        inner: Any = env
        while isinstance(inner, gymnasium.Wrapper):
            if isinstance(inner, DriftParameters):
                raise ValueError(f"DriftParameters is already around {env}; give all changes to one of them")
            inner = inner.env
        self._physics = Physics(env)
        known = ", ".join(self._physics.known)
        if not isinstance(changes, Mapping) or not changes:
            raise ValueError(f"changes: got {changes!r}; allowed: a mapping from parameters ({known}) to schedules")
        unknown = [name for name in changes if name not in self._physics.known]
        if unknown:
            raise ValueError(f"changes: got {unknown[0]!r}; {env} has the parameters {known or 'none'}")
        seed = checked_whole("seed", seed, 0, MOST_SEED)
        self._factors = {
            name: number_schedule(name, data, seed, "DriftParameters", limits(name)) for name, data in changes.items()
        }
        super().__init__(env, tuple(self._factors.values()))
        self.enter()

    @property
    def factors(self) -> dict[str, float]:
        """What every parameter is multiplied by now."""
        return {name: schedule.value for name, schedule in self._factors.items()}

    def enter(self) -> None:
        """Give the parameters the factors of now."""
        self._physics.scale(self.factors)

    def close(self) -> None:
        """Make the parameters what they were, and close the environment."""
        self._physics.scale(dict.fromkeys(self._factors, 1.0))
        super().close()
