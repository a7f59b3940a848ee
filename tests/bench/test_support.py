"""What benches share: tables that fit a terminal, and how long it still takes."""

from __future__ import annotations

import pytest
from synaptick.bench.support import progress
from synaptick.bench.support.progress import Progress, each, span
from synaptick.bench.support.tables import WIDTH, table, wrapped


@pytest.mark.parametrize("columns", [1, 4, 12, 40])
@pytest.mark.parametrize("name", ["a", "a task with a name of some length"])
def test_a_table_fits_and_loses_nothing(columns: int, name: str) -> None:
    rows = [[name, *(f"{k}.{row}234" for k in range(columns))] for row in range(3)]
    lines = list(table(("task", *(f"column {k}" for k in range(columns))), rows))
    assert max(map(len, lines)) <= WIDTH
    text = "\n".join(lines)
    assert all(cell in text for row in rows for cell in row)
    blocks = text.split("\n\n")
    assert all(block.splitlines()[1].strip().startswith(name) for block in blocks)
    assert (len(blocks) > 1) == (columns > 4)


def test_cells_stand_below_each_other() -> None:
    assert list(table(("a", "b"), [("one", "1"), ("twenty", "200")], "")) == [
        "a         b",
        "one       1",
        "twenty  200",
    ]


def test_sentences_are_wrapped_and_words_are_not_cut() -> None:
    lines = list(wrapped(f"tuned: {'a=1 ' * 40}", "    "))
    assert max(map(len, lines)) <= WIDTH
    assert lines[0].startswith("    tuned:")
    assert all(line.startswith("      a=1") for line in lines[1:])
    path = "/" + "x" * 100
    assert [line.strip() for line in wrapped(f"see {path}")] == ["see", path]


def test_what_is_left_takes_as_long_as_what_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    now = [100.0]
    with progress.shown():
        runs = Progress(4, "runs", clock=lambda: now[0])
        for _ in range(4):
            now[0] += 600.0
            runs.advance()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "  4 runs: the time is known once one is done"
    assert lines[1] == "  1 of 4 runs in 10 min, about 30 min left"
    assert lines[-1] == "  3 of 4 runs in 30 min, about 10 min left"  # what comes then is the result


def test_a_time_that_is_known_is_said_at_once_and_one_part_needs_no_progress(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress.shown():
        assert list(each("ab", "networks", 120.0)) == ["a", "b"]
        first, *_ = capsys.readouterr().err.splitlines()
        assert first == "  2 networks: about 2 min"
        assert list(each("a", "networks")) == ["a"]
    assert list(each("abc", "networks")) == ["a", "b", "c"]  # from Python: in silence
    assert capsys.readouterr().err == ""


def test_spans() -> None:
    assert [span(seconds) for seconds in (3.4, 99, 100, 5999, 7200)] == ["3 s", "99 s", "2 min", "100 min", "2.0 h"]
