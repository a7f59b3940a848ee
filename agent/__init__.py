"""A deep recurrent spiking network that learns control online, one step at a time, in fixed memory."""

from .agent import Agent
from .config import Config
from .config_file import load_config
from .errors import ConfigError, EnvError, InputError, PhaseError, RunError, SpaceError, StateError, SynaptickError
from .loop import Tally, make_env, run

__all__ = [
    "Agent",
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
