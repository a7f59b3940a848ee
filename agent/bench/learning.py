"""Learning on suites of whole tasks, seed by seed: ``synaptick bench learning``."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np

from ..agent import Agent
from ..aggregate import bootstrap_interval, interquartile_mean
from ..config import Config
from ..errors import EnvError, SpaceError
from ..metrics.episodes import ENOUGH, RECENT, Tally
from ..training.config_file import load_config
from ..training.environment import environment_seed, make_env_of
from ..training.hooks import Functions
from ..training.loop import run
from ..versions import versions
from .suites import SUITES
from .support.tables import table, wrapped
from .support.trials import in_parallel, saying_where, tuned

EARLY = 10_000
# Steps at which curves are read, so that runs of different lengths compare.
MARKS = {"at_100k": 100_000, "at_300k": 300_000, "at_1m": 1_000_000}

# Suite, task, threshold, and the settings of the run.
Job = tuple[str, str, float | None, Config]


class _Curve:
    """Step, return and length of every episode of one run, and what the tables say about them."""

    def __init__(self, threshold: float | None) -> None:
        self.threshold = threshold
        self.reached: int | None = None
        self.lowest: float | None = None
        self.rows: list[tuple[int, float, int]] = []
        self.marks = [(0, time.thread_time())]

    def add(self, tally: Tally) -> None:
        if not self.rows:  # everything is compiled by now
            self.marks.append((tally.steps, time.thread_time()))
        self.rows.append((tally.steps, tally.last_return, tally.last_length))
        mean = tally.mean_return
        if self.threshold is None or mean is None or tally.episodes < ENOUGH:
            return
        if self.reached is None and mean >= self.threshold:
            self.reached, self.lowest = tally.steps, mean
        elif self.lowest is not None:
            self.lowest = min(self.lowest, mean)

    def summary(self, steps: int) -> dict[str, Any]:
        first, begun = max(mark for mark in self.marks if mark[0] <= steps / 2)
        speed = (steps - first) / max(time.thread_time() - begun, 1e-9)
        ends, returns, lengths = np.array(self.rows, dtype=np.float64).reshape(-1, 3).T
        half, early = ends <= steps / 2, ends <= EARLY
        # Long episodes make 100 of them span most of the run: this is the mean around the half itself.
        window = half & (ends > 0.45 * steps)
        return {
            "episodes": len(returns),
            "last_100": _mean(returns[-RECENT:]),
            "threshold": self.threshold,
            "steps_to_threshold": self.reached,
            "lowest_after_threshold": self.lowest,
            "steps_per_cpu_second": round(speed),
            **{name: _mean(returns[ends <= mark][-RECENT:]) if steps >= mark else None for name, mark in MARKS.items()},
            "half_last_100": _mean(returns[half][-RECENT:]),
            "half_window": _mean(returns[window] if window.any() else returns[half][-1:]),
            "first_10k_by_episode": _mean(returns[early]),
            "first_10k_by_step": _mean(returns[early], lengths[early]),
        }


def _mean(values: np.ndarray, weights: np.ndarray | None = None) -> float | None:
    return float(np.average(values, weights=weights)) if len(values) else None


def bench_learning(
    suite: str = "classic",
    seeds: Sequence[int] | None = None,
    jobs: int = 1,
    tasks: list[str] | None = None,
    changes: Mapping[str, Any] | None = None,
    on_run: Callable[[dict[str, Any]], None] | None = None,
    on_skip: Callable[[str, str], None] | None = None,
) -> dict[str, Any]:
    """Learn each task of a suite with several seeds, as `synaptick run` would, and summarize the returns.

    Parameters
    ----------
    suite : str
        A name in `SUITES`.
    seeds : sequence of int, optional
        Of the runs of a task; by default as many, from 0 on, as the suite has.
    jobs : int
        Processes.
    tasks : list of str, optional
        Some of the suite's tasks; all by default.
    changes : mapping, optional
        Settings that replace those of every task.
    on_run : callable, optional
        Called with each run as soon as it and all before it are done.
    on_skip : callable, optional
        Called, before the runs, with the name of each task that cannot be run here and the reason.

    Returns
    -------
    dict
        ``versions``, ``suite``, ``runs``, ``summary`` (a row a task) and ``skipped`` (task, reason). Returns are those
        of the last 100 episodes of training. None stands for what no finished episode can tell.

    Raises
    ------
    ConfigError
        If a change is not allowed.
    EnvError
        If no task can be run here.
    RunError
        If an environment fails in the middle of a run.
    """
    changes = dict(changes or {})
    skipped: dict[str, str] = {}
    names = list(dict.fromkeys(tasks or SUITES[suite].tasks))
    for name in names:
        try:
            _make(configuration(suite, name, changes))[1].close()
        except (EnvError, SpaceError) as error:
            skipped[name] = " ".join(str(error).split())
            if on_skip is not None:
                on_skip(name, skipped[name])
    if len(skipped) == len(names):
        raise EnvError(f"none of these tasks can be run here: {'; '.join(dict.fromkeys(skipped.values()))}")
    numbers = range(SUITES[suite].seeds) if seeds is None else seeds
    chosen = [
        (suite, name, SUITES[suite].tasks[name].threshold, configuration(suite, name, {**changes, "seed": seed}))
        for name in names
        if name not in skipped
        for seed in numbers
    ]
    runs = []
    for done in in_parallel(_run_once, chosen, jobs):
        runs.append(done)
        if on_run is not None:
            on_run(done)
    summary = [summarize([row for row in runs if row["task"] == name]) for name in names if name not in skipped]
    return {"versions": versions(), "suite": suite, "runs": runs, "summary": summary, "skipped": skipped}


def configuration(suite: str, task: str, changes: Mapping[str, Any]) -> Config:
    """Return the settings of a task with `changes`."""
    settings, _, name = SUITES[suite].tasks[task]
    return load_config(name).with_changes({**settings, **changes})


def _make(config: Config) -> tuple[Agent, Any]:
    env = make_env_of(config)
    try:
        return Agent(config, env.observation_space, env.action_space, config.seed), env
    except SpaceError:
        env.close()
        raise


def _run_once(job: Job) -> dict[str, Any]:
    suite, task, threshold, config = job
    agent, env = _make(config)
    curve, tally = _Curve(threshold), Tally()
    with closing(env), saying_where(f"{task}, seed {config.seed}", tally):
        run(
            *(agent, env, config.steps),
            seed=environment_seed(config.seed, 0),
            tally=tally,
            hooks=[Functions(on_episode=curve.add)],
        )
    rates = [rate for layers in agent.spike_rates.values() for rate in layers]
    return {
        "suite": suite,
        "task": task,
        "seed": config.seed,
        "steps": config.steps,
        **curve.summary(config.steps),
        "min_spike_rate": min(rates),
        "max_spike_rate": max(rates),
        "tuned": tuned(config),
    }


def summarize(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the row of a table for the runs of one task.

    ``at_threshold`` counts the runs that end there. ``ever_at_threshold`` counts those whose last 100 episodes came up
    to it at any time, which is the greatest of many noisy means and says little about the end. The median of the steps
    to the threshold is over all runs, those that never got there last: the lower one of two, None if more than half
    never did. ``lowest_after_threshold`` is the lowest mean of 100 episodes that any run fell to once it had been
    there. ``at_100k``, ``at_300k`` and ``at_1m`` are the means of the last 100 episodes at so many steps. Statistics of
    returns leave out runs that cannot tell.
    """
    steps = [np.inf if row["steps_to_threshold"] is None else row["steps_to_threshold"] for row in runs]
    median = statistics.median_low(steps)
    returns, threshold = _column(runs, "last_100"), runs[0]["threshold"]
    return {
        **{key: runs[0][key] for key in ("task", "steps", "threshold", "tuned")},
        "runs": len(runs),
        "without_episode": len(runs) - len(returns),
        **_statistics(returns),
        "interval": bootstrap_interval(returns, interquartile_mean) if returns else None,
        "median_steps_to_threshold": int(median) if np.isfinite(median) else None,
        "at_threshold": None if threshold is None else sum(value >= threshold for value in returns),
        "ever_at_threshold": int(np.isfinite(steps).sum()),
        "lowest_after_threshold": min(_column(runs, "lowest_after_threshold"), default=None),
        **{name: _statistics(_column(runs, name)) for name in MARKS},
        "steps_per_cpu_second": statistics.median(_column(runs, "steps_per_cpu_second")),
        "half_last_100": _statistics(_column(runs, "half_last_100")),
        "half_window": _statistics(_column(runs, "half_window")),
        "first_10k_by_episode": _statistics(_column(runs, "first_10k_by_episode")),
        "first_10k_by_step": _statistics(_column(runs, "first_10k_by_step")),
        "min_spike_rate": min(_column(runs, "min_spike_rate")),
        "max_spike_rate": max(_column(runs, "max_spike_rate")),
    }


