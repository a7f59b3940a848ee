"""The shape of the source: style, types, and who may import whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..support.common import ROOT

AGENT = sorted((ROOT / "agent").rglob("*.py"))
KERNELS = sorted((ROOT / "agent" / "kernels").rglob("*.py"))
SOURCES = [*AGENT, *sorted((ROOT / "envs").rglob("*.py")), *sorted((ROOT / "configs").glob("*.py"))]
CONTRACTS = (
    "one wing a question, each above those it is made of",
    "kernels need no Gymnasium, YAML or terminal",
    "nothing below training needs Gymnasium, YAML or a terminal",
)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tool(*arguments: str) -> None:
    """Run a tool of this environment on the tree, with its settings from pyproject.toml."""
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_finds_nothing() -> None:
    tool("ruff", "check", "--no-cache", "agent", "envs", "configs", "tests")


def test_the_format_is_that_of_ruff() -> None:
    tool("ruff", "format", "--check", "--no-cache", "agent", "envs", "configs", "tests")


def test_types_are_right() -> None:
    tool("mypy", "agent", "envs")


def lint_imports(settings: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts that a TOML file has."""
    code = "import sys; from importlinter.cli import lint_imports_command as main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "--no-cache", "--config", str(settings)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)


def test_import_contracts_hold() -> None:
    done = lint_imports(ROOT / "pyproject.toml")
    assert done.returncode == 0, done.stdout + done.stderr
    for contract in CONTRACTS:
        assert f"{contract} KEPT" in done.stdout
    assert f"{len(CONTRACTS)} kept, 0 broken" in done.stdout


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('    "arena",\n', '    "memory",\n'),  # a wing that is not there
        ('    "arena",\n', ""),  # one that no layer names
        ('    "agent",\n    "inspection",\n', '    "inspection",\n    "agent",\n'),  # an import that climbs
        ('    "training | realtime | compiled_loop",\n', '    "training | realtime | compiled_loop | export",\n'),
    ],
    ids=["missing", "unnamed", "climbs", "siblings"],
)
def test_a_wing_that_is_missing_unnamed_or_out_of_place_breaks_the_contract(old: str, new: str, tmp_path: Path) -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    head, layers = text.split("layers = [", 1)
    layers, tail = layers.split("]", 1)
    assert layers.count(old) == 1
    if "export" in new:
        layers = layers.replace('    "export",\n', "")
    (tmp_path / "changed.toml").write_text(f"{head}layers = [{layers.replace(old, new)}]{tail}", encoding="utf-8")
    assert lint_imports(tmp_path / "changed.toml").returncode != 0


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield level (0: absolute) and module of every import, wherever in the file it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.level, node.module or ""


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_folder_imports_itself_relatively_and_never_reaches_above(path: Path) -> None:
    depth = len(path.relative_to(ROOT).parts) - 1
    for level, module in imports(path):
        assert level <= depth, f"reaches above its package: {'.' * level}{module}"
        assert level or module.split(".")[0] not in ("synaptick", "agent", "envs", "configs", "tests"), module


@pytest.mark.parametrize("path", KERNELS, ids=name)
def test_kernels_import_numbers_and_the_standard_library_only(path: Path) -> None:
    for level, module in imports(path):
        if level == 0:
            top = module.split(".")[0]
            assert top in ("numpy", "numba", "llvmlite") or top in sys.stdlib_module_names, module
        # How a file of compiled code is written, and how a variable that cannot be is refused.
        elif (path.name, module) not in (("cache.py", "files"), ("jit.py", "errors")):
            assert level == 1, f"kernels import {'.' * level}{module}"


@pytest.mark.parametrize("path", KERNELS, ids=name)
def test_only_the_cache_of_compiled_code_touches_the_outside(path: Path) -> None:
    outside = {"os", "pathlib", "tempfile", "subprocess", "socket", "io", "shutil", "json", "logging"}
    found = {module.split(".")[0] for level, module in imports(path) if level == 0} & outside
    assert not found or path.name in ("jit.py", "cache.py")


def test_the_agent_is_embedded_without_gymnasium_or_a_terminal() -> None:
    code = """
import sys
from synaptick import Agent, Config
heavy = {"gymnasium", "rich", "argparse", "synaptick.training.environment", "synaptick.training.config_file"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.strip() == "[]"


def public(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Yield public functions and classes, and the public methods of public classes."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node.name, node
            for part in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(part, ast.FunctionDef) and not part.name.startswith("_"):
                    yield f"{node.name}.{part.name}", part


@pytest.mark.parametrize("path", AGENT, ids=name)
def test_everything_public_has_a_docstring(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    missing = [label for label, node in public(tree) if not ast.get_docstring(node)]  # type: ignore[arg-type]
    assert not missing
    assert ast.get_docstring(tree) or not path.read_text(encoding="utf-8").strip()
