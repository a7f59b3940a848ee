"""A page of HTML that stands alone: its style is in it, and it fits a phone and a wide screen, in light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1b; --soft: #5c5c60; --line: #d9d9dd; --paper: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececee; --soft: #a5a5ab; --line: #3a3a40; --paper: #17171a; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 1rem; color: var(--ink); background: var(--paper);
  font: 1rem/1.45 system-ui, "DejaVu Sans", Arial, sans-serif; }
h1 { font-size: 1.6rem; margin: .4rem 0 0; overflow-wrap: anywhere; }
h2, summary { font-size: 1.15rem; font-weight: 600; margin: 1.8rem 0 .6rem; }
summary { cursor: pointer; }
p { margin: .3rem 0; color: var(--soft); overflow-wrap: anywhere; }
table { border-collapse: collapse; font-size: .93rem; }
th, td { text-align: left; vertical-align: top; padding: .22rem 1.2rem .22rem 0; overflow-wrap: anywhere;
  border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 500; }
tbody th { font-weight: 400; }
td { font-variant-numeric: tabular-nums; }
.numbers td { text-align: right; padding-right: 0; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1.4rem 2rem; }
figure { margin: 0; }
svg { display: block; width: 100%; height: auto; }
svg * { stroke-linejoin: round; stroke-linecap: butt; }
svg text { fill: currentColor; }
@media print { :root { --ink: #000; --paper: #fff; } figure { break-inside: avoid; } }
"""


class Section(NamedTuple):
    """A part of a page.

    Attributes
    ----------
    heading : str
    content : str or list of str
        HTML: as it is, or one figure each.
    notes : sequence of str
        Paragraphs of plain text before it.
    folded : bool
        Whether it has to be opened to be seen.
    grid : bool
        Whether its figures stand beside each other where there is room.
    """

    heading: str
    content: str | list[str]
    notes: Sequence[str] = ()
    folded: bool = False
    grid: bool = False


def table(rows: Iterable[Sequence[str]], head: Sequence[str] = (), numbers: bool = False) -> str:
    """Return a table whose first column names its rows; cells are plain text.

    With `numbers` all but the first column are set to the right.
    """
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    lines = [f"<thead><tr>{top}</tr></thead>"] if head else []
    lines.append("<tbody>")
    for first, *others in rows:
        cells = "".join(f"<td>{escape(str(cell))}</td>" for cell in others)
        lines.append(f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>')
    lines.append("</tbody>")
    kind = ' class="numbers"' if numbers else ""
    return f"<table{kind}>\n" + "\n".join(lines) + "\n</table>"


def page(title: str, sections: Iterable[Section]) -> str:
    """Return a whole page of sections."""
    body = "\n".join(map(_section, sections))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


def _section(section: Section) -> str:
    content = section.content
    if not isinstance(content, str):
        content = "\n".join(f"<figure>{each}</figure>" for each in content)
        content = f'<div class="grid">\n{content}\n</div>' if section.grid else content
    inner = "\n".join([*(f"<p>{escape(note)}</p>" for note in section.notes), content])
    if section.folded:
        return f"<details>\n<summary>{escape(section.heading)}</summary>\n{inner}\n</details>"
    return f"<section>\n<h2>{escape(section.heading)}</h2>\n{inner}\n</section>"
