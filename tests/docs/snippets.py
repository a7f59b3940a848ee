"""Blocks of code in the pages, and what has to be known to run them: what is left out, made shorter, granted."""

from __future__ import annotations

import importlib.util
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..support.common import ROOT

# Left to a test that runs it twice, in a process of its own.
ELSEWHERE = {"docs/control_loop.md": "tests/project/test_control_loop_page.py"}
ALL_PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in ALL_PAGES if page.relative_to(ROOT).as_posix() not in ELSEWHERE]

# Commands that are not run, and why not.
EXCLUDED = {
    r"\bvenv\b|\bpip install\b|^source ": "installs; tests/project/test_install.py does that from a wheel",
    r"\bapt(-get)? install\b": "installs into the machine",
    r"\bpytest\b": "would run the tests in the tests",
    r"^git (clone|fetch)\b|^cd synaptick$": "needs the network",
    r"^mkdocs serve\b": "goes on until it is stopped; test_site.py builds",
    r"^(arm-none-eabi|qemu-system)|^cd docs/examples/embed_in_c": "tests/export/test_board.py, where the tools are",
    r"--wandb\b": "needs an account",
    r"^(export|srun|sbatch|ray) ": "a cluster's; tests/sweep has Ray, where it is installed",
    r"^synaptick watch (?!.*--(gif|mp4))": "opens a window",
}
# Of minutes or hours: read by the parser, and not run; what each does is tested in tests/bench.
LONG = {
    r"^synaptick bench (learning|prediction|lifelong|gradients|ablation)\b": "trains for hours",
    r"^synaptick bench start\b": "compiles everything twice",
    r"^synaptick (sweep|tune|run runs/tuned)\b": "takes minutes; tests/sweep has short ones",
}
# Run by `pytest -m slow` alone.
SLOW = {
    r"^synaptick report\b|^synaptick plot .*\.(pdf|svg)\b": "matplotlib takes seconds; tests/plots has all formats",
    r"^synaptick watch .*--mp4": "encodes a film; tests/watch does too",
    r"^synaptick compile\b": "compiles the step once more",
    r"^synaptick bench (tick|memory)\b": "compiles the floor that it is compared with",
    r"^synaptick bench export\b": "compiles C, with all warnings and sanitizers",
    r"^synaptick bench latency\b": "compiles a loop",
}
# Modules that a command needs, or else is skipped.
NEEDED = {
    r"^synaptick (plot|report)\b": ("matplotlib",),
    r"^synaptick watch .*--gif": ("PIL", "pygame"),
    r"^synaptick watch .*--mp4": ("PIL", "pygame", "imageio", "imageio_ffmpeg"),
    r"^synaptick export nir\b|^import nir": ("nir",),
    r"--tensorboard\b": ("tensorboardX",),
    r"--rerun\b": ("rerun",),
    r"LunarLander|BipedalWalker": ("Box2D",),
    r"HalfCheetah|Hopper|Ant-v|InvertedPendulum": ("mujoco",),
    r"^synaptick run (popgym|minigrid|atari|ALE)\b": ("popgym", "minigrid", "ale_py"),
}
# What is made shorter in the usual tier; `pytest -m slow` takes it as it stands, but for what takes minutes.
SHORTER = (
    (r"(--resume .*--steps )\S+", r"\g<1>5000"),
    (r"(?<!resume)(--steps )(?:\d{5,}|[1-9]e[4-9])", r"\g<1>3000"),
    (r"^(synaptick run(?!.*--(?:steps|resume)).*)$", r"\1 --steps 3000"),
    (r"--episodes \d{2,}", "--episodes 5"),
    (r"--steps 100(.*--size)", r"--steps 20\1"),
)
ALWAYS_SHORTER = (
    (r"--ticks \S+", "--ticks 10000"),
    (r" --check\b", ""),  # of times, on a machine that does other things too
    (r"--seconds (\d\d+)", "--seconds 0.2"),
    (r"^(synaptick bench tick.*)$", r"\1 --steps 1000 --networks 1x32"),
    (r"^(synaptick bench memory.*)$", r"\1 --steps 10000"),
    (r"^(synaptick export nir.*)$", r"\1 --steps 1000"),
)
CODE_SHORTER = ((r"seconds=\d\d+", "seconds=0.3"),)
# Names that a block takes for granted, and what stands for them.
GRANTED = {
    "run": "from synaptick import run",
    "machine": """
import numpy as np
from gymnasium.spaces import Box
from synaptick import Agent, Config

class Machine:
    def sense(self):
        return 0.0, np.zeros(2)

    def act(self, action):
        pass

machine, agent = Machine(), Agent(Config(layers=(64,), memory=0), Box(-np.inf, np.inf, (2,)), Box(-1, 1, (1,)))
""",
}


class Snippet(NamedTuple):
    """A block of code of a page: its language, its text and the line that it begins in."""

    language: str
    text: str
    line: int


def snippets(page: Path, languages: tuple[str, ...] = ("sh", "python")) -> Iterator[Snippet]:
    """Yield the blocks of a page in these languages, in their order."""
    text = page.read_text(encoding="utf-8")
    for found in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if found[1] in languages:
            yield Snippet(found[1], found[2], text.count("\n", 0, found.start(2)) + 1)


def commands(block: str) -> Iterator[str]:
    """Yield the commands of a block, without comments, those behind && apart, programs of an environment by name."""
    for line in block.replace("\\\n", " ").splitlines():
        for part in shlex.join(shlex.split(line, comments=True)).split(" '&&' "):
            if part:
                yield re.sub(r"^(\S*/)?(synaptick|python3?)(?= |$)", lambda found: found[2], part)


def reason(command: str, among: dict[str, str]) -> str:
    """Return why a command is in a table, or an empty text."""
    return next((why for pattern, why in among.items() if re.search(pattern, command)), "")


def missing(text: str) -> str:
    """Return the first module that a command or a block needs and that is not there, or an empty text."""
    if re.match(r"cc |build/", text) and shutil.which("cc") is None:
        return "cc"
    needed = (module for pattern, names in NEEDED.items() if re.search(pattern, text, re.MULTILINE) for module in names)
    return next((module for module in needed if importlib.util.find_spec(module) is None), "")


def shorter(command: str, full: bool) -> str:
    """Return a command as it is run."""
    for pattern, replacement in (*ALWAYS_SHORTER, *(() if full else SHORTER)):
        command = re.sub(pattern, replacement, command)
    return command
