"""Tables and sentences that fit a terminal of 80 columns, whatever names and numbers are in them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

# A line of 80 wraps in some terminals.
WIDTH = 79


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], indent: str = "  ") -> Iterator[str]:
    """Yield a table line by line, the first column to the left, the others to the right.

    Columns beyond the width follow in a block below, which begins with the first column again.
    """
    widths = [max(len(row[k]) for row in [heads, *rows]) for k in range(len(heads))]
    blocks: list[list[int]] = [[]]
    room = WIDTH - len(indent) - widths[0]
    left = room
    for k in range(1, len(heads)):
        if left < widths[k] + 2 and blocks[-1]:
            blocks.append([])
            left = room
        blocks[-1].append(k)
        left -= widths[k] + 2
    for number, columns in enumerate(blocks):
        if number:
            yield ""
        for row in [heads, *rows]:
            cells = [f"{row[0]:{widths[0]}}", *(f"{row[k]:>{widths[k]}}" for k in columns)]
            yield f"{indent}{'  '.join(cells)}".rstrip()


def wrapped(text: str, indent: str = "  ") -> Iterator[str]:
    """Yield a sentence in lines that fit, further ones deeper than the first; a word is never cut."""
    yield from textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
