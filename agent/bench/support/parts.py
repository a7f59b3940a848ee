"""The parts of a learning step, compiled apart, so that each can be timed in the order in which a step has them."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...agent import Agent
from ...kernels.base.arrays import floats_at, ints_at, reals_at
from ...kernels.base.jit import entry, kernel
from ...kernels.base.records import record
from ...kernels.forward import forward
from ...kernels.layout import ACTOR, CRITIC, N_NETS, NETS_AT, SETTINGS_AT, running_of, sizes_of
from ...kernels.learn import learn
from ...kernels.normalize import observe, scale_reward
from ...kernels.policy import restrain_outputs, sample_action, score
from ...kernels.settings import Settings
from ...kernels.signals import send_signals
from ...kernels.views import net_view
from .timing import STREAM

REWARD = 0.1


@kernel
def _sections(address: int) -> Any:
    sizes = sizes_of(ints_at(address, NETS_AT))
    ints = ints_at(address, sizes.n_ints)
    reals = reals_at(address + 8 * sizes.n_ints, sizes.n_reals)
    floats = floats_at(address + 8 * (sizes.n_ints + sizes.n_reals), sizes.n_floats)
    return ints, reals, floats


@entry
def nothing(address: int) -> int:
    """Do what every part does before it begins."""
    _sections(address)
    return 0


@entry
def observing(address: int) -> int:
    """Take in observation and reward."""
    ints, reals, floats = _sections(address)
    settings = record(reals, SETTINGS_AT, Settings)
    observe(settings, ints, reals, floats, True)
    scaled, _ = scale_reward(settings, ints, reals, REWARD)
    value = net_view(ints, floats, CRITIC).output[0]
    running = running_of(reals)
    running.delta = scaled + settings.discount * value - running.value_tm1
    running.value_tm1 = value
    return 0


@entry
def running_forward(address: int) -> int:
    """Pass both networks, and filter their inputs."""
    ints, reals, floats = _sections(address)
    settings = record(reals, SETTINGS_AT, Settings)
    for net in range(N_NETS):
        forward(settings, ints, reals, floats, net, True)
    return 0


@entry
def acting(address: int) -> int:
    """Choose an action and form the gradients at the readouts."""
    ints, reals, floats = _sections(address)
    settings = record(reals, SETTINGS_AT, Settings)
    running_of(reals).log_probability_tm1 = sample_action(
        settings, ints, reals, floats, settings.noise_correlation, False
    )
    score(settings, ints, reals, floats, False)
    net_view(ints, floats, CRITIC).gradient[0] = 1.0
    restrain_outputs(settings, ints, reals, floats)
    return 0


@entry
def sending(address: int) -> int:
    """Send learning signals, which `learning` does once more."""
    ints, _, floats = _sections(address)
    for net in range(N_NETS):
        send_signals(ints, floats, net)
    return 0


@entry
def learning(address: int) -> int:
    """Choose steps, change weights, form credit and traces."""
    ints, reals, floats = _sections(address)
    settings = record(reals, SETTINGS_AT, Settings)
    for net in range(N_NETS):
        decay = settings.discount * (settings.lambda_policy if net == ACTOR else settings.lambda_value)
        learn(settings, ints, reals, floats, net, running_of(reals).delta, decay, True)
    return 0


PARTS = {
    "observe": observing,
    "forward": running_forward,
    "act": acting,
    "signals": sending,
    "credit and weights": learning,
}


def time_parts(agent: Agent, stream: NDArray[np.float64], steps: int) -> dict[str, float]:
    """Return the median microseconds of each part over `steps` steps of an agent, which has begun an episode.

    A call takes a fraction of a microsecond, which is measured and taken off; that of `learning` is less the signals.
    """
    address, staging = agent.arena.address, agent.arena.views["staging"]
    functions = [nothing, *PARTS.values()]
    times = np.zeros((len(functions), steps), np.int64)
    for function in functions:  # compiled before anything is timed
        function(address)
    for k in range(steps):
        staging[:] = stream[k % STREAM]
        for row, function in zip(times, functions, strict=True):
            begun = time.perf_counter_ns()
            function(address)
            row[k] = time.perf_counter_ns() - begun
    call, *medians = np.median(times, axis=1) / 1000.0
    found = {name: max(float(median - call), 0.0) for name, median in zip(PARTS, medians, strict=True)}
    found["credit and weights"] = max(found["credit and weights"] - found["signals"], 0.0)
    return found
