"""Lines for whoever watches a run, whether or not anybody reads them."""

from __future__ import annotations

import sys
from contextlib import suppress


def announce(line: str) -> None:
    """Print a line, whether or not anybody reads it."""
    with suppress(OSError):
        print(line, flush=True)


def warn(line: str) -> None:
    """Say something on standard error, whether or not anybody reads it."""
    with suppress(OSError):
        print(f"synaptick: {' '.join(line.split())}", file=sys.stderr, flush=True)
