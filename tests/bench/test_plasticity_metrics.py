"""What is told of a life: curves, rows, what is kept, and vital signs, where the right answer is known."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pytest
from synaptick.bench.lifelong.curves import area_lost, filled, level, lowest, recovery, smoothed, trend
from synaptick.bench.lifelong.plasticity_metrics import VitalSigns, dormant_share, effective_rank
from synaptick.bench.lifelong.record import AVERAGE, GRID, Record, Stability
from synaptick.bench.lifelong.rows import fresh_levels, rows_of
from synaptick.bench.lifelong.tasks import Life

from ..support.common import SIZE, make_agent, state

ENDLESS = Life(dict, 0, 0, episodic=False)
EPISODES = Life(dict, 0, 0)
# Falls to 0 at a change and is back at 1 after 50 points.
RAMP = np.minimum(np.arange(100) / 50, 1.0)

# ---- curves


def test_the_level_is_the_mean_of_the_last_fifth() -> None:
    assert level(np.arange(100.0)) == np.arange(80.0, 100.0).mean()
    assert level(np.array([1.0, 2.0, 5.0])) == 5.0
    # 0.1 + 0.2 - 0.3 is not 0.
    assert level(np.concatenate([np.ones(12), [0.1, 0.2, -0.3]])) == 0.0


def test_points_without_data_have_the_value_before_them() -> None:
    curve = filled([0, 0, 6, 0, 0, 5], [0, 0, 2, 0, 0, 1])
    assert curve is not None
    assert curve.tolist() == [3, 3, 3, 3, 3, 5]
    assert filled([0, 0], [0, 0]) is None


def test_smoothed_looks_ahead() -> None:
    assert smoothed(np.array([3.0, 0.0, 0.0, 6.0])).tolist() == [1.0, 2.0, 3.0, 6.0]
    assert lowest(np.array([3.0, 0.0, 0.0, 6.0])) == 1.0


def test_a_known_dip_is_recovered_from_when_it_should_be() -> None:
    # Smoothed, point g is (g + 1) / 50: 90 % of 0.99 is passed at g = 44.
    assert recovery(RAMP, 0.99) == 44
    assert area_lost(RAMP, 0.99) == pytest.approx(44 - (43 * 44 / 2) / 50 / 0.99)
    assert recovery(np.ones(100), 1.0) == area_lost(np.ones(100), 1.0) == 0
    assert lowest(RAMP) == pytest.approx(0.02)


def test_a_dip_of_a_single_point_counts() -> None:
    curve = np.ones(100)
    curve[0] = 0.0
    assert (recovery(curve, 1.0), area_lost(curve, 1.0)) == (1, 1.0)


def test_what_is_never_recovered_loses_area_to_the_end() -> None:
    curve = np.full(100, 0.5)
    assert (recovery(curve, 1.0), area_lost(curve, 1.0)) == (None, 50.0)
    assert recovery(curve, 0.0) is recovery(curve, -1.0) is area_lost(curve, 0.0) is None


def test_the_trend_is_not_that_of_the_order_of_worlds() -> None:
    worlds = [number % 5 for number in range(19)]
    easy = np.array([500.0, 400.0, 300.0, 200.0, 100.0])[worlds]
    assert abs(np.polyfit(range(19), easy, 1)[0]) > 1
    assert trend(worlds, easy) == pytest.approx(0.0, abs=1e-9)
    assert trend(worlds, easy - 0.5 * np.arange(19)) == pytest.approx(-0.5)
    assert trend([0] * 4, [1.0, 3.0, 2.0, 4.0]) == pytest.approx(np.polyfit(range(4), [1, 3, 2, 4], 1)[0])
    assert trend([1, 2, 3], [1.0, 2.0, 3.0]) is None


# ---- rows


def life(arm: str, *curves: Any, worlds: tuple[int, ...], **more: Any) -> dict[str, Any]:
    """Return a life with these curves, 1000 steps each."""
    stretches: list[dict[str, Any]] = [
        {
            "curve": None if curve is None else np.asarray(curve, float),
            "world": world,
            "changed": number > 0,
            "steps": 1000 * (number + 1),
            "lifetime_reward": 0.5,
            "reward_average": 0.25,
            "signs": {},
        }
        for number, (curve, world) in enumerate(zip(curves, worlds, strict=True))
    ]
    return {"task": "t", "arm": arm, "seed": 0, "every": 1000, "stretches": stretches, **more}


def test_a_life_is_told_in_terms_of_fresh_agents() -> None:
    high, quick = np.full(100, 2.0), np.minimum(np.arange(100) / 10, 1.0)
    slow = 2 * np.minimum(np.arange(100) / 45, 1.0)
    fresh = fresh_levels(life("reset", RAMP, slow, 1.1 * RAMP, worlds=(0, 1, 0)))
    # 1.1 passes 90 % of 1.05 when (g + 1) / 50 >= 0.859: g = 42; 1 when it is 0.945: g = 47.
    assert fresh[0] == (pytest.approx(1.05), 445.0)
    assert fresh[1] == (2.0, 400.0)
    first, second, third = rows_of(life("learning", RAMP, high, quick, worlds=(0, 1, 0)), fresh)
    assert (first["visit"], first["before"], first["dip"], first["forgotten"]) == (0, None, None, None)
    assert (first["recovery_steps"], first["level"]) == (470.0, 1.0)
    assert (second["before"], second["dip"], second["recovery_steps"], second["area_lost"]) == (1.0, -1.0, 0.0, 0.0)
    assert (second["forgotten"], second["fresh_level"], second["fresh_steps"]) == (None, 2.0, 400.0)
    # Smoothed, it is 0.9 at point 8 and 0.967 at point 9.
    assert (third["visit"], third["recovery_steps"]) == (1, 90.0)
    assert third["area_lost"] == pytest.approx(10 * (9 - 3.6 / 1.05))
    assert third["dip"] == pytest.approx(2.0 - 0.1)
    assert third["forgotten"] == pytest.approx(1.0 - 0.1)
    assert third["performance"] == pytest.approx(quick.mean())


def test_without_fresh_agents_the_level_before_is_what_is_recovered() -> None:
    _, second, third = rows_of(life("learning", RAMP, 0.99 * RAMP, None, worlds=(0, 1, 0)), {})
    assert second["recovery_steps"] == 450.0  # 0.99 (g + 1) / 50 >= 0.9
    assert (second["fresh_level"], second["fresh_steps"]) == (None, None)
    assert (third["level"], third["before"], third["recovery_steps"]) == (None, pytest.approx(0.99), None)


def test_fresh_agents_that_never_learn_are_nothing_to_recover_to() -> None:
    fresh = fresh_levels(life("reset", np.full(100, -1.0), None, worlds=(0, 1)))
    assert fresh == {0: (-1.0, None)}
    (row,) = rows_of(life("learning", RAMP, worlds=(0,)), fresh)
    assert (row["recovery_steps"], row["area_lost"]) == (None, None)


# ---- what is kept of a life


def test_rewards_are_averaged_over_life_lately_and_on_the_grid() -> None:
    record = Record(2, 200, ENDLESS)
    rewards = np.random.default_rng(0).normal(size=400)
    for number, reward in enumerate(rewards):
        if number % 200 == 0:
            if number:
                record.close({"sign": 1.0})
            record.enter((number,), changed=number > 0)
        record.add(float(reward))
    record.close({"sign": 2.0})
    first, second = record.stretches
    np.testing.assert_allclose(first["curve"], rewards[:200].reshape(GRID, 2).mean(axis=1))
    np.testing.assert_allclose(second["curve"], rewards[200:].reshape(GRID, 2).mean(axis=1))
    assert (first["world"], second["world"], second["changed"], second["signs"]) == (0, 1, True, {"sign": 2.0})
    assert second["lifetime_reward"] == pytest.approx(rewards.mean())
    assert second["reward_average"] == pytest.approx(rewards.mean())  # so short a life is remembered whole


def test_the_moving_average_forgets() -> None:
    record = Record(1, 3 * AVERAGE, ENDLESS)
    record.enter(None)
    for number in range(3 * AVERAGE):
        record.add(float(number < AVERAGE))
    record.close({})
    assert record.stretches[0]["reward_average"] == pytest.approx(np.exp(-2), rel=1e-3)
    assert record.stretches[0]["lifetime_reward"] == pytest.approx(1 / 3)


def test_episodes_count_where_they_end_unless_the_world_changed_in_their_midst() -> None:
    record = Record(2, 100, EPISODES)
    record.enter("a")
    for number in range(1, 201):
        if number == 101:
            record.close({})
            record.enter("b", changed=True)
        record.add(float(number))
        if number % 40 == 0:
            record.end_episode()
    record.close({})
    first, second = (stretch["curve"] for stretch in record.stretches)
    assert (set(first[:79]), set(first[79:])) == ({np.arange(1.0, 41).sum()}, {np.arange(41.0, 81).sum()})
    # The one from 81 to 120 saw both worlds.
    assert (set(second[:99]), second[99]) == ({np.arange(121.0, 161).sum()}, np.arange(161.0, 201).sum())


def test_time_in_collapse_is_counted_after_the_task_was_solved() -> None:
    stability, steps = Stability(475.0, 400.0), 0
    returns = [10] * 50 + [500] * 100 + [500] * 6 + [399, 300] + [500] * 2 + [100] + [400] * 10
    for value in returns:
        steps += value
        stability.add(float(value), value, steps)
    # With 94 of 500 and 6 of 10 the mean is 470.6, with 95 of them 475.5.
    after = returns[145:]
    assert stability.solved_at == sum(returns[:145])
    assert stability.read() == {
        "solved_at": stability.solved_at,
        "share_below": pytest.approx(799 / sum(after)),
        "longest_below": 699,
        "worst_mean": pytest.approx(min(np.mean(returns[end - 100 : end]) for end in range(146, len(returns) + 1))),
    }


def test_what_was_never_solved_has_not_collapsed() -> None:
    stability = Stability(475.0, 400.0)
    for number in range(99):
        stability.add(500.0, 500, number)
    assert set(stability.read().values()) == {None}
    for number in range(300):
        stability.add(474.0, 474, number)
    assert set(Stability(475.0, 400.0).read().values()) == {None}


# ---- vital signs

ALL_OF_FIVE = np.array(list(itertools.product((0, 1), repeat=5)))  # every pattern once: independent, variance 1/4


@pytest.mark.parametrize(
    ("spikes", "rank"),
    [
        (ALL_OF_FIVE, 5.0),
        (ALL_OF_FIVE[:, [0] * 5], 1.0),
        (ALL_OF_FIVE[:, [0, 0, 1, 1]], 2.0),
        (1 - ALL_OF_FIVE[:, [2, 2, 2]], 1.0),
        (ALL_OF_FIVE[:, [0, 1, 1, 1, 1]], np.exp(-(0.2 * np.log(0.2) + 0.8 * np.log(0.8)))),
        (np.ones((70, 4)), 0.0),
        (np.zeros((70, 4)), 0.0),
        (np.hstack([ALL_OF_FIVE, np.ones((32, 3))]), 5.0),
    ],
    ids=["independent", "identical", "pairs", "with 1 for 0", "weighted", "all", "none", "some constant"],
)
def test_the_effective_rank_of_known_covariances(spikes: Any, rank: float) -> None:
    assert effective_rank(spikes) == pytest.approx(rank, abs=1e-9)


@pytest.mark.parametrize("shape", [(5,), (0, 5), (5, 0)])
def test_a_rank_needs_neurons_and_ticks(shape: tuple[int, ...]) -> None:
    with pytest.raises(
        ValueError, match=rf"got an array of shape {re.escape(str(shape))}; allowed: \(ticks, neurons\)"
    ):
        effective_rank(np.zeros(shape))


def test_neurons_at_either_end_are_dormant() -> None:
    assert dormant_share([0.0, 0.0009, 0.0011, 0.5, 0.9989, 0.9991, 1.0, 0.2]) == 0.5
    assert dormant_share(np.full(7, 0.3, np.float32)) == 0.0


def test_vital_signs_are_those_of_the_arena() -> None:
    agent, rng = make_agent(layers=(8, 6), memory=6), np.random.default_rng(0)
    views, window = agent.arena.views, 40
    signs = VitalSigns(agent, window)
    agent.start(rng.normal(size=SIZE))
    spikes, credit, steps = [], [], []
    for _ in range(100):
        agent.step(float(rng.normal()), rng.normal(size=SIZE))
        before = state(agent)
        signs.sample()
        assert state(agent) == before
        spikes.append(
            [np.concatenate([views[f"{net}/{layer}/z"] for layer in range(3)]) for net in ("actor", "critic")]
        )
        credit.append(views["credit_norms"].copy())
        steps.append(views["step_sizes"].copy())
    views["critic/2/rate"][:] = [0.0, 1.0, 0.5, 0.5, 0.5, 0.5]
    found = signs.read()
    for net, name in enumerate(("actor", "critic")):
        assert found[f"{name}/rank"] == pytest.approx(effective_rank(np.array(spikes)[-window:, net]))
        for layer in range(3):
            assert found[f"{name}/{layer}/weights"] == pytest.approx(np.linalg.norm(views[f"{name}/{layer}/w"]))
            assert found[f"{name}/{layer}/rate"] == pytest.approx(views[f"{name}/{layer}/rate"].mean())
        assert found[f"{name}/readout/weights"] == pytest.approx(np.linalg.norm(views[f"{name}/w"]))
        for block, index in (("0", 0), ("1", 1), ("2", 2), ("readout", 3)):
            assert found[f"{name}/{block}/credit"] == pytest.approx(np.mean(credit, axis=0)[net, index])
            assert found[f"{name}/{block}/step"] == pytest.approx(np.mean(steps, axis=0)[net, index])
            assert (found[f"{name}/{block}/credit"] or 0) > 0
    assert found["critic/2/dormant"] == pytest.approx(2 / 6)
    again = signs.read()
    assert set(again) == set(found)
    assert [again[key] for key in ("actor/rank", "actor/1/credit", "critic/readout/step")] == [None] * 3
