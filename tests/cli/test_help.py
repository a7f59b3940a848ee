"""What helps: commands in groups, examples that work, other names, completion."""

from __future__ import annotations

import argparse
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from synaptick import Agent
from synaptick.cli.completion import SHELLS
from synaptick.cli.options import whole
from synaptick.cli.parser import GROUPS, make_parser

from ..support.runs import SMALL, Cli

# What keeps an example from long work, by its command: it comes last, where it counts.
SHORT = {
    "run": ["--steps", "500", *SMALL],
    "eval": ["--episodes", "2"],
    "soak": ["--ticks", "10000", *SMALL],
    "export nir": ["--steps", "100"],
    "bench tick": ["--steps", "1000", "--networks", "1x32"],
    "bench memory": ["--steps", "1000"],
    "bench latency": ["--seconds", "0.2", "--networks", "1x64"],
    "bench export": ["--steps", "1000"],
    "bench learning": ["--seeds", "1", "--set", "steps=500", *SMALL],
    "bench prediction": ["--seeds", "1", "--steps", "1000", *SMALL],
    "bench lifelong": ["--seeds", "1", "--steps", "2000", "--every", "1000", *SMALL],
    "bench gradients": ["--seeds", "1", "--training", "0"],
    "bench ablation": ["--seeds", "1", "--steps", "1000"],
    "watch": ["--steps", "5", "--gif", "film.gif"],
}


