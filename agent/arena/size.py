"""How many bytes the state of an agent takes, what they are for and what would save some; nothing is allocated."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from ..config import Config
from ..spaces import ActionSpec, ObservationSpec
from .dimensions import Dimensions, dimensions
from .placement import BYTES, Placement, padded_size

# Bytes from which on a state is worth a word: a checkpoint of it takes a second or so on a slow disk.
LARGE = 64_000_000
# What an alternative has to leave at most, relative to the state, to be worth one.
SAVES = 0.9
MOST_ALTERNATIVES = 3
# Cheaper values of settings.
CHEAPER: dict[str, Any] = {
    "observation_skip": False,
    "depth_filter": "factored",
    "feedback": "symmetric",
    "reset_path": False,
    "memory": 0,
}


@dataclass(frozen=True)
class Size:
    """Bytes of an agent's state. A checkpoint takes as much, and a run keeps two.

    Attributes
    ----------
    nbytes : int
        All of them, as `Agent.nbytes` has it.
    parts : tuple of (str, int)
        What they are for, largest first: layers of both networks together, memory, readouts, the rest.
    alternatives : tuple of (str, int)
        Changes that save at least a tenth, and bytes of the state then, smallest first.
    """

    nbytes: int
    parts: tuple[tuple[str, int], ...]
    alternatives: tuple[tuple[str, int], ...]

    def advice(self, limit: int = LARGE) -> str:
        """Return one line about a state of more than `limit` bytes and what to change, else an empty text."""
        if self.nbytes <= limit:
            return ""
        name, most = self.parts[0]
        changes = "".join(f"; {change}: {_shown(nbytes)}" for change, nbytes in self.alternatives)
        return (
            f"the state takes {_shown(self.nbytes)}, of which {_shown(most)} are for {name}, and so does each of "
            f"the two checkpoints of a run{changes}"
        )


def size_of(config: Config, observation: ObservationSpec, action: ActionSpec) -> Size:
    """Return the size of the state that this configuration needs for these spaces."""
    d = dimensions(config, observation, action)
    placement = Placement.of(d)
    found: Counter[str] = Counter()
    for owner, row, _ in placement.placed:
        found[_part(owner, config)] += BYTES[row.section] * padded_size(row)
    found["sizes, settings and statistics"] += placement.nbytes - found.total()
    smaller = {text: Placement.of(other).nbytes for text, other in _alternatives(config, observation, action, d)}
    worth = sorted((nbytes, text) for text, nbytes in smaller.items() if nbytes <= SAVES * placement.nbytes)
    alternatives = tuple((text, nbytes) for nbytes, text in worth[:MOST_ALTERNATIVES])
    return Size(placement.nbytes, tuple(found.most_common()), alternatives)


def _alternatives(
    config: Config, observation: ObservationSpec, action: ActionSpec, d: Dimensions
) -> list[tuple[str, Dimensions]]:
    """Return what could be changed, and the sizes then."""
    changes = [{name: value} for name, value in CHEAPER.items() if getattr(config, name) != value]
    narrow = [max(4, config.layers[0] // 4), *config.layers[1:]]
    if narrow[0] < config.layers[0]:
        changes.append({"layers": narrow})
    found = [
        (f"{name}: {str(value).lower()}", dimensions(config.with_changes({name: value}), observation, action))
        for change in changes
        for name, value in change.items()
    ]
    few = max(1, d.n_input // 10)
    wrapper = "with a wrapper, such as gymnasium.wrappers:ResizeObservation, an observation"
    return [*found, (f"{wrapper} of {few:,} numbers instead of {d.n_input:,}", replace(d, n_input=few))]


def _part(owner: str, config: Config) -> str:
    if not owner:
        return "sizes, settings and statistics"
    _, _, layer = owner.partition("/")
    if not layer:
        return "the readout"
    index = int(layer)
    return "memory" if index < config.n_memory else f"layers[{index - config.n_memory}]"


def _shown(nbytes: int) -> str:
    return f"{nbytes / 1e9:,.1f} GB" if nbytes >= 1e9 else f"{nbytes / 1e6:,.1f} MB"
