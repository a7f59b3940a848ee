"""The rows, summaries and tables of `synaptick bench lifelong`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...aggregate import bootstrap_interval, interquartile_mean
from ..support.tables import table, wrapped
from .curves import area_lost, level, lowest, recovery, smoothed, trend

# From a world to the level that fresh agents reach in it, and the steps they take to 90 % of that.
Fresh = dict[int, tuple[float, float | None]]

# What is summarized: the title, and which end of it is the worst. The value of a seed is that of `_of_a_seed`.
METRICS: dict[str, tuple[str, Any]] = {
    "relative_level": ("level in the last fifth after a change, over that of fresh agents at the same age", min),
    "recovery_ratio": ("steps to recover in a world that returns, over those of fresh agents to learn it", max),
    "performance": ("mean performance over the whole life", min),
    "forgotten": ("level lost while a world was away", max),
    "slope": ("slope of the level, from change to change", min),
    "lifetime_reward": ("mean reward of a step, over the whole life", min),
    "dormant": ("share of dormant neurons at the end, in the layer with the most", max),
    "rank_kept": ("effective rank of the actor's spikes, last stretch over first", min),
    "share_below": ("share of time in collapsed episodes, after the task was first solved", max),
    "longest_below": ("most steps of collapsed episodes in a row, after that", max),
    "worst_mean": ("least mean return of 100 episodes, after that", min),
    "solved_at": ("steps until the task was first solved", max),
}


def fresh_levels(life: dict[str, Any]) -> Fresh:
    """Return what fresh agents reach in each world, from the life in which one takes over at every change.

    The mean over all of them that began in a world: one alone is as likely to be lucky as not. One that never gets to
    90 % of their level counts as if it had at the end.
    """
    cell = _cell(life)
    fresh: Fresh = {}
    curves: dict[int, list[Any]] = {}
    for stretch in life["stretches"]:
        if stretch["curve"] is not None:
            curves.setdefault(stretch["world"], []).append(stretch["curve"])
    for world, here in curves.items():
        reached = float(np.mean([level(curve) for curve in here]))
        points = [len(curve) if (point := recovery(curve, reached)) is None else point for curve in here]
        fresh[world] = reached, cell * float(np.mean(points)) if reached > 0.0 else None
    return fresh


def _cell(life: dict[str, Any]) -> float:
    """Return the steps between two points of a curve."""
    sizes = [len(stretch["curve"]) for stretch in life["stretches"] if stretch["curve"] is not None]
    return float(life["every"]) / sizes[0] if sizes else 0.0


def rows_of(life: dict[str, Any], fresh: Fresh) -> Iterator[dict[str, Any]]:
    """Yield a row for each stretch of a life.

    Keys
    ----
    stretch, world, visit, changed
        Numbers from 0 of the stretch, of its world as worlds are met, and of the visit to it; whether the world changed
        at its beginning.
    steps, lifetime_reward, reward_average
        At its end: steps so far, mean reward of all of them, and moving average of about the last 10,000.
    performance, level, before
        Mean performance, in its last fifth, and in the last fifth of the stretch before.
    dip, forgotten
        `before` less the lowest point; the level of the last visit to the world less the first point.
    recovery_steps, area_lost
        Steps to 90 % of what fresh agents reach in this world or, without any, of `before`, None if that was not
        reached; what was lost until then, in steps at that level.
    fresh_level, fresh_steps
        Level and steps of fresh agents, see `fresh_levels`.

    None stands for what does not apply, or cannot be told because no episode ended. Vital signs follow, as
    `VitalSigns.read` names them.
    """
    cell = _cell(life)
    last: float | None = None
    met: dict[int, list[float | None]] = {}
    for number, stretch in enumerate(life["stretches"]):
        curve, changed, world = stretch["curve"], stretch["changed"], stretch["world"]
        visits = met.setdefault(world, [])
        here = None if curve is None else level(curve)
        before = last if changed else None
        fresh_level, fresh_steps = fresh.get(world, (None, None))
        goal = before if changed else here
        if fresh_level is not None:
            goal = fresh_level
        row: dict[str, Any] = {
            **{key: life[key] for key in ("task", "arm", "seed")},
            "stretch": number,
            "world": world,
            "visit": len(visits),
            "changed": int(changed),
            **{key: stretch[key] for key in ("steps", "lifetime_reward", "reward_average")},
            "performance": None if curve is None else float(curve.mean()),
            "level": here,
            "before": before,
            **dict.fromkeys(("dip", "forgotten", "recovery_steps", "area_lost")),
            "fresh_level": fresh_level,
            "fresh_steps": fresh_steps,
        }
        if curve is not None:
            if before is not None:
                row["dip"] = before - lowest(curve)
            if changed and visits and visits[-1] is not None:
                row["forgotten"] = visits[-1] - float(smoothed(curve)[0])
            if goal is not None and (changed or number == 0):
                point, lost = recovery(curve, goal), area_lost(curve, goal)
                row["recovery_steps"] = None if point is None else cell * point
                row["area_lost"] = None if lost is None else cell * lost
        yield row | stretch["signs"]
        visits.append(here)
        last = here


def summarize(task: str, arm: str, lives: list[dict[str, Any]], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the row of the summary for one arm of a task: statistics over seeds of each of `METRICS`."""
    here = [life for life in lives if (life["task"], life["arm"]) == (task, arm)]
    mine = [row for row in rows if (row["task"], row["arm"]) == (task, arm)]
    of_seeds = [_of_a_seed(life, [row for row in mine if row["seed"] == life["seed"]]) for life in here]
    numbers = {row["stretch"] for row in mine if row["changed"]}
    by_change = [_relative([row for row in mine if row["stretch"] == number]) for number in numbers]
    return {
        "task": task,
        "arm": arm,
        "seeds": len(here),
        **{key: here[0][key] for key in ("steps", "every", "tuned")},
        **{name: _statistics([row[name] for row in of_seeds], worst) for name, (_, worst) in METRICS.items()},
        # Over all seeds, so that it is the change that is bad and not a seed.
        "worst_change": min((value for value in by_change if value is not None), default=None),
    }


