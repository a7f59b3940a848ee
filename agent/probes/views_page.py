"""The reference page of the arena's arrays: shapes from the plan, words from `views_table`.

``python -m synaptick.probes.views_page`` writes it anew into the source tree.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..arena import plan
from ..kernels.views import Layer
from . import views_table
from .views_table import AGENT, LAYER, NET, SIZES, Array

COMMAND = f"python -m {__package__}.views_page"
PAGE = "docs/reference/views.md"
# What stands before the name of an array in `Arena.views`, functions of the plan, and words.
OWNERS: tuple[tuple[str, Callable[..., Any], dict[str, Array]], ...] = (
    ("", plan.agent_rows, AGENT),
    ("NET/", plan.net_rows, NET),
    ("NET/LAYER/", plan.layer_rows, LAYER),
)
_INDIRECT = {"d.rests(index)": "rests", "d.memory": "n_memory"}


def shapes() -> dict[str, tuple[str, str]]:
    """Return shape, as an expression of sizes, and how long it lasts, of every array that may be among the views.

    Keys are names with "NET" and "LAYER" in the place of theirs, such as "NET/LAYER/psi".
    """
    return {f"{owner}{name}": row for owner, function, _ in OWNERS for name, row in _planned(function)}


def sizes_in(shape: str) -> set[str]:
    """Return the names of the sizes that the expression of a shape has."""
    return {node.id for node in ast.walk(ast.parse(shape)) if isinstance(node, ast.Name)} - {"sum"}


def meanings() -> dict[str, str]:
    """Return what each size in a shape is."""
    commented = dict(re.findall(r"^    (\w+): int  # (.*)$", inspect.getsource(Layer), re.MULTILINE))
    names = set().union(*(sizes_in(shape) for shape, _ in shapes().values()))
    return {name: (SIZES | commented)[name] for name in sorted(names)}


def views_page() -> str:
    """Return the page as Markdown: one table, and what the sizes in it are."""
    head = "| array | shape | unit | symbol | meaning | lasts | equation | written by |\n" + "| --- " * 8 + "|"
    planned = shapes()
    rows = [
        _row(f"{owner}{name}", *planned[f"{owner}{name}"], array)
        for owner, _, arrays in OWNERS
        for name, array in arrays.items()
    ]
    blocks = [
        f"<!-- Written by {COMMAND} from arena/plan.py, kernels/views.py and probes/views_table.py. -->",
        "# Views",
        "Every named array of an arena, `agent.arena.views[name]`, and what it is in [equations.md](../equations.md). "
        '`NET` is `actor` or `critic`, `LAYER` a number from 0 on, memory first: `agent.arena.views["actor/1/psi"]`. '
        "Views are the memory itself: what is written into them is the agent's. To look at neurons there are "
        "`agent.probe`, `agent.weights` and `agent.retention`, which know padding and rows at rest.",
        "An array that is the memory of another, as `feedback` is that of `w` with `feedback: symmetric` and `output` "
        "that of `z` outside of memory, has no name of its own there. Kernels know it by both.",
        "\n".join([head, *rows]),
        "*Lasts.* fixed: given by the configuration. learned: the whole life. trace: an episode, and learned ticks "
        "without a break. state: an episode, or until the next tick.",
        "*Sizes.* What is true counts as 1, what is not as 0.",
        "\n".join(f"- `{name}`: {text}" for name, text in meanings().items()),
    ]
    return "\n\n".join(blocks) + "\n"


def _planned(function: Callable[..., Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield name, and shape and how long it lasts, of each line of a function of the plan."""
    for node in ast.walk(ast.parse(inspect.getsource(function))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Row"):
            continue
        name, lasts, shape, *others = (ast.unparse(argument) for argument in node.args)
        if others != ["'ints'"]:  # part of the table of places, which has no views
            yield ast.literal_eval(name), (_plain(shape), lasts.lower())


def _plain(shape: str) -> str:
    for call, name in _INDIRECT.items():
        shape = shape.replace(call, name)
    return re.sub(r"\bd\.", "", re.sub(r"sizes\['(\w+)'\]", r"\1", shape))


def _row(name: str, shape: str, lasts: str, array: Array) -> str:
    title, anchor = array.section
    place = f"[{title}](../equations.md#{anchor})" if title else "-"
    outside = (views_table.BEGINNING, views_table.CALLER)
    paths = [file if file in outside else f"kernels/{file}" for file in array.files]
    files = ", ".join(f"[{path.rpartition('/')[2]}](../../agent/{path})" for path in paths)
    symbol = f"$`{array.symbol}`$" if array.symbol else "-"
    return f"| `{name}` | `{shape}` | {array.unit or '-'} | {symbol} | {array.text} | {lasts} | {place} | {files} |"


def main() -> None:
    """Write the page into the source tree this module belongs to."""
    (Path(__file__).resolve().parents[2] / PAGE).write_text(views_page(), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
