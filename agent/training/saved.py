"""An agent that was saved somewhere, with what is known of the environment it is to act in."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from ..agent import Agent
from ..config import Config
from ..errors import EnvError, SpaceError
from ..spaces import ActionSpec, ObservationSpec
from .run_folder import CONFIG_FILE, RunFolder


class Saved(NamedTuple):
    """An agent and its configuration.

    Attributes
    ----------
    agent : Agent
    config : Config
        Of its run, as it is now; else the agent's own.
    env : dict or None
        State of the environment of its run; None if it is not known.
    around : tuple of str
        What stood between the agent and the machine of a control loop, and is not in its file.
    """

    agent: Agent
    config: Config
    env: dict[str, Any] | None = None
    around: tuple[str, ...] = ()


def load_saved(path: Path) -> Saved:
    """Return the agent of a run folder, of a folder that `realtime.Snapshots` writes, or of any file of an agent.

    Raises
    ------
    StateError
        If there is none that can be used.
    OSError
        If it cannot be read.
    """
    if path.is_file():
        agent, notes = Agent.load_with_notes(path)
        env = notes.get("env") if isinstance(notes, dict) else None
        return Saved(agent, agent.config, env if isinstance(env, dict) else None, _around(notes))
    if not (path / CONFIG_FILE).exists():
        found = Agent.load_newest_with_notes(path)
        if found is not None:
            return Saved(found[0], found[0].config, around=_around(found[1]))
    folder = RunFolder.open(path)
    moment = folder.load()
    return Saved(moment.agent, folder.config, moment.env)


def _around(notes: Any) -> tuple[str, ...]:
    """Return what `realtime.Snapshots` noted; nothing if these are other notes."""
    told = notes.get("realtime") if isinstance(notes, dict) else None
    around = told.get("around") if isinstance(told, dict) else None
    return tuple(map(str, around)) if isinstance(around, list) else ()


def in_env(config: Config, env_id: str) -> Config:
    """Return a configuration for another environment, as it is registered."""
    return config.with_changes({"env": env_id, "env_kwargs": {}, "wrappers": []})


def check_spaces(agent: Agent, env: Any, name: str) -> None:
    """Raise `EnvError` if an environment has other spaces than an agent, which nobody need have trained there."""
    try:
        seen, done = ObservationSpec.from_space(env.observation_space), ActionSpec.from_space(env.action_space)
        fits = (seen.size, done.choices, done.controls) == (
            *(agent.observation.size, agent.action.choices, agent.action.controls),
        )
    except SpaceError:
        fits = False
    if not fits:
        raise EnvError(
            f"{name!r} has other spaces than the agent, which takes {agent.observation.size} numbers in and "
            f"{len(agent.action.choices)} choices and {agent.action.controls} controls out; give the environment that "
            "it is to act in with --env"
        )