def _of_a_seed(life: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, float | None]:
    changed = [row for row in rows if row["changed"]]
    after = [row for row in rows[1:] if row["level"] is not None]
    returned = [row for row in changed if row["visit"] and row["fresh_steps"] is not None]
    taken = [life["every"] if row["recovery_steps"] is None else row["recovery_steps"] for row in returned]
    learned = sum(row["fresh_steps"] for row in returned)
    first, last = rows[0], rows[-1]
    dormant = [last[key] for key in last if key.endswith("/dormant") and key.replace("/dormant", "/credit") in last]
    ranks = first["actor/rank"], last["actor/rank"]
    return {
        "relative_level": _relative(changed),
        "recovery_ratio": sum(taken) / learned if learned else None,
        "performance": _mean(rows, "performance"),
        "forgotten": _mean(changed, "forgotten"),
        "slope": trend([row["world"] for row in after], [row["level"] for row in after]),
        "lifetime_reward": last["lifetime_reward"],
        "dormant": max(dormant),
        "rank_kept": ranks[1] / ranks[0] if ranks[0] and ranks[1] is not None else None,
        **dict.fromkeys(("share_below", "longest_below", "worst_mean", "solved_at")),
        **(life["stability"] or {}),
    }


def _relative(rows: list[dict[str, Any]]) -> float | None:
    """Return the sum of levels over that of fresh agents, so that no single level next to 0 counts for all."""
    known = [row for row in rows if row["level"] is not None and row["fresh_level"] is not None]
    fresh = sum(row["fresh_level"] for row in known)
    return sum(row["level"] for row in known) / fresh if fresh > 0.0 else None


def _mean(rows: list[dict[str, Any]], key: str) -> float | None:
    values = [row[key] for row in rows if row[key] is not None]
    return float(np.mean(values)) if values else None


def _statistics(values: list[float | None], worst: Any) -> dict[str, Any] | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    low = high = known[0]
    if len(known) > 1:
        low, high = bootstrap_interval(known, interquartile_mean)
    middle = {"mean": float(np.mean(known)), "iqm": interquartile_mean(known), "interval": [low, high]}
    return {**middle, "worst": worst(known), "seeds": len(known)}


def lifelong_lines(result: dict[str, Any]) -> Iterator[str]:
    """Yield the summary of `bench_lifelong` line by line."""
    heads = ("", "mean", "iqm", "95 % interval", "worst", "seeds")
    for task in dict.fromkeys(row["task"] for row in result["summary"]):
        rows = [row for row in result["summary"] if row["task"] == task]
        first = rows[0]
        yield from wrapped(
            f"{task}: {first['steps']:,} steps in stretches of {first['every']:,}, {first['seeds']} seeds an arm", ""
        )
        for name, (title, _) in METRICS.items():
            told = [row for row in rows if row[name] is not None]
            if told:
                yield from wrapped(title)
                yield from table(heads, [_cells(row["arm"], row[name]) for row in told], "    ")
            for row in told:
                if name == "relative_level" and row["worst_change"] is not None:
                    yield from wrapped(f"{row['arm']}: worst change {row['worst_change']:.3f}", "    ")
        for row in rows:
            if row["tuned"]:
                yield from wrapped(f"{row['arm']}, tuned: {row['tuned']}")


def _cells(arm: str, known: dict[str, Any]) -> list[str]:
    low, high = (_shown(end) for end in known["interval"])
    return [
        arm,
        *(_shown(known[key]) for key in ("mean", "iqm")),
        f"[{low}, {high}]",
        _shown(known["worst"]),
        str(known["seeds"]),
    ]


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.{4 if abs(value) < 1 else 2}f}"
