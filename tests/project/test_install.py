"""The wheel: what is in it, and that it works where a user's own files have the names of our folders."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ..support.common import ROOT

PARTS = ("agent", "envs", "configs", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of the tree, so that nothing is written into the tree itself."""
    folder = tmp_path_factory.mktemp("wheel")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / "tree" / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / "tree" / part)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, folder / "tree"]
    subprocess.run(command, check=True, timeout=600)
    (found,) = folder.glob("synaptick-*.whl")
    return found


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel in a new environment that finds the dependencies, and only them, in this one.

    This environment's .pth files, and with them a synaptick that is installed from the tree, are not read there: they
    are only read in site folders, and a path in another .pth file does not become one.
    """
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=False, symlinks=True)
    interpreter = folder / ("Scripts" if os.name == "nt" else "bin") / Path(sys.executable).name
    if not interpreter.exists():
        interpreter = interpreter.with_name("python")
    site = Path(output(interpreter, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    command = [sys.executable, "-m", "pip", "--python", interpreter, "install", "--quiet", "--no-deps", wheel]
    subprocess.run(command, check=True, timeout=600)
    (site / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n")
    return interpreter


@pytest.fixture
def decoys(tmp_path: Path) -> Path:
    """Return a folder with files and packages that have the names of our folders, and break when imported."""
    (tmp_path / "agent.py").write_text("raise ImportError('the wrong agent')\n")
    for package in ("envs", "configs", "kernels"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text(f"raise ImportError('the wrong {package}')\n")
    (tmp_path / "configs" / "default.yaml").write_text("discont: 1\n")
    return tmp_path


def output(interpreter: Path, *arguments: Any, cwd: Path) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [interpreter, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_what_it_should_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"synaptick"}
    inside = {name.removeprefix("synaptick/") for name in names if name.startswith("synaptick/")}
    expected = {
        str(path.relative_to(ROOT)).removeprefix("agent/")
        for part in ("agent", "envs", "configs")
        for path in (ROOT / part).rglob("*")
        if path.suffix in (".py", ".yaml") or path.name == "py.typed" or path.parent.name == "templates"
    }
    assert inside == expected
    assert {"py.typed", "envs/py.typed", "configs/default.yaml", "export/c/templates/header.h"} <= inside
    assert any(name.endswith(".c") for name in inside)
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_imports_find_the_wheel_and_not_the_decoys(python: Path, decoys: Path) -> None:
    code = """
import synaptick, synaptick.envs, synaptick.configs
from synaptick import Agent, Config, load_config, make_env, run
assert {"Agent", "Config", "load_config", "make_env", "run", "__version__"} <= set(dir(synaptick))
assert load_config("default") == Config()
for module in (synaptick, synaptick.envs, synaptick.configs):
    print(module.__file__)
"""
    for line in output(python, "-c", code, cwd=decoys).splitlines():
        assert Path(line).is_relative_to(python.parent.parent), line


def test_the_command_runs_beside_the_decoys(python: Path, decoys: Path) -> None:
    command = python.with_name("synaptick")
    out = output(command, "run", "CartPole-v1", "--steps", "200", "--json", "--set", "layers=[8]", cwd=decoys)
    result = json.loads(out.splitlines()[-1])
    assert (result["env"], result["steps"]) == ("CartPole-v1", 200)
    assert (decoys / result["out"] / "results.csv").is_file()
    assert "--resume" in output(command, "run", "--help", cwd=decoys)
