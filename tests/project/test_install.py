"""The wheel: what is in it, and that it works where a user's own files have the names of our folders."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from synaptick.scaffold import FILES

from ..support.common import ROOT

PARTS = ("agent", "envs", "configs", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")
PAGES = ("CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "SECURITY.md")


def copied(folder: Path, parts: tuple[str, ...]) -> None:
    """Copy parts of the tree, so that nothing is written into the tree itself."""
    folder.mkdir()
    for part in parts:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / part)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    copied(folder / "tree", PARTS)
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
    assert {f"scaffold/templates/{name}.in" for name in FILES.values()} <= inside
    assert not any("tests" in name.split("/") for name in names)


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


def version_of_the_project() -> str:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def test_the_version_is_the_same_wherever_it_stands() -> None:
    version = version_of_the_project()
    assert importlib.metadata.version("synaptick") == version  # if not: pip install -e . again
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == version
    heading = re.search(r"^## \[(\d.*)\] - (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert heading
    assert (heading[1], heading[2]) == (version, citation["date-released"])


def test_the_citation_has_what_its_format_asks_for() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors", "type", "license"} <= set(citation)
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    assert [author["name"] for author in project["authors"]] == [author["name"] for author in citation["authors"]]
    assert citation["license"] == project["license"]


def test_changes_are_kept_by_kind() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    kinds = re.findall(r"^### (\w+)$", text, re.MULTILINE)
    assert set(kinds) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert text.index("## [Unreleased]") < text.index("## [0.2.0]")


@pytest.mark.slow
def test_what_is_uploaded_builds_is_checked_and_runs_in_an_empty_environment(tmp_path: Path) -> None:
    """sdist, and the wheel made from it; installed with their dependencies and nothing else."""
    copied(tmp_path / "tree", (*PARTS, *PAGES, "tests"))
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", tmp_path / "dist", tmp_path / "tree"], check=True, timeout=600
    )
    version = version_of_the_project()
    wheel, sdist = sorted((tmp_path / "dist").iterdir())
    assert (wheel.name, sdist.name) == (f"synaptick-{version}-py3-none-any.whl", f"synaptick-{version}.tar.gz")
    checked = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", wheel, sdist], capture_output=True, text=True, timeout=600
    )
    assert (checked.returncode, checked.stdout.count("PASSED")) == (0, 2), checked.stdout + checked.stderr
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {*PAGES, "README.md", "LICENSE", "pyproject.toml"} <= inside
    for names in (inside, set(zipfile.ZipFile(wheel).namelist())):
        assert not any("tests" in name.split("/") or name.endswith("conftest.py") for name in names)
    metadata = zipfile.ZipFile(wheel).read(f"synaptick-{version}.dist-info/METADATA").decode()
    assert "Author: The synaptick authors" in metadata

    venv.create(tmp_path / "empty", with_pip=True)
    python = tmp_path / "empty" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", wheel], check=True, timeout=900)
    command = python.with_name("synaptick")
    out = output(command, "run", "CartPole-v1", "--steps", "2000", "--json", cwd=tmp_path)
    result = json.loads(out.splitlines()[-1])
    assert result["steps"] == 2000
    assert result["mean_return_last_100"] > 15
    found = json.loads(output(command, "doctor", "--json", cwd=tmp_path).splitlines()[-1])
    assert (found["problems"], found["versions"]["synaptick"]) == ([], version)
    output(command, "init", "mine", cwd=tmp_path)
    output(command, "run", "mine/config.yaml", "--steps", "500", cwd=tmp_path)
