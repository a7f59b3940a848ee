"""Environments that test what an agent can remember and where its credit reaches, and probes whose values are known.

Importing this module registers them with Gymnasium; ``gymnasium.make("synaptick.envs:synaptick/...")`` imports it too.
"""

from __future__ import annotations

import gymnasium

from .delayed_xor import DelayedXor
from .distracted_cue import DistractedCue, best_accuracy
from .masking import MaskVelocities, cartpole_positions
from .probes import PROBES
from .units import ChangeUnits

__all__ = ["PROBES", "ChangeUnits", "DelayedXor", "DistractedCue", "MaskVelocities", "best_accuracy", "register"]


def register() -> None:
    """Register every environment under ``synaptick/``; done once on import, harmless when repeated."""
    entries: dict[str, tuple[str, int | None]] = {
        "synaptick/CartPolePositions-v0": (f"{__name__}.masking:{cartpole_positions.__name__}", 500),
        "synaptick/DelayedXor-v0": (f"{DelayedXor.__module__}:{DelayedXor.__name__}", None),
        "synaptick/DistractedCue-v0": (f"{DistractedCue.__module__}:{DistractedCue.__name__}", None),
    }
    for probe in PROBES:
        entries[f"synaptick/{probe.__name__}-v0"] = (f"{__name__}.probes:{probe.__name__}", None)
    for env_id, (entry_point, limit) in entries.items():
        if env_id not in gymnasium.registry:
            gymnasium.register(id=env_id, entry_point=entry_point, max_episode_steps=limit)


register()
