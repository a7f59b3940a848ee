"""The state of an environment as plain data, so that a run can go on in the middle of an episode.

Gymnasium has no interface for that. Each wrapper, and the environment inside, is taken by itself:

- one that has ``get_state()``, which returns a mapping of plain data, and ``set_state(state)`` is asked for its state;
- of any other one the attributes are taken, if each of them is plain data (see `encoding`) or fixed: spaces, classes,
  specifications, functions. Numbers, arrays and the like that a function keeps in its closure count as fixed.
- Running statistics that an attribute holds as an object (`NormalizeObservation`, `NormalizeReward`) count as data.
- A MuJoCo environment of Gymnasium also gives what its simulator holds.

Anything else, such as a simulator that does not tell its state, and the environment as a whole cannot be restored. What
is kept outside of attributes, such as NumPy's global random numbers, is not seen.
"""

from __future__ import annotations

import hashlib
import importlib
import types
from collections.abc import Iterator, Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec

from ..errors import StateError, described
from .plain_data import NotPlain, Reader, Writer

# Where Gymnasium notes the arguments of constructors, which may be anything.
_ARGUMENTS = ("_saved_kwargs", "_ezpickle_args", "_ezpickle_kwargs")
_FIXED = (EnvSpec, type, types.ModuleType, np.dtype, np.ufunc)
_CONSTANT = (bool, int, float, str, bytes, range, np.generic, np.ndarray)
# What an object of running statistics has at least, in Gymnasium and in what is written after it.
_STATISTICS = {"mean", "var", "count"}
_FOREIGN = "the environment, its wrappers or their versions are not those of the checkpoint"


def capture(env: Any) -> dict[str, Any] | None:
    """Return the state of an environment and its wrappers, or None if it cannot be restored.

    Parameters
    ----------
    env : gymnasium.Env
        Between two steps.

    Returns
    -------
    dict or None
        What `restore` needs; JSON can hold it, and nothing in it is ever executed.
    """
    layers, writer = list(_layers(env)), Writer()
    try:
        return {"layers": [_captured(layer, layers, writer) for layer in layers]}
    except Exception:  # whatever a get_state raises; not to be restored is no reason to stop a run
        return None


def restore(env: Any, state: Mapping[str, Any]) -> None:
    """Put a freshly made environment into a state that `capture` returned.

    It is reset first, so that what a first reset makes is there.

    Raises
    ------
    StateError
        If the state belongs to another environment, or to other wrappers. The environment is of no use then.
    """
    layers, reader = list(_layers(env)), Reader()
    _check_same(env, layers, state)
    try:
        env.reset(seed=0)
        for layer, entry in zip(layers, state["layers"], strict=True):
            _put_back(layer, entry, reader)
    except StateError:
        raise
    except Exception as error:  # whatever a set_state raises
        raise StateError(f"the state of {env} cannot be restored ({described(error)}): {_FOREIGN}") from error


def wrappers_with_statistics(env: Any) -> list[str]:
    """Return the names of the wrappers, outermost first, that normalize by what they have seen, each once."""
    found = [
        type(layer).__name__ for layer in _layers(env) if any(_is_statistics(value) for value in vars(layer).values())
    ]
    return list(dict.fromkeys(found))


def restore_statistics(env: Any, state: Mapping[str, Any]) -> None:
    """Put only the running statistics of a state that `capture` returned into an environment of the same layers.

    For an environment that begins anew and is to be seen as the one before it was, as in an evaluation. Statistics go
    on from there.

    Raises
    ------
    StateError
        If the state belongs to another environment, or to other wrappers. The environment is of no use then.
    """
    layers = list(_layers(env))
    _check_same(env, layers, state)
    try:
        # All is read, in the order in which it was written: what comes later may refer to what came before.
        reader = Reader()
        for layer, entry in zip(layers, state["layers"], strict=True):
            for kind, name, value in _read(entry, reader):
                if kind == "statistics":
                    vars(vars(layer)[name]).update(value)
    except Exception as error:
        raise StateError(f"the statistics of {env} cannot be restored ({described(error)}): {_FOREIGN}") from error


def _check_same(env: Any, layers: list[Any], state: Mapping[str, Any]) -> None:
    try:
        titles = [entry["class"] for entry in state["layers"]]
    except (KeyError, TypeError):
        titles = []
    if titles != [_title(layer) for layer in layers]:
        raise StateError(f"the state of {env} cannot be restored: {_FOREIGN}")


def _layers(env: Any) -> Iterator[Any]:
    """Yield wrappers, outermost first, and the environment inside."""
    while isinstance(env, gymnasium.Wrapper):
        yield env
        env = env.env
    yield env


def _title(layer: Any) -> str:
    return f"{type(layer).__module__}.{type(layer).__qualname__}"


def _captured(layer: Any, layers: list[Any], writer: Writer) -> dict[str, Any]:
    entry: dict[str, Any] = {"class": _title(layer)}
    if all(callable(getattr(layer, name, None)) for name in ("get_state", "set_state")):
        state = layer.get_state()
        if not isinstance(state, Mapping):
            raise NotPlain(f"get_state() returns a {type(state).__name__}")
        return {**entry, "state": writer.write(dict(state))}
    attributes, samplers, statistics = {}, {}, {}
    simulated = _simulator(layer)
    for name, value in sorted(vars(layer).items()):
        if name in _ARGUMENTS or name in simulated or _is_fixed(value, layers):
            continue
        if isinstance(value, gymnasium.Space):
            drawn = [getattr(space, "_np_random", None) for space in _spaces(value)]
            if any(drawn):
                samplers[name] = writer.write(drawn)
        elif _is_statistics(value):
            statistics[name] = writer.write(dict(vars(value)))
        else:
            attributes[name] = writer.write(value)
    entry |= {"attributes": attributes, "samplers": samplers, "statistics": statistics}
    return {**entry, "simulator": writer.write(_simulation(layer))} if simulated else entry


