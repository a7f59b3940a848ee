"""What exported agents are compared on, and the comparison itself, which needs strict arithmetic."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from synaptick import Agent, Config
from synaptick.export import export_c, saved_state
from synaptick.export.c.compiler import compile_c
from synaptick.export.c.native import CAgent
from synaptick.kernels import tick as kernel

from ..support.common import BOX, CONTROLS, PARTS, SYMBOLS
from ..support.harness import Event, number, script

THREE = spaces.Discrete(3)
SMALL: dict[str, Any] = {"layers": (12, 12), "memory": 0}
# Together they use every part of the source; odd sizes leave neurons over where several are summed at a time.
CASES: dict[str, tuple[dict[str, Any], Any, Any]] = {
    "one layer": ({"layers": (32,), "memory": 0}, BOX, THREE),
    "odd sizes, three levels": ({"layers": (13, 7, 9, 5), "memory": 0}, BOX, THREE),
    "deep": ({"layers": (4,) * 20, "memory": 0, "recurrent_hop": True, "dampening": 2.0}, BOX, THREE),
    "tensor": ({"layers": (7, 6, 5), "memory": 0, "depth_filter": "tensor"}, BOX, THREE),
    "tensor, reset path, adaptive feedback": (
        SMALL | {"depth_filter": "tensor", "reset_path": True, "feedback": "adaptive", "rate_regularization": 0.01},
        BOX,
        CONTROLS,
    ),
    "symbols": ({"layers": (16,), "memory": 12, "statistics_horizon": 50}, SYMBOLS, THREE),
    "graded": (SMALL | {"spikes": "graded", "payload_cap": 1.3, "v_th": 0.7, "reset_path": True}, BOX, CONTROLS),
    "graded memory": ({"layers": (7,), "memory": 13, "spikes": "graded", "memory_payload_cap": 0.4}, SYMBOLS, THREE),
    "controls": (SMALL | {"readout_share": 0.0}, BOX, CONTROLS),
    "free std": ({"layers": (20,), "memory": 0, "std": "free"}, BOX, CONTROLS),
    "parts of an action": (SMALL | {"entropy_bonus": 0.01, "min_probability_ratio": 0.2}, SYMBOLS, PARTS),
    "factored": (SMALL | {"layers": (12, 12, 12), "depth_filter": "factored"}, BOX, THREE),
    "factored, hop, reset path": (
        SMALL | {"depth_filter": "factored", "recurrent_hop": True, "reset_path": True},
        BOX,
        THREE,
    ),
    "no depth filter": (SMALL | {"depth_filter": "none"}, BOX, THREE),
    "hop, adaptive feedback": (SMALL | {"recurrent_hop": True, "feedback": "adaptive"}, BOX, THREE),
    "reset path, rates": (SMALL | {"reset_path": True, "rate_regularization": 0.01}, BOX, THREE),
    "reset path without adaptation": ({"layers": (8,), "reset_path": True, "adaptive_fraction": 0.0}, BOX, THREE),
    "factored, reset path": (SMALL | {"depth_filter": "factored", "reset_path": True}, BOX, CONTROLS),
    "hop above a frozen layer": (
        SMALL | {"layers": (10, 12, 7), "frozen_layers": 1, "recurrent_scale": 0.5, "recurrent_hop": True},
        BOX,
        THREE,
    ),
    "small layers, adaptive feedback": ({"layers": (4, 5, 4), "memory": 5, "feedback": "adaptive"}, SYMBOLS, THREE),
    "state kept without recurrence": (
        SMALL | {"recurrent": False, "observation_skip": False, "readout": "top", "keep_state": True},
        BOX,
        CONTROLS,
    ),
    "preferences that fade": (SMALL | {"preference_decay": 1e-2, "min_probability_ratio": 0.3}, SYMBOLS, PARTS),
    "random feedback, one layer frozen": (SMALL | {"feedback": "random", "frozen_layers": 1}, BOX, THREE),
    "readouts alone": (SMALL | {"frozen_layers": 2}, BOX, THREE),
    "state kept": (SMALL | {"keep_state": True, "depth_filter": "factored"}, BOX, THREE),
    "a critic alone, nothing normalized": (
        {"layers": (9,), "lr_policy": 0.0, "normalize_observations": False, "normalize_rewards": False, "memory": 0},
        BOX,
        THREE,
    ),
    "plain stack": (
        SMALL | {"memory": 8, "recurrent": False, "observation_skip": False, "readout": "top"},
        BOX,
        THREE,
    ),
    "memory": ({"layers": (12, 7), "memory": 17, "memory_delay": 3}, BOX, THREE),
    "memory without delays": (
        SMALL | {"memory": 16, "memory_delay": 0, "readout_share": 0.0, "recurrent_hop": True, "keep_state": True},
        BOX,
        CONTROLS,
    ),
    "two memory layers": (
        {"layers": (9,), "memory": 10, "memory_layers": 2, "feedback": "adaptive"},
        SYMBOLS,
        THREE,
    ),
    "two memory layers, factored": (
        SMALL
        | {
            "memory": 9,
            "memory_layers": 2,
            "depth_filter": "factored",
            "reset_path": True,
            "rate_regularization": 0.01,
        },
        BOX,
        THREE,
    ),
    "memory carried, tensor": (
        {"layers": (7, 6), "memory": 8, "memory_layers": 3, "depth_filter": "tensor"},
        BOX,
        PARTS,
    ),
    "memory carried, no depth filter": (
        SMALL | {"memory": 8, "memory_layers": 2, "memory_delay": 3, "depth_filter": "none"},
        BOX,
        CONTROLS,
    ),
    "memory frozen": (
        SMALL | {"memory": 8, "memory_layers": 2, "frozen_layers": 1, "depth_filter": "tensor"},
        BOX,
        THREE,
    ),
    "memory all frozen": (SMALL | {"memory": 8, "frozen_layers": 1}, BOX, THREE),
    "memory without signals from above or traces in time": (
        SMALL | {"memory": 8, "memory_layers": 2, "spatial_signal": False, "temporal_trace": False},
        BOX,
        THREE,
    ),
    "no trace in time": (SMALL | {"temporal_trace": False}, BOX, THREE),
}
SANITIZED = (
    *("odd sizes, three levels", "parts of an action", "factored, hop, reset path"),
    *("memory", "memory carried, tensor"),
)
SANITIZERS = ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
DEEP, FADING = "odd sizes, three levels", "preferences that fade"
# Small mistakes: case, text of the source, and what to put in its place.
MUTANTS: dict[str, tuple[str, str, str]] = {
    "sign of the adaptation": (DEEP, "eps[j] - strength * a)", "eps[j] + strength * a)"),
    "another decay": (DEEP, "x = step * *left, c = decay * *left;", "x = step * *left, c = 0.999f * decay * *left;"),
    "order of a sum": (
        DEEP,
        "current[i] - (float)(SET_RESET_STRENGTH * SET_V_TH) * z[i];",
        "(current[i] - (float)(SET_RESET_STRENGTH * SET_V_TH) * z[i]);",
    ),
    "rounding in the variance": (DEEP, "var += (current[i] - mean) *", "var += (float)(current[i] - mean) *"),
    "a random word": (DEEP, "d << 11 | d >> 21", "d << 11 | d >> 22"),
    "bound on the TD error": (
        DEEP,
        "larger(fabs(delta) / SET_TD_ERROR_SCALE, 1.0)",
        "larger(fabs(delta) / SET_TD_ERROR_SCALE, 1.001)",
    ),
    "last neuron of a layer": (
        DEEP,
        "ALL(i, n, FIRE(i););",
        "ALL(i, n - 1, FIRE(i););",
    ),
    "share of an integrator": ("memory", "g > (float)K_INTEGRATOR_GAIN", "g >= 0.2f"),
    "threshold that no one learns": (
        "memory",
        "eps[2 * n * at[AT_LAYER_THRESHOLD] + i] = -1.0f",
        "eps[2 * n * at[AT_LAYER_THRESHOLD] + i] = 0.0f",
    ),
    "delay of the observation": (
        "memory",
        "memmove(seen + 1, seen, sizeof(float) * (size_t)(n - 1));",
        "memmove(seen + 1, seen, sizeof(float) * (size_t)(n - 2));",
    ),
    "leak of the layer above": (
        "memory carried, tensor",
        "filtered * keep[p], push",
        "filtered * keep[p / 2], push",
    ),
    "fading towards the sum": (FADING, "mean += (double)output[k] / size", "mean += (double)output[k]"),
    "fading with the hold": (FADING, "SET_PREFERENCE_DECAY * (mean -", "K_RESTRAIN_RATE * (mean -"),
}


def agent_of(name: str, seed: int = 0) -> Agent:
    """Return the agent of a case."""
    changes, observation, action = CASES[name]
    return Agent(Config(**changes), observation, action, seed=seed)


def scratch(agent: Agent) -> NDArray[np.bool_]:
    """Return which bytes of the state are work rows, whose content has no meaning between two steps."""
    found = np.zeros(agent.nbytes, bool)
    for name, view in agent.arena.views.items():
        if name.startswith("scratch"):
            first = int(view.ctypes.data) - agent.arena.address
            found[first : first + view.nbytes] = True
    return found


def differing(agent: Agent, state: NDArray[np.uint8]) -> list[str]:
    """Return the views in which `state` is not the agent's, byte by byte; "header" for what has no view."""
    wrong = (state != agent.arena.block) & ~scratch(agent)
    if not wrong.any():
        return []
    names = []
    for name, view in agent.arena.views.items():
        first = int(view.ctypes.data) - agent.arena.address
        if wrong[first : first + view.nbytes].any():
            names.append(name)
    return names or ["header"]


