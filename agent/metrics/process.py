"""What the system knows of this process."""

from __future__ import annotations

import os
import sys


def resident(counted: bool = True) -> tuple[int | None, str]:
    """Return the resident set of this process in bytes and where that was read; None and why, if nothing tells it.

    ``smaps_rollup`` counts pages; ``statm`` reads counters that recent systems keep for each processor and add up now
    and then, so it may be off by a hundred kilobytes. Counting takes milliseconds; without `counted`, it is left out.
    """
    for name in ("smaps_rollup", "statm") if counted else ("statm",):
        try:
            with open(f"/proc/self/{name}", "rb") as file:
                content = file.read()
            if name == "statm":
                return int(content.split()[1]) * os.sysconf("SC_PAGE_SIZE"), name
            at = content.index(b"Rss:")
            return int(content[at:].split(None, 2)[1]) * 1024, name
        except (OSError, ValueError, IndexError):
            continue
    try:
        import resource
    except ImportError:
        return None, "this system has neither /proc nor getrusage"
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit, "getrusage, the greatest so far"


def descriptors() -> int | None:
    """Return how many files this process has open; None where the system does not tell."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            return len(os.listdir(folder)) - 1  # one is that of the list itself
        except OSError:
            continue
    return None
