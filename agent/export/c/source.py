"""The C source and header of one agent, as text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...agent import Agent
from ...arena.arena import Arena
from ...arena.named import Named
from ...errors import ConfigError, StateError
from ...kernels import layout as at
from ...kernels.normalize import HELD, ONES, SQUARES
from .describe import describe
from .features import features
from .literals import array, gathered, pairs, real, single, spans
from .template import definitions, header, parts, rename, select

FNV_OFFSET, FNV_PRIME, WORD = 14695981039346656037, 1099511628211, (1 << 64) - 1
# The first line of every file written, by which an earlier export is told from somebody's own file.
MARK = "/* Written by synaptick export c. Do not edit: export again."
_BLANK_LINES = re.compile(r"\n{3,}")
_C_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,30}")
# A file math.h would take the place of the library's.
_TAKEN = re.compile(
    r"assert|complex|ctype|errno|fenv|float|inttypes|iso646|limits|locale|math|setjmp|signal|stdarg|stdbool"
    r"|stddef|stdint|stdio|stdlib|string|tgmath|time|wchar|wctype|auto|break|case|char|const|continue|default"
    r"|do|double|else|enum|extern|for|goto|if|inline|int|long|main|register|restrict|return|short|signed|sizeof"
    r"|static|struct|switch|typedef|union|unsigned|void|volatile|while",
    re.IGNORECASE,
)


class Source(NamedTuple):
    """Text of ``NAME.h`` and of ``NAME.c``."""

    header: str
    code: str


def write_source(agent: Agent, name: str = "agent", initial: bool = True) -> Source:
    """Return the C99 header and source of an agent that goes on learning.

    Parameters
    ----------
    agent : Agent
        Unchanged.
    name : str
        Name of the files; in the place of ``agent`` in names of functions and macros.
    initial : bool, optional
        False: leave the weights out; the state has to be loaded, and there is no ``NAME_init``.

    Raises
    ------
    ConfigError
        If the name cannot be one in C.
    StateError
        If the network has more numbers than an int32 counts.
    """
    if not _C_NAME.fullmatch(name) or _TAKEN.fullmatch(name):
        raise ConfigError(
            f"--name {name!r}: allowed: a letter, then up to 30 letters, digits and underscores, such as motor_agent; "
            "no keyword of C and no header of its library"
        )
    arena = agent.arena
    if max(arena.ints.size, arena.reals.size, arena.floats.size) >= 2**31:
        raise StateError(
            f"the state of this network has {arena.nbytes:,} bytes; C code counts up to 2^31 numbers of a kind"
        )
    used = features(agent.config, arena, initial)
    pieces = [select(text, used) for _, text in parts()]
    code = "\n".join([*_numbers(agent, "\n".join(pieces), initial), "", *pieces[1:]])
    guard = {
        "N_INPUT": arena.sizes.n_input,
        "N_CHOICES": arena.sizes.n_choices,
        "N_CONTROLS": arena.sizes.n_controls,
        "NBYTES": arena.nbytes,
        "N_INTS": arena.ints.size,
        "N_REALS": arena.reals.size,
        "N_FLOATS": arena.floats.size,
        "NAME": name,
    }
    comment = f"{MARK}\n\n{describe(agent, name, initial, _stack(arena))} */\n"
    return Source(
        f"{comment}\n{rename(_filled(select(header(), used), guard), name)}",
        _BLANK_LINES.sub("\n\n", rename(_filled(f"{MARK} See {name}.h. */\n\n{pieces[0]}{code}", guard), name)),
    )


def _filled(text: str, values: dict[str, object]) -> str:
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    return text


def _numbers(agent: Agent, code: str, initial: bool) -> Iterator[str]:
    """Yield everything in the source that is not the same for all agents."""
    arena = agent.arena
    yield "/* ---- numbers: settings (SET), sizes and offsets (THE), lengths (SIZE), places in the state (AT),"
    yield "   constants of the algorithm (K) */\n"
    yield from definitions(code, arena)
    widest = _widest(arena)
    yield f"#define WIDEST {widest}"
    fixed = constants(arena)
    yield f"#define FIXED_DIGEST {digest(arena)}u\n"
    yield f"typedef uint{8 * _column_bytes(widest)}_t column;\n"
    yield "/* Sizes, offsets and options: what the integers of a state begin with. 0 where something moves. */"
    table = arena.ints.copy()
    table[: at.SIZES_AT] = 0
    yield from array("int32_t table[]", map(str, table.tolist()))
    yield "\n/* Offset and length of what the configuration fixes among the numbers of a state. */"
    for section, where in fixed.items():
        yield from array(f"int32_t fixed_{section}[][2]", pairs(where))
    if arena.dimensions.controls:
        yield "\n/* Lowest and highest value of each control. */"
        bounds = zip(agent.action.low, agent.action.high, strict=True)
        yield from array("double action_bounds[][2]", (f"{{{real(low)}, {real(high)}}}" for low, high in bounds))
    if initial:
        yield from _initial(agent)


def _widest(arena: Arena) -> int:
    """Return the columns of the widest row of weights."""
    d = arena.dimensions
    return max(d.readout_columns()[2], *(d.columns(index)["m"] for index in range(len(d.layers))))


def _column_bytes(widest: int) -> int:
    """Return the bytes of a number of a column."""
    return 2 if widest <= 1 << 16 else 4


def _stack(arena: Arena) -> int:
    """Return about how many bytes of stack a call needs: a list of columns, and the rest by gcc -fstack-usage."""
    return 800 + _column_bytes(_widest(arena)) * _widest(arena)


def _initial(agent: Agent) -> Iterator[str]:
    ints, reals, floats = at_rest(agent)
    yield "\n/* The state at the time of the export; numbers that are not in these spans are 0. */"
    clock = Named(ints, at.CLOCK_AT, at.Clock)
    for name in ("tick", "episode", "stale"):
        yield f"#define INITIAL_{name.upper()} {getattr(clock, name)}"
    yield from array("int64_t initial_random[4]", map(str, agent.arena.random.tolist()))
    for section, kind, values in (("real", "double", reals), ("float", "float", floats)):
        where = spans(values)
        yield from array(f"int32_t {section}_spans[][2]", pairs(where))
        write = real if kind == "double" else single
        yield from array(f"{kind} initial_{section}s[]", map(write, gathered(values, where).tolist()))


def at_rest(agent: Agent) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float32]]:
    """Return copies of the sections as they are between episodes: what `start` would clear is 0 already.

    An episode that is running is abandoned. With ``keep_state`` nothing is cleared.
    """
    arena = Arena(agent.arena.dimensions)
    arena.block[:] = agent.arena.block
    arena.clock.phase = 0
    if not arena.settings.keep_state:
        # As `kernels.clearing.clear_episode` does.
        arena.traces[:] = arena.neurons[:] = 0.0
        arena.views["credit_norms"][:] = 0.0
        arena.views["returns"][[HELD, ONES, SQUARES]] = 0.0
        arena.clock.stale = 0
    return arena.ints, arena.reals, arena.floats


def constants(arena: Arena) -> dict[str, list[tuple[int, int]]]:
    """Return offset and length, in each section, of all numbers that a state must have in common with this one."""
    found: dict[str, list[tuple[int, int]]] = {"reals": [], "floats": []}
    for section, where in found.items():
        whole = getattr(arena, section)
        for view in arena.fixed.values():
            if view.size and view.dtype == whole.dtype:
                where.append(((view.ctypes.data - whole.ctypes.data) // view.itemsize, view.size))
    return found


def digest(arena: Arena) -> int:
    """Return FNV-1a, 64 bits, over the bit patterns of `constants`, number by number."""
    result = FNV_OFFSET
    where = constants(arena)
    bits: dict[str, NDArray[Any]] = {"reals": arena.reals.view(np.uint64), "floats": arena.floats.view(np.uint32)}
    for section in ("reals", "floats"):
        for first, size in where[section]:
            for word in map(int, bits[section][first : first + size]):
                result = ((result ^ word) * FNV_PRIME) & WORD
    return result
