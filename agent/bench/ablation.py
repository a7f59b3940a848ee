"""What each part of the rule is worth where credit has to go through depth and time: ``synaptick bench ablation``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..agent import Agent
from ..aggregate import bootstrap_interval, interquartile_mean
from ..metrics.episodes import Tally
from ..training.config_file import load_config
from ..training.environment import environment_seed, make_env_of
from ..training.hooks import Functions
from ..training.loop import run
from ..versions import versions
from .support.tables import table, wrapped
from .support.trials import in_parallel

# Shipped configurations.
TASKS = ("delayed_xor", "distracted_cue")
ARMS: dict[str, dict[str, Any]] = {
    "full rule": {},
    "no depth filter": {"depth_filter": "none"},
    "no spatial signal": {"spatial_signal": False},
    "frozen lower layer": {"frozen_layers": 1},
    "no temporal trace": {"temporal_trace": False},
    "no recurrence": {"recurrent": False},
    "factored filter": {"depth_filter": "factored"},
    "recurrent hop": {"recurrent_hop": True},
    "reset path": {"reset_path": True},
    "random feedback": {"feedback": "random"},
    "adaptive feedback": {"feedback": "adaptive"},
}
# Episodes whose mean return is reported, and the mean from which a task counts as solved; the best is 1.
RECENT, SOLVED = 500, 0.9


def bench_ablation(
    seeds: Sequence[int] = range(10),
    jobs: int = 2,
    arms: list[str] | None = None,
    tasks: list[str] | None = None,
    steps: int | None = None,
    on_run: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Run every arm on every task, and summarize the mean return of the last 500 episodes.

    Parameters
    ----------
    seeds : sequence of int
        Of the runs of an arm.
    jobs : int
        Processes.
    arms, tasks : list of str, optional
        Some of `ARMS` and `TASKS`; all by default.
    steps : int, optional
        Steps of a run instead of those of the configuration; enough for an episode to end.
    on_run : callable, optional
        Called with each run as soon as it is done.

    Returns
    -------
    dict
        ``versions``, ``runs`` (task, arm, seed, steps, mean_return, bound) and ``summary`` (task, arm, mean with 95 %
        bootstrap interval, interquartile mean, worst, number of solved runs). ``bound`` is the best expected return
        with the first layers as they were at the start, where the environment knows it.
    """
    chosen = [
        (task, arm, seed, steps)
        for task in dict.fromkeys(tasks or TASKS)
        for arm in dict.fromkeys(arms or ARMS)
        for seed in seeds
    ]
    runs = []
    for done in in_parallel(_run_once, chosen, jobs):
        runs.append(done)
        if on_run is not None:
            on_run(done)
    return {"versions": versions(), "runs": runs, "summary": list(_summaries(runs))}


def _run_once(job: tuple[str, str, int, int | None]) -> dict[str, Any]:
    task, arm, seed, steps = job
    config = load_config(task).with_changes({**ARMS[arm], "seed": seed})
    steps = config.steps if steps is None else steps
    env = make_env_of(config)
    agent = Agent(config, env.observation_space, env.action_space, config.seed)
    bound = _bound(agent, env.unwrapped)
    returns: list[float] = []

    def keep(tally: Tally) -> None:
        returns.append(tally.last_return)

    run(agent, env, steps, seed=environment_seed(config.seed, 0), hooks=[Functions(on_episode=keep)])
    env.close()
    mean = float(np.mean(returns[-RECENT:]))
    return {"task": task, "arm": arm, "seed": seed, "steps": steps, "mean_return": mean, "bound": bound}


def _bound(agent: Agent, env: Any) -> float | None:
    """Return what the first layers of actor and critic can reach without learning, if `env` can tell."""
    if not hasattr(env, "best_return"):
        return None
    views, columns = agent.arena.views, agent.arena.dimensions.columns(0)
    first = columns["observed"]
    seen = slice(first, first + agent.observation.size)
    return float(env.best_return(np.vstack([views[f"{net}/0/w"][:, seen] for net in ("actor", "critic")])))


def _summaries(runs: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for task, arm in dict.fromkeys((row["task"], row["arm"]) for row in runs):
        rows = [row for row in runs if (row["task"], row["arm"]) == (task, arm)]
        returns = [row["mean_return"] for row in rows]
        low, high = bootstrap_interval(returns)
        bounds = [row["bound"] for row in rows if row["bound"] is not None]
        yield {
            "task": task,
            "arm": arm,
            "mean": float(np.mean(returns)),
            "low": low,
            "high": high,
            "iqm": interquartile_mean(returns),
            "worst": min(returns),
            "solved": sum(value >= SOLVED for value in returns),
            "seeds": len(returns),
            "mean_bound": float(np.mean(bounds)) if bounds else None,
        }


def ablation_lines(result: dict[str, Any]) -> Iterator[str]:
    """Yield the summary of `bench_ablation` line by line."""
    yield f"mean return of the last {RECENT} episodes (best: 1)"
    heads = ("arm", "mean", "95 % interval", "iqm", "worst", "solved")
    for task in dict.fromkeys(row["task"] for row in result["summary"]):
        rows = [row for row in result["summary"] if row["task"] == task]
        reach = rows[0]["mean_bound"]
        bound = "" if reach is None else f"; a frozen lower layer can reach {reach:.2f}"
        steps = next(run["steps"] for run in result["runs"] if run["task"] == task)
        yield from wrapped(f"{task} ({steps:,} steps{bound})", "")
        yield from table(
            heads,
            [
                [
                    row["arm"],
                    f"{row['mean']:.3f}",
                    f"[{row['low']:.3f}, {row['high']:.3f}]",
                    f"{row['iqm']:.3f}",
                    f"{row['worst']:.3f}",
                    f"{row['solved']}/{row['seeds']}",
                ]
                for row in rows
            ],
        )
