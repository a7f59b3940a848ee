"""The one compiled call an environment step makes, and the order of what happens in it.

::

    delta  = r_t + discount_t value_t - value_tm1      discount_t = 0 only if terminated
    W      <- W + step(delta, credit) credit           credit as of t-1
    credit <- discount trace_lambda credit + S R       after the action is sampled

One forward pass a step: value, action and spikes all come from the weights before this step's change.

Loops that are compiled themselves call `tick` through the pointer of ``agent/compiled_loop.py``: called by name, it is
compiled into them anew.
"""

from __future__ import annotations

import math

from numpy.typing import NDArray

from .act import draw, hold, score
from .forward import forward
from .jit import HUGE, TINY, entry, fill, flushed, kernel
from .layout import (
    CREDIT_NORMS,
    CRITIC,
    DELTA,
    DISCOUNT,
    ENTROPY_BONUS,
    EPISODE,
    INPUT,
    KEEP_STATE,
    LOG_PROBABILITY_TM1,
    LR_POLICY,
    N_FLOATS,
    N_INPUT,
    N_INTS,
    N_LAYERS,
    N_NETS,
    N_REALS,
    NEURONS_FIRST,
    NEURONS_LAST,
    NOISE_CORRELATION,
    NORMALIZE_REWARDS,
    OBSERVATION_CLIP,
    OBSERVATION_COUNT,
    OBSERVATION_M2,
    OBSERVATION_MEAN,
    PHASE,
    RANDOM,
    RETURNS,
    STAGING,
    STALE,
    STANDARDISED,
    STATISTICS_MEMORY,
    TICK,
    TRACE_LAMBDA,
    TRACES_FIRST,
    VALUE_TM1,
    net_view,
)
from .learn import learn
from .memory import floats_at, ints_at, reals_at, span
from .normalize import RETURNS_SIZE, add_reward, forget_episode, kept, reward_scale, standardize, welford

# Modes
START, STEP, TERMINATE, TRUNCATE = 0, 1, 2, 3

# Return values below 0
NOT_STARTED, BAD_OBSERVATION, BAD_REWARD = -1, -2, -3


@kernel
def _observe(ints: NDArray, reals: NDArray, floats: NDArray, update: bool) -> None:
    n = ints[N_INPUT]
    raw, chosen = span(reals, ints[STAGING], n), span(reals, ints[STANDARDISED], n)
    for j in range(n):
        raw[j] = min(max(raw[j], -HUGE), HUGE)
    x = span(floats, ints[INPUT], n)
    mean, m2 = span(reals, ints[OBSERVATION_MEAN], n), span(reals, ints[OBSERVATION_M2], n)
    if update:
        keep = kept(reals[STATISTICS_MEMORY], reals[OBSERVATION_COUNT])
        reals[OBSERVATION_COUNT] = keep * reals[OBSERVATION_COUNT] + 1.0
        welford(keep, reals[OBSERVATION_COUNT], mean, m2, raw)
    standardize(reals[OBSERVATION_COUNT], mean, m2, reals[OBSERVATION_CLIP], chosen, raw, x)


@kernel
def _scale_reward(ints: NDArray, reals: NDArray, reward: float) -> float:
    reward = min(max(reward, -HUGE), HUGE)
    if ints[NORMALIZE_REWARDS] == 0:
        return reward
    returns = span(reals, ints[RETURNS], RETURNS_SIZE)
    add_reward(returns, reals[STATISTICS_MEMORY], reals[DISCOUNT], reward)
    return reward * reward_scale(returns)


@kernel
def _clear(ints: NDArray, reals: NDArray, floats: NDArray, last: int) -> None:
    fill(floats[ints[TRACES_FIRST] : last], 0.0)
    fill(reals[ints[CREDIT_NORMS] : ints[CREDIT_NORMS] + N_NETS * (ints[N_LAYERS] + 1)], 0.0)
    forget_episode(span(reals, ints[RETURNS], RETURNS_SIZE))
    ints[STALE] = 0


