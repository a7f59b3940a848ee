"""Statistics of comparisons: against rliable's numbers, against SciPy's, and against a bootstrap written out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, trim_mean
from synaptick.aggregate import interquartile_mean, interquartile_means
from synaptick.compare.statistics import overall_iqm, performance_profile, probability_of_improvement

from ..benchmarks.rliable_agreement import SHAPES, of_ours, scores

THEIRS: dict[str, Any] = json.loads((Path(__file__).parent / "rliable.json").read_text())


@pytest.mark.parametrize("shape", SHAPES)
def test_intervals_and_probabilities_are_those_of_rliable_to_three_digits(shape: str) -> None:
    ours = of_ours(shape, draws=15_000)
    assert THEIRS[shape].keys() == ours.keys()
    for name, (value, low, high) in THEIRS[shape].items():
        found = ours[name]
        assert found[0] == pytest.approx(value, abs=1e-12), name
        # A share of few runs is a staircase: both stand on the same step, or on the next one. A wide interval is known
        # to a share of its width, for either.
        step = 1.01 / scores(shape)[0].size if name.startswith("profile") else 0.0
        atol = max(5e-4, step, 0.0 if shape == "large" else 0.02 * (high - low))
        np.testing.assert_allclose(found[1:], (low, high), atol=atol, err_msg=name)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 26, 101])
def test_the_one_interquartile_mean_is_that_of_scipy(count: int) -> None:
    values = np.random.default_rng(count).lognormal(size=(6, count))
    np.testing.assert_allclose(interquartile_means(values), trim_mean(values, 0.25, axis=1), rtol=1e-12)
    assert interquartile_mean(values[0]) == pytest.approx(trim_mean(values[0], 0.25), rel=1e-12)


def test_the_probability_is_that_of_mann_and_whitney_and_ties_count_half() -> None:
    rng = np.random.default_rng(3)
    ours, theirs = (list(rng.integers(0, 4, (3, count)).astype(float)) for count in (7, 5))
    expected = np.mean([mannwhitneyu(x, y).statistic / (7 * 5) for x, y in zip(ours, theirs, strict=True)])
    assert probability_of_improvement(ours, theirs, 100).value == pytest.approx(expected)
    assert probability_of_improvement(theirs, ours, 100).value == pytest.approx(1 - expected)
    assert probability_of_improvement(ours, ours, 100).value == pytest.approx(0.5)


def test_the_bootstrap_draws_as_many_runs_of_each_environment_as_it_has() -> None:
    """Against one written out, a sample after the other; environments have unequal numbers of runs."""
    rng = np.random.default_rng(5)
    arms = [rng.normal(4 * k, 1 + k, 4 + 3 * k) for k in range(3)]
    found = overall_iqm(arms, 20_000, seed=1)
    drawn = [trim_mean(np.concatenate([rng.choice(x, len(x)) for x in arms]), 0.25) for _ in range(8000)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.04 * (high - low))
    pooled = np.concatenate(arms)
    assert found.value == pytest.approx(trim_mean(pooled, 0.25))
    without = [trim_mean(rng.choice(pooled, len(pooled)), 0.25) for _ in range(3000)]
    assert high - low < 0.85 * np.subtract(*np.percentile(without, [97.5, 2.5]))


def test_the_bootstrap_of_the_probability_draws_both_arms() -> None:
    rng = np.random.default_rng(6)
    ours, theirs = [rng.normal(0.5, 1, 8), rng.normal(0, 1, 8)], [rng.normal(0, 1, 6), rng.normal(0, 1, 6)]
    found = probability_of_improvement(ours, theirs, 20_000)
    drawn = []
    for _ in range(5000):
        pairs = [(rng.choice(x, len(x)), rng.choice(y, len(y))) for x, y in zip(ours, theirs, strict=True)]
        drawn.append(np.mean([(x[:, None] > y).mean() for x, y in pairs]))
    low, high = np.percentile(drawn, [2.5, 97.5])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.05 * (high - low))


def test_a_profile_counts_the_runs_above_and_a_single_run_has_no_interval() -> None:
    profile = performance_profile([np.array([1.0, 2.0]), np.array([3.0, 4.0])], np.array([0.0, 2.0, 3.5, 4.0]), 200)
    np.testing.assert_allclose(profile.value, [1, 0.5, 0.25, 0])
    assert (profile.low <= profile.value).all()
    assert (profile.high >= profile.value).all()
    single = overall_iqm([np.array([1.0, 2.0]), np.array([5.0])])
    assert single.value == pytest.approx(8 / 3)
    assert np.isnan(single.low)
    assert np.isnan(single.high)


def test_the_same_seed_gives_the_same_interval() -> None:
    arms = [np.arange(10.0), np.arange(10.0) ** 2]
    assert overall_iqm(arms, 500, seed=4) == overall_iqm(arms, 500, seed=4)
    assert overall_iqm(arms, 500, seed=4) != overall_iqm(arms, 500, seed=5)
    state = np.random.get_state()[1].copy()  # type: ignore[union-attr]  # noqa: NPY002
    overall_iqm(arms, 500)
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002 - nobody else's numbers are drawn from
