"""A folder to start from: an environment of one's own, its configuration, a script and a test."""

from .write import FILES, write

__all__ = ["FILES", "write"]