@kernel
def _refuse(ints: NDArray, reals: NDArray, reward: float, mode: int) -> int:
    if mode != START and ints[PHASE] == 0:
        return NOT_STARTED
    if mode != START and not math.isfinite(reward):
        return BAD_REWARD
    if mode != TERMINATE:
        for j in range(ints[STAGING], ints[STAGING] + ints[N_INPUT]):
            if not math.isfinite(reals[j]):
                return BAD_OBSERVATION
    return 0


@kernel
def _advance(ints: NDArray, reals: NDArray, floats: NDArray, reward: float, mode: int, learning: bool) -> None:
    if mode == START:
        if ints[KEEP_STATE] == 0:
            _clear(ints, reals, floats, ints[NEURONS_LAST])
        ints[EPISODE] += 1
        ints[PHASE] = 1
    else:
        ints[TICK] += 1
    if learning and ints[STALE] != 0:
        _clear(ints, reals, floats, ints[NEURONS_FIRST])

    value = 0.0
    if mode != TERMINATE:
        _observe(ints, reals, floats, learning)
        for net in range(N_NETS):
            forward(ints, reals, floats, net, learning)
        value = float(net_view(ints, floats, CRITIC).output[0])

    delta = 0.0
    if mode != START and learning:
        scaled = _scale_reward(ints, reals, reward)
        scaled -= reals[ENTROPY_BONUS] * reals[LOG_PROBABILITY_TM1]
        # Without rewards a value may fade forever, and with it the weights that it is read from.
        delta = flushed(scaled + reals[DISCOUNT] * value - reals[VALUE_TM1], TINY)
        reals[DELTA] = delta

    ended = mode in (TERMINATE, TRUNCATE)
    if not ended:
        correlation = 0.0 if mode == START else reals[NOISE_CORRELATION]
        reals[LOG_PROBABILITY_TM1] = draw(ints, reals, floats, correlation)
        reals[VALUE_TM1] = value
    if not learning:
        ints[STALE] = 1
    else:
        if not ended:
            score(ints, reals, floats)
            net_view(ints, floats, CRITIC).gradient[0] = 1.0
        else:
            for net in range(N_NETS):
                fill(net_view(ints, floats, net).gradient, 0.0)
        decay = reals[DISCOUNT] * reals[TRACE_LAMBDA]
        # Neurons that live on have seen the last observation, so the traces follow, though no new credit is due.
        traces_follow = not ended or (mode == TRUNCATE and ints[KEEP_STATE] != 0)
        for net in range(N_NETS):
            learn(ints, reals, floats, net, delta, decay, traces_follow)
        if not ended and reals[LR_POLICY] > 0.0:
            hold(ints, reals, floats)
    if ended:
        forget_episode(span(reals, ints[RETURNS], RETURNS_SIZE))
        ints[PHASE] = 0


@kernel
def advance(ints: NDArray, reals: NDArray, floats: NDArray, reward: float, mode: int, learning: bool) -> int:
    """`tick` on the three sections of an arena; with a float64 copy for `floats`, the same without rounding."""
    result = _refuse(ints, reals, reward, mode)
    if result == 0:
        _advance(ints, reals, floats, reward, mode, learning)
    fill(reals[ints[STAGING] : ints[STAGING] + ints[N_INPUT]], 0.0)
    return result


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
        START, STEP, TERMINATE (no observation is read) or TRUNCATE (bootstraps from the observation).
    learning : bool
        False: only act. Weights, statistics and step sizes stay as they are; the next learning tick starts with empty
        eligibility and credit, and the returns of earlier ticks are taken to end there.

    Returns
    -------
    int
        0: done, and the action, if one is due, lies in ``agent.arena.views["action"]``. NOT_STARTED, BAD_REWARD or
        BAD_OBSERVATION: the arena is as it was before the call.
    """
    header = ints_at(address, RANDOM)
    n_ints, n_reals, n_floats = header[N_INTS], header[N_REALS], header[N_FLOATS]
    ints = ints_at(address, n_ints)
    reals = reals_at(address + 8 * n_ints, n_reals)
    floats = floats_at(address + 8 * (n_ints + n_reals), n_floats)
    return advance(ints, reals, floats, reward, mode, learning)
