"""An exported agent, compiled and driven from Python, to be compared with the one it was exported from."""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...agent import Agent
from ...arena.arena import CRC_BYTES
from .compiler import compile_c
from .write import export_c, saved_state

NAME = "agent"
OPTIMIZED = ("-O2",)


class CAgent:
    """The compiled C twin of an agent, in memory of its own.

    Parameters
    ----------
    agent : Agent
        Exported as it is; unchanged.
    flags : tuple of str, optional
        For the compiler.
    initial : bool, optional
        False: without the state, which is then loaded from `agent`, in the middle of its episode if it is in one.
    edit : function of str, optional
        Applied to the source before it is compiled.

    Attributes
    ----------
    state : (nbytes,) uint8 array
        The memory that the C code works on.
    address : ctypes.c_void_p
        Where that is, as the functions take it.
    library : ctypes.CDLL
        The functions.
    """

    def __init__(
        self,
        agent: Agent,
        flags: tuple[str, ...] = OPTIMIZED,
        initial: bool = True,
        edit: Callable[[str], str] | None = None,
    ) -> None:
        with tempfile.TemporaryDirectory(prefix="synaptick-export-") as folder:
            place = Path(folder)
            export_c(agent, place, NAME, initial)
            source = place / f"{NAME}.c"
            if edit is not None:
                source.write_text(edit(source.read_text()))
            # A library stays mapped when its file is removed.
            self.library = ctypes.CDLL(str(compile_c([source], place / f"{NAME}.so", "-shared", "-fPIC", *flags)))
        self._declare()
        spare = np.zeros(agent.nbytes + 64, np.uint8)
        shift = -spare.ctypes.data % 64
        self.state: NDArray[np.uint8] = spare[shift : shift + agent.nbytes]
        self.address = ctypes.c_void_p(self.state.ctypes.data)
        self._encode = agent.observation.encode
        self._staging = np.zeros(agent.observation.size)
        self._observed = ctypes.c_void_p(self._staging.ctypes.data)
        self._choices, self._controls = len(agent.action.choices), agent.action.controls
        assert self.library.agent_bytes() == agent.nbytes
        if initial:
            self.library.agent_init(self.address)
        else:
            assert self.load(saved_state(agent)) == 0

    def _declare(self) -> None:
        at, real, whole = ctypes.c_void_p, ctypes.c_double, ctypes.c_int
        signatures: dict[str, tuple[Any, list[Any]]] = {
            "bytes": (ctypes.c_size_t, []),
            "init": (None, [at]),
            "start": (whole, [at, at, whole]),
            "step": (whole, [at, real, at, whole]),
            "end": (whole, [at, real, at, whole]),
            "action_index": (whole, [at, whole]),
            "action_value": (real, [at, whole]),
            "value": (real, [at]),
            "td_error": (real, [at]),
            "save": (None, [at, at]),
            "load": (whole, [at, at]),
        }
        for name, (result, arguments) in signatures.items():
            function = getattr(self.library, f"{NAME}_{name}", None)
            if function is not None:
                function.restype, function.argtypes = result, arguments

    def start(self, observation: Any, learn: bool = True) -> int:
        """Begin an episode; returns the code of ``agent_start``, as the others do those of theirs."""
        self._encode(observation, self._staging)
        return int(self.library.agent_start(self.address, self._observed, learn))

    def step(self, reward: float, observation: Any, learn: bool = True) -> int:
        """Learn and act."""
        self._encode(observation, self._staging)
        return int(self.library.agent_step(self.address, reward, self._observed, learn))

    def end(self, reward: float, observation: Any = None, learn: bool = True) -> int:
        """End an episode."""
        if observation is None:
            return int(self.library.agent_end(self.address, reward, None, learn))
        self._encode(observation, self._staging)
        return int(self.library.agent_end(self.address, reward, self._observed, learn))

    @property
    def action(self) -> list[float]:
        """The last action: indices from 0, then controls."""
        at = self.address
        return [
            *(float(self.library.agent_action_index(at, k)) for k in range(self._choices)),
            *(float(self.library.agent_action_value(at, k)) for k in range(self._controls)),
        ]

    def save(self) -> NDArray[np.uint8]:
        """Return what ``agent_save`` writes, for `Agent.restore`: the state and its CRC."""
        out = np.zeros(self.state.size + CRC_BYTES, np.uint8)
        self.library.agent_save(self.address, ctypes.c_void_p(out.ctypes.data))
        return out

    def load(self, state: Any) -> int:
        """Take over what `save` or `saved_state` returned; returns the code of ``agent_load``."""
        given = np.frombuffer(state, np.uint8).copy()
        return int(self.library.agent_load(self.address, ctypes.c_void_p(given.ctypes.data)))
