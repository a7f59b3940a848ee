"""How well the critic predicts: what is compared with what, in which units, and the benchmark that reports it."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from synaptick import Agent, ConfigError, EnvError
from synaptick.bench.prediction import (
    TARGETS,
    _Sums,
    bench_prediction,
    configuration,
    prediction_errors,
    prediction_lines,
    summarize,
)
from synaptick.envs import TraceConditioning

from ..reference.normalize import reward_scale
from ..support.common import SIZE, make_agent, state
from ..support.runs import SMALL, Cli

LITTLE = {"layers": [8]}
DISCOUNT = 0.9

# ---- the value in units of the reward


def told(rewards: list[float], **changes: Any) -> Agent:
    """Return an agent, with a value of its own from the start, that has been given these rewards."""
    agent, rng = make_agent(**changes), np.random.default_rng(0)
    agent.arena.views["critic/w"][:] = 0.5
    agent.start(rng.normal(size=SIZE))
    for reward in rewards:
        agent.step(reward, rng.normal(size=SIZE))
    return agent


def test_the_expected_return_is_the_value_in_units_of_the_reward() -> None:
    agent = told([0.0, 3.0, -1.0, 5.0])
    before = state(agent)
    assert agent.value != 0
    assert agent.expected_return == pytest.approx(agent.value / reward_scale(agent.arena.views["returns"]), rel=1e-12)
    assert agent.expected_return != pytest.approx(agent.value, rel=0.1)
    assert state(agent) == before
    copy = told([])
    copy.restore(agent.snapshot())
    assert copy.expected_return == agent.expected_return
    agent.end(1.0)
    assert agent.expected_return != 0


def test_the_expected_return_changes_with_the_unit_of_the_reward_and_the_value_does_not() -> None:
    # The first reward is 0: a single one has no deviation. A power of 2 changes no rounding.
    rewards = [0.0, *np.random.default_rng(1).normal(size=60)]
    one, other = told(rewards), told([1024 * reward for reward in rewards])
    assert other.value == one.value != 0
    assert other.expected_return == pytest.approx(1024 * one.expected_return, rel=1e-12)


def test_the_expected_return_where_no_scale_is_known() -> None:
    assert told([]).expected_return == told([]).value != 0
    agent = told([])
    agent.step(5.0, np.zeros(SIZE), learn=False)  # nothing is learned from it, not even the scale
    assert agent.expected_return == agent.value != 0
    assert told([3.0]).expected_return == pytest.approx(told([3.0]).value, rel=1e-6)  # one has no deviation: 1
    assert abs(told([0.0] * 5).expected_return) < 1e-9 < abs(told([0.0] * 5).value)
    raw = told([0.0, 3.0, -1.0], normalize_rewards=False)
    assert raw.expected_return == raw.value != 0


# ---- what is compared


class Stub:
    """Says at the t-th call what stands in a list at t + shift."""

    def __init__(self, values: Any, shift: int = 0) -> None:
        self.values, self.shift = values, shift

    def start(self, observation: Any) -> int:
        self.calls = 0
        return 0

    def step(self, reward: float, observation: Any) -> int:
        self.calls += 1
        return 0

    @property
    def expected_return(self) -> float:
        return float(self.values[max(self.calls + self.shift, 0)])


def clockwork() -> TraceConditioning:
    return TraceConditioning(gap=3, wait=9, cue_length=2, reward_length=2, discount=DISCOUNT)


def returns_to_come(env: TraceConditioning, steps: int) -> np.ndarray:
    """Return what the rewards after each observation are worth there, by adding them up."""
    env.reset(seed=0)
    rewards = [env.step(np.int64(0))[1] for _ in range(steps + 400)]
    worth = np.zeros(len(rewards) + 1)
    for tick in range(len(rewards) - 1, -1, -1):
        worth[tick] = rewards[tick] + DISCOUNT * worth[tick + 1]
    return worth


def errors_of(agent: Any, env: Any, steps: int) -> dict[str, float]:
    return prediction_errors(cast(Agent, agent), env, steps, 0)


def test_who_knows_the_rewards_to_come_has_no_error_and_who_is_a_tick_late_or_early_has() -> None:
    steps, worth = 500, returns_to_come(clockwork(), 500)
    right = errors_of(Stub(worth), clockwork(), steps)
    assert max(right["last_tenth"], right["whole_run"]) < 1e-20
    for shift in (-1, 1):
        wrong = errors_of(Stub(worth, shift), clockwork(), steps)
        assert min(wrong["last_tenth"], wrong["whole_run"]) > 0.05 * right["variance"]


def test_the_errors_are_those_of_numpy() -> None:
    steps = 1234
    env, rng = TraceConditioning(gap=(2, 6), wait=(5, 20)), np.random.default_rng(2)
    guesses, first = rng.normal(size=steps + 1), steps - steps // 10
    env.reset(seed=0)
    true = np.array([env.step(np.int64(0))[4]["value"] for _ in range(steps)])
    found = errors_of(Stub(guesses), env, steps)
    squares = (guesses[1:] - true) ** 2
    expected = {
        "last_tenth": squares[first:].mean(),
        "whole_run": squares.mean(),
        "constant": ((true[first:] - true.mean()) ** 2).mean(),
        "variance": true.var(),
    }
    assert found == pytest.approx(expected, rel=1e-9)


def test_a_constant_is_never_better_than_perfect() -> None:
    sums = _Sums()
    for _ in range(1000):
        sums.add(0.1, 0.1)
    assert (sums.error, sums.mean) == (0.0, pytest.approx(0.1))
    assert 0.0 <= sums.error_of(0.1) < 1e-15


def test_the_agent_is_asked_about_the_observation_it_has_just_been_given() -> None:
    config = configuration(3, {**LITTLE, "discount": DISCOUNT})
    one, other = (Agent(config, clockwork().observation_space, clockwork().action_space, 1) for _ in range(2))
    found = errors_of(one, clockwork(), 200)
    env, errors = clockwork(), []
    observation, _ = env.reset(seed=0)
    action = other.start(observation)
    for _ in range(200):
        observation, reward, _, _, info = env.step(action)
        action = other.step(reward, observation)
        errors.append((other.value / reward_scale(other.arena.views["returns"]) - info["value"]) ** 2)
    assert found["whole_run"] == pytest.approx(np.mean(errors), rel=1e-9)
    assert found["last_tenth"] == pytest.approx(np.mean(errors[180:]), rel=1e-9)
    assert state(one) == state(other)


def test_values_that_are_learned_come_close_to_the_true_ones() -> None:
    """With rewards normalized, so that a wrong unit would show."""
    config = configuration(3, {"layers": [16, 16], "discount": DISCOUNT, "lr_policy": 0.0})
    env = clockwork()
    agent = Agent(config, env.observation_space, env.action_space, 0)
    found = prediction_errors(agent, env, 30_000, 0)
    assert found["last_tenth"] < 0.25 * found["constant"]


# ---- the benchmark


def test_environment_and_agent_have_the_same_discount() -> None:
    config = configuration(7, {"discount": 0.95, "steps": 5})
    assert (config.discount, config.env_kwargs) == (0.95, {"gap": 7, "discount": 0.95})
    assert configuration(7, {}).env_kwargs == {"gap": 7, "discount": configuration(7, {}).discount}


def test_runs_are_written_and_summarized(cli: Cli, tmp_path: Path) -> None:
    options = ("--gaps", 5, 20, 5, "--seeds", 2, "--first-seed", 7, "--jobs", 2, "--steps", 1000, *SMALL)
    code, out, err = cli("bench", "prediction", *options, "--out", "runs.csv", "--json")
    assert code == 0
    assert re.search(r"^  3 of 4 runs in \d+ s, about \d+ s left$", err, re.M)
    result = json.loads(out)
    assert [(row["gap"], row["seed"], row["steps"]) for row in result["runs"]] == [
        (gap, seed, 1000) for gap in (5, 20) for seed in (7, 8)
    ]
    five, twenty = result["summary"]
    errors = [row["last_tenth"] for row in result["runs"][:2]]
    assert (five["mean"], five["iqm"], five["worst"]) == (*[pytest.approx(np.mean(errors))] * 2, max(errors))
    assert five["interval"] == [min(errors), max(errors)]
    assert five["whole_run"]["worst"] == max(row["whole_run"] for row in result["runs"][:2])
    assert (five["runs"], five["tuned"], five["target"], five["reached"]) == (2, "layers=[8]", None, None)
    assert (twenty["target"], twenty["reached"]) == (TARGETS[20], 0)
    assert 0.07 < twenty["variance"] < 0.09
    with (tmp_path / "runs.csv").open(encoding="utf-8") as lines:
        assert next(lines).startswith("# synaptick bench prediction; ")
        rows = list(csv.DictReader(lines))
    assert [(row["gap"], row["seed"]) for row in rows] == [("5", "7"), ("5", "8"), ("20", "7"), ("20", "8")]
    assert float(rows[0]["last_tenth"]) == pytest.approx(errors[0], rel=1e-3)


def test_a_run_does_not_depend_on_who_runs_it() -> None:
    few = [bench_prediction([4], [first, first + 1], 1, 1000, LITTLE)["runs"] for first in (0, 1)]
    assert few[0][1] == few[1][0] != few[0][0]


def test_the_table_is_printed_and_progress_told(cli: Cli) -> None:
    code, out, err = cli("bench", "prediction", "--gaps", 40, "--seeds", 1, "--jobs", 1, "--steps", 1000, *SMALL)
    assert code == 0
    assert re.fullmatch(r"gap 40, seed 0: mean squared error [\d.]+\n", err)
    error = r" *\d\.\d{4}"
    row = rf"^40 {error}{error}  \[{error},{error}\]{error}{error}  0\.0900 +[01]/1$"
    assert re.search(row, out, re.M), out
    assert "1 runs of 1,000 steps; over all of it mean" in out
    assert "tuned: layers=[8]" in out


def test_a_target_is_counted_where_there_is_one() -> None:
    def row(gap: int, *errors: float) -> dict[str, Any]:
        base = {"gap": gap, "steps": 10, "tuned": "", "whole_run": 1.0, "constant": 0.08, "variance": 0.08}
        return summarize([{**base, "last_tenth": error} for error in errors])

    with_target, without = row(20, 0.03, 0.05, 0.04), row(21, 0.03)
    assert (with_target["reached"], without["reached"]) == (2, None)
    text = "\n".join(prediction_lines({"summary": [with_target, without]}))
    assert re.search(r"^20 .* 0\.0400 +2/3$", text, re.M)
    assert re.search(r"^21 .* - +-$", text, re.M)


BAD: list[tuple[tuple[Any, ...], str]] = [
    (("--gaps", -1), "--gaps -1: allowed: 0 or more"),
    (("--gaps", 20, 10_001), "gap: got 10001; allowed: a whole number from 0 to 10000"),
    (("--gaps", "long"), "--gaps.*long"),
    (("--seeds", 0), "--seeds: '0' are no seeds; allowed: how many"),
    (("--first-seed", -1), "--first-seed -1: allowed: 0 or more"),
    (("--jobs", 0), "--jobs 0: allowed: 1 or more"),
    (("--steps", 10), "--steps 10: allowed: 1000 or more"),
    (("--set", "steps=3000"), "--set steps: each run has its own; allowed: .*--steps"),
    (("--set", "env=CartPole-v1"), "--set env: each run has its own"),
    (("--set", "discont=1"), "discont"),
    (("--set", "discount=1"), "discount: got 1.*; allowed: a number from 0 to 0.9999"),
    (("--out", "no/such/folder/runs.csv"), "No such file or directory"),
]


@pytest.mark.parametrize(("options", "said"), BAD, ids=[" ".join(map(str, case[0])) for case in BAD])
def test_what_it_cannot_use_is_one_line_and_exit_code_2(cli: Cli, options: tuple[Any, ...], said: str) -> None:
    code, out, err = cli("bench", "prediction", *options)
    assert (code, out) == (2, "")
    assert re.fullmatch(rf"synaptick: error: [^\n]*{said}[^\n]*\n", err), err


def test_it_is_refused_before_any_run() -> None:
    runs: list[dict[str, Any]] = []
    with pytest.raises(EnvError, match="gap: got 10001"):
        bench_prediction([3, 10_001], [0], 1, 1000, LITTLE, runs.append)
    with pytest.raises(ConfigError, match="layers"):
        bench_prediction([3], [0], 1, 1000, {"layers": []}, runs.append)
    assert runs == []