def _column(runs: list[dict[str, Any]], key: str) -> list[float]:
    return [row[key] for row in runs if row[key] is not None]


def _statistics(values: list[float]) -> dict[str, float | None]:
    if not values:
        return {"mean": None, "iqm": None, "worst": None}
    return {"mean": float(np.mean(values)), "iqm": interquartile_mean(values), "worst": min(values)}


def learning_lines(result: dict[str, Any]) -> Iterator[str]:
    """Yield the summary of `bench_learning` line by line."""
    rows = result["summary"]
    yield f"{result['suite']}: mean return of the last {RECENT} episodes"
    yield from table(("task", "mean", "iqm", "95 % interval", "worst"), [_returns(row) for row in rows], "")
    yield ""
    yield "seeds at the target, and the step they first were (median of all)"
    yield from table(("task", "target", "at end", "ever", "step", "steps/s"), [_targets(row) for row in rows], "")
    yield ""
    for row in rows:
        window, early, by_step = row["half_window"], row["first_10k_by_episode"], row["first_10k_by_step"]
        yield row["task"]
        yield from wrapped(
            f"{row['runs']} runs of {row['steps']:,} steps; at the half iqm {_shown(row['half_last_100']['iqm'])}, "
            f"around it iqm {_shown(window['iqm'])}, mean {_shown(window['mean'])}, worst {_shown(window['worst'])}"
        )
        yield from wrapped(
            f"first {min(EARLY, row['steps']):,} steps: mean {_shown(early['mean'])} an episode, "
            f"{_shown(by_step['mean'])} a step; "
            f"spike rates of layers {row['min_spike_rate']:.3f} to {row['max_spike_rate']:.3f}"
        )
        marks = [f"{name[3:]} {_shown(row[name]['iqm'])}" for name in MARKS if row[name]["iqm"] is not None]
        if marks or row["lowest_after_threshold"] is not None:
            after = f"lowest once at the target {_shown(row['lowest_after_threshold'])}"
            yield from wrapped(f"iqm at {', '.join(marks) or '-'} steps; {after}")
        if row["without_episode"]:
            yield from wrapped(f"no episode ended in {row['without_episode']} of the runs; no return above counts them")
        if row["tuned"]:
            yield from wrapped(f"tuned: {row['tuned']}")
    for task, reason in result["skipped"].items():
        yield from wrapped(f"{task}: skipped: {reason}", "")


def _returns(row: dict[str, Any]) -> list[str]:
    low, high = row["interval"] or (None, None)
    interval = f"[{_shown(low)}, {_shown(high)}]"
    return [row["task"], _shown(row["mean"]), _shown(row["iqm"]), interval, _shown(row["worst"])]


def _targets(row: dict[str, Any]) -> list[str]:
    counted = ("at_threshold", "ever_at_threshold")
    at_end, ever = ("-" if row["threshold"] is None else f"{row[key]}/{row['runs']}" for key in counted)
    step, speed = (_shown(row[key], ",.0f") for key in ("median_steps_to_threshold", "steps_per_cpu_second"))
    return [row["task"], _shown(row["threshold"]), at_end, ever, step, speed]


def _shown(value: float | None, form: str | None = None) -> str:
    return "-" if value is None else format(value, form or (".1f" if abs(value) >= 10 else ".3f"))
