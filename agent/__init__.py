"""A deep recurrent spiking network that learns control online, one step at a time, in fixed memory."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .config import Config
from .errors import (
    CompileError,
    ConfigError,
    EnvError,
    InputError,
    PhaseError,
    ProbeError,
    RunError,
    SpaceError,
    StateError,
    SynaptickError,
)

if TYPE_CHECKING:
    from .agent import Agent
    from .metrics.episodes import Tally
    from .metrics.hooks import StopRun
    from .training.config_file import load_config
    from .training.environment import make_env
    from .training.evaluation import evaluate
    from .training.loop import run

    __version__: str

# Loaded on first use, so that an embedded agent needs neither Gymnasium nor YAML, and the command line nothing slow
# before it can be interrupted.
_LAZY = {
    "Agent": "agent",
    "StopRun": "metrics.hooks",
    "Tally": "metrics.episodes",
    "evaluate": "training.evaluation",
    "load_config": "training.config_file",
    "make_env": "training.environment",
    "run": "training.loop",
}

__all__ = [
    "Agent",
    "CompileError",
    "Config",
    "ConfigError",
    "EnvError",
    "InputError",
    "PhaseError",
    "ProbeError",
    "RunError",
    "SpaceError",
    "StateError",
    "StopRun",
    "SynaptickError",
    "Tally",
    "__version__",
    "evaluate",
    "load_config",
    "make_env",
    "run",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("synaptick")
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_LAZY[name]}", __name__), name)


def __dir__() -> list[str]:
    subpackages = {"configs", "envs", "probes", "realtime"}
    return sorted({*(name for name in globals() if name.startswith("__")), *subpackages, *__all__})
