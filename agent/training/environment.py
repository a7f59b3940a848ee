"""Making environments by name, with their wrappers, or saying in one line why that cannot be done."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import gymnasium
import numpy as np

from ..config import Config
from ..errors import EnvError

# Beginning of an id: module that registers it, extra of synaptick that installs the module.
NAMESPACES = {
    "synaptick/": ("synaptick.envs", ""),
    "MiniGrid-": ("minigrid", "minigrid"),
    "BabyAI-": ("minigrid", "minigrid"),
    "ALE/": ("ale_py", "atari"),
    "popgym-": ("popgym", "popgym"),
}
EXTRA_OF_MODULE = {module: extra for module, extra in NAMESPACES.values() if extra}
# Extras that are Gymnasium's own, under the same name there: its errors name them.
GYMNASIUM_EXTRAS = ("box2d", "mujoco")
VECTOR = "is a vector environment, several streams; an agent is one stream: give the id of a single environment"
WRAPPER_FORM = '"module:Class" or {"module:Class": {argument: value}}'


def make_env(env_id: str, kwargs: Mapping[str, Any] | None = None, wrappers: Sequence[Any] = ()) -> Any:
    """Make a Gymnasium environment, or raise `EnvError` with the reason.

    Parameters
    ----------
    env_id : str
        Id of a registered environment, ``"module:id"`` to import the module that registers it first. Ids of synaptick,
        MiniGrid, BabyAI, the Arcade Learning Environment (``ALE/...``) and POPGym need no module.
    kwargs : mapping, optional
        Keyword arguments of the environment.
    wrappers : sequence, optional
        Wrappers, innermost first: each ``"module:Class"`` or ``{"module:Class": {argument: value}}``.
    """
    parsed = [_parsed(item) for item in _listed(wrappers)]
    env = _bare(env_id, dict(kwargs or {}))
    try:
        for name, arguments in parsed:
            env = _wrapped(env, name, arguments)
    except BaseException:
        env.close()
        raise
    return env


def make_env_of(config: Config) -> Any:
    """Make the environment that a configuration names, with its wrappers; errors are those of `make_env`."""
    return make_env(config.env, config.env_kwargs, config.wrappers)


def _bare(env_id: str, kwargs: dict[str, Any]) -> Any:
    module, _, name = env_id.rpartition(":")
    module = module or next((known for start, (known, _) in NAMESPACES.items() if name.startswith(start)), "")
    what = f"environment {env_id!r}"
    try:
        if module:
            importlib.import_module(module)
        spec = gymnasium.registry.get(name)
        if spec is not None and spec.entry_point is None:
            raise EnvError(f"{what} {VECTOR}")
        return gymnasium.make(name, disable_env_checker=True, **kwargs)
    except EnvError:
        raise
    except gymnasium.error.DependencyNotInstalled as error:
        _refuse_missing(what, "a package", _extra_named(str(error)), error)
    except gymnasium.error.Error as error:
        raise EnvError(f"{what} cannot be made: {_line(error)}") from error
    except ModuleNotFoundError as error:
        _refuse_missing(what, "a module", _extra_of(error), error)
    except Exception as error:  # whatever a constructor raises
        if isinstance(error, TypeError) and re.search(r"must inherit from .* actual class: .*VectorEnv", str(error)):
            raise EnvError(f"{what} {VECTOR}") from error
        with_what = f" with env_kwargs {kwargs}" if kwargs else ""
        raise EnvError(f"{what} cannot be made{with_what}: {type(error).__name__}: {_line(error)}") from error


def _extra_named(text: str) -> str:
    """Return the extra of Gymnasium that an error asks for, if it is one of ours too."""
    found = re.search(r"gymnasium\[([\w-]+)\]", text)
    return found[1] if found and found[1] in GYMNASIUM_EXTRAS else ""


def _extra_of(error: ModuleNotFoundError) -> str:
    """Return the extra that installs the module that was not found, if one does."""
    return EXTRA_OF_MODULE.get(error.name or "", "")


def _refuse_missing(what: str, kind: str, extra: str, error: Exception) -> NoReturn:
    if extra:
        raise EnvError(f'{what} needs {kind} that is not installed; run: pip install "synaptick[{extra}]"') from error
    raise EnvError(f"{what} needs {kind} that is not installed: {_line(error)}") from error


def _listed(wrappers: Any) -> Sequence[Any]:
    if isinstance(wrappers, str | bytes | Mapping) or not isinstance(wrappers, Sequence):
        raise EnvError(f"wrappers: got {wrappers!r}; allowed: a list whose items are {WRAPPER_FORM}")
    return wrappers


def _parsed(item: Any) -> tuple[str, dict[str, Any]]:
    """Return name and arguments of a wrapper."""
    name, arguments = next(iter(item.items())) if isinstance(item, Mapping) and len(item) == 1 else (item, {})
    if not (isinstance(name, str) and re.fullmatch(r"[\w.]+:\w+", name)):
        raise EnvError(f"wrappers: got {item!r}; allowed: {WRAPPER_FORM}")
    if not isinstance(arguments, Mapping) or not all(isinstance(key, str) for key in arguments):
        raise EnvError(f"wrapper {name!r} has the arguments {arguments!r}; allowed: a mapping from names to values")
    return name, dict(arguments)


def _wrapped(env: Any, name: str, arguments: dict[str, Any]) -> Any:
    module, _, attribute = name.partition(":")
    what = f"wrapper {name!r}"
    try:
        wrapper = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        _refuse_missing(what, "a module", _extra_of(error), error)
    except AttributeError as error:
        raise EnvError(f"{what} cannot be found: the module {module} has no {attribute}") from error
    except Exception as error:  # whatever a module raises on import
        raise EnvError(f"{what} cannot be imported: {type(error).__name__}: {_line(error)}") from error
    with_what = f" with {arguments}" if arguments else ""
    try:
        wrapped = wrapper(env, **arguments)
    except gymnasium.error.DependencyNotInstalled as error:
        _refuse_missing(what, "a package", _extra_named(str(error)), error)
    except Exception as error:  # whatever a constructor raises
        raise EnvError(f"{what} cannot be applied{with_what}: {type(error).__name__}: {_line(error)}") from error
    if not isinstance(wrapped, gymnasium.Env):
        raise EnvError(f"{what} made a {type(wrapped).__name__}; allowed: a gymnasium.Env, such as a gymnasium.Wrapper")
    return wrapped


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def environment_seed(seed: int, step: int) -> int:
    """Return the seed of the environment for a run with this seed that begins, or goes on, at this step."""
    return int(np.random.SeedSequence((seed, step)).generate_state(1)[0])
