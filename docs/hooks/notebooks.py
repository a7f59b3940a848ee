"""Notebooks: percent scripts in docs/notebooks, of which the site has pages and .ipynb files.

A script is what is kept, read on the repository page and compared; its notebook is made by jupytext when the site is
built. With SYNAPTICK_DOCS_EXECUTE=1 it is run, for minutes, and page and notebook have what it prints and draws.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

FOLDER = "notebooks"
PICTURES, SHOWN = "assets/pictures", {"quickstart": "spikes"}
EXECUTE = "SYNAPTICK_DOCS_EXECUTE"
TERMINAL = re.compile("\x1b" + r"\[[0-9;]*m")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Put a page and a notebook in the place of each script."""
    for file in [
        file for file in files if Path(file.src_uri).parent.as_posix() == FOLDER and file.src_uri[-3:] == ".py"
    ]:
        name = f"{FOLDER}/{Path(file.src_uri).stem}"
        notebook = jupytext.reads(file.content_string, fmt="py:percent")
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        if os.environ.get(EXECUTE) == "1":
            execute(notebook, Path(config.docs_dir) / FOLDER)
        files.remove(file)
        files.append(File.generated(config, f"{name}.ipynb", content=nbformat.writes(notebook)))
        for uri, content in pages(notebook, name, picture_of(notebook, Path(config.docs_dir), Path(name).name)):
            files.append(File.generated(config, uri, content=content))
    return files


def execute(notebook: Any, folder: Path) -> None:
    """Run a notebook in its folder, in a process of its own; an error in it ends the build."""
    from nbclient import NotebookClient

    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()


def picture_of(notebook: Any, docs: Path, stem: str) -> str:
    """Return the line that shows the picture of the gallery, of a notebook that was not run and has none of its own."""
    path = f"{PICTURES}/{SHOWN.get(stem, stem)}.png"
    if any(cell.get("outputs") for cell in notebook.cells) or not (docs / path).is_file():
        return ""
    return f"![what this notebook draws](../{path})"


def pages(notebook: Any, name: str, picture: str) -> Iterator[tuple[str, str | bytes]]:
    """Yield path and content of what shows a notebook: its pictures, and the page at last."""
    parts = []
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        for number, output in enumerate(cell.get("outputs", ())):
            data = output.get("data", {})
            if "image/png" in data:
                picture = f"{name}-{index}-{number}.png"
                yield picture, base64.b64decode(data["image/png"])
                parts.append(f"![drawn by the lines above]({Path(picture).name})")
            else:
                text = TERMINAL.sub("", output.get("text") or data.get("text/plain", ""))
                parts.append(f"```text\n{text.rstrip()}\n```")
    title, rest = parts[0].split("\n", 1) if "\n" in parts[0] else (parts[0], "")
    stem = Path(name).name
    where = f"This page is a notebook, [{stem}.ipynb]({stem}.ipynb)."
    yield f"{name}.md", "\n\n".join([title, where, rest, picture, *parts[1:]]) + "\n"
