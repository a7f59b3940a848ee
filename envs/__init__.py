"""Environments that test what an agent can remember, and probes whose values are known.

Importing this module registers them with Gymnasium; ``gymnasium.make("synaptick.envs:synaptick/...")`` imports it too.
"""

from __future__ import annotations

import gymnasium

from .masking import MaskVelocities, cartpole_positions
from .probes import PROBES

__all__ = ["PROBES", "MaskVelocities", "register"]


def register() -> None:
    """Register every environment under ``synaptick/``; done once on import, harmless when repeated."""
    entries: dict[str, tuple[str, int | None]] = {
        "synaptick/CartPolePositions-v0": (f"{__name__}.masking:{cartpole_positions.__name__}", 500)
    }
    for probe in PROBES:
        entries[f"synaptick/{probe.__name__}-v0"] = (f"{__name__}.probes:{probe.__name__}", None)
    for env_id, (entry_point, limit) in entries.items():
        if env_id not in gymnasium.registry:
            gymnasium.register(id=env_id, entry_point=entry_point, max_episode_steps=limit)


register()
