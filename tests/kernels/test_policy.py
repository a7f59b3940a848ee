"""The distributions that actions are drawn from: their gradients, masses and moments, against independent numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from numba import njit
from numpy.typing import NDArray
from synaptick import Agent
from synaptick.config import Config
from synaptick.kernels import distributions as policy
from synaptick.kernels import policy as act
from synaptick.kernels.base import rng
from synaptick.kernels.base.records import record
from synaptick.kernels.layout import SETTINGS_AT
from synaptick.kernels.settings import Settings

from ..reference import distributions as reference
from ..reference import rng as reference_rng
from ..reference.policy import REACH
from ..support.harness import DoubleAgent

pytestmark = pytest.mark.double

Array = NDArray[np.float64]
INFINITE = math.inf
# mean, std, low, high: inside, near and far beyond a bound, wide and narrow, one-sided, without bounds.
GAUSSIANS = [
    (0.2, 0.7, -1.0, 1.0),
    (0.9, 0.3, -1.0, 1.0),
    (1.4, 0.5, -1.0, 1.0),
    (-1.8, 0.6, -1.0, 1.0),
    (0.0, 4.0, -1.0, 1.0),
    (0.1, 0.02, -1.0, 1.0),
    (-0.5, 0.8, -1.0, INFINITE),
    (-1.5, 0.8, -1.0, INFINITE),
    (0.5, 0.8, -INFINITE, 1.0),
    (2.0, 0.8, -INFINITE, 1.0),
    (3.0, 1.5, -INFINITE, INFINITE),
]
# Farther beyond a bound than outputs reach.
FAR_OUT = [(9.0, 0.5, -1.0, 1.0), (-9.0, 0.5, -1.0, 1.0), (-7.0, 0.8, -1.0, INFINITE), (5.0, 0.02, -INFINITE, 1.0)]
# 1e-5 is what `tail_hazard` promises.
HAZARD_ERROR = 2e-5
Gaussian = tuple[float, float, float, float]


def parts(gaussian: Gaussian, noise: float) -> tuple[float, float, float]:
    """Return log pi and the gradients of mean and std, by the kernels, if this noise is drawn."""
    both = np.zeros(2)
    policy.control_gradient(noise, *gaussian, both)
    return float(policy.control_log_probability(noise, *gaussian)), float(both[0]), float(both[1])


@njit
def sample_action(ints: Any, reals: Any, floats: Any, correlation: float) -> float:
    return act.sample_action(record(reals, SETTINGS_AT, Settings), ints, reals, floats, correlation, False)


@njit
def score(ints: Any, reals: Any, floats: Any) -> None:
    act.score(record(reals, SETTINGS_AT, Settings), ints, reals, floats, False)


@njit
def restrain_outputs(ints: Any, reals: Any, floats: Any) -> None:
    act.restrain_outputs(record(reals, SETTINGS_AT, Settings), ints, reals, floats)


class Actor:
    """The outputs of an agent with one control, set by hand; the gradient of its std is not scaled."""

    def __init__(self) -> None:
        # All noise lasts, so that it can be given.
        config = Config(layers=(4,), memory=0, std_lr_scale=1.0, correlated_noise_fraction=1.0)
        self.agent = DoubleAgent(config, spaces.Box(-1, 1, (1,)), spaces.Box(-1, 1, (1,)))
        arena = self.agent.arena
        self.sections = arena.ints, arena.reals, self.agent.floats

    def __call__(self, gaussian: Gaussian, noise: float, exponent: float = 0.0) -> tuple[float, float, float]:
        """Return log pi and the gradients of mean and std if this noise is drawn: the last one, kept.

        The mean of `gaussian` is the output, its std the initial one.
        """
        views, settings = self.agent.views, self.agent.arena.settings
        mean, settings.initial_std, views["control_low"][0], views["control_high"][0] = gaussian
        views["actor/output"][:], views["slow_noise"][0] = (mean, exponent), noise
        log_probability = sample_action(*self.sections, 1.0)
        assert views["noise"][0] == views["slow_noise"][0] == noise
        score(*self.sections)
        return (float(log_probability), *map(float, views["actor/gradient"]))


actor = Actor()


def plain(gaussian: Gaussian, noise: float) -> tuple[float, float, float]:
    """As `parts`, of a Gaussian that is taken not to be clipped."""
    return parts((*gaussian[:2], -INFINITE, INFINITE), noise)


def draws(gaussian: Gaussian) -> list[float]:
    """Noises that leave the drawn number inside, beyond either bound, and far beyond."""
    mean, std, low, high = gaussian
    found = [-2.3, -0.7, 0.01, 0.6, 1.9]
    for bound, sign in ((low, -1), (high, 1)):
        if abs(bound - mean) < 30 * std:
            found += [(bound - mean) / std + sign * far for far in (1e-3, 0.8, 3.0)]
    return found


def side(gaussian: Gaussian, noise: float) -> int:
    """-1, 0 or 1: beyond the lower bound, inside, beyond the upper one."""
    mean, std, low, high = gaussian
    return int(mean + std * noise > high) - int(mean + std * noise < low)


# ---- the hazard


def test_the_hazard_is_that_of_the_normal_distribution() -> None:
    for b in np.linspace(-30.0, 30.0, 6001):
        exact = reference.tail_hazard(b)
        assert policy.tail_hazard(b) == pytest.approx(exact, rel=1e-5, abs=1e-300), b


@pytest.mark.parametrize("b", [35.0, 100.0, 1e4, 1e8, 1e30])
def test_the_hazard_far_out_is_that_of_its_expansion(b: float) -> None:
    """b + 1/b - 2/b^3; on the other side nothing is left."""
    assert policy.tail_hazard(b) == pytest.approx(b + 1 / b - 2 / b**3, rel=1e-6)
    assert 0.0 <= policy.tail_hazard(-b) < 1e-200


def test_the_two_halves_of_the_hazard_meet() -> None:
    for b in (0.0, policy.FAR_TAIL):
        below, above = (policy.tail_hazard(b + sign * 1e-9) for sign in (-1, 1))
        assert below == pytest.approx(above, rel=1e-5)


@pytest.mark.parametrize("b", [0.0, 1e-9, 3.0, 40.0, 1e4, 1e30, 1e150])
def test_the_logarithm_of_a_tail_is_finite(b: float) -> None:
    """Where the mass itself is 0 or 1 in double precision too."""
    assert -INFINITE < policy.log_tail(b) <= policy.log_tail(-b) <= 0.0
    if b < 37:
        assert policy.log_tail(b) == pytest.approx(math.log(reference.tail(b)), abs=HAZARD_ERROR)
        assert policy.log_tail(-b) == pytest.approx(math.log(reference.tail(-b)), abs=HAZARD_ERROR)
    assert policy.log_tail(-1e150) == 0.0


# ---- log-probability


@pytest.mark.parametrize("gaussian", GAUSSIANS + FAR_OUT, ids=str)
def test_the_log_probability_is_that_of_the_clipped_gaussian(gaussian: Gaussian) -> None:
    mean, std, _, _ = gaussian
    twin = reference.Clipped(*gaussian)
    for noise in draws(gaussian):
        expected = twin.log_probability(mean + std * noise)
        assert parts(gaussian, noise)[0] == pytest.approx(expected, abs=HAZARD_ERROR), noise


@pytest.mark.parametrize("gaussian", GAUSSIANS + FAR_OUT, ids=str)
def test_probabilities_sum_to_one(gaussian: Gaussian) -> None:
    """The density between the bounds, and the masses at them."""
    total, _ = expectation(gaussian, lambda noise: 1.0)
    assert total == pytest.approx(1.0, abs=HAZARD_ERROR)


@pytest.mark.parametrize("beyond", [5.0, 30.0, 40.0, 1e3, 1e6, 1e30, 1e150])
@pytest.mark.parametrize("upper", [True, False])
def test_a_mean_however_far_beyond_a_bound_would_be_drawn_there_for_sure(beyond: float, upper: bool) -> None:
    """Log-probability 0 and no gradient; the side does not depend on the sign of the noise."""
    sign = 1.0 if upper else -1.0
    gaussian = (sign * (1.0 + 0.02 * beyond), 0.02, -1.0, 1.0)
    for noise in (-1.5, 0.3):
        found = parts(gaussian, noise)
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found, 0.0, atol=1e-5)


# ---- the range of outputs


@pytest.mark.parametrize("gaussian", GAUSSIANS + FAR_OUT, ids=str)
def test_outputs_act_as_their_gaussian(gaussian: Gaussian) -> None:
    """Whatever is drawn; beyond its range, a mean as if it were `REACH` stds beyond the bound."""
    mean, std, low, high = gaussian
    held = (min(max(mean, low - REACH * std), high + REACH * std), *gaussian[1:])
    assert (held == gaussian) is (gaussian not in FAR_OUT)
    for noise in draws(held):
        assert actor(gaussian, noise) == pytest.approx(parts(held, noise), rel=1e-12), noise
        drawn = held[0] + std * noise
        assert actor.agent.views["action"][0] == pytest.approx(min(max(drawn, low), high), rel=1e-12)
        assert actor.agent.views["stds"][0] == std


@pytest.mark.parametrize("output", [4.1, 30.0, 1e3, 1e6, 1e30])
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_mean_far_beyond_a_bound_is_still_a_choice(output: float, sign: int) -> None:
    """A draw that is not clipped has the probability that `REACH` stds leave, and a gradient that leads back."""
    gaussian = (sign * output, 1.0, -1.0, 1.0)
    assert actor(gaussian, 0.5) == pytest.approx(actor((sign * (1.0 + REACH), 1.0, -1.0, 1.0), 0.5), rel=1e-12)
    log_probability, of_mean, _ = actor(gaussian, 0.5)
    assert math.exp(log_probability) == pytest.approx(1.0 - reference.tail(REACH), abs=HAZARD_ERROR)
    assert 0.0 < sign * of_mean < 0.5
    back = -sign * (REACH + 0.5)
    assert sign * actor(gaussian, back)[1] == pytest.approx(sign * back)
    assert abs(actor.agent.views["action"][0]) < 1.0


@pytest.mark.parametrize("exponent", [-1e30, -9.0, -4.0, 0.3, 1.0, 7.0, 1e30])
def test_the_std_stays_in_its_range(exponent: float) -> None:
    """Beyond it has the gradient of the bound, pointing outward too, so that its expectation is 0."""
    expected = 0.5 * math.exp(min(max(exponent, -4.0), 1.0))
    for noise in (0.1, 2.0):  # narrower, wider
        found = actor((0.2, 0.5, -INFINITE, INFINITE), noise, exponent)
        assert actor.agent.views["stds"][0] == pytest.approx(expected, rel=1e-12)
        assert found[2] == pytest.approx(noise**2 - 1, abs=1e-12)
        assert found == pytest.approx(parts((0.2, expected, -INFINITE, INFINITE), noise), rel=1e-12)


# ---- gradients


@pytest.mark.parametrize("gaussian", GAUSSIANS + FAR_OUT, ids=str)
def test_gradients_are_those_of_the_log_probability(gaussian: Gaussian) -> None:
    """Central differences of the exact log-probability of one drawn number, or of one side beyond the bounds."""
    mean, std, low, high = gaussian
    step = 1e-5
    for noise in draws(gaussian):
        u = mean + std * noise

        def log_pi(of: Gaussian, u: float = u, beyond: int = side(gaussian, noise)) -> float:
            drawn = {-1: -1e9, 0: u, 1: 1e9}[beyond]
            return reference.Clipped(*of).log_probability(drawn)

        by_mean = [log_pi((mean + sign * step * std, std, low, high)) for sign in (-1, 1)]
        by_std = [log_pi((mean, std * math.exp(sign * step), low, high)) for sign in (-1, 1)]
        _, of_mean, of_std = parts(gaussian, noise)
        assert of_mean == pytest.approx((by_mean[1] - by_mean[0]) / (2 * step), rel=1e-4, abs=1e-5), noise
        assert of_std == pytest.approx((by_std[1] - by_std[0]) / (2 * step), rel=1e-4, abs=1e-5), noise


@pytest.mark.parametrize("gaussian", GAUSSIANS + FAR_OUT, ids=str)
def test_the_twin_has_the_same_gradients(gaussian: Gaussian) -> None:
    mean, std, _, _ = gaussian
    twin = reference.Clipped(*gaussian)
    for noise in draws(gaussian):
        u = mean + std * noise
        found = parts(gaussian, noise)[1:]
        np.testing.assert_allclose(
            found, [twin.mean_gradient(u), twin.std_gradient(u)], rtol=1e-5, atol=1e-12, err_msg=str(noise)
        )


def expectation(gaussian: Gaussian, value: Callable[[float], Any]) -> tuple[Any, Array]:
    """Return the mean of `value` of the noise under pi, whose probabilities are the kernels', and the masses beyond.

    The density is integrated between the bounds by Gauss and Legendre; beyond a bound, where nothing depends on the
    noise, two noises that differ in sign where that is possible share the mass.
    """
    mean, std, low, high = gaussian
    first, last = max(-12.0, (low - mean) / std), min(12.0, (high - mean) / std)
    nodes, weights = np.polynomial.legendre.leggauss(200)
    total: Any = 0.0
    if first < last:
        for node, weight in zip(nodes, weights, strict=True):
            noise = first + (last - first) * (node + 1) / 2
            density = math.exp(parts(gaussian, noise)[0]) * std  # of the noise
            total = total + weight * (last - first) / 2 * density * np.asarray(value(noise))
    masses = []
    for bound, outward in ((low, -1), (high, 1)):
        if not math.isfinite(bound):
            continue
        edge = (bound - mean) / std
        if outward * edge > 12.0:
            continue
        masses.append(math.exp(parts(gaussian, edge + outward * 1e-9)[0]))
        noises, shares = beyond(edge, outward)
        for noise, share in zip(noises, shares, strict=True):
            total = total + masses[-1] * share * np.asarray(value(noise))
    return total, np.array(masses)


def beyond(edge: float, outward: int) -> tuple[Array, Array]:
    """Return noises beyond an edge and the share of the mass there that each stands for."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    end = outward * max(12.0, abs(edge) + 6.0)
    noises = edge + (end - edge) * (nodes + 1) / 2
    density = weights * np.exp(-(noises**2) / 2)
    return noises, density / density.sum()


