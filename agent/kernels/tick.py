"""The one compiled call an environment step makes, and the order of what happens in it.

::

    delta  = r_t + discount_t value_t - value_tm1      discount_t = 0 only if terminated
    W      <- W + step(delta, credit) credit           credit as of t-1
    credit <- discount lambda credit + S R             after the action is sampled; lambda_policy or lambda_value

When the std of returns, which is the unit of values, becomes larger with a reward, the critic's readout and both values
take the factor std before / std now first, so that what they say of the returns themselves stays as it was (van Hasselt
et al. 2016, arXiv 1602.07714, without the shift; see docs/decisions/0024-a-larger-unit.md).

One forward pass a step: value, action and spikes all come from the weights before this step's change.

Where somebody else acts (`GIVEN`), the critic learns what is to be had by what they do, and the actor, of which no TD
error of theirs says anything, to do the same: the gradient of their log-likelihood under its policy::

    W      <- W + step(1, credit) credit               credit of the actor as of t-1
    credit <- S R                                      of the action that was given; no time passes in it

Loops that are compiled themselves call `tick` through the pointer of ``agent/compiled_loop.py``: called by name, it is
compiled into them anew.
"""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray

from .base.arrays import floats_at, ints_at, reals_at, view
from .base.jit import HUGE, TINY, common_entry, entry, kernel, paired_entry
from .base.rare import RARE
from .base.records import record
from .base.vectors import clip, fill, flushed, scale_saturating
from .clearing import clear_episode, clear_traces
from .halves import keep_company, learn_both, pass_forward
from .layout import (
    ACTING,
    CRITIC,
    FOLLOWING,
    N_NETS,
    NETS_AT,
    SETTINGS_AT,
    clock_of,
    places_of,
    running_of,
    sizes_of,
)
from .normalize import forget_episode, observe, scale_reward
from .policy import restrain_outputs, sample_action, score
from .settings import Settings
from .views import net_view

# Modes
START, STEP, TERMINATE, TRUNCATE = 0, 1, 2, 3
# Added to START or STEP: the action is not drawn, it lies where a drawn one would. An end needs no such mark.
GIVEN = 4

# Return values below 0
NOT_STARTED, BAD_OBSERVATION, BAD_REWARD, NEEDS_ALL_PARTS = -1, -2, -3, -4


@kernel
def _refuse(ints: NDArray, reals: NDArray, reward: float, mode: int) -> int:
    if not RARE and sizes_of(ints).rare != 0:
        return NEEDS_ALL_PARTS
    if mode != START and clock_of(ints).phase == 0:
        return NOT_STARTED
    if mode != START and not math.isfinite(reward):
        return BAD_REWARD
    if mode != TERMINATE:
        observation = view(reals, places_of(ints).staging)
        for j in range(observation.shape[0]):
            if not math.isfinite(observation[j]):
                return BAD_OBSERVATION
    return 0


@kernel
def _advance(
    settings: Any,
    ints: NDArray,
    reals: NDArray,
    floats: NDArray,
    reward: float,
    mode: int,
    given: bool,
    learning: bool,
    words: int,
) -> None:
    clock, running = clock_of(ints), running_of(reals)
    if mode == START:
        clear_episode(settings, ints, reals, floats)
        clock.episode += 1
        clock.phase = 1
    else:
        clock.tick += 1
        running.reward_sum += clip(reward, -HUGE, HUGE)
    ended = mode in (TERMINATE, TRUNCATE)
    follows = given or (ended and clock.stale == FOLLOWING)
    # Credit is for one of the two kinds of action; neither lays anything to the other.
    if learning and clock.stale != (FOLLOWING if follows else 0):
        clear_traces(ints, reals, floats)

    value = 0.0
    if mode != TERMINATE:
        observe(settings, ints, reals, floats, learning)
        pass_forward(settings, ints, reals, floats, learning, words)
        value = float(net_view(ints, floats, CRITIC).output[0])

    delta = 0.0
    if mode != START and learning:
        scaled, factor = scale_reward(settings, ints, reals, reward)
        if factor != 1.0:
            value *= factor
            running.value_tm1 *= factor
            scale_saturating(net_view(ints, floats, CRITIC).w, factor)
        scaled -= settings.entropy_bonus * running.log_probability_tm1
        # Without rewards a value may fade forever, and with it the weights that it is read from.
        delta = flushed(scaled + settings.discount * value - running.value_tm1, TINY)
        running.error_sum += abs(delta)
        running.error_squares += delta * delta
        running.error_products += delta * running.delta
        running.delta = delta

    if not ended:
        correlation = 0.0 if mode == START else settings.noise_correlation
        running.log_probability_tm1 = sample_action(settings, ints, reals, floats, correlation, given)
        running.value_tm1 = value
    if not learning:
        clock.stale = ACTING
    else:
        clock.stale = FOLLOWING if follows else 0
        if not ended:
            score(settings, ints, reals, floats, given)
            net_view(ints, floats, CRITIC).gradient[0] = 1.0
        else:
            for net in range(N_NETS):
                fill(net_view(ints, floats, net).gradient, 0.0)
        # Neurons that live on have seen the last observation, so the traces follow, though no new credit is due.
        traces_follow = not ended or (mode == TRUNCATE and settings.keep_state != 0.0)
        push, keep = delta, 1.0
        if follows:
            push, keep = (0.0 if mode == START else 1.0), 0.0
        learn_both(settings, ints, reals, floats, delta, push, keep, traces_follow, words)
        if not ended and settings.lr_policy > 0.0:
            restrain_outputs(settings, ints, reals, floats)
    if ended:
        forget_episode(view(reals, places_of(ints).returns))
        clock.phase = 0


