"""Making environments by name, with their wrappers, or saying in one line why that cannot be done."""

from __future__ import annotations

import contextlib
import importlib.machinery
import os
import re
import sys
import traceback
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, NoReturn

import gymnasium
import numpy as np

from ..config import Config
from ..errors import EnvError, described, one_line
from .plugins import how_to_write

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
SEVERAL_AGENTS = (
    "has several agents (PettingZoo); synaptick is one agent: give a gymnasium.Env in which the others are part of the "
    "world"
)
OLD_GYM = (
    'is of the old package gym; give a gymnasium.Env, or run: pip install "shimmy[gym-v26]" and give the id '
    "GymV26Environment-v0 with env_kwargs {env_id: ID} (gym-v21, GymV21Environment-v0 where step returns four values)"
)
WRAPPER_FORM = '"module:Class" or {"module:Class": {argument: value}}'


def make_env(env_id: str, kwargs: Mapping[str, Any] | None = None, wrappers: Sequence[Any] = ()) -> Any:
    """Make a Gymnasium environment, or raise `EnvError` with the reason.

    Parameters
    ----------
    env_id : str
        Id of a registered environment, ``"module:id"`` to import the module that registers it first. Ids of synaptick,
        MiniGrid, BabyAI, the Arcade Learning Environment (``ALE/...``) and POPGym need no module. A module that is not
        installed is looked for in the working directory too, which then stays at the end of `sys.path`.
    kwargs : mapping, optional
        Keyword arguments of the environment.
    wrappers : sequence, optional
        Wrappers, innermost first: each ``"module:Class"`` or ``{"module:Class": {argument: value}}``.

    Raises
    ------
    EnvError
        Whatever the constructors and modules raise, SystemExit included; a Ctrl-C stays what it is.
    """
    if not isinstance(env_id, str):
        raise EnvError(f"environment {env_id!r}: allowed: an id, such as 'CartPole-v1' or 'module:id'")
    parsed = [_parsed(item) for item in _listed(wrappers)]
    env = _bare(env_id, dict(kwargs or {}))
    try:
        for name, arguments in parsed:
            env = _wrapped(env, name, arguments)
    except BaseException:
        with contextlib.suppress(BaseException):  # what close may raise says less than why it is closed
            env.close()
        raise
    return env


def check_env(env: Any, what: str) -> None:
    """Raise `EnvError` if an object, called `what` in the error, is not one `gymnasium.Env`."""
    if isinstance(env, gymnasium.Env):
        return
    kinds = type(env).__mro__
    names, packages = {kind.__name__ for kind in kinds}, {kind.__module__.partition(".")[0] for kind in kinds}
    if names & {"VectorEnv", "VecEnv"}:
        raise EnvError(f"{what} {VECTOR}")
    if names & {"AECEnv", "ParallelEnv"} or "pettingzoo" in packages:
        raise EnvError(f"{what} {SEVERAL_AGENTS}")
    if "gym" in packages:
        raise EnvError(f"{what} {OLD_GYM}")
    kind = f"{type(env).__module__}.{type(env).__qualname__}".removeprefix("builtins.")
    raise EnvError(f"{what} made a {kind}; allowed: a gymnasium.Env, such as a gymnasium.Wrapper")


def make_env_of(config: Config) -> Any:
    """Make the environment that a configuration names, with its wrappers; errors are those of `make_env`."""
    return make_env(config.env, config.env_kwargs, config.wrappers)


def _bare(env_id: str, kwargs: dict[str, Any]) -> Any:
    module, _, name = env_id.rpartition(":")
    module = module or next((known for start, (known, _) in NAMESPACES.items() if name.startswith(start)), "")
    what = f"environment {env_id!r}"
    try:
        if module:
            _import(module)
        spec = gymnasium.registry.get(name)
        if spec is not None and spec.entry_point is None:
            raise EnvError(f"{what} {VECTOR}")
        return gymnasium.make(name, disable_env_checker=True, **kwargs)
    except EnvError:
        raise
    except gymnasium.error.DependencyNotInstalled as error:
        _refuse_missing(what, "a package", _extra_named(str(error)), error)
    except gymnasium.error.UnregisteredEnv as error:
        if module.partition(".")[0] == "pettingzoo":
            raise EnvError(f"{what} {SEVERAL_AGENTS}") from error
        hint = "" if module or isinstance(error, gymnasium.error.VersionNotFound) else f" {_hint(error, name)}"
        raise EnvError(f"{what} cannot be made: {described(error)}{hint.rstrip()}") from error
    except ModuleNotFoundError as error:
        _refuse_missing(what, "a module", _extra_of(error), error)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever a constructor raises, or a module on import
        if isinstance(error, TypeError):
            _check_refused(error, what)
        with_what = f" with env_kwargs {kwargs}" if kwargs else ""
        raise EnvError(f"{what} cannot be made{with_what}: {described(error)}") from error


def _hint(error: gymnasium.error.UnregisteredEnv, name: str) -> str:
    """Return how the id may have to be written, unless Gymnasium knows a better one."""
    hint = how_to_write(name)
    return f"({hint})" if hint.startswith("if ") or "Did you mean" not in described(error) else ""


def _check_refused(error: TypeError, what: str) -> None:
    """Raise `EnvError` if an entry point made something that `gymnasium.make` refuses for its type."""
    frame, _ = list(traceback.walk_tb(error.__traceback__))[-1]
    if frame.f_code is gymnasium.make.__code__ and "env" in frame.f_locals:
        check_env(frame.f_locals["env"], what)


def _import(module: str) -> ModuleType:
    """Import a module that a user has named, from the working directory if it is nowhere else.

    As ``python -m`` would find it; but what is installed goes first, so that no file there replaces another module.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        top = module.partition(".")[0]
        if error.name != top or not _lies_here(top):
            raise
    sys.path.append(os.getcwd())
    return importlib.import_module(module)


def _lies_here(module: str) -> bool:
    try:
        return importlib.machinery.PathFinder.find_spec(module, [os.getcwd()]) is not None
    except OSError:  # the working directory is gone
        return False


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
    raise EnvError(f"{what} needs {kind} that is not installed: {one_line(error, 200, quoted=False)}") from error


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
        wrapper = getattr(_import(module), attribute, None)
    except ModuleNotFoundError as error:
        _refuse_missing(what, "a module", _extra_of(error), error)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever a module raises on import
        raise EnvError(f"{what} cannot be imported: {described(error)}") from error
    if wrapper is None:
        raise EnvError(f"{what} cannot be found: the module {module} has no {attribute}")
    with_what = f" with {arguments}" if arguments else ""
    try:
        wrapped = wrapper(env, **arguments)
    except gymnasium.error.DependencyNotInstalled as error:
        _refuse_missing(what, "a package", _extra_named(str(error)), error)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever a constructor raises
        raise EnvError(f"{what} cannot be applied{with_what}: {described(error)}") from error
    check_env(wrapped, what)
    return wrapped


def environment_seed(seed: int, step: int) -> int:
    """Return the seed of the environment for a run with this seed that begins, or goes on, at this step."""
    return int(np.random.SeedSequence((seed, step)).generate_state(1)[0])


def held_out_seed(seed: int) -> int:
    """Return a seed of the environment that training with this seed does not use: of a step that no run begins at."""
    return environment_seed(seed, 2**63)
