"""Writing the folder of ``synaptick init NAME``, whole or not at all."""

from __future__ import annotations

import importlib.util
import keyword
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from string import Template

from ..errors import ConfigError

# File of the folder, and the template it is made of. The module has the name of the folder: `NAME:Id-v0` is then found
# from above the folder, where NAME is this package, and from within, where NAME is this file.
FILES = {
    "__init__.py": "package.py",
    "{name}.py": "environment.py",
    "config.yaml": "config.yaml",
    "learn.py": "learn.py",
    "test_{name}.py": "test.py",
}
_TEMPLATES = Path(__file__).parent / "templates"


def write(name: str) -> list[Path]:
    """Write the folder `name` into the working directory and return the paths of its files.

    Raises
    ------
    ConfigError
        If the name cannot be that of a module, or is one already; if something of this name is there.
    OSError
        If nothing can be written.
    """
    _check(name)
    title = "".join(word[:1].upper() + word[1:] for word in name.split("_"))
    words = {"name": name, "title": title, "id": f"{title}-v0"}
    # Filled beside its place and renamed, so that there is never half a folder, nor one that was there is touched.
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=Path.cwd()) as scratch:
        fresh = Path(scratch) / name
        fresh.mkdir()
        for file, template in FILES.items():
            text = Template((_TEMPLATES / f"{template}.in").read_text(encoding="utf-8")).substitute(words)
            (fresh / file.format(name=name)).write_text(text, encoding="utf-8")
        _check_free(name)
        shutil.move(fresh, name)
    return [Path(name) / file.format(name=name) for file in FILES]


def _check(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name) or len(name) > 64:
        likely = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_0123456789")[:64]
        hint = f", such as {likely}" if re.fullmatch(r"[a-z][a-z0-9_]*", likely) and likely != name else ""
        raise ConfigError(
            f"init {name}: it becomes the name of a Python module; allowed: small letters, digits and _, at most 64, "
            f"a letter first{hint}"
        )
    _check_free(name)
    if name in sys.stdlib_module_names or _is_installed(name):
        raise ConfigError(
            f"init {name}: a module of this name is installed and would be imported in its place; take another"
        )


def _check_free(name: str) -> None:
    if os.path.lexists(name):
        raise ConfigError(f"init {name}: {name} is there already and stays as it is; take another name or remove it")


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
