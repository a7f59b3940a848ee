"""Lines for whoever watches, whether or not anybody reads them and whatever an environment does to the streams.

What a command is asked for goes to standard output; progress and warnings go to standard error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO


def warn(line: str) -> None:
    """Say something on standard error after the name of the program."""
    announce(f"synaptick: {' '.join(line.split())}")


def announce(line: str) -> None:
    """Print a line on standard error; what its encoding has no character for is escaped."""
    stream = progress_stream()
    with suppress(OSError, ValueError):
        if _above:
            _above[-1](line)
            return
        try:
            print(line, file=stream, flush=True)
        except UnicodeEncodeError:
            print(line.encode("ascii", "backslashreplace").decode(), file=stream, flush=True)


@contextmanager
def lines_above(say: Callable[[str], None]) -> Iterator[None]:
    """Let `say` print lines, since something that is drawn anew again and again is in the last one."""
    _above.append(say)
    try:
        yield
    finally:
        _above.remove(say)


def progress_stream() -> TextIO | None:
    """Return the stream that progress goes to: standard error as it was when `kept_streams` began, if it did."""
    return _kept[-1].usable() if _kept else sys.stderr


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
    out, err = _Kept(sys.stdout), _Kept(sys.stderr)
    _kept.append(err)
    try:
        yield
    finally:
        _kept.pop()
        sys.stdout, sys.stderr = out.end(), err.end()


class _Kept:
    """A stream, and a copy that leads to the same file through another descriptor."""

    def __init__(self, stream: Any) -> None:
        self._stream = self._copy = stream
        self._identity: os.stat_result | None = None
        if stream is None:
            self._stream = self._copy = open(os.devnull, "w")  # noqa: SIM115
            return
        with suppress(OSError, ValueError, AttributeError):  # of a stream without a file, such as one in memory
            # Escaped rather than refused: a path may hold what the encoding cannot show.
            stream.reconfigure(errors="backslashreplace")
            file = os.dup(stream.fileno())
            self._identity = os.fstat(file)
            # Not closed with the object: by then the number may be closed, or be of a file of others.
            self._copy = open(  # noqa: SIM115
                file, "w", buffering=1, encoding=stream.encoding, errors="backslashreplace", closefd=False
            )

    def usable(self) -> Any:
        """Return the one of the two that still leads there, the copy if both do."""
        return self._copy if self._leads_there(self._copy) or not self._leads_there(self._stream) else self._stream

    def end(self) -> Any:
        """Return the one of the two that still leads there, and close the copy if that is not the one."""
        if self._copy is self._stream or not self._leads_there(self._stream):
            return self._copy
        with suppress(OSError, ValueError):
            self._stream.flush()
        if self._leads_there(self._copy):
            file = self._copy.fileno()
            with suppress(OSError):  # nobody reads it any more
                self._copy.close()
            os.close(file)
        return self._stream

    def _leads_there(self, stream: Any) -> bool:
        if self._identity is None:
            return True
        try:
            return os.path.samestat(os.fstat(stream.fileno()), self._identity)
        except (OSError, ValueError):
            return False


# That of standard error, of the innermost context last.
_kept: list[_Kept] = []
# What prints lines instead, likewise.
_above: list[Callable[[str], None]] = []
