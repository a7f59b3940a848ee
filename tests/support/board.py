"""The board example, built for emulated ARM microcontrollers and for this computer, and run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from synaptick import Agent
from synaptick.export import export_c
from synaptick.export.c.compiler import find_compiler

from .common import ROOT

EXAMPLE = ROOT / "docs" / "examples" / "embed_in_c" / "board"
COMPILER, EMULATOR = "arm-none-eabi-gcc", "qemu-system-arm"
MISSING = [tool for tool in (COMPILER, EMULATOR) if shutil.which(tool) is None]
# Without fused products, as strict arithmetic has it.
FLAGS = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-O2", "-ffp-contract=off")


class Board(NamedTuple):
    """A machine of the emulator, and what the compiler has to know of its processor."""

    machine: str
    flags: tuple[str, ...]


BOARDS = {
    "Cortex-M4F": Board("mps2-an386", ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")),
    "Cortex-M7": Board("mps2-an500", ("-mcpu=cortex-m7", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv5-d16")),
}


class Told(NamedTuple):
    """What the example wrote."""

    actions: list[int]
    instructions: list[int]
    state: int  # bytes
    stack: int  # bytes
    checksum: int


def on_host(agent: Agent, folder: Path, steps: int) -> Told:
    """Run the loop on this computer, from where `agent` is."""
    export_c(agent, folder)
    sources = [EXAMPLE / "main.c", EXAMPLE / "host.c", folder / "agent.c"]
    _run([find_compiler(), *FLAGS, f"-DSTEPS={steps}", f"-I{folder}", *sources, "-lm", "-o", folder / "host"])
    return _told(_run([folder / "host"]))


def build(agent: Agent, folder: Path, board: Board, steps: int) -> Path:
    """Export an agent and link the loop for a board."""
    export_c(agent, folder)
    sources = [EXAMPLE / "main.c", EXAMPLE / "board.c", folder / "agent.c"]
    link = ["-nostartfiles", "-T", EXAMPLE / "mps2.ld", "-lm", "-o", folder / "board.elf"]
    _run([COMPILER, *board.flags, *FLAGS, f"-DSTEPS={steps}", f"-I{folder}", *sources, *link])
    return folder / "board.elf"


def on_board(program: Path, board: Board) -> Told:
    """Run a linked loop on an emulated board."""
    words = ("-semihosting-config", "enable=on,target=native,chardev=out", "-chardev", "stdio,id=out")
    quiet = ("-display", "none", "-monitor", "none", "-serial", "none")
    machine = ("-M", board.machine, "-icount", "shift=0", "-kernel", program)
    return _told(_run([EMULATOR, *machine, *quiet, *words]))


def _run(command: list[object]) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{command}: {done.stdout[-500:]} {done.stderr}"
    return done.stdout


def _told(text: str) -> Told:
    *steps, _, state, stack, checksum = text.splitlines()
    rows = [tuple(map(int, line.split())) for line in steps]
    numbers = [int(line.split()[-1]) for line in (state, stack, checksum)]
    return Told([row[0] for row in rows], [row[1] for row in rows], *numbers)
