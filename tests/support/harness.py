"""What parity and gradient tests share: the compiled agent in float64, scripted streams, comparison with the twin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from synaptick.arena.arena import Arena
from synaptick.arena.initialize import build
from synaptick.arena.traces import traces
from synaptick.config import Config
from synaptick.kernels import tick as kernel
from synaptick.kernels.base import jit
from synaptick.spaces import ActionSpec, ObservationSpec
from synaptick.spaces.tree import Branch

from ..reference.agent import NETS, ReferenceAgent

# Of what changes: worked out anew in every tick, or for display. Norms of the credit are compared apart.
NOT_COMPARED = {
    *("staging", "input", "inputs", "rest", "current", "slope", "features", "gradient", "signals", "share"),
    *("scratch_e", "scratch_pair", "scratch_total", "scratch_factors", "spike_rates", "credit_norms", "step_sizes"),
}


@jit.entry
def advance(ints: NDArray, reals: NDArray, floats: NDArray, reward: float, mode: int, learning: bool) -> int:
    """Make one call of an agent whose arrays are in float64; kept on disk as the step itself is."""
    return kernel.advance(ints, reals, floats, reward, mode, learning)


class DoubleAgent:
    """The compiled kernels on a float64 copy of the float32 section, so that only rounding is left to differ.

    Actions are vectors: indices from 0, then controls.
    """

    advance = staticmethod(advance)

    def __init__(self, config: Config, observation_space: Any, action_space: Any, seed: int = 0):
        self.config, self.spaces = config, (observation_space, action_space)
        self.observation = ObservationSpec.from_space(observation_space)
        self.action = ActionSpec.from_space(action_space)
        self.arena = build(config, self.observation, self.action, seed)
        self.floats = self.arena.floats.astype(np.float64)
        self.views: dict[str, NDArray[Any]] = {}
        for name, view in self.arena.views.items():
            if view.dtype != np.float32:
                self.views[name] = view
                continue
            offset = (view.ctypes.data - self.arena.floats.ctypes.data) // view.itemsize
            strides = tuple(2 * stride for stride in view.strides)
            self.views[name] = np.ndarray(view.shape, np.float64, self.floats[offset:], strides=strides)
        self.set_leaks()

    def set_leaks(self) -> None:
        """Give the mean leak of each layer in float64; it must be the built one up to rounding."""
        c = self.config
        for net in NETS:
            leak = self.views[f"{net}/leak"]
            for index in range(leak.size):
                remembers = float(c.depth_filter != "none" and c.temporal_trace)
                exact = self.views[f"{net}/{index}/alpha"].mean() * remembers
                np.testing.assert_allclose(leak[index], exact, rtol=1e-6)
                leak[index] = exact

    def _call(self, reward: float, observation: Any, mode: int, learn: bool, taken: Any = None) -> NDArray[np.float64]:
        if taken is not None:
            self.views["action"][:] = taken
            mode += kernel.GIVEN
        if observation is not None:
            self.observation.encode(observation, self.arena.views["staging"])
        result = self.advance(self.arena.ints, self.arena.reals, self.floats, float(reward), mode, learn)
        assert result == 0
        return self.views["action"].copy()

    def start(self, observation: Any, learn: bool = True, taken: Any = None) -> NDArray[np.float64]:
        return self._call(0.0, observation, kernel.START, learn, taken)

    def step(self, reward: float, observation: Any, learn: bool = True, taken: Any = None) -> NDArray[np.float64]:
        return self._call(reward, observation, kernel.STEP, learn, taken)

    def end(self, reward: float, observation: Any = None, learn: bool = True) -> None:
        self._call(reward, observation, kernel.TERMINATE if observation is None else kernel.TRUNCATE, learn)


def words(arena: Arena) -> list[int]:
    """State of the random numbers."""
    return arena.random.tolist()


def scalars(arena: Arena) -> dict[str, float]:
    """Running statistics and what the last tick left, under the names of the twin."""
    values = arena.running.to_dict()
    return {**values, "stale": float(arena.clock.stale)}


def up_to_date(agent: Any) -> dict[str, Any]:
    """Views of an agent, with credit and traces as they are where rows are at rest."""
    views: dict[str, Any] = getattr(agent, "views", agent.arena.views)
    layers = [name.removesuffix("/rest") for name in views if name.endswith("/rest")]
    return views | {f"{layer}/{name}": x for layer in layers for name, x in traces(views, layer).items()}


def twin_of(agent: Any, where: tuple[Any, Any] | None = None) -> ReferenceAgent:
    """Build a twin in the state that `agent` is in; `where`: its spaces, if it does not know them."""
    views = up_to_date(agent)
    return ReferenceAgent(agent.config, where or agent.spaces, views, words(agent.arena), **scalars(agent.arena))


def take_over(twin: ReferenceAgent, agent: Any) -> None:
    """Put `twin` in the state that `agent` is in."""
    vars(twin).update(vars(twin_of(agent, twin.spaces)))


@dataclass(frozen=True)
class Event:
    """One call: kind is "start", "step", "terminate" or "truncate"; the reward is noise + .5 `number` of the action."""

    kind: str
    noise: float
    observation: Any
    learn: bool


def observed(node: Any, drift: NDArray[np.float64], rng: np.random.Generator) -> Any:
    """Make up an observation of a tree of spaces from a slow random walk and random categories."""
    if isinstance(node, Branch):
        parts = [observed(part, drift, rng) for part in node.parts]
        return dict(zip(node.keys, parts, strict=True)) if node.kind == "dict" else tuple(parts)
    if node.kind == "discrete":
        return node.low[0] + int(rng.integers(node.counts()[0]))
    if node.kind == "box" and np.dtype(node.dtype).kind == "f":
        return np.resize(3.0 + 2.0 * drift, node.shape)
    low, high = np.array(node.lows()), np.array(node.highs())
    return rng.integers(low, high + 1).astype(node.dtype).reshape(node.shape)


def script(
    ticks: int, spec: ObservationSpec, seed: int, truncate: bool = True, act_only: bool = True
) -> Iterator[Event]:
    """Yield episodes of about 25 ticks, acting-only stretches of 5 ticks and restarts without an end."""
    rng = np.random.default_rng(seed)
    drift, running, quiet = np.zeros(spec.size), False, 0
    for _ in range(ticks):
        drift = 0.8 * drift + rng.normal(size=spec.size)
        observation = observed(spec.root, drift, rng)
        quiet = 5 if act_only and rng.random() < 1 / 30 else max(0, quiet - 1)
        kind = "step" if running else "start"
        if running and rng.random() < 1 / 25:
            kind = str(rng.choice(["terminate", "truncate", "start"] if truncate else ["terminate", "start"]))
        running = kind in ("step", "start")
        yield Event(kind, float(rng.normal()), observation, quiet == 0)


def flat(action: Any) -> list[float]:
    """All numbers of an action of any kind."""
    if isinstance(action, dict | tuple):
        return [x for part in (action.values() if isinstance(action, dict) else action) for x in flat(part)]
    found: list[float] = np.ravel(action).astype(np.float64).tolist()
    return found


def number(action: Any) -> float:
    """One number for an action of any kind: the weighted sum of its parts, each bounded, since controls may not be."""
    return float(sum((k + 1) * np.clip(x, -99.0, 99.0) for k, x in enumerate(flat(action))))


def call(agent: Any, event: Event, last_action: float) -> float:
    """Make the call of an event; return the `number` of the action, 0 where none is due."""
    reward = event.noise + 0.5 * last_action
    if event.kind == "start":
        return number(agent.start(event.observation, learn=event.learn))
    if event.kind == "step":
        return number(agent.step(reward, event.observation, learn=event.learn))
    agent.end(reward, event.observation if event.kind == "truncate" else None, learn=event.learn)
    return 0.0


def compared_names(agent: Any) -> list[str]:
    """Names of the views that must agree with the twin after every tick: all but what is fixed and `NOT_COMPARED`."""
    arena = agent.arena
    changing = [name for name, view in arena.views.items() if view.size and name not in arena.fixed]
    return [name for name in changing if name.split("/")[-1] not in NOT_COMPARED]


def disagreement(agent: Any, twin: ReferenceAgent) -> dict[str, float]:
    """Largest difference of each array or scalar, relative to 1e-3 plus the largest element of the twin's.

    Norms of the credit, which the agent keeps, are those of the twin's credit.
    """
    views, found = up_to_date(agent), {}
    for name in compared_names(agent):
        ours, theirs = np.asarray(views[name], np.float64), twin.arrays[name]
        theirs = theirs[: len(ours)] if name.endswith("/epsa") else theirs
        assert ours.shape == theirs.shape, name
        found[name] = float(np.abs(ours - theirs).max() / (1e-3 + np.abs(theirs).max()))
    for row, net in enumerate(NETS):
        norms = twin.norms(net)
        apart = np.abs(views["credit_norms"][row] - norms)
        found[f"{net}/credit_norms"] = float((apart / (1e-3 + norms)).max())
    for name, value in scalars(agent.arena).items():
        if name == "stale":
            continue
        found[name] = abs(value - twin.scalars[name]) / (1e-3 + abs(twin.scalars[name]))
    return found


def assert_parity(agent: Any, twin: ReferenceAgent, events: Iterable[Event], tolerance: float, stretch: int) -> int:
    """Run both through the events, comparing everything after each; return the ticks compared.

    Feedback through weights and thresholds multiplies rounding errors, so after every `stretch` ticks the twin starts
    afresh from the agent's state.
    """
    ticks, action = 0, 0.0
    chosen = len(twin.parts.choices)
    for ticks, event in enumerate(events, 1):
        before = action
        action = call(agent, event, before)
        call(twin, event, before)
        indices = agent.arena.views["action"][:chosen]
        assert (indices == twin.arrays["action"][:chosen]).all(), f"tick {ticks} ({event.kind}): actions differ"
        found = disagreement(agent, twin)
        name = max(found, key=lambda key: found[key])
        assert found[name] <= tolerance, (
            f"tick {ticks} ({event.kind}, learn={event.learn}): {name} by {found[name]:.2e}"
        )
        assert words(agent.arena) == twin.words, f"tick {ticks} ({event.kind}): random words differ"
        if ticks % stretch == 0:
            take_over(twin, agent)
    return ticks
