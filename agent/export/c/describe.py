"""What the header says of an agent: what it is, how it is called, what goes in, in which order, and what comes out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import numpy as np

from ...agent import Agent
from ...spaces.encoders import ScaledNumbers, encoder_of
from ...spaces.tree import Leaf, leaves
from ...versions import versions

# More lines than this would describe the single numbers of a large space; the rule is said instead.
MOST_LINES = 40


def describe(agent: Agent, name: str, initial: bool, stack: int) -> str:
    """Return the comment at the top of the header, without its first line.

    Parameters
    ----------
    agent : Agent
    name : str
        Of the export.
    initial : bool
        Whether the state is part of the source.
    stack : int
        Bytes that a call may need there.
    """
    config = agent.config
    layers = ", ".join(map(str, config.layers))
    below = f" on {config.n_memory} of {config.memory} memory neurons" if config.n_memory else ""
    lines = [
        f"A spiking actor-critic (layers of {layers}{below}) that goes on learning from every step, in C99.",
        f"It had seen {agent.ticks:,} steps when synaptick {versions()['synaptick']} exported it.",
        "",
        f"Memory: {agent.nbytes:,} bytes, which you supply, and about {stack:,} of stack (gcc, x86-64). Nothing is",
        "allocated, nothing is kept anywhere else, no file and no clock is read. One struct is one agent: several may",
        "run at once, each in one thread or interrupt at a time. Of the C library only memcpy, memset, sqrt, exp, expf",
        "and log are needed. Weights and traces are float; statistics, step sizes and actions are double.",
        "",
        f"Compile with cc -std=c99 -O2 -c {name}.c. Spikes, actions and weights are then, bit by bit, those of the",
        "Python agent with SYNAPTICK_ARITHMETIC=strict, as far as exp and log of both C libraries agree. With",
        f"-D{name.upper()}_FAST some sums are taken in parts, which is faster and rounds otherwise.",
        "",
        "A loop, in which read_sensors, set_switch, set_drive, reward_of, wait and report are yours:",
        "",
        *(f"    {line}".rstrip() for line in _usage(agent, name, initial)),
        "",
        "Observation, in this order:",
        *_limited(_observation_lines(agent)),
        "",
        "Action:",
        *_limited(_action_lines(agent)),
    ]
    return "\n".join(f"   {line}".rstrip() for line in lines)


def _usage(agent: Agent, name: str, initial: bool) -> Iterator[str]:
    macro = name.upper()
    yield f"static struct {name}_memory memory;"
    yield f"double observation[{macro}_INPUTS];"
    yield ""
    yield f"{name}_init(&memory);" if initial else f"if ({name}_load(&memory, saved) != {macro}_OK) report();"
    yield "read_sensors(observation);"
    yield f"{name}_start(&memory, observation, 1);"
    yield "for (;;) {"
    if agent.action.choices:
        yield f"    set_switch({name}_action_index(&memory, 0));"
    if agent.action.controls:
        yield "    // What stood around the agent is yours: a controller that it corrects, range, rate, a watchdog."
        yield f"    set_drive({name}_action_value(&memory, 0));"
    yield "    wait();"
    yield "    read_sensors(observation);"
    yield "    // What is not finite is refused: memory and action are as they were."
    yield f"    if ({name}_step(&memory, reward_of(observation), observation, 1) != {macro}_OK) report();"
    yield "}"


def _limited(lines: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number == MOST_LINES:
            yield "  ... and so on, in the order of gymnasium.spaces.flatten"
            return
        yield "  " + textwrap.shorten(line.replace("*/", "* /"), 112, placeholder=" ...")


def _observation_lines(agent: Agent) -> Iterator[str]:
    begin = 0
    for leaf in leaves(agent.observation.root):
        encoder = encoder_of(leaf)
        end = begin + encoder.size
        yield (
            f"[{begin}]: {leaf.path}, {_what(leaf)}"
            if encoder.size == 1
            else (f"[{begin}] to [{end - 1}]: {leaf.path}, {_what(leaf)}")
        )
        begin = end


def _what(leaf: Leaf) -> str:
    shape = f"shape {leaf.shape}" if leaf.shape else "one"
    if leaf.kind == "discrete":
        return f"1 at the value less {int(leaf.low[0])}, 0 elsewhere"
    if leaf.kind == "multidiscrete":
        return f"{shape}, for each element 1 at the value less its lowest, 0 elsewhere"
    if leaf.kind == "binary":
        return f"{shape}, 0 or 1"
    encoder = encoder_of(leaf)
    if isinstance(encoder, ScaledNumbers):
        low, span = np.unique(encoder.low), np.unique(encoder.span)
        if low.size == span.size == 1:
            return f"{shape}, as (value - {low[0]:g}) / {span[0]:g}"
        return f"{shape}, as (value - low) / (high - low) of each element"
    return f"{shape}, as it is"


def _action_lines(agent: Agent) -> Iterator[str]:
    factor = control = 0
    for leaf in leaves(agent.action.root):
        if leaf.kind == "box":
            whole = " (round it)" if np.dtype(leaf.dtype).kind in "iu" else ""
            for k in range(leaf.size):
                bounds = f"from {leaf.lows()[k]} to {leaf.highs()[k]}{whole}"
                yield f"control {control}: {leaf.path}{_place(leaf, k)}, {bounds}"
                control += 1
        else:
            for k, count in enumerate(leaf.counts()):
                low = int(leaf.lows()[k])
                stands = f", index 0 standing for {low}" if low else ""
                yield f"factor {factor}: {leaf.path}{_place(leaf, k)}, index 0 to {count - 1}{stands}"
                factor += 1


def _place(leaf: Leaf, k: int) -> str:
    return "".join(f"[{int(i)}]" for i in np.unravel_index(k, leaf.shape)) if leaf.shape else ""
