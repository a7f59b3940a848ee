"""Lives in worlds that change: the arms that are compared, and the benchmark."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from synaptick import Agent, RunError, make_env
from synaptick.bench.lifelong import live as lifelong
from synaptick.bench.lifelong import tasks as lives
from synaptick.bench.lifelong.live import bench_lifelong, configuration
from synaptick.bench.lifelong.plasticity_metrics import VitalSigns
from synaptick.bench.lifelong.rows import METRICS, lifelong_lines
from synaptick.bench.lifelong.tasks import ARMS, DRIFT, TASKS, Life, arms_of

from ..support.runs import Cli

LITTLE = {"layers": [8], "memory": 0}
ON_THE_LINE = ("--set", "layers=[8]", "--set", "memory=0", "--steps", 3000, "--every", 1000)

# ---- tasks and arms


@pytest.mark.parametrize("task", TASKS)
def test_every_arm_of_every_task_can_be_made(task: str) -> None:
    for arm in arms_of(task):
        config = configuration(task, arm, 3, 2000, 1000, LITTLE)
        assert (config.steps, config.seed, config.layers, config.recurrent) == (2000, 3, (8,), arm != "memoryless")
        env = make_env(config.env, config.env_kwargs, config.wrappers)
        Agent(config, env.observation_space, env.action_space)
        env.reset(seed=0)
        changes = 0
        for _ in range(1001):
            _, _, terminated, truncated, info = env.step(0)
            changes += info.get("changed", False)
            if terminated or truncated:
                env.reset()
        assert changes == (TASKS[task].changes and ARMS[arm].drifts)


def test_worlds_differ_and_fresh_agents_come_first() -> None:
    worlds = list(zip(*DRIFT.values(), strict=True))
    assert len(set(worlds)) == len(worlds)
    assert worlds[0] == (1.0, 1.0, 1.0)
    for task in TASKS.values():
        assert task.steps % task.every == 0
    assert arms_of("Forager") == list(ARMS)
    assert arms_of("Forager", ["learning", "reset"]) == ["reset", "learning"]
    assert arms_of("CartPole stationary") == ["learning", "memoryless"]


# ---- lives


def bench(tasks: list[str], arms: list[str], steps: int = 3000, **more: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = bench_lifelong(
        [0], 1, tasks, arms, steps, 1000, LITTLE | more.pop("changes", {}), **more
    )["rows"]
    return rows


def of(rows: list[dict[str, Any]], arm: str, *keys: str) -> list[Any]:
    return [tuple(row[key] for key in keys) if len(keys) > 1 else row[keys[0]] for row in rows if row["arm"] == arm]


@pytest.mark.parametrize("task", ["CartPole drift", "Forager"])
def test_arms_do_what_they_say(task: str) -> None:
    rows = bench([task], list(ARMS))
    worlds = [0, 1, 2] if task == "CartPole drift" else [0, 1, 0]
    for arm in ("learning", "frozen", "reset", "memoryless"):
        assert of(rows, arm, "world", "changed") == list(zip(worlds, (0, 1, 1), strict=True))
    assert of(rows, "no drift", "world", "visit", "changed", "dip") == [(0, visit, 0, None) for visit in range(3)]
    assert of(rows, "learning", "steps") == [1000, 2000, 3000]
    # All but the memoryless are the same agent in the same world until the first change.
    same = ("level", "lifetime_reward", "actor/0/weights", "actor/rank", "critic/readout/credit")
    first = of(rows, "learning", *same)[0]
    assert all(of(rows, arm, *same)[0] == first for arm in ("frozen", "reset", "no drift"))
    assert of(rows, "memoryless", *same)[0] != first
    weights = {arm: of(rows, arm, "critic/0/weights") for arm in ARMS}
    assert len(set(weights["frozen"])) == 1
    assert len(set(weights["learning"])) == 3
    # Rewards of all that follows the change alone tell learning from frozen.
    assert of(rows, "frozen", "performance")[1:] != of(rows, "learning", "performance")[1:]


def test_the_agent_that_takes_over_is_another_one() -> None:
    fixed = {"lr_policy": 0.0, "lr_value": 0.0}
    rows = bench(["Forager"], ["learning", "reset"], changes=fixed)
    assert len(set(of(rows, "learning", "actor/0/weights"))) == 1
    assert len(set(of(rows, "reset", "actor/0/weights"))) == 3


def test_only_the_end_of_a_stretch_is_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    samples, read = [], VitalSigns.read

    def note(signs: VitalSigns) -> dict[str, float | None]:
        samples.append(signs.samples)
        return read(signs)

    monkeypatch.setattr(lifelong, "WINDOW", 100)
    monkeypatch.setattr(VitalSigns, "read", note)
    bench(["Forager"], ["reset", "learning"])
    assert samples == [100] * 6


def test_a_world_that_returns_is_known_as_the_one_it_was() -> None:
    assert of(bench(["CartPole drift"], ["frozen"], 7000), "frozen", "world", "visit") == [
        *((world, 0) for world in range(5)),
        (0, 1),
        (1, 1),
    ]


def test_a_life_does_not_depend_on_who_runs_it() -> None:
    def rows(seeds: int, first: int, jobs: int) -> list[dict[str, Any]]:
        found = bench_lifelong(
            range(first, first + seeds), jobs, ["CartPole drift"], ["reset", "learning"], 2000, 1000, LITTLE
        )
        return [row for row in found["rows"] if row["seed"] == 4]

    assert rows(2, 3, 2) == rows(1, 4, 1) != []


def test_each_task_has_fresh_agents_of_its_own() -> None:
    rows = bench(["Forager", "CartPole stationary"], ["reset", "learning"], 2000)
    by_task = {task: {row["fresh_level"] for row in rows if row["task"] == task} for task in TASKS}
    assert by_task["CartPole stationary"] == {None}
    assert None not in by_task["Forager"]
    assert {row["arm"] for row in rows if row["task"] == "CartPole stationary"} == {"learning"}


def test_relative_levels_and_recoveries_are_those_of_the_rows() -> None:
    result = bench_lifelong([0, 1], 1, ["Forager"], ["reset", "frozen"], 4000, 1000, LITTLE)
    reset, frozen = result["summary"]
    rows = [row for row in result["rows"] if row["arm"] == "frozen" and row["changed"]]
    expected = []
    for seed in range(2):
        mine = [row for row in rows if row["seed"] == seed]
        below = sum(row["fresh_level"] for row in mine)
        expected += [sum(row["level"] for row in mine) / below] * (below > 0)
    assert frozen["relative_level"]["mean"] == pytest.approx(np.mean(expected))
    assert frozen["relative_level"]["worst"] == pytest.approx(min(expected))
    assert (reset["arm"], reset["seeds"], reset["every"]) == ("reset", 2, 1000)
    rewards = [row["lifetime_reward"] for row in rows if row["steps"] == 4000]
    assert frozen["lifetime_reward"]["mean"] == pytest.approx(np.mean(rewards))
    assert frozen["lifetime_reward"]["interval"] == [pytest.approx(min(rewards)), pytest.approx(max(rewards))]


class Fails(gymnasium.Env[np.ndarray, np.int64]):
    """Ends an episode every 5 steps, and raises in its 17th step."""

    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (2,))
    action_space = gymnasium.spaces.Discrete(2)
    steps = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        return np.zeros(2, np.float32), {}

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict]:
        self.steps += 1
        if self.steps == 17:
            raise OSError("the robot has left")
        return np.zeros(2, np.float32), 1.0, self.steps % 5 == 0, False, {}


gymnasium.register("Fails-v0", Fails)


def test_an_environment_that_fails_is_named_with_its_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(lives.TASKS, "bad", Life(lambda _: {"env": "Fails-v0"}, 1000, 1000, changes=False))
    with pytest.raises(RunError, match=r"^bad, learning, seed 0, failed at step 17: OSError\('the robot has left'\)$"):
        bench(["bad"], ["learning"], 1000)


# ---- the command line


def test_lives_are_written_and_summarized(cli: Cli, tmp_path: Path) -> None:
    arms = ("--arms", "learning", "reset")
    options = ("--tasks", "Forager", *arms, "--seeds", 1, "--first-seed", 7, "--jobs", 1, *ON_THE_LINE)
    code, out, err = cli("bench", "lifelong", *options, "--out", "rows.csv", "--json")
    assert code == 0
    assert "Forager, reset, seed 7: mean level" in err
    assert "  1 of 2 runs in" in err
    result = json.loads(out)
    assert [(row["arm"], row["seed"], row["steps"]) for row in result["rows"]] == [
        (arm, 7, steps) for arm in ("reset", "learning") for steps in (1000, 2000, 3000)
    ]
    assert [row["arm"] for row in result["summary"]] == ["reset", "learning"]
    assert set(METRICS) < set(result["summary"][0])
    with (tmp_path / "rows.csv").open(encoding="utf-8") as lines:
        command, made_by = next(lines).split("; ")
        assert command.startswith("# synaptick bench lifelong --tasks Forager --arms learning reset --steps 3000 ")
        assert command.endswith(" --set 'layers=[8]' --set memory=0")
        assert made_by.startswith("python ")
        rows = list(csv.DictReader(lines))
    assert [float(row["level"]) for row in rows] == pytest.approx([row["level"] for row in result["rows"]], rel=1e-3)
    signs = {"actor/0/dormant", "actor/rank", "critic/readout/step"}
    assert signs | {"reward_average", "area_lost"} < set(rows[0])


def test_the_table_is_printed_and_progress_told(cli: Cli) -> None:
    options = ("--tasks", "CartPole stationary", "--arms", "learning", "--seeds", 1, "--jobs", 1)
    code, out, err = cli("bench", "lifelong", *options, *ON_THE_LINE)
    assert code == 0
    assert re.fullmatch(r"CartPole stationary, learning, seed 0: mean level [\d.]+\n", err)
    assert out.startswith("CartPole stationary: 3,000 steps in stretches of 1,000, 1 seeds an arm\n")
    assert re.search(
        r"of a step, over the whole life\n    .*\n    learning +1\.00 +1\.00 +\[1\.00, 1\.00\] +1\.00", out
    )
    assert "collapsed" not in out  # it was never solved
    assert "learning, tuned: layers=[8] memory=0" in out


def test_the_worst_change_and_large_numbers_are_shown() -> None:
    known = {"mean": 0.5, "iqm": 123456.0, "interval": [0.25, 12.0], "worst": -0.5, "seeds": 3}
    row = {"task": "t", "arm": "a", "steps": 2000, "every": 1000, "seeds": 3, "tuned": "", "worst_change": 0.4}
    result = {"summary": [row | dict.fromkeys(METRICS) | {"relative_level": known}]}
    *_, line, change = lifelong_lines(result)
    assert " ".join(line.split()) == "a 0.5000 123,456 [0.2500, 12.00] -0.5000 3"
    assert change.split() == ["a:", "worst", "change", "0.400"]


BAD: list[tuple[tuple[Any, ...], str]] = [
    (("--tasks", "chess"), "--tasks chess: there is no such name; allowed: 'CartPole drift', 'Forager', "),
    (("--arms", "sleeping"), "--arms sleeping: there is no such name; allowed: 'reset', 'learning', 'frozen', "),
    (
        ("--tasks", "CartPole stationary", "--arms", "frozen"),
        "arms: got frozen; no task .* add learning",
    ),
    (("--steps", 10), "--steps 10: allowed: 1000 or more"),
    (("--every", 10), "--every 10: allowed: 1000 or more"),
    (
        ("--steps", 2500, "--every", 1000),
        "CartPole drift: got 2500 and 1000; allowed: .* steps a multiple",
    ),
    (("--steps", 10**7, "--every", 1000), "got 10000000 and 1000; allowed: .* 1000 times as many at most"),
    (("--seeds", 0), "--seeds: '0' are no seeds; allowed: how many"),
    (("--first-seed", -1), "--first-seed -1: allowed: 0 or more"),
    (("--jobs", 0), "--jobs 0: allowed: 1 or more"),
    (("--set", "steps=3000"), "--set steps: each life has its own; allowed: .*--steps"),
    (("--set", "env=CartPole-v1"), "--set env: each life has its own"),
    (("--set", "discont=1"), "discont"),
    (("--set", "discount=2"), "discount: got 2.*; allowed"),
    (("--out", "no/such/folder/rows.csv"), "No such file or directory"),
]


@pytest.mark.parametrize(("options", "said"), BAD, ids=[" ".join(map(str, case[0])) for case in BAD])
def test_what_it_cannot_use_is_one_line_and_exit_code_2(cli: Cli, options: tuple[Any, ...], said: str) -> None:
    code, out, err = cli("bench", "lifelong", *options)
    assert (code, out) == (2, "")
    assert re.fullmatch(rf"synaptick: error: [^\n]*{said}[^\n]*\n", err), err
