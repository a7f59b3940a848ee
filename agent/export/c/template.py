"""C source from templates: parts an agent does not need left out, names resolved to its numbers.

A line ``//#if WORDS`` begins a part that is kept if the words, names of `features` joined by ``and``, ``or`` and
``not``, are true; ``//#else`` and ``//#endif`` are as in C. Names in the code stand for numbers:

========  ===========================================================================================
``AT_X``  index of the number X of `kernels.layout` in its section; ``AT_LAYER_X``, ``AT_NET_X``: in a row of the table;
          or where the stretch X (RANDOM, SIZES, NETS, LAYERS) begins
``THE_X``  the size X of the arena, or the index of the first number of its array X
``SIZE_X``  how many numbers its array X has
``SET_X``  the setting X
``K_X``  the constant X of a kernel
========  ===========================================================================================

Only those that are used are defined, so that a name without a number is an error here and not in a C compiler.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import resources
from types import ModuleType

from ...arena import dimensions
from ...arena.arena import Arena
from ...kernels import (
    credit,
    depth,
    distributions,
    forward,
    layout,
    memory,
    neuron,
    normalize,
    policy,
    rest,
    views,
)
from ...kernels.base import jit
from ...kernels.base.records import index_of, names_of
from .literals import real

# Where constants of the algorithm and of the layout are looked up.
_CONSTANTS: tuple[ModuleType, ...] = (
    *(jit, layout, views, normalize, neuron, depth, credit, memory, forward, distributions, policy, rest),
    dimensions,
)
# What is used comes before what uses it. All but the first and the last have the name of the kernels they follow.
PARTS = (
    *("head", "vectors", "rng", "views", "normalize", "spike", "credit_row", "neuron", "depth", "tensor", "rest"),
    *("credit", "memory", "forward", "distributions", "policy", "signals", "step_size", "feedback"),
    *("rate_regularization", "learn", "clearing", "tick", "interface"),
)
_NAME = re.compile(r"\b(AT|THE|SIZE|SET|K)_([A-Z0-9_]+)\b")
_DIRECTIVE = re.compile(r"^\s*//#(if|else|endif)\b(.*)$")


def parts() -> list[tuple[str, str]]:
    """Return name and text of the parts of the source, in order."""
    folder = resources.files(__package__) / "templates"
    return [(name, (folder / f"{name}.c").read_text(encoding="utf-8")) for name in PARTS]


def header() -> str:
    """Return the template of the header."""
    return (resources.files(__package__) / "templates" / "header.h").read_text(encoding="utf-8")


def select(text: str, features: Mapping[str, bool]) -> str:
    """Return `text` without the parts whose conditions do not hold, and without the conditions."""
    kept: list[str] = []
    # For each open condition: whether it holds, and whether all around it do.
    open_: list[tuple[bool, bool]] = []
    for line in text.splitlines():
        found = _DIRECTIVE.match(line)
        alive = all(holds and around for holds, around in open_)
        if found is None:
            if alive:
                kept.append(line)
        elif found[1] == "if":
            open_.append((_holds(found[2], features), alive))
        elif found[1] == "else":
            holds, around = open_.pop()
            open_.append((not holds, around))
        else:
            open_.pop()
    if open_:
        raise ValueError("a condition in a template is not closed")
    return "\n".join(kept) + "\n"


def _holds(words: str, features: Mapping[str, bool]) -> bool:
    result = False
    for alternative in words.split(" or "):
        every = True
        for term in alternative.split(" and "):
            name = term.strip()
            negated = name.startswith("not ")
            every = every and features[name.removeprefix("not ").strip()] != negated
        result = result or every
    return result


def definitions(code: str, arena: Arena) -> Iterator[str]:
    """Yield a ``#define`` for every name in `code` that stands for a number, in the order of their kinds."""
    for kind, name in sorted(set(_NAME.findall(code))):
        yield f"#define {kind}_{name} {_value(kind, name, arena)}"


def _value(kind: str, name: str, arena: Arena) -> str:
    entry = name.lower()
    if kind == "AT":
        return str(_index(entry))
    if kind == "THE":
        sizes = arena.sizes.to_dict()
        return str(sizes[entry] if entry in sizes else arena.row_of("")[entry].at)
    if kind == "SIZE":
        return str(arena.row_of("")[entry].length)
    if kind == "SET":
        return real(getattr(arena.settings, entry))
    found = {getattr(module, name) for module in _CONSTANTS if hasattr(module, name)}
    (value,) = found  # a name that two kernels give different numbers would need another one here
    return str(value) if isinstance(value, int) else real(value)


def _index(entry: str) -> int:
    """Return the index of an entry: of a row of the table in its row, of any other in its section."""
    for dtype, first, prefix in (
        (views.LayerRow, 0, "layer_"),
        (views.NetRow, 0, "net_"),
        (layout.Clock, layout.CLOCK_AT, ""),
        (layout.Running, layout.RUNNING_AT, ""),
    ):
        bare = entry.removeprefix(prefix)
        if entry.startswith(prefix) and bare in names_of(dtype):
            return first + index_of(dtype, bare)
    name = f"{entry.upper()}_AT"
    return int(getattr(layout if hasattr(layout, name) else views, name))


def rename(text: str, name: str) -> str:
    """Return `text` with `name` in the place of ``agent`` in all names, and in capitals in those of macros."""
    text = re.sub(r"\bagent_(?=[a-z])", f"{name}_", text)
    return re.sub(r"\bAGENT_(?=[A-Z])", f"{name.upper()}_", text)