@pytest.mark.parametrize("gaussian", GAUSSIANS + FAR_OUT, ids=str)
def test_the_score_has_expectation_zero(gaussian: Gaussian) -> None:
    """So that a reward that does not depend on the action teaches nothing."""
    found, _ = expectation(gaussian, lambda noise: parts(gaussian, noise)[1:])
    np.testing.assert_allclose(found, 0.0, atol=3e-5)


# Outputs beyond their range: mean, exponent; and what they act as.
STRAYED = [
    ((9.0, 0.0), (1.0 + REACH * 0.5, 0.5)),
    ((-9.0, 0.0), (-1.0 - REACH * 0.5, 0.5)),
    ((0.3, -7.0), (0.3, 0.5 * math.exp(-4.0))),
    ((0.3, 7.0), (0.3, 0.5 * math.e)),
    ((-1e6, 1e6), (-1.0 - REACH * 0.5 * math.e, 0.5 * math.e)),
    ((1e6, -1e6), (1.0 + REACH * 0.5 * math.exp(-4.0), 0.5 * math.exp(-4.0))),
]


@pytest.mark.parametrize(("outputs", "held"), STRAYED)
def test_the_score_of_outputs_beyond_their_range_has_expectation_zero(
    outputs: tuple[float, float], held: tuple[float, float]
) -> None:
    def of_actor(noise: float) -> tuple[float, float]:
        return actor((outputs[0], 0.5, -1.0, 1.0), noise, outputs[1])[1:]

    gaussian = (*held, -1.0, 1.0)
    found, _ = expectation(gaussian, of_actor)
    np.testing.assert_allclose(found, 0.0, atol=3e-5)
    assert actor.agent.views["stds"][0] == pytest.approx(held[1], rel=1e-12)

    def inward(noise: float) -> Any:
        """Negative control: nothing that points further out, as if to be safe."""
        score = of_actor(noise)
        beyond = np.subtract(outputs, (held[0], math.log(held[1] / 0.5)))
        return np.where(np.multiply(score, beyond) > 1e-9, 0.0, score)

    assert np.abs(expectation(gaussian, inward)[0]).max() > 1e-3


