"""How well the critic predicts where the true value of every moment is known: ``synaptick bench prediction``.

The task is ``synaptick/TraceConditioning-v0``, after the trace conditioning of Rafiee et al. (2022, arXiv 2011.04590):
a cue, a gap in which nothing is seen, a reward, without end and with nothing to decide. The error is that of
`Agent.expected_return`, as it is before anything is learned from the observation it is the value of, against the
expected return given all that has been observed.

Rafiee et al. and, after them, Elelimy et al. (2024, Real-time recurrent learning using trace units, NeurIPS) give mean
squared *return* errors. These are not the errors here, for two reasons. The difference is taken from the return that
came; that adds the variance of the return given what has been observed, which is the same for every predictor. And the
task of the former (``exp.py`` in github.com/banafsheh-rafiee/Classical-conditioning-benchmarks-for-state-construction)
draws the x steps from cue to reward anew for every trial, pays for two steps and has a discount of 1 - 1/x, with which
the true value varies about three times as much. The papers were not at hand and no numbers of theirs could be found
elsewhere, so that none is repeated here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..agent import Agent
from ..aggregate import bootstrap_interval, interquartile_mean
from ..config import Config
from ..training.environment import environment_seed, make_env_of
from ..versions import versions
from .support.tables import table, wrapped
from .support.trials import in_parallel, tuned

ENV = "synaptick.envs:synaptick/TraceConditioning-v0"
# Error to come down to in 2 million steps, by gap. A constant has about .08 with the default discount.
TARGETS = {20: 0.04, 40: 0.09}

Job = tuple[int, int, int, Mapping[str, Any]]


class _Sums:
    """What the mean squared errors over a stretch of a run are computed from, in fixed memory."""

    def __init__(self, count: int = 0, errors: float = 0.0, values: float = 0.0, squares: float = 0.0) -> None:
        self.count, self.errors, self.values, self.squares = count, errors, values, squares

    def add(self, prediction: float, value: float) -> None:
        """Count one prediction of a value."""
        self.count += 1
        self.errors += (prediction - value) ** 2
        self.values += value
        self.squares += value * value

    def __add__(self, other: _Sums) -> _Sums:
        sums = (self.errors + other.errors, self.values + other.values, self.squares + other.squares)
        return _Sums(self.count + other.count, *sums)

    @property
    def error(self) -> float:
        """Mean squared error of the predictions."""
        return self.errors / self.count

    @property
    def mean(self) -> float:
        """Mean of the values."""
        return self.values / self.count

    def error_of(self, constant: float) -> float:
        """Return the mean squared error that one number, as every prediction, would have had."""
        return max(self.squares / self.count - 2.0 * constant * self.mean + constant * constant, 0.0)


def bench_prediction(
    gaps: Sequence[int] = (20, 40),
    seeds: Sequence[int] = range(5),
    jobs: int = 2,
    steps: int = 2_000_000,
    changes: Mapping[str, Any] | None = None,
    on_run: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Learn the values of trace conditioning online, with several seeds a gap, and summarize their errors.

    Parameters
    ----------
    gaps : sequence of int
        Steps between cue and reward.
    seeds : sequence of int
        Of the runs of a gap.
    jobs : int
        Processes.
    steps : int
        Steps of a run, at least 10.
    changes : mapping, optional
        Settings that replace the default ones; ``discount`` is that of the true values too.
    on_run : callable, optional
        Called with each run as soon as it and all before it are done.

    Returns
    -------
    dict
        ``versions``, ``runs`` and ``summary`` (a row a gap). A run has the mean squared error over its last tenth and
        over the whole of it; ``constant``, the error over the last tenth of the mean of the true values as every
        prediction; and ``variance``, that of the true values over the whole run.

    Raises
    ------
    ConfigError
        If a change is not allowed.
    EnvError
        If a gap or the discount is none that the environment allows.
    """
    gaps, changes = list(dict.fromkeys(gaps)), dict(changes or {})
    for gap in gaps:
        config = configuration(gap, {**changes, "steps": steps})
        make_env_of(config).close()
    chosen = [(gap, seed, steps, changes) for gap in gaps for seed in seeds]
    runs = []
    for done in in_parallel(_run_once, chosen, jobs):
        runs.append(done)
        if on_run is not None:
            on_run(done)
    summary = [summarize([row for row in runs if row["gap"] == gap]) for gap in gaps]
    return {"versions": versions(), "runs": runs, "summary": summary}


