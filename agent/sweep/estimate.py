"""What a sweep will take, measured on a few seconds of it; and the step compiled before many processes want it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from ..agent import Agent
from ..arena.dimensions import is_rare
from ..config import Config
from ..metrics.hooks import StopRun
from ..training.environment import environment_seed, make_env_of
from ..training.hooks import Functions
from ..training.loop import run
from .engine import Engine, outcomes
from .spec import Arm

SECONDS = 5.0
# Configurations that the seconds are divided among.
MOST = 5
# Seconds that a run takes beside its steps, with its files.
BESIDE = 0.1


def prepare(engine: Engine, arms: Sequence[Arm], runs: int, seconds: float = SECONDS) -> str:
    """Compile what the configurations need, in one process, and return a line that says what they will take.

    Parameters
    ----------
    engine : Engine
    arms : sequence of Arm
        Configurations of which something is left to run.
    runs : int
        Runs that are left.
    seconds : float
        For which a few of the configurations are tried; 0: compile only.

    Returns
    -------
    str
        Empty if nothing was tried, or nothing that was tried can run.
    """
    rare = {is_rare(arm.config): arm for arm in arms}
    apart = max(len(arms) // MOST, 1)
    tried = list(arms[::apart][:MOST]) if seconds else []
    item = json.dumps([[arm.config.to_dict() for arm in chosen] for chosen in (list(rare.values()), tried)]), seconds
    ((_, measured),) = outcomes(engine, _compile_and_try, [item])
    known = [step for step in measured if step is not None] if isinstance(measured, list) else []
    if not known:
        return ""
    steps = [arm.config.steps for arm in arms]
    a_step = sum(known) / len(known)
    a_run = a_step * sum(steps) / len(steps) + BESIDE
    processes = min(engine.processes, runs)
    shown = f"{min(steps):,}" if min(steps) == max(steps) else f"{min(steps):,} to {max(steps):,}"
    return (
        f"{runs:,} runs of {shown} steps: {a_step * 1e6:,.0f} us a step, {a_run:,.1f} s a run, with {processes} "
        f"processes about {duration(a_run * runs / processes)}"
    )


def duration(seconds: float) -> str:
    """Return a time as ``m:ss``, ``h:mm:ss`` or with days."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} days {hours % 24} h"
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _compile_and_try(item: tuple[str, float]) -> list[float | None]:
    """Return the seconds of a step of each configuration that is tried; None for one that cannot run."""
    compiled, tried = ([Config.from_dict(settings) for settings in each] for each in json.loads(item[0]))
    for config in compiled:
        Agent.compile(config)
    return [_seconds_a_step(config, item[1] / len(tried)) for config in tried]


def _seconds_a_step(config: Config, seconds: float) -> float | None:
    times: list[float] = []

    def look(tally: Any) -> None:
        times[1:] = [time.monotonic()] if times else []
        if not times:
            times.append(time.monotonic())
        elif times[-1] - times[0] > seconds:
            raise StopRun

    try:
        with closing(make_env_of(config)) as env:
            agent = Agent(config, env.observation_space, env.action_space)
            tally = run(
                *(agent, env, config.steps), seed=environment_seed(config.seed, 0), hooks=[Functions(on_step=look)]
            )
    except Exception:  # the runs will say it
        return None
    return (times[-1] - times[0]) / (tally.steps - 1) if len(times) > 1 else None
