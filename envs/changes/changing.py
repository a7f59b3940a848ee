"""What wrappers that change the world share: a clock, schedules, their report, and a state to resume from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import gymnasium

from ..random_streams import check_keys
from .schedule import NEVER, Schedule


class World(NamedTuple):
    """What ``info["world"]`` says.

    Attributes
    ----------
    changes : int
        Changes of the world so far, of all that can change.
    id : tuple of int
        Which world it is: one number for each schedule, those of inner wrappers first. The same numbers are the same
        world, so that one that returns can be told from a new one. Of what wanders it is always 0.
    """

    changes: int
    id: tuple[int, ...]


class Changing(gymnasium.Wrapper[Any, Any, Any, Any]):
    """A wrapper that changes the world by schedules.

    The clock counts steps over the whole life of the wrapper; neither a reset nor its seed turns it back.
    ``info["world"]``, at reset too, is a `World`; ``info["changed"]`` is true in the first step of a new world, and in
    a reset before it.

    A subclass calls the constructor, overrides `enter`, and what it changes of `action`, `observation` and `reward`.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], schedules: Sequence[Schedule]) -> None:
        super().__init__(env)
        self._schedules = tuple(schedules)
        self._at_once = tuple(schedule for schedule in schedules if not schedule.at_reset)
        self._clock = 0
        self._first = False
        self._look()

    def _look(self) -> None:
        """Note which world it is and when there is something to do next."""
        self._world = World(
            sum(schedule.changes for schedule in self._schedules), tuple(schedule.world for schedule in self._schedules)
        )
        self._due = min((schedule.due for schedule in self._at_once), default=NEVER)

    def _advance(self, schedules: Sequence[Schedule]) -> None:
        advanced = [schedule.advance(self._clock) for schedule in schedules]
        if any(advanced):
            before = self._world.changes
            self._look()
            self._first = self._world.changes != before
            self.enter()

    def enter(self) -> None:
        """Put into effect what the schedules say now."""

    def action(self, action: Any) -> Any:
        """Return what the environment is to do."""
        return action

    def observation(self, observation: Any) -> Any:
        """Return what the agent is to see."""
        return observation

    def reward(self, reward: Any) -> Any:
        """Return what the agent is paid."""
        return reward

    def _told(self, info: dict[str, Any]) -> dict[str, Any]:
        world, changed, inner = self._world, self._first, info.get("world")
        if isinstance(inner, World):
            world = World(inner.changes + world.changes, inner.id + world.id)
            changed = changed or info["changed"]
        return {**info, "world": world, "changed": changed}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, after the changes that waited for it."""
        self._advance(self._schedules)
        observation, info = self.env.reset(seed=seed, options=options)
        return self.observation(observation), self._told(info)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take a step, after the changes that are due."""
        if self._clock >= self._due:
            self._advance(self._at_once)
        observation, reward, terminated, truncated, info = self.env.step(self.action(action))
        self._clock += 1
        info = self._told(info)
        self._first = False
        return self.observation(observation), self.reward(reward), terminated, truncated, info

    def get_state(self) -> dict[str, Any]:
        """Return what `set_state` needs to go on from here: numbers, and lists and mappings of them.

        It is the state of this wrapper alone, not of the environment or of other wrappers.
        """
        schedules = {schedule.name: schedule.get_state() for schedule in self._schedules}
        return {"clock": self._clock, "first": int(self._first), "schedules": schedules}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from where `get_state` was called; the arguments of the wrapper have to be the same.

        Raises
        ------
        ValueError
            If `state` is of a wrapper with other arguments.
        """
        check_keys(state, tuple(self.get_state()))
        check_keys(state["schedules"], [schedule.name for schedule in self._schedules])
        for schedule in self._schedules:
            schedule.set_state(state["schedules"][schedule.name])
        self._clock, self._first = int(state["clock"]), bool(state["first"])
        self._look()
        self.enter()
