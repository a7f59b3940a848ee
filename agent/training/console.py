"""Lines for whoever watches, whether or not anybody reads them and whatever an environment does to the streams.

What a command is asked for goes to standard output; progress and warnings go to standard error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

_kept: list[TextIO] = []


def warn(line: str) -> None:
    """Say something on standard error after the name of the program."""
    announce(f"synaptick: {' '.join(line.split())}")


def announce(line: str) -> None:
    """Print a line on standard error; what its encoding has no character for is escaped."""
    with suppress(OSError, ValueError):
        try:
            print(line, file=progress_stream(), flush=True)
        except UnicodeEncodeError:
            print(line.encode("ascii", "backslashreplace").decode(), file=progress_stream(), flush=True)


def progress_stream() -> TextIO | None:
    """Return the stream that progress goes to: standard error as it was when `kept_streams` began, if it did."""
    return _kept[-1] if _kept else sys.stderr


@contextmanager
def kept_streams() -> Iterator[None]:
    """Keep standard output and error: lines reach them inside, and `sys.stdout` and `sys.stderr` are usable afterwards.

    Code inside may replace the streams, close them, or close their files. A stream that is not there at all, as after
    ``>&-``, becomes one that nobody reads; then no file that is opened later is taken for it either.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
    before = [sys.stdout, sys.stderr]
    copies = [_copy(stream) for stream in before]
    _kept.append(copies[1])
    try:
        yield
    finally:
        _kept.pop()
        sys.stdout, sys.stderr = (_usable(*pair) for pair in zip(before, copies, strict=True))


def _copy(stream: Any) -> Any:
    """Return a stream to the same place that does not need `stream` to stay open, if that can be."""
    if stream is None:
        return open(os.devnull, "w")
    with suppress(OSError, ValueError):  # of a stream without a file, such as one in memory
        # Escaped rather than refused: a path may hold what the encoding cannot show.
        stream.reconfigure(errors="backslashreplace")
        return open(os.dup(stream.fileno()), "w", buffering=1, encoding=stream.encoding, errors="backslashreplace")
    return stream


def _usable(stream: Any, copy: Any) -> Any:
    """Return `stream` if it still leads to where its copy does, else the copy; close what is not returned."""
    if stream is copy or stream is None:
        return copy
    try:
        stream.flush()
        if os.path.sameopenfile(stream.fileno(), copy.fileno()):
            copy.close()
            return stream
    except (OSError, ValueError):
        pass
    return copy