CLIPPED_OFTEN = [gaussian for gaussian in GAUSSIANS if gaussian != GAUSSIANS[5] and math.isfinite(sum(gaussian[2:]))]


@pytest.mark.parametrize("gaussian", CLIPPED_OFTEN, ids=str)
def test_the_score_of_what_is_executed_as_if_it_had_been_drawn_is_biased(gaussian: Gaussian) -> None:
    """Negative control: the plain Gaussian's gradient at the clipped number, as is often done, teaches a lot."""
    mean, std, low, high = gaussian

    def executed(noise: float) -> tuple[float, float]:
        n = (min(max(mean + std * noise, low), high) - mean) / std
        return plain(gaussian, n)[1:]

    found, _ = expectation(gaussian, executed)
    assert np.abs(found).max() > 0.05


@pytest.mark.parametrize("gaussian", GAUSSIANS, ids=str)
def test_clipping_takes_variance_out_of_the_gradient(gaussian: Gaussian) -> None:
    """The plain gradient of the unclipped number is unbiased too, but no better (Fujita and Maeda 2018)."""
    ours, theirs = (
        expectation(gaussian, lambda noise, rule=rule: np.square(rule(gaussian, noise)[1:]))[0]
        for rule in (parts, plain)
    )
    assert (ours <= theirs + 1e-4).all()
    if gaussian in CLIPPED_OFTEN:
        assert (ours < 0.97 * theirs).any()