@kernel
def advance(
    ints: NDArray, reals: NDArray, floats: NDArray, reward: float, mode: int, learning: bool, words: int = 0
) -> int:
    """`tick` on the three sections of an arena; with a float64 copy for `floats`, the same without rounding."""
    given = mode >= GIVEN
    if given:
        mode -= GIVEN
    result = _refuse(ints, reals, reward, mode)
    if result == 0:
        settings = record(reals, SETTINGS_AT, Settings)
        _advance(settings, ints, reals, floats, reward, mode, given, learning, words)
    fill(view(reals, places_of(ints).staging), 0.0)
    return result


@kernel
def _tick(address: int, reward: float, mode: int, learning: bool, words: int) -> int:
    sizes = sizes_of(ints_at(address, NETS_AT))
    ints = ints_at(address, sizes.n_ints)
    reals = reals_at(address + 8 * sizes.n_ints, sizes.n_reals)
    floats = floats_at(address + 8 * (sizes.n_ints + sizes.n_reals), sizes.n_floats)
    return advance(ints, reals, floats, reward, mode, learning, words)


@entry
def tick(address: int, reward: float, mode: int, learning: bool) -> int:
    """Advance the agent by one environment step, in place.

    Parameters
    ----------
    address : int
        Where the arena lies in memory (`Arena.address`); it is modified. The observation is read from its staging area,
        which is zero again on return.
    reward : float
        Reward of the action before; not read with START.
    mode : int
        START, STEP, TERMINATE (no observation is read) or TRUNCATE (bootstraps from the observation). START + GIVEN
        and STEP + GIVEN: somebody else acts, and the action is read from where it would be written.
    learning : bool
        False: only act. Weights, statistics and step sizes stay as they are; the next learning tick starts with empty
        eligibility and credit, and the returns of earlier ticks are taken to end there.

    Returns
    -------
    int
        0: done, and the action, if one is due, lies in ``agent.arena.views["action"]``. NOT_STARTED, BAD_REWARD or
        BAD_OBSERVATION: the arena is as it was before the call.

    Notes
    -----
    `common_tick` is compiled without what few configurations use, and leaves an arena that needs it alone
    (NEEDS_ALL_PARTS); `sizes.rare` says which.
    """
    return _tick(address, reward, mode, learning, 0)


@common_entry
def common_tick(address: int, reward: float, mode: int, learning: bool) -> int:
    """`tick` without rare parts."""
    return _tick(address, reward, mode, learning, 0)


@paired_entry
def paired_tick(address: int, reward: float, mode: int, learning: bool, words: int) -> int:
    """`common_tick`, of which another thread does the critic's half: `accompany`, with the same words (halves.py)."""
    return _tick(address, reward, mode, learning, words)


@paired_entry
def accompany(address: int, words: int) -> int:
    """Do the critic's half of each `paired_tick`; spins, and returns 0, when it is asked to."""
    return keep_company(address, words)
