"""The panel on a terminal: whole lines above it, what an environment prints to a file, a terminal that is gone."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from synaptick import Tally
from synaptick.training.console import kept_streams, warn
from synaptick.training.display import Lines, Panel, make_display

CONTROL = re.compile(r"\x1b\[[?\d;]*[A-Za-z]")


@contextmanager
def terminal() -> Iterator[tuple[int, io.StringIO]]:
    """Make standard error a terminal and standard output none; yield the terminal's other end, and the output."""
    master, slave = os.openpty()
    stream, out = open(slave, "w"), io.StringIO()  # noqa: SIM115
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        patch.setattr(sys, "stdout", out)
        patch.setenv("TERM", "xterm")
        yield master, out
    with suppress(OSError):
        stream.close()


def test_a_line_that_is_said_during_the_panel_is_a_line_of_its_own() -> None:
    with terminal() as (master, _):
        with kept_streams(), make_display(False, "World-v0 seed 0", 1000, 8) as panel:
            assert isinstance(panel, Panel)
            panel.update(Tally(steps=300))
            warn("[a] thing\nto know")
            panel.update(Tally(steps=1000))
        warn("afterwards")
        shown = ""
        while "afterwards\r\n" not in shown:  # a terminal hands over what it has
            shown += os.read(master, 65536).decode()
        os.close(master)
    lines = [CONTROL.sub("", line).split("\r")[-1] for line in shown.split("\r\n")]
    assert "synaptick: [a] thing to know" in lines
    assert any(line.startswith("World-v0 seed 0  1,000/1,000") for line in lines)
    assert any(line.startswith("100% ") for line in lines[-6:])
    assert lines[-2:] == ["synaptick: afterwards", ""]


def test_what_is_printed_to_a_file_goes_there_during_the_panel() -> None:
    with terminal() as (master, out):
        with make_display(False, "World-v0 seed 0", 1000, 8):
            print("from the environment")
        os.close(master)
    assert out.getvalue() == "from the environment\n"


def test_a_terminal_that_is_gone_is_one_that_nobody_reads() -> None:
    with terminal() as (master, _):
        with make_display(False, "World-v0 seed 0", 1000, 8) as panel:
            os.close(master)
            panel.update(Tally(steps=1000))
            warn("unheard")
        with make_display(False, "World-v0 seed 0", 1000, 8) as display:
            display.update(Tally(steps=1000))


def test_a_stream_that_is_closed_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    with make_display(False, "World-v0 seed 0", 1000, 8) as display:
        assert isinstance(display, Lines)
