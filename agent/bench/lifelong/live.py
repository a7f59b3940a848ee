"""Whole lives in worlds that change, next to fresh agents and other controls: ``synaptick bench lifelong``.

A *stretch* is the steps between two changes; where nothing changes, between two reports. What is kept of it is in
`record`, what is reported of it in `rows`, the tasks and their controls are in `tasks`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import closing
from typing import Any

from ...agent import Agent
from ...config import Config
from ...errors import ConfigError
from ...training.environment import environment_seed, make_env_of
from ...versions import versions
from ..support.trials import in_parallel, saying_where, tuned
from .plasticity_metrics import WINDOW, VitalSigns
from .record import GRID, Record
from .rows import Fresh, fresh_levels, rows_of, summarize
from .tasks import ARMS, FRESH, TASKS, arms_of

# Stretches of a life, so that files and memory are bounded.
MOST_STRETCHES = 1000

Job = tuple[str, str, int, int, int, Mapping[str, Any]]


def bench_lifelong(
    seeds: Sequence[int] = range(10),
    jobs: int = 1,
    tasks: list[str] | None = None,
    arms: list[str] | None = None,
    steps: int | None = None,
    every: int | None = None,
    changes: Mapping[str, Any] | None = None,
    on_run: Callable[[list[dict[str, Any]]], None] | None = None,
) -> dict[str, Any]:
    """Live each task in every arm, with several seeds, and summarize how the arms take the changes.

    Parameters
    ----------
    seeds : sequence of int
        Of the lives of an arm.
    jobs : int
        Processes.
    tasks, arms : list of str, optional
        Some of `TASKS` and `ARMS`; all by default. Arms that are no different in a task are left out.
    steps, every : int, optional
        Steps of a life, and of a stretch, which `steps` is a multiple of; by default those of the task.
    changes : mapping, optional
        Settings that replace the default ones in every arm that does not have its own.
    on_run : callable, optional
        Called with the rows of each life as soon as it and all before it are done.

    Returns
    -------
    dict
        ``versions``, ``rows`` (see `lifelong_rows.rows_of`), and ``summary``, a row a task and arm. Without the arm
        "reset" there is no fresh agent to compare with: recovery is then to the level before the change.

    Raises
    ------
    ConfigError
        If a setting is not allowed, or no arm is left.
    EnvError
        If an environment cannot be made.
    RunError
        If an environment fails in the middle of a life.
    """
    chosen: list[Job] = []
    for task in dict.fromkeys(tasks or TASKS):
        length, stretch = steps or TASKS[task].steps, every or TASKS[task].every
        _check(task, length, stretch)
        for seed in seeds:
            chosen += [(task, arm, seed, length, stretch, dict(changes or {})) for arm in arms_of(task, arms)]
    if not chosen:
        raise ConfigError(f"arms: got {', '.join(arms or ())}; no task that is asked for has any of them; add learning")
    for job in {job[:2]: job for job in chosen}.values():  # before hours are spent
        make_env_of(configuration(*job)).close()
    lives: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    fresh: dict[tuple[str, int], Fresh] = {}
    for life in in_parallel(_live, chosen, jobs):
        key = life["task"], life["seed"]
        if life["arm"] == FRESH:
            fresh[key] = fresh_levels(life)
        found = list(rows_of(life, fresh.get(key, {})))
        lives.append({key: value for key, value in life.items() if key != "stretches"})
        rows += found
        if on_run is not None:
            on_run(found)
    pairs = dict.fromkeys((life["task"], life["arm"]) for life in lives)
    return {"versions": versions(), "rows": rows, "summary": [summarize(*pair, lives, rows) for pair in pairs]}


def _check(task: str, steps: int, every: int) -> None:
    if every < GRID or steps % every or steps // every > MOST_STRETCHES:
        raise ConfigError(
            f"steps and every of {task}: got {steps} and {every}; allowed: every {GRID} or more, and steps a multiple "
            f"of it, {MOST_STRETCHES} times as many at most"
        )


def configuration(task: str, arm: str, seed: int, steps: int, every: int, changes: Mapping[str, Any]) -> Config:
    """Return the settings of a life: those of the arm before `changes`."""
    place = TASKS[task].place(every if _drifts(task, arm) else 0)
    return Config().with_changes({**changes, **ARMS[arm].settings, **place, "steps": steps, "seed": seed})


def _drifts(task: str, arm: str) -> bool:
    return TASKS[task].changes and ARMS[arm].drifts


def _live(job: Job) -> dict[str, Any]:
    task, arm, seed, steps, every, _ = job
    config = configuration(*job)
    env = make_env_of(config)
    record = Record(steps // every, every, TASKS[task])
    with closing(env), saying_where(f"{task}, {arm}, seed {seed}", record):
        live(config, env, ARMS[arm].at_change, every, _drifts(task, arm), record)
    return {
        "task": task,
        "arm": arm,
        "seed": seed,
        "steps": steps,
        "every": every,
        "tuned": tuned(config),
        "stability": record.stability and record.stability.read(),
        "stretches": record.stretches,
    }


def _world(info: Mapping[str, Any]) -> Hashable:
    return info["world"].id if "world" in info else None


def live(config: Config, env: Any, at_change: str, every: int, drifts: bool, record: Record) -> None:
    """Live for ``config.steps`` steps.

    A stretch ends when ``info["changed"]`` says so or, where nothing drifts, after `every` steps. An agent that takes
    over at a change starts from the first observation in the new world, in the midst of an episode: not everything
    that changes can be reset without turning back its clock.
    """

    def born(seed: int) -> tuple[Agent, VitalSigns]:
        agent = Agent(config, env.observation_space, env.action_space, seed)
        return agent, VitalSigns(agent, window)

    window, learn = min(WINDOW, every), True
    agent, signs = born(config.seed)
    observation, info = env.reset(seed=environment_seed(config.seed, 0))
    record.enter(_world(info))
    action = agent.start(observation)
    for _ in range(config.steps):
        observation, reward, terminated, truncated, info = env.step(action)
        changed = drifts and info["changed"]
        if changed if drifts else record.age == every:
            record.close(signs.read())
            record.enter(_world(info), changed)
            learn = learn and not (changed and at_change == "freeze")
        taken_over = changed and at_change == "reset"
        if taken_over:
            agent, signs = born(environment_seed(config.seed, record.steps))
        record.add(float(reward))
        if terminated or truncated:
            if not taken_over:
                agent.end(reward, None if terminated else observation, learn)
            record.end_episode()
            action = agent.start(env.reset()[0], learn)
        elif taken_over:
            action = agent.start(observation)
        else:
            action = agent.step(reward, observation, learn)
        if record.age > every - window:
            signs.sample()
    record.close(signs.read())
