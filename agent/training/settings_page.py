"""What is written from the fields of `Config`: the default configuration, and the reference page of all settings.

``python -m synaptick.training.settings_page`` writes both anew into the source tree.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from dataclasses import Field, fields
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from ..config import Config
from ..config.kinds import description, kind_of

COMMAND = f"python -m {__package__}.settings_page"


def pages() -> dict[str, str]:
    """Return the content of each file that is made from the settings, by its path in the source tree."""
    return {"configs/default.yaml": default_yaml(), "docs/reference/settings.md": settings_page()}


def default_yaml() -> str:
    """Return the default configuration as YAML, with the meaning of every setting above it."""
    blocks = [
        "# The default configuration: every setting, its meaning, unit and allowed range.\n"
        "# A file of your own needs only the keys that differ; on the command line: --set key=value.\n"
        f"# Written by {COMMAND} from the fields of Config.",
        _comment(_units()),
    ]
    for heading, settings in _groups():
        blocks.append(f"# ---- {heading}")
        blocks += [f"{_comment(description(spec))}\n{spec.name}: {_default(spec)}" for spec in settings]
    return "\n\n".join(blocks) + "\n"


def settings_page() -> str:
    """Return the reference of all settings as Markdown: a table for each group, an anchor for each setting."""
    groups = _groups()
    links = ", ".join(f"[{heading}](#{heading.lower()})" for heading, _ in groups)
    blocks = [
        f"<!-- Written by {COMMAND} from the fields of Config. -->",
        "# Settings",
        "Every field of `Config`, which is every key of a YAML file and of `--set key=value`.",
        _units(),
        'What stands behind "Elsewhere" is what other libraries call the setting, or what comes nearest to it there.',
        f"Groups: {links}. A file with all defaults: [configs/default.yaml](../../configs/default.yaml).",
    ]
    for heading, settings in groups:
        head = "| setting | default | unit | range | meaning |\n| --- | --- | --- | --- | --- |"
        blocks += [f"## {heading}", "\n".join([head, *map(_row, settings)])]
    return "\n\n".join(blocks) + "\n"


def _groups() -> list[tuple[str, list[Field[Any]]]]:
    found = groupby(fields(Config), key=lambda spec: str(spec.metadata["group"]))
    return [(heading, list(settings)) for heading, settings in found]


def _units() -> str:
    """Return the paragraph on units of the docstring of `Config`, its second one."""
    return " ".join((inspect.getdoc(Config) or "").split("\n\n")[1].split())


def _default(spec: Field[Any]) -> str:
    """Return the default of a setting as YAML."""
    value = Config().to_dict()[spec.name]
    return str(yaml.safe_dump([value], default_flow_style=True)).strip()[1:-1]


def _comment(text: str) -> str:
    return textwrap.fill(text.replace("`", ""), 120, initial_indent="# ", subsequent_indent="# ")


def _row(spec: Field[Any]) -> str:
    kind = kind_of(spec)
    meaning = _linked(spec.metadata["text"], spec.name)
    if others := spec.metadata["elsewhere"]:
        meaning += f" Elsewhere: {', '.join(f'`{name}`' for name in others)}."
    cells = [
        f'<a id="{spec.name}"></a>`{spec.name}`',
        f"`{_default(spec)}`",
        _linked(kind.unit, spec.name),
        kind.range or kind.allowed,
        meaning,
    ]
    row = " | ".join(cell.replace("|", "\\|") for cell in cells)
    return f"| {row} |"


def _linked(text: str, here: str) -> str:
    """Return `text` with a link at every other setting that it names, alone or with a value."""
    names = {spec.name for spec in fields(Config)} - {here}

    def link(quoted: re.Match[str]) -> str:
        name = quoted[1].partition(":")[0]
        return f"[{quoted[0]}](#{name})" if name in names else quoted[0]

    return re.sub("`([^`]+)`", link, text)


def main() -> None:
    """Write every file of `pages` into the source tree this module belongs to."""
    root = Path(__file__).resolve().parents[2]
    for path, text in pages().items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
