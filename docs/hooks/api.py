"""Where mkdocstrings finds the package: a copy under its name, since its folders here have others.

The site so documents the tree that it lies in, whatever is installed, and nothing of it is imported.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority

PLACES = {"agent": "synaptick", "envs": "synaptick/envs", "configs": "synaptick/configs"}
COPY = tempfile.TemporaryDirectory(prefix="synaptick-docs-")


@event_priority(100)
def on_config(config: MkDocsConfig) -> None:
    """Make the copy, and name it to mkdocstrings before that begins."""
    root = Path(config.config_file_path).parent
    for folder, place in PLACES.items():
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / folder, Path(COPY.name) / place, ignore=ignored, dirs_exist_ok=True)
    config.plugins["mkdocstrings"].config.handlers["python"]["paths"] = [COPY.name]
