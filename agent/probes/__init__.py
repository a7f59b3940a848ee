"""Looking at an agent while it runs: states of single neurons and synapses, tick by tick, and its weights by source."""

from .probe import Probe

__all__ = ["Probe"]
