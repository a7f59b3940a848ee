"""One stem a question: kernel, C template and twin of a rule have one name, and so have settings and arrays."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from synaptick import kernels
from synaptick.arena.plan import agent_rows, layer_rows, net_rows
from synaptick.config import Config
from synaptick.kernels.base.records import PLACE, names_of
from synaptick.kernels.layout import Places, Sizes
from synaptick.kernels.settings import Settings
from synaptick.kernels.views import LayerRow, NetRow

from ..support.common import ROOT, make_agent

KERNELS = sorted(path for path in (ROOT / "agent" / "kernels").rglob("*.py") if path.stem != "__init__")
TEMPLATES = sorted((ROOT / "agent" / "export" / "c" / "templates").glob("*.c"))
TWINS = sorted(path for path in (ROOT / "tests" / "reference").glob("*.py") if path.stem != "__init__")
# Parts of an export that mirror no kernel: what stands before the first and after the last of them.
AROUND = {"head", "interface"}
# Twins of what is no kernel: of `agent/agent.py` and of `agent/spaces/`.
NO_KERNELS = {"agent", "spaces"}

# A definition begins its line with words of a type, the last of which is the name.
_C_FUNCTION = re.compile(r"^(?!typedef\b)[A-Za-z_][\w \t*]*?\b(\w+)\((?!.*;\s*$)", re.M)


def python_functions(path: Path) -> set[str]:
    """Return the functions of a file, without leading underscores."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name.lstrip("_") for node in tree.body if isinstance(node, ast.FunctionDef)}


def c_functions(path: Path) -> set[str]:
    """Return the functions that a template defines."""
    return set(_C_FUNCTION.findall(path.read_text(encoding="utf-8")))


def modules() -> Iterator[ModuleType]:
    """Yield all modules of kernels."""
    for path in KERNELS:
        parts = path.relative_to(ROOT / "agent" / "kernels").with_suffix("").parts
        yield importlib.import_module(".".join([kernels.__name__, *parts]))


OF_KERNELS = {path.stem: python_functions(path) for path in KERNELS}
OF_TEMPLATES = {path.stem: c_functions(path) for path in TEMPLATES}
OF_TWINS = {path.stem: python_functions(path) for path in TWINS}


def shared(found: Mapping[str, set[str]]) -> set[tuple[str, str]]:
    """Return stem and name of the functions that have the name of one of the kernels'."""
    ours = set().union(*OF_KERNELS.values())
    return {(stem, name) for stem, names in found.items() for name in names & ours}


def misplaced(found: Mapping[str, set[str]]) -> set[tuple[str, str]]:
    """Return those of them that do not stand in the file of the kernel's stem."""
    return {(stem, name) for stem, name in shared(found) if name not in OF_KERNELS.get(stem, ())}


# ---- files and functions


def test_templates_and_twins_have_the_stems_of_kernels() -> None:
    assert len({path.stem for path in KERNELS}) == len(KERNELS)
    assert OF_TEMPLATES.keys() - OF_KERNELS.keys() == AROUND
    assert OF_TWINS.keys() - OF_KERNELS.keys() == NO_KERNELS


@pytest.mark.parametrize(("found", "floor"), [(OF_TEMPLATES, 55), (OF_TWINS, 40)], ids=["templates", "twins"])
def test_functions_stand_in_the_file_of_the_kernel_of_their_name(found: Mapping[str, set[str]], floor: int) -> None:
    assert not misplaced(found)
    assert len(shared(found)) >= floor
    moved = {**found, "neuron": found["neuron"] - {"fire"}, "credit": found["credit"] | {"fire"}}
    assert misplaced(moved) == {("credit", "fire")}


def test_every_function_of_a_template_is_found() -> None:
    """As many as there are bodies: braces that begin a line, and definitions of one line."""
    for path in TEMPLATES:
        text = path.read_text(encoding="utf-8")
        bodies = re.findall(r"^\{$|^[a-zA-Z][^\n]*\) \{ .* \}$", text, re.M)
        assert len(_C_FUNCTION.findall(text)) == len(bodies), path.name


@pytest.mark.parametrize("path", TWINS, ids=lambda path: path.stem)
def test_twins_call_each_other_by_file(path: Path) -> None:
    """So that a mutant put in a file is met by all others: what is imported by its own name is a type."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level and node.module:
            assert all(re.fullmatch("[A-Z][a-z]+([A-Z][a-z]+)*", alias.name) for alias in node.names)


# ---- settings


def named_settings() -> dict[str, list[str]]:
    """Return, for each setting that a kernel names, the modules that do."""
    found: dict[str, list[str]] = {}
    for module in modules():
        for name in getattr(module, "SETTINGS", ()):
            found.setdefault(name, []).append(module.__name__)
    return found


def test_kernels_name_settings_of_the_configuration_each_once() -> None:
    """But for what the neuron's threshold and its spikes share."""
    found = named_settings()
    models = {f"{kernels.__name__}.{name}" for name in ("neuron", "spike")}
    properties = {name for name, value in vars(Config).items() if isinstance(value, property) and value.__doc__}
    assert found.keys() <= {spec.name for spec in fields(Config)} | properties
    shared = {name: owners for name, owners in found.items() if len(owners) > 1}
    assert shared.keys() == {"v_th"}
    assert all({*owners} <= models for owners in shared.values())
    assert sorted(found) == sorted(names_of(Settings))
    assert len(found) >= 25


def test_kernels_read_the_settings_that_they_name() -> None:
    read = {
        node.attr
        for path in KERNELS
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "settings"
    }
    assert read == set(names_of(Settings))


# ---- arrays and sizes


def entries(record: np.dtype[Any], places: bool) -> list[str]:
    """Return the entries of a record that are places of arrays, or those that are numbers."""
    return [name for name in names_of(record) if (record[name] == PLACE) is places]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"layers": (8, 5), "feedback": "random"},
        {"memory": 6, "memory_layers": 2, "depth_filter": "tensor"},
    ],
)
def test_views_and_places_are_those_of_the_plan(changes: dict[str, Any]) -> None:
    d = make_agent(**changes).arena.dimensions
    for net in range(2):
        assert [row.name for row in net_rows(d, net)] == entries(NetRow, places=True)
        assert list(d.net_sizes(net)) == entries(NetRow, places=False)
    for index in range(len(d.layers)):
        assert [row.name for row in layer_rows(d, index)] == entries(LayerRow, places=True)
        assert list(d.layer_sizes(index)) == entries(LayerRow, places=False)
    assert ["traces", "neurons", *(row.name for row in agent_rows(d))] == list(names_of(Places))
    assert ["n_ints", "n_reals", "n_floats", *d.sizes()] == list(names_of(Sizes))


def hidden(record: np.dtype[Any]) -> set[str]:
    """Return entries that an interpreted kernel would not read: NumPy's records have an attribute of that name."""
    return set(names_of(record)) & set(dir(np.record))


def test_entries_of_records_hide_no_attribute_of_a_record() -> None:
    records = [value for module in modules() for value in vars(module).values() if isinstance(value, np.dtype)]
    assert {id(record) for record in (PLACE, Places, Sizes, Settings, LayerRow, NetRow)} <= set(map(id, records))
    assert not set().union(*map(hidden, records))
    assert hidden(np.dtype([("size", float), ("gain", float), ("std", float)])) == {"size", "std"}