# ---- noise

WORDS = [1234567, 89, 0xDEADBEEF, 42]
COUNT = 100_000


def drawn(count: int = COUNT) -> Array:
    words = np.array(WORDS, np.int64)
    return np.array([rng.normal(words) for _ in range(count)])


def test_normal_numbers_are_normal() -> None:
    """Moments within four standard errors, and the distance of Kolmogorov and Smirnov at the .1 % level."""
    x = drawn()
    errors = np.sqrt([1.0, 2.0, 15.0, 96.0]) / math.sqrt(COUNT)
    moments = [(x**power).mean() for power in (1, 2, 3, 4)]
    assert (np.abs(np.array(moments) - [0.0, 1.0, 0.0, 3.0]) < 4 * errors).all()
    assert 3.8 < np.abs(x).max() < 6.0
    cumulative = np.array([1.0 - reference.tail(value) for value in np.sort(x)])
    steps = np.arange(COUNT + 1) / COUNT
    distance = max(np.abs(cumulative - steps[:-1]).max(), np.abs(cumulative - steps[1:]).max())
    assert distance < 1.95 / math.sqrt(COUNT)


def test_successive_normal_numbers_are_independent() -> None:
    x = drawn()
    for lag in (1, 2, 3):
        for f, g in ((x, x), (x**2 - 1, x**2 - 1), (x, x**2 - 1)):
            correlation = (f[lag:] * g[:-lag]).mean() / math.sqrt((f**2).mean() * (g**2).mean())
            assert abs(correlation) < 4 / math.sqrt(COUNT), lag


