"""The actor's outputs: an action drawn from them, and the gradient of its log-probability with respect to them.

Order of outputs: a preference for each category, factor after factor; a mean for each control; a std for each
control.
"""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray

from .base.arrays import span, view
from .base.jit import kernel
from .base.rng import normal
from .base.vectors import add_scaled, clip
from .distributions import (
    LOG_STD_HIGH,
    LOG_STD_LOW,
    control_gradient,
    control_log_probability,
    log_probability_gradient,
    sample,
    softmax,
)
from .layout import ACTOR, places_of, random_words, sizes_of
from .views import net_view

SETTINGS = (
    *("entropy_bonus", "log_min_probability_ratio", "preference_decay"),
    *("initial_std", "std_lr_scale", "noise_correlation", "correlated_noise_fraction"),
)

# Std of the policy in which what somebody else does is likely or not; 1 is half the range of a control. That of the
# agent's own is left alone: fitted to a controller that draws nothing it would go to 0, and all trying with it.
NARROW = 0.02
# Stds that a mean may be beyond a bound.
REACH = 3.0
# Share of what an output has gone beyond its range that is taken back in a tick.
RESTRAIN_RATE = 0.1


@kernel
def _control(
    settings: Any, ints: NDArray, reals: NDArray, output: NDArray, k: int
) -> tuple[float, float, float, float]:
    """Return mean, std, low and high of control k.

    ::

        std = initial exp(clip(output, -4, 1))
        mean      = clip(output, low - 3 std, high + 3 std)

    So far beyond a bound a draw in a thousand still is not clipped, which is the way back.
    """
    sizes, places = sizes_of(ints), places_of(ints)
    low, high = view(reals, places.control_low)[k], view(reals, places.control_high)[k]
    first = sizes.n_preferences
    exponent = clip(float(output[first + sizes.n_controls + k]), LOG_STD_LOW, LOG_STD_HIGH)
    std = settings.initial_std * math.exp(exponent)
    mean = clip(float(output[first + k]), low - REACH * std, high + REACH * std)
    return mean, std, low, high


@kernel
def _take(settings: Any, ints: NDArray, reals: NDArray, floats: NDArray) -> None:
    """Take the action that lies in `reals` for one that was drawn, so that `score` is that of it.

    ::

        n = clip(((action - center) / scale - mean) / .02, -3, 3)

    Unbounded, what is far away would be all there is to a step's bound; it still says which way.
    """
    output = net_view(ints, floats, ACTOR).output
    sizes, places = sizes_of(ints), places_of(ints)
    categories, action = view(ints, places.categories), view(reals, places.action)
    first = 0
    for factor in range(sizes.n_choices):
        softmax(
            span(output, first, categories[factor]), span(view(reals, places.probabilities), first, categories[factor])
        )
        first += categories[factor]
    noises, stds = view(reals, places.noise), view(reals, places.stds)
    center, scale = view(reals, places.control_center), view(reals, places.control_scale)
    for k in range(sizes.n_controls):
        mean, _, low, high = _control(settings, ints, reals, output, k)
        taken = action[sizes.n_choices + k] - center[k]
        if scale[k] > 0.0:
            taken /= scale[k]
        noises[k] = clip((clip(taken, low, high) - mean) / NARROW, -REACH, REACH)
        stds[k] = NARROW


@kernel
def sample_action(
    settings: Any, ints: NDArray, reals: NDArray, floats: NDArray, correlation: float, given: bool
) -> float:
    """Draw an action from the actor's outputs, write it to its place in `reals`, and return its log-probability.

    ::

        s <- correlation s + sqrt(1 - correlation^2) xi            xi, xi' standard normal, so s and n too
        n  = sqrt(share) s + sqrt(1 - share) xi'
        action = center + scale clip(mean + std n, low, high)

    An episode begins with correlation 0. Noise that lasts several ticks explores farther (Korenkevych et al. 2019,
    arXiv 1903.11524), noise that does not is better where every tick counts; the sum serves both (as pink noise does:
    Eberhard et al. 2023). The log-probability is that of n alone, without what is known of s, as in Hollenstein et al.
    2024 (arXiv 2312.11091): the gradient then does not favor noise that cancels the last one. An action that is `given`
    is taken as it is; no random number is drawn, and 0 is returned.
    """
    if given:
        _take(settings, ints, reals, floats)
        return 0.0
    output = net_view(ints, floats, ACTOR).output
    sizes, places, words = sizes_of(ints), places_of(ints), random_words(ints)
    categories, action = view(ints, places.categories), view(reals, places.action)
    first = 0
    log_probability = 0.0
    for factor in range(sizes.n_choices):
        size = categories[factor]
        probabilities = span(view(reals, places.probabilities), first, size)
        softmax(span(output, first, size), probabilities)
        index = sample(probabilities, words)
        action[factor] = index
        log_probability += math.log(probabilities[index])
        first += size
    noises, slow, stds = view(reals, places.noise), view(reals, places.slow_noise), view(reals, places.stds)
    center, scale = view(reals, places.control_center), view(reals, places.control_scale)
    fresh, share = math.sqrt(1.0 - correlation * correlation), settings.correlated_noise_fraction
    for k in range(sizes.n_controls):
        mean, std, low, high = _control(settings, ints, reals, output, k)
        slow[k] = correlation * slow[k] + fresh * normal(words)
        noises[k] = math.sqrt(share) * slow[k] + math.sqrt(1.0 - share) * normal(words)
        drawn = clip(mean + std * noises[k], low, high)
        action[sizes.n_choices + k] = center[k] + scale[k] * drawn
        stds[k] = std
        log_probability += control_log_probability(noises[k], mean, std, low, high)
    return log_probability


