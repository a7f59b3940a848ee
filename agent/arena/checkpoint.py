r"""Checkpoint files: a description in JSON, the bytes of the arena, a digest. Nothing in them is ever executed.

Layout: ``synaptick\n`` | format version, uint32 | length of the description, uint64 | description, UTF-8 JSON | arena
| SHA-256 of all before. Numbers are little-endian.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DamagedError, StateError, one_line
from ..files import expanded, write_atomically

MAGIC = b"synaptick\n"
# 1: Box or Discrete observations, Discrete actions. 2: spaces of any nesting, continuous actions. 3: a reservoir,
# statistics of returns. 4: its latches and delay lines, no traces of its own; min_probability_ratio. 5: neurons
# that could be replaced. 6: these are gone; headers are records, and the table has the length of each array.
# 7: filtered traces are kept by their mass. 8: memory neurons: rows of weights, delays, two step sizes; the mean leak
# of a layer may change. 9: no reservoir. 10: settings of spikes. 11: a cap of memory of its own.
# 12: no running maximum of a weight's change. 13: what belongs to memory neurons lies column by column.
FORMAT = 14
# The last two of a folder, which `replace_and_keep` keeps.
NEWEST_FILE, OLDER_FILE = "agent.synaptick", "agent.older.synaptick"
_HEAD = struct.Struct("<IQ")
_DIGEST = 32


def write(path: str | os.PathLike[str], metadata: dict[str, Any], block: NDArray[np.uint8]) -> None:
    """Write a checkpoint atomically; `block` is the arena."""
    if sys.byteorder != "little":
        raise StateError("checkpoints are written on little-endian machines only; this one is big-endian")
    description = json.dumps(metadata).encode()
    head = MAGIC + _HEAD.pack(FORMAT, len(description))
    digest = hashlib.sha256(head + description)
    digest.update(block.data)
    write_atomically(expanded(path), head, description, block.data, digest.digest())


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], NDArray[np.uint8]]:
    """Return description and arena of a checkpoint.

    Raises
    ------
    DamagedError
        If it is not whole.
    StateError
        If it is of another format, or too large for the memory there is.
    """
    if expanded(path).is_dir():
        raise StateError(f"{path} is a folder; give a file in it, such as agent.synaptick, or call Agent.load_newest")
    try:
        content = expanded(path).read_bytes()
    except MemoryError as error:
        raise StateError(f"{path}: there is no memory for its {os.stat(expanded(path)).st_size:,} bytes") from error
    if content[: len(MAGIC)] != MAGIC:
        raise DamagedError(f"{path}: not a synaptick checkpoint (it does not begin with {MAGIC!r})")
    body = len(MAGIC) + _HEAD.size
    if len(content) < body + _DIGEST:
        raise DamagedError(f"{path}: damaged, the file ends after {len(content)} bytes; use an earlier checkpoint")
    version, length = _HEAD.unpack_from(content, len(MAGIC))
    if version > FORMAT:
        raise StateError(
            f"{path}: written in format {version}, this version of synaptick reads format {FORMAT}; update synaptick"
        )
    if hashlib.sha256(content[:-_DIGEST]).digest() != content[-_DIGEST:]:
        raise DamagedError(f"{path}: damaged, its digest does not match its content; use an earlier checkpoint")
    if version < FORMAT:  # of another arena: what it holds cannot go on bit for bit
        raise StateError(
            f"{path}: written in format {version}, this version of synaptick reads format {FORMAT}; use the version of "
            "synaptick that wrote it, or train anew"
        )
    if length > len(content) - body - _DIGEST:
        raise StateError(f"{path}: its description is said to have {length} bytes, which are not there")
    try:
        metadata = json.loads(content[body : body + length])
    except (ValueError, RecursionError) as error:
        raise StateError(f"{path}: its description cannot be read ({one_line(error, quoted=False)})") from error
    if not isinstance(metadata, dict):
        raise StateError(f"{path}: its description is not a mapping")
    return metadata, np.frombuffer(content[body + length : -_DIGEST], np.uint8)
