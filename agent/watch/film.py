"""What is drawn after each step."""

from __future__ import annotations

from ..agent import Agent
from ..metrics.episodes import Tally
from .bars import bars, heading
from .frame import Painter, number
from .history import History
from .layout import arrange
from .screen import Screen
from .watched_env import WatchedEnv


class Film:
    """Notes every step, and has those drawn that the screen asks for; to be called after each.

    Parameters
    ----------
    agent : Agent
    env : WatchedEnv
    screen : Screen
    net : str
        "actor" or "critic".
    size : (int, int)
    title : str
        What every frame begins with.
    """

    def __init__(
        self, agent: Agent, env: WatchedEnv, screen: Screen, net: str, size: tuple[int, int], title: str
    ) -> None:
        self._agent, self._env, self._screen = agent, env, screen
        self._title = title
        self._size = size
        dimensions = agent.arena.dimensions
        self._spikes = [agent.arena.views[f"{net}/{index}/z"] for index in range(len(dimensions.layers))]
        self._layers = []
        for index, spikes in enumerate(self._spikes):
            memory = dimensions.is_memory(index)
            name = f"memory[{index}]" if memory else f"layers[{index - dimensions.memory}]"
            self._layers.append((f"{net} {name}", memory, spikes.shape[0]))
        arrange(size, self._layers, None)  # so that a size that is too small is refused at once
        self._painter: Painter | None = None
        self._history: History | None = None

    def __call__(self, tally: Tally) -> None:
        """Take a step."""
        self._env.note()
        due = self._screen.due(tally.steps)
        picture = self._env.picture() if due or self._painter is None else None
        if self._painter is None or self._history is None:
            shape = None if picture is None else (picture.shape[1], picture.shape[0])
            layout = arrange(self._size, self._layers, shape)
            self._painter = Painter(layout, heading(self._agent))
            self._history = History([count for _, _, count in self._layers], layout.columns)
        env = self._env
        self._history.add(self._spikes, self._agent.expected_return, env.td_error, env.episode_return, env.begins)
        if due:
            title = (
                f"{self._title}    episode {tally.episodes + 1}    step {tally.steps}    "
                f"return {number(env.episode_return)}"
            )
            if tally.episodes:
                title += f" (last {number(tally.last_return)})"
            image = self._painter.paint(title, picture, self._history, bars(self._agent))
            self._screen.show(image, self._painter.layout.picture, tally.steps)