def test_normal_numbers_have_no_state_but_the_words() -> None:
    """The same words give the same number, whatever was drawn before; the twin draws the same ones."""
    words, theirs = np.array(WORDS, np.int64), list(WORDS)
    for _ in range(1000):
        again = words.copy()
        number = rng.normal(words)
        assert number == rng.normal(again)
        assert (words == again).all()
        assert number == pytest.approx(reference_rng.normal(theirs), rel=1e-12)
        assert theirs == words.tolist()


@pytest.mark.parametrize(
    ("correlation", "share"), [(0.0, 0.5), (0.5, 1.0), (0.9, 0.5), (0.9, 0.0), (0.99, 1.0), (0.95, 0.2)]
)
def test_the_noise_of_an_episode_is_stationary_from_its_first_tick(correlation: float, share: float) -> None:
    """Variance 1 at every age, and a correlation of share rho^k over k ticks; of the part that lasts, rho^k."""
    episodes, ticks = 4000, 6
    agent = DoubleAgent(
        Config(layers=(4,), memory=0, correlated_noise_fraction=share),
        spaces.Box(-1, 1, (1,)),
        spaces.Box(-1, 1, (1,)),
    )
    sections = agent.arena.ints, agent.arena.reals, agent.floats
    found, lasting = np.zeros((2, episodes, ticks))
    for episode in range(episodes):
        for tick in range(ticks):
            sample_action(*sections, correlation if tick else 0.0)
            found[episode, tick], lasting[episode, tick] = agent.views["noise"][0], agent.views["slow_noise"][0]
    error = 1 / math.sqrt(episodes)
    for noise, part in ((found, share), (lasting, 1.0)):
        np.testing.assert_allclose(noise.mean(axis=0), 0.0, atol=4 * error)
        np.testing.assert_allclose((noise**2).mean(axis=0), 1.0, atol=4 * math.sqrt(2) * error)
        for k in range(1, ticks):
            together = (noise[:, k:] * noise[:, :-k]).mean(axis=0)
            np.testing.assert_allclose(together, part * correlation**k, atol=5 * error)
        # Nothing of one episode is left in the next.
        assert abs((noise[1:, 0] * noise[:-1, -1]).mean()) < 4 * error
    np.testing.assert_allclose((found * lasting).mean(axis=0), math.sqrt(share), atol=5 * error)


