"""Agents for other places: C99 source that goes on learning, here; the actor as a NIR graph, in `nir`."""

from .c.source import write_source
from .c.write import export_c, saved_state

__all__ = ["export_c", "saved_state", "write_source"]
