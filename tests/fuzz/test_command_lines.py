"""Command lines of any words: done, or one line on standard error and exit code 2."""

from __future__ import annotations

import contextlib
import io
import random
from pathlib import Path

import pytest
from synaptick.cli.main import main

from ..support.runs import SMALL, Cli
from ..support.trouble import ENV_ID
from .inputs import budgets

# What keeps a command from long work: it comes last, where it counts.
COMMANDS: dict[tuple[str, ...], list[str]] = {
    ("run",): ["--steps", "1", "--set", "layers=[4]", "--set", "memory=0"],
    ("eval",): ["--episodes", "1"],
    ("watch",): ["--steps", "0"],
    ("soak",): ["--ticks", "5"],
    ("compile",): ["--out", "file/below"],
    ("export", "c"): ["--out", "file"],
    ("export", "nir"): ["--out", "nowhere/x.nir"],
    ("bench", "tick"): ["--steps", "1"],
    ("bench", "memory"): ["--steps", "1"],
    ("bench", "start"): ["surplus"],
    ("bench", "latency"): ["--networks", "none"],
    ("bench", "export"): ["--steps", "1"],
    ("bench", "learning"): ["--tasks", "none"],
    ("bench", "prediction"): ["--steps", "1"],
    ("bench", "lifelong"): ["--steps", "1"],
    ("bench", "gradients"): ["--seeds", "0"],
    ("bench", "ablation"): ["--steps", "1"],
    ("init",): [],
    ("completion",): [],
    ("doctor",): ["surplus"],
    (): ["--nothing"],
    ("bench",): ["--nothing"],
    ("help",): [],
}
OPTIONS = ["--steps", "--seed", "--set", "--out", "--resume", "--quiet", "--json", "--episodes", "--ticks", "--check"]
OPTIONS += [
    "--name",
    "--blank",
    "--rate",
    "--seconds",
    "--networks",
    "--cpu",
    "--priority",
    "--suite",
    "--tasks",
    "--gaps",
]
OPTIONS += [
    "--arms",
    "--every",
    "--seeds",
    "--first-seed",
    "--jobs",
    "--training",
    "--tick",
    "--neurons",
    "--integration",
]
OPTIONS += ["--help", "--version", "-h", "--", "-", "--st", "--frozen-normalization", "--no-such"]
OPTIONS += ["--gif", "--mp4", "--fps", "--net", "--size", "--deterministic"]
VALUES = ["", "0", "1", "-1", "2", "1e5", "nan", "inf", "0x10", "9" * 5000, "many", "ünï", "\udcff", "a\nb", "x" * 5000]
VALUES += [".", "file", "done", "nowhere", "file/below", "broken.yaml", "/dev/null", "/proc/self/mem", "~nobody", "a:b"]
VALUES += [ENV_ID, "CartPole-v1", "os:system", ":", "no_such:X-v0", "default", "1x32", "classic", "parts", "euler"]
VALUES += [
    "seed=1",
    "seed",
    "=",
    "seed=",
    "layers=[4]",
    "layers=[1",
    "layers=" + "[" * 999,
    "env={{A}}",
    "env_kwargs={a: 1}",
]
VALUES += ["wrappers=[a]", "wrappers=[{a:b: 1}]", "wrappers=[os:getcwd]", "seed=0x" + "f" * 9999, "gamma=1", "steps=5"]
VALUES += ["env=", "env=\udcff", "x=&a [*a]", "seed=!!python/name:os.system x", "checkpoint_every=1", "discount=.nan"]


@pytest.fixture
def here(cli: Cli, tmp_path: Path) -> Path:
    """Be in a folder that has a run, a file and a broken configuration."""
    assert cli("run", ENV_ID, "--steps", 9, *SMALL, "--out", "done", "--quiet")[0] == 0
    (tmp_path / "file").write_text("seed: 1\n")
    (tmp_path / "broken.yaml").write_text("layers: [1\n")
    return tmp_path


def some_line(rng: random.Random) -> list[str]:
    command = rng.choice(list(COMMANDS))
    words = [rng.choice([rng.choice(OPTIONS), rng.choice(VALUES)]) for _ in range(rng.randrange(6))]
    return [*command, *words, *COMMANDS[command]]


@budgets(100, 2000)
def test_any_words_are_done_or_refused_in_one_line(here: Path, count: int) -> None:
    rng, codes = random.Random(count), set()
    for _ in range(count):
        line = some_line(rng)
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main(line)
            except SystemExit as stop:
                code = stop.code  # type: ignore[assignment]
        codes.add(code)
        assert code in (0, 2), line
        lines = err.getvalue().splitlines()
        if code == 2:
            assert len(lines) == 1, (line, lines)
            assert lines[0].startswith("synaptick: error: "), line
    assert codes == {0, 2}