def calls(agent: Agent, ticks: int, seed: int) -> Iterable[tuple[Event, float]]:
    """Lead an agent through scripted episodes; yield each event once it has been dealt with, with the reward given."""
    last = 0.0
    for event in script(ticks, agent.observation, seed):
        reward = event.noise + 0.5 * last
        last = 0.0
        if event.kind == "start":
            last = number(agent.start(event.observation, event.learn))
        elif event.kind == "step":
            last = number(agent.step(reward, event.observation, event.learn))
        else:
            agent.end(reward, event.observation if event.kind == "truncate" else None, event.learn)
        yield event, reward


def expected_action(agent: Agent) -> list[float]:
    """Return the last action as the C functions give it: indices from 0, then controls within the space's bounds."""
    drawn, chosen = agent.arena.views["action"], len(agent.action.choices)
    return [*drawn[:chosen].tolist(), *np.clip(drawn[chosen:], agent.action.low, agent.action.high).tolist()]


def repeat(twin: CAgent, event: Event, reward: float) -> None:
    """Make the call of an event on a C agent."""
    if event.kind == "start":
        code = twin.start(event.observation, event.learn)
    elif event.kind == "step":
        code = twin.step(reward, event.observation, event.learn)
    else:
        code = twin.end(reward, event.observation if event.kind == "truncate" else None, event.learn)
    assert code == 0, (event, code)


