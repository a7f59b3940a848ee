"""The versions that a result depends on."""

from __future__ import annotations

import importlib.metadata
import platform

from .kernels.base.jit import ARITHMETIC, DEFAULT_ARITHMETIC


def versions() -> dict[str, str]:
    """Return the versions a result depends on, and the ``arithmetic`` of the kernels where it is not the default."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for name in ("synaptick", "numpy", "numba", "llvmlite", "gymnasium"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    if ARITHMETIC != DEFAULT_ARITHMETIC:
        found["arithmetic"] = ARITHMETIC
    return found