def _put_back(layer: Any, entry: Mapping[str, Any], reader: Reader) -> None:
    own = vars(layer)
    for kind, name, value in _read(entry, reader):
        if kind == "state":
            layer.set_state(value)
        elif kind == "attributes":
            own[name] = value
        elif kind == "statistics":
            vars(own[name]).update(value)
        elif kind == "samplers":
            for space, drawn in zip(_spaces(own[name]), value, strict=True):
                space._np_random = drawn
        else:
            _simulate(layer, value)


def _read(entry: Mapping[str, Any], reader: Reader) -> Iterator[tuple[str, str, Any]]:
    """Yield kind, name and value of all that was captured of a layer, in the order in which it was written."""
    if "state" in entry:
        yield "state", "", reader.read(entry["state"])
        return
    kinds = ("attributes", "samplers", "statistics")
    # Checkpoints written before statistics were kept have none.
    kind_of = {name: kind for kind in kinds for name in entry.get(kind, ())}
    for name, kind in sorted(kind_of.items()):
        yield kind, name, reader.read(entry[kind][name])
    if "simulator" in entry:
        yield "simulator", "", reader.read(entry["simulator"])


def _is_statistics(value: Any) -> bool:
    return (
        not isinstance(value, type | gymnasium.Space | gymnasium.Env)
        and getattr(value, "__dict__", {}).keys() >= _STATISTICS
    )


def _spaces(space: Any) -> Iterator[Any]:
    """Yield a space and its parts, each of which draws samples with a generator of its own."""
    yield space
    parts = getattr(space, "spaces", ())
    for part in parts.values() if isinstance(parts, Mapping) else parts:
        yield from _spaces(part)


def _is_fixed(value: Any, layers: list[Any]) -> bool:
    """Return whether a fresh environment has the same."""
    if isinstance(value, _FIXED) or any(value is layer for layer in layers):
        return True
    if isinstance(value, types.MethodType):
        return any(value.__self__ is layer for layer in layers)
    if isinstance(value, types.BuiltinFunctionType):
        return isinstance(value.__self__, types.ModuleType)
    if isinstance(value, types.FunctionType):
        return all(_is_constant(cell.cell_contents, layers) for cell in value.__closure__ or ())
    return False


def _is_constant(value: Any, layers: list[Any]) -> bool:
    """Return whether what a closure holds is what it was when it was made."""
    if isinstance(value, Mapping):
        return all(_is_constant(item, layers) for item in value.values())
    if isinstance(value, list | tuple):
        return all(_is_constant(item, layers) for item in value)
    return value is None or isinstance(value, (*_CONSTANT, gymnasium.Space)) or _is_fixed(value, layers)


# ---- MuJoCo


def _simulator(layer: Any) -> tuple[str, ...]:
    """Return the attributes in which a MuJoCo environment of Gymnasium has its simulator and what draws it."""
    kinds = {name: type(vars(layer).get(name)) for name in ("model", "data", "mujoco_renderer")}
    if [kinds[name].__module__.partition(".")[0] for name in ("model", "data")] != ["mujoco", "mujoco"]:
        return ()
    drawn_by_gymnasium = kinds["mujoco_renderer"].__module__.startswith("gymnasium.")
    return ("model", "data", "mujoco_renderer") if drawn_by_gymnasium else ("model", "data")


def _arrays(data: Any) -> dict[str, Any]:
    found = {name: getattr(data, name) for name in dir(data) if not name.startswith("_")}
    return {name: value for name, value in found.items() if isinstance(value, np.ndarray)}


def _digest(model: Any) -> str:
    mujoco: Any = importlib.import_module("mujoco")
    content = np.zeros(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, content)
    return hashlib.sha256(content.data).hexdigest()


def _simulation(layer: Any) -> dict[str, Any]:
    """Return what the simulator holds.

    Beside what its next step depends on, also what follows from that: some of it is one step old when rewards are
    computed from it, so that it cannot be computed again.
    """
    mujoco: Any = importlib.import_module("mujoco")
    model, data, what = layer.model, layer.data, mujoco.mjtState.mjSTATE_INTEGRATION
    state = np.zeros(mujoco.mj_stateSize(model, what))
    mujoco.mj_getState(model, data, state, what)
    # The others have as many entries as there are contacts; every step makes them anew.
    lasting = {name: array.shape for name, array in _arrays(mujoco.MjData(model)).items() if array.size}
    arrays = {name: array.copy() for name, array in _arrays(data).items() if array.shape == lasting.get(name)}
    return {"model": _digest(model), "state": state, "arrays": arrays}


def _simulate(layer: Any, held: Mapping[str, Any]) -> None:
    mujoco: Any = importlib.import_module("mujoco")
    if held["model"] != _digest(layer.model):
        raise StateError(f"the state of {layer} cannot be restored: its model is not that of the checkpoint")
    mujoco.mj_setState(layer.model, layer.data, held["state"], mujoco.mjtState.mjSTATE_INTEGRATION)
    for name, there in _arrays(layer.data).items():
        if name in held["arrays"]:
            there[...] = held["arrays"][name]
