"""docs/architecture.md, the tree: every module of the package is there, in its folder, and nothing else is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..support.common import ROOT

AGENT = ROOT / "agent"
BLOCK = re.search(
    r"^## The tree$.*?^```\n(.*?)^envs/", (ROOT / "docs/architecture.md").read_text(encoding="utf-8"), re.M | re.S
)


def told(block: str) -> Iterator[tuple[str, set[str]]]:
    """Yield each folder that the tree names below agent/, "" for itself, with its modules, maybe in several parts."""
    wing = folder = ""
    for line in block.splitlines():
        words = line.split()
        if line.startswith("agent/"):
            words = words[1:]
        elif re.match(r"  \S", line):
            wing = folder = words.pop(0)
        modules: set[str] = set()
        for word in words:
            if word.endswith("/"):
                yield folder, modules
                folder, modules = wing + word, set()
            else:
                modules.add(word)
        yield folder, modules


def test_the_tree_has_all_modules_and_no_others() -> None:
    assert BLOCK is not None
    found: dict[str, set[str]] = {}
    for folder, modules in told(BLOCK[1]):
        found.setdefault(folder, set()).update(modules)
    for path in {path.parent for path in AGENT.rglob("*.py") if "templates" not in path.parts}:
        folder = "".join(f"{part}/" for part in path.relative_to(AGENT).parts)
        assert folder in found, f"{folder} is missing"
        there = {file.stem for file in path.glob("*.py")} - {"__init__", "__main__"}
        # Of some folders inside a wing only the name is told.
        if found[folder] or folder.count("/") < 2:
            assert found[folder] == there, folder
    for folder in filter(None, found):  # templates/ is told in the line of the folder that it lies in
        wing, _, inner = folder.rstrip("/").partition("/")
        assert any(AGENT.glob(f"{wing}/**/{inner}")), f"{folder} is no folder"
