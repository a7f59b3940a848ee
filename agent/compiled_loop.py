"""The compiled step for loops that are compiled themselves: a function pointer, and the arrays it reads and writes.

Numba code that calls ``kernels.tick.tick`` by name takes the whole step in: it compiles for as long as the step does,
and the optimizer, given both at once, may round differently in the last bit. Through the pointer a loop compiles in a
fraction of a second, and runs the very code that `Agent.step` runs, bit for bit.
"""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .agent import Agent
from .arena.dimensions import is_rare
from .compilation import SIGNATURE, UNCOMPILED, seal
from .config import Config
from .errors import CompileError
from .kernels.base.jit import COMPILES
from .kernels.tick import (
    BAD_OBSERVATION,
    BAD_REWARD,
    GIVEN,
    NEEDS_ALL_PARTS,
    NOT_STARTED,
    START,
    STEP,
    TERMINATE,
    TRUNCATE,
)

__all__ = [
    "BAD_OBSERVATION",
    "BAD_REWARD",
    "GIVEN",
    "NEEDS_ALL_PARTS",
    "NOT_STARTED",
    "START",
    "STEP",
    "TERMINATE",
    "TRUNCATE",
    "Ports",
    "load_tick",
    "ports",
]

_PROTOTYPE = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_double, ctypes.c_int64, ctypes.c_bool)


class Ports(NamedTuple):
    """What a compiled loop is handed of an agent; good as long as the agent lives and is neither loaded nor unpickled.

    Attributes
    ----------
    address : int
        Where the agent's arena lies in memory, the first argument of the step.
    observation : (n,) float64 array
        Write the observation here before a call; zero again after it. In the order of `gymnasium.spaces.flatten`:
        numbers as they are (bounded integers of a Box scaled to 0 to 1), categories as one-hot vectors.
    action : (m,) float64 array
        Read the action here after START and STEP: the index, from 0, of each category chosen, then each control,
        within its bounds, both in the order of `gymnasium.spaces.flatten`.
    """

    address: int
    observation: NDArray[np.float64]
    action: NDArray[np.float64]


def ports(agent: Agent) -> Ports:
    """Return address, observation and action of an agent; nothing is copied.

    A loop may be called any number of times with the same ports, and `agent.step`, `save` or `snapshot` in between.
    """
    return Ports(agent.arena.address, agent.arena.views["staging"], agent.arena.views["action"])


def load_tick(config: Config | None = None) -> Any:
    """Compile or load the step (see `Agent.compile`) and return a pointer to it that Numba code, or ctypes, can call.

    Parameters
    ----------
    config : Config, optional
        Of the agents that are to run. Without it the step is the one that takes every agent, and takes longer to
        compile.

    Returns
    -------
    ctypes function ``tick(address, reward, mode, learning)``
        ``int64 (int64, double, int64, bool)``, see `kernels.tick.tick`. `mode` is START, STEP, TERMINATE or TRUNCATE;
        START + GIVEN or STEP + GIVEN if another controller acts, whose action stands in the agent's place for it.
        Returns 0, or NOT_STARTED, BAD_REWARD, BAD_OBSERVATION, or, for an agent of a configuration that needs the other
        step, NEEDS_ALL_PARTS: then nothing was changed. It allocates nothing, holds
        no lock and raises nothing; two threads must not call it with one address at a time.

    Raises
    ------
    CompileError
        If ``NUMBA_DISABLE_JIT`` is set: there is no compiled code to point to.

    Notes
    -----
    Let a module-level name hold it, so that Numba sees a constant. A function that uses it cannot be kept on disk by
    ``njit(cache=True)``: the pointer is another one in each process.

    Examples
    --------
    >>> import numpy as np
    >>> from gymnasium.spaces import Box
    >>> from numba import njit
    >>> from synaptick import Agent, Config
    >>> from synaptick.compiled_loop import START, STEP, load_tick, ports
    >>> tick = load_tick()
    >>> @njit
    ... def loop(address, observation, action, periods):
    ...     level, mode, reward = 0.0, START, 0.0
    ...     for _ in range(periods):
    ...         observation[0] = level
    ...         tick(address, reward, mode, True)
    ...         level, mode = 0.9 * level + 0.1 * action[0], STEP
    ...         reward = -((level - 0.5) ** 2)
    ...     return level
    >>> agent = Agent(Config(), Box(-np.inf, np.inf, (1,)), Box(-1, 1, (1,)))
    >>> -1.0 <= loop(*ports(agent), 100) <= 1.0
    True
    """
    if not COMPILES:
        raise CompileError(UNCOMPILED)
    compiled = seal(config is None or is_rare(config)).overloads[SIGNATURE]
    # The code is owned by the dispatcher, which is a global and lives as long as the process.
    return _PROTOTYPE(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_cfunc_wrapper_name))