# ---- preferences that fade

MIXED = spaces.Tuple([spaces.Box(-np.inf, np.inf, (2,)), spaces.Discrete(3), spaces.MultiDiscrete([2, 4])])
# Actions, and where the preferences of their factors are.
FACTORS: list[tuple[Any, list[slice]]] = [
    (spaces.Discrete(3), [slice(0, 3)]),
    (spaces.MultiDiscrete([3, 2, 1]), [slice(0, 3), slice(3, 5), slice(5, 6)]),
    (MIXED, [slice(0, 3), slice(3, 5), slice(5, 9)]),
]
# Learns, but by nothing that a preference could show.
STILL: dict[str, Any] = {"layers": (4,), "memory": 0, "lr_policy": 1e-30, "lr_value": 1e-30}


def faded(outputs: Array, factors: list[slice], left: float) -> Array:
    """Return the outputs with so much left of what preferences are apart from the mean of their factor."""
    found = outputs.copy()
    for factor in factors:
        found[factor] = outputs[factor].mean() + left * (outputs[factor] - outputs[factor].mean())
    return found


@pytest.mark.parametrize(("actions", "factors"), FACTORS, ids=str)
@pytest.mark.parametrize("decay", [0.0, 0.03, 1.0])
def test_preferences_fade_towards_their_mean_where_they_are_in_use(
    decay: float, actions: Any, factors: list[slice]
) -> None:
    """By a share a time; elsewhere as far as what is seen there, f, is like what is seen here, z: by f z / |z|^2."""
    agent = DoubleAgent(Config(**STILL, preference_decay=decay), spaces.Box(-1, 1, (1,)), actions)
    w, output, z = (agent.views[f"actor/{name}"] for name in ("w", "output", "features"))
    w[:, :5] = np.random.default_rng(0).normal(scale=0.3, size=(len(w), 5))
    z[:] = f = np.zeros(z.size)
    z[[0, 2, 3, 4]], f[[1, 2, 4]] = 1.0, 1.0  # the bias is last
    first, elsewhere = w @ z, w @ f
    for time in range(1, 20):
        output[:] = w @ z
        restrain_outputs(agent.arena.ints, agent.arena.reals, agent.floats)
        now = faded(first, factors, (1 - decay) ** time)
        np.testing.assert_allclose(w @ z, now, atol=1e-12)
        np.testing.assert_allclose(w @ f, elsewhere + (now - first) * 2 / 4, atol=1e-12)