def compare(name: str, ticks: int, make: Callable[[Agent], CAgent] = CAgent, before: int = 0) -> dict[str, Any]:
    """Run an agent and its C twin side by side until a byte of their states, or the action, differs.

    In the middle each takes over the state of the other, so that what goes on has been through both. The export takes
    place after `before` ticks; what is compared begins with an episode.
    """
    agent = agent_of(name)
    for _ in calls(agent, before, seed=3):
        pass
    twin = make(agent)
    done = 0
    for done, (event, reward) in enumerate(calls(agent, ticks, seed=1), 1):
        repeat(twin, event, reward)
        wrong = differing(agent, twin.state)
        if twin.action != expected_action(agent):
            wrong.append("what the functions say of the action")
        if wrong:
            return {"ticks": done, "wrong": wrong}
        if done == ticks // 2:
            ours, theirs = saved_state(agent), twin.save()
            agent.restore(theirs)
            assert twin.load(ours) == 0
    spikes = sum(sum(rates) for rates in agent.spike_rates.values())
    return {"ticks": done, "wrong": [], "spikes": spikes}


def mutant(text: str, replacement: str) -> Callable[[Agent], CAgent]:
    """Return what makes C twins whose source has one mistake."""

    def spoil(source: str) -> str:
        assert source.count(text) >= 1, text
        return source.replace(text, replacement)

    return lambda agent: CAgent(agent, ("-O0",), edit=spoil)  # compiled sooner, and strict all the same


def sanitized(name: str, ticks: int) -> dict[str, Any]:
    """Make the calls in a program with sanitizers; return exit code, what it says, and where the state differs."""
    agent = agent_of(name)
    encoded = np.zeros(agent.observation.size)
    kinds = {"start": kernel.START, "step": kernel.STEP, "terminate": kernel.TERMINATE, "truncate": kernel.TRUNCATE}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        export_c(agent, place)
        driver = compile_c(
            [Path(__file__).parent / "driver.c", place / "agent.c"], place / "driver", f"-I{place}", *SANITIZERS
        )
        with open(place / "calls", "wb") as file:
            for event, reward in calls(agent, ticks, seed=2):
                agent.observation.encode(event.observation, encoded)
                file.write(np.array([kinds[event.kind], event.learn], np.int32).tobytes())
                file.write(np.array([reward, *encoded]).tobytes())
        done = subprocess.run(
            [str(driver), str(place / "calls"), str(place / "state")], capture_output=True, text=True, timeout=300
        )
        state = np.fromfile(place / "state", np.uint8)
    return {
        "code": done.returncode,
        "said": done.stderr,
        "wrong": differing(agent, state) if state.size == agent.nbytes else ["no state"],
    }
