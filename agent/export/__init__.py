"""Agents for other places: as C99 source that goes on learning."""

from .c.source import write_source
from .c.write import export_c

__all__ = ["export_c", "write_source"]
