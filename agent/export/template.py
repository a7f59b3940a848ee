"""C source from templates: parts an agent does not need left out, names resolved to its numbers.

A line ``//#if WORDS`` begins a part that is kept if the words, names of `features` joined by ``and``, ``or`` and
``not``, are true; ``//#else`` and ``//#endif`` are as in C. Names in the code stand for numbers:

========  ===========================================================================================
``AT_X``  the entry X of `kernels.layout`: a place in a section, a row or a table
``THE_X``  what the arena's table holds at entry X: a size or an offset
``SET_X``  the setting at entry X of the float64 section
``K_X``  the constant X of a kernel
========  ===========================================================================================

Only those that are used are defined, so that a name without a number is an error here and not in a C compiler.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import resources
from types import ModuleType

from .. import dimensions
from ..kernels import act, credit, forward, jit, neuron, normalize, policy, step_size
from ..kernels import layout as at
from ..state import Arena
from .literals import real

_CONSTANTS: tuple[ModuleType, ...] = (
    *(jit, normalize, neuron, forward, policy, act, credit, step_size),
    dimensions,
)
_NAME = re.compile(r"\b(AT|THE|SET|K)_([A-Z0-9_]+)\b")
_DIRECTIVE = re.compile(r"^\s*//#(if|else|endif)\b(.*)$")


def parts() -> list[tuple[str, str]]:
    """Return name and text of the parts of the source, in order."""
    folder = resources.files(__package__) / "templates"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".c"))
    return [(name, (folder / name).read_text(encoding="utf-8")) for name in names]


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
    if kind == "AT":
        return str(getattr(at, name))
    if kind == "THE":
        return str(int(arena.ints[getattr(at, name)]))
    if kind == "SET":
        return real(float(arena.reals[getattr(at, name)]))
    found = {getattr(module, name) for module in _CONSTANTS if hasattr(module, name)}
    (value,) = found  # a name that two kernels give different numbers would need another one here
    return str(value) if isinstance(value, int) else real(value)


def rename(text: str, name: str) -> str:
    """Return `text` with `name` in the place of ``agent`` in all names, and in capitals in those of macros."""
    text = re.sub(r"\bagent_(?=[a-z])", f"{name}_", text)
    return re.sub(r"\bAGENT_(?=[A-Z])", f"{name.upper()}_", text)
