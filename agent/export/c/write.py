"""Exported sources on disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ...agent import Agent
from ...arena.arena import sealed
from ...errors import StateError
from ...files import write_atomically
from .source import MARK, write_source


def export_c(agent: Agent, folder: str | os.PathLike[str], name: str = "agent", initial: bool = True) -> dict[str, Any]:
    """Write ``NAME.h`` and ``NAME.c`` for an agent, each atomically; those of an earlier export are replaced.

    Parameters
    ----------
    agent : Agent
        Unchanged.
    folder : path
        Made if it does not exist.
    name, initial
        See `write_source`.

    Returns
    -------
    dict
        ``files``, ``file_bytes``, ``name``, ``state_bytes``, and ``inputs``, ``choices``, ``controls``, the sizes of
        observation and action.

    Raises
    ------
    ConfigError, StateError
        See `write_source`; StateError too if a file of that name is somebody else's.
    OSError
        If something cannot be written.
    """
    folder = Path(folder)
    source = write_source(agent, name, initial)
    texts = {folder / f"{name}.h": source.header, folder / f"{name}.c": source.code}
    for path in texts:
        if path.exists() and not _is_ours(path):
            raise StateError(f"{path} is there already and was not written by an export; give another --out or --name")
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        write_atomically(path, text.encode())
    return {
        "name": name,
        "files": [str(path) for path in texts],
        "file_bytes": {path.name: len(text.encode()) for path, text in texts.items()},
        "state_bytes": agent.nbytes,
        "inputs": agent.observation.size,
        "choices": len(agent.action.choices),
        "controls": agent.action.controls,
    }


def saved_state(agent: Agent) -> bytes:
    """Return the state of an agent as ``agent_load`` of its C source takes it: a snapshot, then its CRC-32."""
    return sealed(agent.snapshot().tobytes())


def _is_ours(path: Path) -> bool:
    try:
        with open(path, encoding="utf-8") as file:
            return file.readline().startswith(MARK)
    except UnicodeDecodeError:
        return False
