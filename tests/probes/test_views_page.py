"""docs/reference/views.md: up to date, with every view of every kind of arena, and with the shapes that they have."""

from __future__ import annotations

import re
from typing import Any

import pytest
from synaptick.arena.plan import RETURNS_SIZE, SLOTS
from synaptick.probes.views_page import COMMAND, OWNERS, PAGE, meanings, shapes, sizes_in, views_page
from synaptick.probes.views_table import SIZES

from ..support.common import PARTS, ROOT, make_agent
from .cases import CASES, agent_of

AGENTS = [*map(agent_of, CASES), make_agent(action=PARTS, std="free", memory=5)]
TABLE = {f"{owner}{name}": array for owner, _, arrays in OWNERS for name, array in arrays.items()}


def general(name: str) -> str:
    """Return the name that the page has for a view."""
    return re.sub("^(actor|critic)/", "NET/", re.sub(r"/\d+/", "/LAYER/", name))


def sizes(agent: Any, name: str) -> dict[str, Any]:
    """Return the sizes that the shape of a view may name."""
    d = agent.arena.dimensions
    layers = range(len(d.layers))
    found = {**vars(d), **d.sizes(), "N_NETS": 2, "RETURNS_SIZE": RETURNS_SIZE, "SLOTS": SLOTS, "centered": d.centered}
    found["widest"] = max(d.layers[k] if d.is_memory(k) else d.columns(k)["m"] for k in layers)
    found["most"] = max(d.vectors(k) + d.n_above(k) for k in layers)
    net, _, rest = name.partition("/")
    layer = rest.partition("/")[0]
    if rest:
        of_net = d.net_sizes(("actor", "critic").index(net))
        found |= {"outputs": of_net["n_outputs"], "features": of_net["n_features"]}
    if layer.isdigit():
        memory = d.is_memory(int(layer))
        found |= {**d.layer_sizes(int(layer)), "memory": memory, "matrices": d.cascade or memory}
    return found


def test_the_page_is_what_is_written_from_the_plan() -> None:
    assert (ROOT / PAGE).read_text(encoding="utf-8") == views_page(), f"write it anew with: {COMMAND}"


def test_the_page_has_every_view_of_these_agents_and_no_other() -> None:
    names = [general(name) for agent in AGENTS for name in agent.arena.views]
    assert set(names) == set(shapes()) == set(TABLE)
    rows = re.findall(r"^\| `([\w/]+)` \|", views_page(), re.MULTILINE)
    assert rows == list(TABLE)
    assert len(rows) > 60


@pytest.mark.parametrize("agent", AGENTS, ids=[*CASES, "parts"])
def test_views_have_the_shapes_of_the_page(agent: Any) -> None:
    planned = shapes()
    for name, view in agent.arena.views.items():
        shape, lasts = planned[general(name)]
        assert eval(shape, {"sum": sum}, sizes(agent, name)) == view.shape, name
        assert (lasts == "fixed") == (name in agent.arena.fixed)


def test_every_size_in_a_shape_is_explained_and_no_other() -> None:
    named = set().union(*(sizes_in(shape) for shape, _ in shapes().values()))
    assert set(meanings()) == named
    assert set(SIZES) <= named
    assert all(meanings().values())


def test_files_that_write_an_array_name_it() -> None:
    """`forward` hands `normalize_current` its array by another name, and so on; the name stands in the file."""
    for name, array in TABLE.items():
        for file in array.files:
            path = ROOT / "agent" / file if (ROOT / "agent" / file).is_file() else ROOT / "agent" / "kernels" / file
            assert re.search(rf"\b{name.rpartition('/')[2]}\b", path.read_text(encoding="utf-8")), (name, file)
