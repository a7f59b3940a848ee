"""A deep recurrent spiking network that learns control online, one step at a time, in fixed memory."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .agent import Agent
from .config import Config
from .errors import (
    CompileError,
    ConfigError,
    EnvError,
    InputError,
    PhaseError,
    RunError,
    SpaceError,
    StateError,
    SynaptickError,
)

if TYPE_CHECKING:
    from .config_file import load_config
    from .environment import make_env
    from .loop import Tally, run

# Loaded on first use, so that an embedded agent needs neither Gymnasium nor YAML.
_LAZY = {"load_config": "config_file", "Tally": "loop", "make_env": "environment", "run": "loop"}

__all__ = [
    "Agent",
    "CompileError",
    "Config",
    "ConfigError",
    "EnvError",
    "InputError",
    "PhaseError",
    "RunError",
    "SpaceError",
    "StateError",
    "SynaptickError",
    "Tally",
    "load_config",
    "make_env",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_LAZY[name]}", __name__), name)
