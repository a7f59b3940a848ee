"""Trajectories that must not change by accident: actions, and what they leave behind, of a fixed scripted stream.

After a change that is meant to alter them, ``python -m tests.kernels.test_golden`` writes `golden.json` anew; say why
in the commit.

Sums in float32 are added up in an order that depends on how many numbers a processor takes at once, so the last digits
differ between machines, and a spike whose membrane lies that close to the threshold sooner or later falls the other
way; from then on two trajectories have nothing in common. The streams are therefore short, numbers are compared with a
tolerance, and actions, which differ only where a uniform draw meets a cumulative probability within that tolerance,
exactly. Code for a wide processor and code for the plainest one (``NUMBA_CPU_NAME=generic``) differed by up to 5e-5
after the 60 ticks used here, by .15 after 200.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from synaptick import Agent
from synaptick.versions import versions

from ..support.common import SIZE, make_agent
from ..support.harness import flat, number, up_to_date

pytestmark = pytest.mark.any_arithmetic

FILE = Path(__file__).with_name("golden.json")
TICKS, EPISODE = 60, 20
TOLERANCE = 1e-3
# Pinned, so that a better default leaves the file alone.
SETTINGS: dict[str, Any] = {
    "leak_groups": 4,
    "tau_min": 0.25,
    "tau_max": 20.0,
    "adaptive_fraction": 0.5,
    "tau_adapt": 20.0,
    "adapt_strength": 0.5,
    "v_th": 1.0,
    "spikes": "binary",
    "dampening": 0.3,
    "gain": 2.0,
    "connectivity": 0.5,
    "recurrent": True,
    "recurrent_scale": 1.0,
    "observation_skip": True,
    "readout": "all",
    "depth_filter": "cascade",
    "recurrent_hop": False,
    "reset_path": False,
    "discount": 0.99,
    "lambda_policy": 0.8,
    "lambda_value": 0.8,
    "kappa_policy": 2.0,
    "kappa_value": 1.5,
    "lr_policy": 1.0,
    "lr_value": 1.0,
    "readout_share": 0.5,
    "entropy_bonus": 0.01,
    "std": "state",
    "initial_std": 1.0,
    "std_lr_scale": 0.02,
    "noise_correlation": 0.9,
    "correlated_noise_fraction": 0.5,
    "normalize_observations": True,
    "observation_clip": 8.0,
    "normalize_rewards": True,
    "keep_state": False,
}
CASES: dict[str, dict[str, Any]] = {
    f"{len(layers)} deep": {**SETTINGS, "layers": layers} for layers in ((12,), (12, 10, 8))
}
# Bounded on both sides, on one and on none; a wide policy, so that many draws are clipped.
CONTROLS = spaces.Box(np.float32([-1, -2, -np.inf]), np.float32([3, np.inf, np.inf]))
CASES["controls"] = {**SETTINGS, "layers": (12, 10), "action": CONTROLS, "std_lr_scale": 0.2}
MEMORY: dict[str, Any] = {"memory": 8, "memory_horizon": 50.0, "memory_delay": 3}
CASES |= {
    "memory": {**SETTINGS, "layers": (12,), **MEMORY},
    "two memories, carried": {
        **SETTINGS,
        "layers": (12,),
        **MEMORY,
        "memory_layers": 2,
        "depth_filter": "tensor",
    },
}
GRADED: dict[str, Any] = {"spikes": "graded", "payload_cap": 1.0, "memory_payload_cap": 0.1}
CASES["memory, graded"] = CASES["memory"] | GRADED
CASES["free controls"] = CASES["controls"] | {"std": "free", "noise_correlation": 0.5}


def numbers() -> Iterator[float]:
    """Yield pseudo-random numbers in [-1, 1), the same everywhere: the classic linear congruence, exact in float64."""
    state = 1
    while True:
        state = (1103515245 * state + 12345) % 2**31
        yield state / 2**30 - 1


def trajectory(changes: dict[str, Any]) -> dict[str, Any]:
    """Return actions, as a string of digits or numbers, and the state in a few numbers at the end of each episode."""
    agent, stream = make_agent(seed=1, **changes), numbers()
    actions, summaries = [agent.start([next(stream) for _ in range(SIZE)])], []
    for tick in range(1, TICKS + 1):
        reward, observation = next(stream) + 0.5 * number(actions[-1]), [next(stream) for _ in range(SIZE)]
        if tick % EPISODE:
            actions.append(agent.step(reward, observation))
            continue
        summaries.append(summary(agent))
        agent.end(reward, observation if tick % (2 * EPISODE) else None)
        actions.append(agent.start(observation))
    if agent.action.simple:
        return {"actions": "".join(map(str, actions)), "summaries": summaries}
    return {"actions": [[round(x, 6) for x in flat(action)] for action in actions], "summaries": summaries}


def summary(agent: Agent) -> dict[str, Any]:
    """Return a few numbers that together depend on every part of the state."""

    def norms(name: str) -> list[float]:
        parts = [view for path, view in up_to_date(agent).items() if path.endswith(f"/{name}")]
        return [round(float(np.abs(part.astype(np.float64)).sum()), 6) for part in parts]

    drawn = ("probabilities",) if agent.action.choices else ("noise", "slow_noise", "stds")
    return {
        "value": round(agent.value, 6),
        "td_error": round(agent.td_error, 6),
        **{name: [round(float(x), 6) for x in agent.arena.views[name]] for name in drawn},
        "spike_rates": [round(rate, 6) for rates in agent.spike_rates.values() for rate in rates],
        **{name: norms(name) for name in ("w", "credit", "eps", "cascade", "v")},
    }


def distance(ours: Any, theirs: Any) -> float:
    """Return the largest difference of two arrays, relative to 1 and their size; infinite if their shapes differ."""
    a, b = np.asarray(ours), np.asarray(theirs)
    return float(np.max(np.abs(a - b) / (1 + np.abs(b)), initial=0.0)) if a.shape == b.shape else np.inf


def differences(found: dict[str, Any], stored: dict[str, Any]) -> list[str]:
    """Return what differs, in words."""
    wrong = []
    if isinstance(stored["actions"], str):
        if found["actions"] != stored["actions"]:
            wrong.append(f"actions {found['actions']} {stored['actions']}")
    elif (worst := distance(found["actions"], stored["actions"])) > TOLERANCE:
        wrong.append(f"actions by {worst:.1e}")
    for episode, (ours, theirs) in enumerate(zip(found["summaries"], stored["summaries"], strict=True)):
        assert ours.keys() == theirs.keys()
        for name in ours:
            if (worst := distance(ours[name], theirs[name])) > TOLERANCE:
                wrong.append(f"episode {episode}: {name} by {worst:.1e}")
    return wrong


@pytest.mark.parametrize("case", CASES)
def test_the_trajectory_is_the_stored_one(case: str) -> None:
    stored = json.loads(FILE.read_text(encoding="utf-8"))["trajectories"]
    assert differences(trajectory(CASES[case]), stored[case]) == []


def test_what_is_stored_is_complete_alive_and_says_where_it_comes_from() -> None:
    content = json.loads(FILE.read_text(encoding="utf-8"))
    assert content["trajectories"].keys() == CASES.keys()
    assert content["command"] == "python -m tests.kernels.test_golden"
    assert content["versions"].keys() == versions().keys() - {"arithmetic"}
    for stored in content["trajectories"].values():
        assert len(stored["actions"]) == TICKS + 1
        if isinstance(stored["actions"], str):
            assert set(stored["actions"]) == {"0", "1", "2"}
        else:
            first, second, third = np.transpose(stored["actions"])
            assert {-1.0, 3.0} <= set(first.tolist())
            assert len(set(first.tolist())) > 10
            assert second.min() == -2.0 < second.max()
            assert len(set(third.tolist())) > 0.9 * TICKS
        assert all(min(entry["spike_rates"]) > 0 for entry in stored["summaries"])
        assert min(stored["summaries"][-1]["credit"]) > 0


SMALL_CHANGES = [
    {"lambda_policy": 0.79},
    {"lambda_value": 0.79},
    {"dampening": 0.303, "payload_cap": 1.02},
    {"tau_max": 19.5},
    {"discount": 0.985},
    {"gain": 2.02},
]


@pytest.mark.parametrize("change", SMALL_CHANGES, ids=str)
def test_a_small_change_is_noticed(change: dict[str, Any]) -> None:
    stored = json.loads(FILE.read_text(encoding="utf-8"))["trajectories"]
    for case, changes in CASES.items():
        assert differences(trajectory({**changes, **change}), stored[case]), case


OF_CONTROLS = [
    {"noise_correlation": 0.89},
    {"correlated_noise_fraction": 0.49},
    {"initial_std": 0.99},
    {"std_lr_scale": 0.21},
]


@pytest.mark.parametrize("change", OF_CONTROLS, ids=str)
def test_a_small_change_of_the_policy_of_controls_is_noticed(change: dict[str, Any]) -> None:
    stored = json.loads(FILE.read_text(encoding="utf-8"))["trajectories"]
    for case in (case for case in CASES if case.endswith("controls")):
        assert differences(trajectory(CASES[case] | change), stored[case]), case


def regenerate() -> None:
    """Write the file."""
    content = {
        "command": "python -m tests.kernels.test_golden",
        "versions": versions(),
        "trajectories": {name: trajectory(changes) for name, changes in CASES.items()},
    }
    text = re.sub(r"\[[^\[\]{}]*\]", lambda found: " ".join(found[0].split()), json.dumps(content, indent=1))
    FILE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    if FILE.exists():
        old = json.loads(FILE.read_text(encoding="utf-8"))["trajectories"]
        for name in CASES.keys() & old.keys():
            print(name, differences(trajectory(CASES[name]), old[name]) or "unchanged", file=sys.stderr)
    regenerate()
