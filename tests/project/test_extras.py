"""Environments of the extras: each shipped configuration that needs one makes its own, and an agent runs in it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from synaptick import Agent, load_config, make_env, run

from ..support.common import assert_finite

# Configuration: extra, module it installs, length of the encoded observation, factors, controls.
EXTRAS = {
    "lunarlander": ("box2d", "Box2D", 8, (4,), 0),
    "hopper": ("mujoco", "mujoco", 11, (), 3),
    "minigrid": ("minigrid", "minigrid", 147, (7,), 0),
    "atari": ("atari", "ale_py", 128, (6,), 0),
    "popgym": ("popgym", "popgym", 8, (4,), 0),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # theirs, in compiled modules
@pytest.mark.parametrize("name", EXTRAS)
def test_a_small_agent_runs_in_the_environment_of_an_extra(name: str, monkeypatch: Any, tmp_path: Any) -> None:
    extra, module, size, choices, controls = EXTRAS[name]
    pytest.importorskip(module, reason=f'needs the extra: pip install "synaptick[{extra}]"')
    monkeypatch.chdir(tmp_path)  # MuJoCo writes its log where it stands
    config = load_config(name)
    env = make_env(config.env, config.env_kwargs, config.wrappers)
    agent = Agent(config.with_changes({"layers": (8,), "memory": 4}), env.observation_space, env.action_space)
    assert (agent.observation.size, agent.action.choices, agent.action.controls) == (size, choices, controls)
    weights = agent.arena.views["actor/1/w"].copy()
    actions: list[Any] = []
    step = env.step
    monkeypatch.setattr(env, "step", lambda action: (actions.append(action), step(action))[1])
    tally = run(agent, env, 300, seed=0)
    assert agent.ticks == tally.steps == 300
    assert all(env.action_space.contains(action) for action in actions)
    assert len(np.unique(np.array(actions), axis=0)) > 1
    assert_finite(agent)
    assert name in ("minigrid", "atari") or (agent.arena.views["actor/1/w"] != weights).any()  # those may pay nothing
    env.close()