def configuration(gap: int, changes: Mapping[str, Any]) -> Config:
    """Return the default settings with `changes`, in an environment with this gap and the same discount."""
    config = Config().with_changes(changes)
    return config.with_changes({"env": ENV, "env_kwargs": {"gap": gap, "discount": config.discount}})


def _run_once(job: Job) -> dict[str, Any]:
    gap, seed, steps, changes = job
    config = configuration(gap, {**changes, "steps": steps, "seed": seed})
    env = make_env_of(config)
    agent = Agent(config, env.observation_space, env.action_space, config.seed)
    errors = prediction_errors(agent, env, steps, environment_seed(config.seed, 0))
    env.close()
    return {"gap": gap, "seed": seed, "steps": steps, **errors, "tuned": tuned(config)}


def prediction_errors(agent: Agent, env: Any, steps: int, seed: int) -> dict[str, float]:
    """Let the agent learn in an environment without end, and return its errors.

    Parameters
    ----------
    agent : Agent
        Its ``expected_return`` after a call is compared with the true value of the observation given to that call.
    env : gymnasium.Env
        With the true value of every observation as ``info["value"]``.
    steps : int
        Steps to take, at least 10.
    seed : int
        Seed of the environment.

    Returns
    -------
    dict
        ``last_tenth``, ``whole_run``, ``constant`` and ``variance``, as `bench_prediction` says.
    """
    early, last = _Sums(), _Sums()
    observation, _ = env.reset(seed=seed)
    action = agent.start(observation)
    for sums, count in ((early, steps - steps // 10), (last, steps // 10)):
        for _ in range(count):
            observation, reward, _, _, info = env.step(action)
            action = agent.step(reward, observation)
            sums.add(agent.expected_return, info["value"])
    whole = early + last
    return {
        "last_tenth": last.error,
        "whole_run": whole.error,
        "constant": last.error_of(whole.mean),
        "variance": whole.error_of(whole.mean),
    }


def summarize(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the row of a table for the runs with one gap; the worst error is the largest."""
    gap, errors = runs[0]["gap"], [row["last_tenth"] for row in runs]
    target = TARGETS.get(gap)
    return {
        **{key: runs[0][key] for key in ("gap", "steps", "tuned")},
        "runs": len(runs),
        **_statistics(errors),
        "interval": bootstrap_interval(errors, interquartile_mean),
        "target": target,
        "reached": None if target is None else sum(error <= target for error in errors),
        "whole_run": _statistics([row["whole_run"] for row in runs]),
        "constant": float(np.mean([row["constant"] for row in runs])),
        "variance": float(np.mean([row["variance"] for row in runs])),
    }


def _statistics(errors: list[float]) -> dict[str, float]:
    return {"mean": float(np.mean(errors)), "iqm": interquartile_mean(errors), "worst": max(errors)}


def prediction_lines(result: dict[str, Any]) -> Iterator[str]:
    """Yield the summary of `bench_prediction` line by line."""
    yield from wrapped("mean squared error of the value over the last tenth of a run, in units of reward", "")
    heads = ("gap", "mean", "iqm", "95 % interval", "worst", "constant", "target", "seeds")
    rows = []
    for row in result["summary"]:
        target = row["target"]
        rows.append(
            [
                str(row["gap"]),
                *(f"{row[name]:.4f}" for name in ("mean", "iqm")),
                "[{:.4f}, {:.4f}]".format(*row["interval"]),
                *(f"{row[name]:.4f}" for name in ("worst", "constant")),
                *(("-", "-") if target is None else (f"{target:.4f}", f"{row['reached']}/{row['runs']}")),
            ]
        )
    yield from table(heads, rows, "")
    for row in result["summary"]:
        whole = row["whole_run"]
        yield from wrapped(
            f"gap {row['gap']}: {row['runs']} runs of {row['steps']:,} steps; over all of it mean {whole['mean']:.4f}, "
            f"iqm {whole['iqm']:.4f}, worst {whole['worst']:.4f}; variance of the true value {row['variance']:.4f}",
            "",
        )
        if row["tuned"]:
            yield from wrapped(f"tuned: {row['tuned']}")
