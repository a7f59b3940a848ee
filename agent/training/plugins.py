"""Which installed packages may register an environment id that is not registered: most do when they are imported."""

from __future__ import annotations

import importlib.metadata
import re

GROUP = "gymnasium.envs"  # entry points of packages that register without being imported, if nothing fails
_KNOWN = {"synaptick", "gymnasium"}
# Words in the names of packages of environments that say nothing about which environments these are.
_COMMON = {"env", "envs", "environment", "environments", "gym", "gymnasium", "rl"}
_NO_PACKAGES = {"docs", "examples", "test", "tests"}


def how_to_write(env_id: str) -> str:
    """Return how an id that nobody has registered may have to be written, as "module:id"."""
    modules = registering_modules()
    likely = [module for module in modules if _alike(module, env_id)]
    if likely:
        return f"if {' or '.join(likely)} registers it, write {likely[0]}:{env_id}"
    named = f"; packages installed here that may: {', '.join(modules)}" if modules else ""
    return f"an id that a package registers when it is imported is written module:id{named}"


def registering_modules() -> list[str]:
    """Return the names of the modules, other than ours, of installed packages that need Gymnasium or plug into it."""
    packages = {
        str(found.metadata["Name"])
        for found in importlib.metadata.distributions()
        if any(re.match(r"gym(nasium)?\b(?!-)", needed) for needed in found.requires or ())
        or any(point.group == GROUP for point in found.entry_points)
    } - _KNOWN
    modules = importlib.metadata.packages_distributions() if packages else {}
    return sorted(
        module
        for module, owners in modules.items()
        if packages & set(owners) and module.isidentifier() and module[0] != "_" and module not in _NO_PACKAGES
    )


def _alike(module: str, env_id: str) -> bool:
    """Return whether an id begins as the name of a module does, less what many are called."""
    name = "".join(word for word in module.lower().split("_") if word not in _COMMON)
    begins = re.split(r"[/-]", env_id)[0].lower().replace("_", "")
    return bool(name and begins) and (begins.startswith(name) or name.startswith(begins))