@kernel
def score(settings: Any, ints: NDArray, reals: NDArray, floats: NDArray, given: bool) -> None:
    """Write the gradient of the last draw's log-probability to the actor's output gradient, in place.

    Of preferences as it is; of means times the std; of the logarithms of stds times `std_lr_scale`. An
    output beyond its range counts as if it were on the bound of the range; `restrain_outputs` brings it back. Of an
    action that is `given` the gradient is n, of the means alone.
    """
    sizes, places, head = sizes_of(ints), places_of(ints), net_view(ints, floats, ACTOR)
    categories, action = view(ints, places.categories), view(reals, places.action)
    first = 0
    for factor in range(sizes.n_choices):
        size = categories[factor]
        probabilities = span(view(reals, places.probabilities), first, size)
        log_probability_gradient(probabilities, int(action[factor]), span(head.gradient, first, size))
        first += size
    n, noises, both = sizes.n_controls, view(reals, places.noise), view(reals, places.scratch_pair)
    for k in range(n):
        mean, std, low, high = _control(settings, ints, reals, head.output, k)
        if given:
            both[0], both[1] = noises[k], 0.0
        else:
            control_gradient(noises[k], mean, std, low, high, both)
        head.gradient[first + k] = both[0]
        head.gradient[first + n + k] = settings.std_lr_scale * both[1]


@kernel
def _move_output(ints: NDArray, floats: NDArray, index: int, change: float) -> None:
    """``W_k <- W_k + change z / |z|^2`` for output k = `index` of the actor, in place."""
    head = net_view(ints, floats, ACTOR)
    features = head.n_features
    column = head.bias if index >= head.n_outputs - head.n_free else 0
    seen = span(head.features, column, features - column)
    total = 0.0
    for j in range(seen.shape[0]):
        total += seen[j] * seen[j]
    # The bias is always 1.
    add_scaled(span(head.w, index * features + column, features - column), change / total, seen)


@kernel
def restrain_outputs(settings: Any, ints: NDArray, reals: NDArray, floats: NDArray) -> None:
    """Move readout weights of outputs that are beyond their range back towards it, in place.

    ::

        W_k <- W_k - 0.1 (output_k - held_k) z / |z|^2
        held_k = clip(output_k)                                       means and stds, see `_control`
        held_k = max(output_k, max_j output_j + log min_probability_ratio)     preferences of one factor

    What is beyond makes no difference to the action, so that nothing else would ever bring it back. Preferences of a
    factor also fade towards their mean where they are in use::

        W_k <- W_k - preference_decay (output_k - mean_j output_j) z / |z|^2

    What is learned outweighs that as long as it pays. Where nothing does any more, nothing else moves the policy, and
    what was unlearned when the world was another would never be tried again. Unlike a bonus for entropy this changes no
    value, and long episodes gain nothing by it.
    """
    sizes, output = sizes_of(ints), net_view(ints, floats, ACTOR).output
    categories = view(ints, places_of(ints).categories)
    first = 0
    for factor in range(sizes.n_choices):
        size = categories[factor]
        least, mean = float(output[first]), 0.0
        for k in range(first, first + size):
            least = max(least, float(output[k]))
            mean += float(output[k]) / size
        least += settings.log_min_probability_ratio
        for k in range(first, first + size):
            if output[k] < least:
                _move_output(ints, floats, k, RESTRAIN_RATE * (least - float(output[k])))
            if settings.preference_decay > 0.0:
                _move_output(ints, floats, k, settings.preference_decay * (mean - float(output[k])))
        first += size
    n = sizes.n_controls
    for k in range(n):
        mean, _, _, _ = _control(settings, ints, reals, output, k)
        for which in range(2):
            index = first + which * n + k
            value = float(output[index])
            held = mean if which == 0 else clip(value, LOG_STD_LOW, LOG_STD_HIGH)
            if value != held:
                _move_output(ints, floats, index, RESTRAIN_RATE * (held - value))


@kernel
def action_scale(ints: NDArray, reals: NDArray) -> float:
    """Return the mean std of the last draw over all parts of the action; a discrete factor counts as 1.

    A change of the mean by this much changes the policy as much as a change of a preference by 1, so the actor's
    steps are bounded in this unit.
    """
    sizes, stds = sizes_of(ints), view(reals, places_of(ints).stds)
    total = float(sizes.n_choices)
    for k in range(sizes.n_controls):
        total += stds[k]
    return total / (sizes.n_choices + sizes.n_controls)