def parsers() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of every command, by the words that reach it; aliases are left out."""

    def below(parser: argparse.ArgumentParser, words: str) -> Iterator[tuple[str, argparse.ArgumentParser]]:
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for found in {id(found): found for found in action.choices.values()}.values():
                    name = found.prog.removeprefix("synaptick ")
                    yield name, found
                    yield from below(found, name)

    return dict(below(make_parser(), ""))


def examples(parser: argparse.ArgumentParser) -> list[str]:
    head, *lines = (parser.epilog or "").splitlines()
    assert head == "Examples:"
    return [line.strip() for line in lines]


def arguments_of(example: str) -> list[str]:
    """Return what stands after `synaptick` in an example, without what is for the shell."""
    found = re.search(r"synaptick ([^>|)]*)", example)
    assert found
    return shlex.split(found[1])


COMMANDS = parsers()
EXAMPLES = {example: name for name, parser in COMMANDS.items() for example in examples(parser)}


def test_the_help_has_every_command_in_one_group(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        make_parser().parse_args(["--help"])
    text = capsys.readouterr().out
    sections = dict(re.findall(r"^(\w+):\n((?:  .*\n)+)", text, re.MULTILINE))
    assert list(sections) == [*GROUPS, "options"]
    shown = [name for title in GROUPS for name in re.findall(r"^  (\w+)", sections[title], re.MULTILINE)]
    assert sorted(shown) == sorted(name for name in COMMANDS if " " not in name)
    assert {"init", "run"} <= set(re.findall(r"^  (\w+)", sections["train"], re.MULTILINE))
    assert "run (train)" in sections["train"]
    assert max(map(len, text.splitlines())) < 80


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_says_what_it_does_and_has_examples(name: str) -> None:
    text = COMMANDS[name].format_help()
    assert text.startswith(f"usage: synaptick {name} ")
    assert 1 <= len(examples(COMMANDS[name])) <= 3
    assert text.split("\n\n")[1].strip()
    assert all(len(line) <= 100 for line in text.splitlines())
    for action in COMMANDS[name]._actions:
        assert action.help or isinstance(action, argparse._SubParsersAction), action.dest


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_understood_and_is_of_its_command(example: str) -> None:
    options = make_parser().parse_args(arguments_of(example))
    assert callable(options.command)
    name = EXAMPLES[example]
    # Of these, an example shows what one does before or next.
    assert name.split()[0] == arguments_of(example)[0] or name in ("init", "compile", "export nir")


@pytest.mark.parametrize("name", COMMANDS)
def test_whole_numbers_are_read_in_one_way(name: str) -> None:
    kinds = {action.dest: action.type for action in COMMANDS[name]._actions}
    assert int not in kinds.values()
    counts = {
        "steps",
        "seed",
        "episodes",
        "ticks",
        "jobs",
        "every",
        "training",
        "gaps",
        "first_seed",
        "cpu",
        "priority",
    }
    assert all(kinds[dest] is whole for dest in counts & set(kinds))


def test_other_names_are_the_same_command() -> None:
    parser = make_parser()
    for name, other in (("run", "train"), ("eval", "evaluate")):
        assert parser.parse_args([name, "x"]).command is parser.parse_args([other, "x"]).command


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_knows_commands_options_and_choices(shell: str, cli: Cli) -> None:
    code, out, err = cli("completion", shell)
    assert (code, err) == (0, "")
    for word in ("doctor", "bench", "cartpole"):
        assert word in out
    assert ("--deterministic" in out) or shell == "tcsh"


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes(cli: Cli, tmp_path: Path) -> None:
    _, script, _ = cli("completion", "bash")
    (tmp_path / "completion.sh").write_text(script)
    (tmp_path / "my_folder").mkdir()

    def completed(*words: str) -> set[str]:
        line = " ".join(f'"{word}"' for word in words)
        program = f"""
            source completion.sh
            COMP_WORDS=({line}) COMP_CWORD={len(words) - 1}
            {function}
            printf '%s\\n' "${{COMPREPLY[@]}}"
        """
        done = subprocess.run(["bash", "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        return set(done.stdout.split())

    found = re.search(r"complete .*-F (\w+) synaptick", script)
    assert found
    function = found[1]
    assert completed("synaptick", "do") == {"doctor"}
    assert completed("synaptick", "bench", "lea") == {"learning"}
    assert completed("synaptick", "bench", "learning", "--suite", "class") == {"classic"}
    assert "my_folder" in {name.rstrip("/") for name in completed("synaptick", "eval", "my")}


MANY = {
    "sweep": (
        "config: CartPole-v1\nsettings: {layers: [8], memory: 0, steps: 1500}\nseeds: 0-1\n"
        "grid: {lambda_value: [0.5, 0.9]}\n"
    ),
    "tune": (
        "config: CartPole-v1\nsettings: {layers: [8], memory: 0, steps: 1500}\nseeds: 100\ntrials: 2\n"
        "search:\n  discount: {low: 0.9, high: 0.99}\n"
    ),
    "compare": "",
}


def prepare_many(cli: Cli, arguments: list[str]) -> None:
    """Write the file that a command about many runs takes, or the folder that it goes on with or compares."""
    shutil.rmtree("runs", ignore_errors=True)
    name = arguments[0]
    if name == "compare":
        for arm in ("deep", "flat"):
            run = ("run", "CartPole-v1", *SMALL, "--steps", 1500, "--seeds", 2, "--jobs", 1, "--quiet")
            assert cli(*run, "--out", f"runs/{arm}")[0] == 0
        return
    for file in ("lambda.yaml", "search.yaml"):
        Path(file).write_text(MANY[name])
    if "--resume" in arguments:
        folder = arguments[arguments.index("--resume") + 1]
        assert cli(name, "search.yaml", "--jobs", 1, "--quiet", "--out", folder)[0] == 0


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_works(example: str, cli: Cli, tmp_path: Path, monkeypatch: Any) -> None:
    """In a folder that has the runs that are named, and cut short where it would take long."""
    for run in ("runs/mine", "runs/a", "runs/b"):
        assert cli("run", "CartPole-v1", "--steps", 400, *SMALL, "--out", run, "--quiet")[0] == 0
    plain = ("--set", "memory=0", "--set", "spikes=binary")
    assert cli("run", "CartPole-v1", "--steps", 400, *SMALL, *plain, "--out", "runs/plain", "--quiet")[0] == 0
    needs = {"watch": "imageio", "report": "matplotlib", "plot": "matplotlib", "export nir": "nir"}
    needs |= {"tune": "optuna", "compare": "scipy"}
    name = EXAMPLES[example]
    if name in needs:
        pytest.importorskip(needs[name])
    arguments = arguments_of(example)
    if "--ray" in arguments:
        pytest.skip("asks for a cluster")
    if name in MANY:
        prepare_many(cli, arguments)
    if arguments[0] == "run" and arguments[1].startswith("my_plant"):
        assert cli("init", "my_plant")[0] == 0
    if {"--priority", "--awake"} & set(arguments):
        pytest.skip("asks for privileges")
    if arguments[0] == "run" and "--out" in arguments:
        shutil.rmtree(arguments[arguments.index("--out") + 1])
    if "--check" in arguments:
        arguments.remove("--check")  # of a short run on a machine that does other things too
    Agent.compile()
    words = " ".join(arguments[:2]) if arguments[0] in ("bench", "export") else arguments[0]
    short = SHORT.get(words, [])
    if name == "run" and "--resume" in arguments:
        short = ["--steps", "500"]
    if "--arms" in arguments and name == "bench lifelong":
        short = [*short[:-2]]
    code, _, err = cli(*arguments, *short)
    assert code == 0, err