@pytest.mark.parametrize(("actions", "factors"), FACTORS, ids=str)
def test_preferences_fade_a_share_a_tick_that_learns(actions: Any, factors: list[slice]) -> None:
    """Of neurons that never fire, so that the state is always the same; ticks that only act, and ends, change nothing.

    The action of a tick is drawn from what they were before it.
    """
    config = Config(**STILL, v_th=1000.0, preference_decay=0.01)
    agent = DoubleAgent(config, spaces.Box(-1, 1, (1,)), actions)
    rng, bias = np.random.default_rng(0), agent.views["actor/w"][:, 4]
    bias[:] = first = rng.normal(size=bias.size)
    agent.start(np.zeros(1))
    ticks = 1
    for number in range(100):
        learn = number % 3 > 0
        agent.step(float(rng.normal()), rng.normal(size=1), learn=learn)
        np.testing.assert_allclose(agent.views["actor/output"], faded(first, factors, 0.99**ticks), atol=1e-9)
        ticks += learn
        np.testing.assert_allclose(bias, faded(first, factors, 0.99**ticks), atol=1e-9)
    agent.end(1.0, np.zeros(1))
    np.testing.assert_allclose(bias, faded(first, factors, 0.99**ticks), atol=1e-9)


def test_what_pays_is_kept_against_fading() -> None:
    """Where choosing 0 pays, its preference comes to rest above the others; where nothing does any more, it is lost."""
    agent = DoubleAgent(
        Config(layers=(4,), memory=0, v_th=1000.0, discount=0.0, preference_decay=0.003),
        spaces.Box(-1, 1, (1,)),
        spaces.Discrete(3),
    )
    bias = agent.views["actor/w"][:, 4]
    action = agent.start(np.zeros(1))
    found = []
    for pays in (1.0, 0.0):
        for _ in range(4000):
            action = agent.step(pays * float(action[0] == 0), np.zeros(1))
        found.append(bias[0] - bias[1:].max())
    assert found[0] > 1.0
    assert abs(found[1]) < 0.3 * found[0]


# ---- how far the actor may step


@pytest.mark.parametrize(
    ("actions", "stds", "expected"),
    [
        (spaces.Discrete(3), [], 1.0),
        (spaces.MultiDiscrete([3, 2]), [], 1.0),
        (spaces.Box(-1, 1, (2,)), [0.2, 0.6], 0.4),
        (spaces.Tuple([spaces.Box(-1, 1, (1,)), spaces.MultiBinary(3)]), [0.2], 0.8),
    ],
)
def test_the_spread_is_the_mean_std_a_factor_counting_as_one(actions: Any, stds: list[float], expected: float) -> None:
    agent = DoubleAgent(Config(layers=(4,), memory=0), spaces.Box(-1, 1, (1,)), actions)
    agent.views["stds"][:] = stds
    assert act.action_scale(agent.arena.ints, agent.arena.reals) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("actions", "parts"),
    [
        (spaces.Discrete(3), 1),
        (spaces.MultiDiscrete([2] * 9), 9),
        (spaces.MultiDiscrete([2] + [1] * 15), 1),  # no choice, no credit, no share
        (spaces.Tuple([spaces.Box(-1, 1, (3,)), spaces.Discrete(2)]), 4),
    ],
)
def test_each_part_of_an_action_moves_as_far_as_it_would_alone(actions: Any, parts: int) -> None:
    """The change of the readout is `parts` times that of one part, in each layer its root."""
    config = Config(layers=(8, 16, 16), memory=0, frozen_layers=1)
    agent = Agent(config, spaces.Box(-1, 1, (4,)), actions, seed=1)
    views, rng = agent.arena.views, np.random.default_rng(2)
    agent.start(np.zeros(4))
    found = []
    for row in rng.uniform(-1, 1, size=(50, 4)):
        norms = views["credit_norms"][0].copy()
        agent.step(float(rng.normal()), row)
        change = views["step_sizes"][0] * norms * max(abs(agent.td_error), 1.0)
        found.append(change * config.kappa_policy / act.action_scale(agent.arena.ints, agent.arena.reals))
    frozen, *layers, readout = np.array(found)[5:].T  # the first credits are small, and move in whole steps
    assert not frozen.any()
    for layer in layers:
        np.testing.assert_allclose(layer, 0.25 * math.sqrt(parts), rtol=1e-4)
    np.testing.assert_allclose(readout, 0.5 * parts, rtol=1e-4)
