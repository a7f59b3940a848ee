"""The two halves of a step, actor and critic, one after the other or in two threads.

What both read, neither writes, and random numbers are drawn by the actor alone: the same happens in either case. With a
constant, `PAIRED`, the thread of the step asks `keep_company`, in the other thread, for the critic's half and does the
actor's meanwhile. Both spin while they wait: to wake a thread that sleeps takes longer than a step.

Words, 64 bytes apart, so that they lie in cache lines of their own: what is asked for, ``8 count + what``; the last of
that which is done; the TD error; and whether the other thread is to end, or has. Whoever ends it writes to the last one
alone: the thread of the step may ask at that very moment. What was asked of a thread that has ended, in the middle of a
step or of many, the thread of the step does itself.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from .base.arrays import floats_at, ints_at, reals_at
from .base.handover import acquire, give_way, pause, release
from .base.jit import kernel
from .base.rare import PAIRED
from .base.records import record
from .forward import forward
from .layout import ACTOR, CRITIC, N_NETS, NETS_AT, SETTINGS_AT, sizes_of
from .learn import learn
from .settings import Settings

# What is asked for.
ACT, PASS, CHANGE, LEARN = 1, 2, 3, 4
WHAT = 8
# Bytes between the words.
DONE, DELTA, END = 64, 128, 192
WORDS_BYTES = 256
# What stands in the last one; 0 while both go on.
QUIT, GONE = 1, 2
# Spins, of some tens of cycles, before a thread gives way: where there are fewer processors than threads that want one,
# what it waits for may be waiting for the processor it spins on.
PATIENCE = 1024


@kernel
def ask(words: int, what: int) -> None:
    """Ask the other thread for something."""
    release(words, (acquire(words) // WHAT + 1) * WHAT + what)


@kernel
def _spin(spins: int) -> int:
    """Wait a little, and every so often for longer if another thread wants this processor; return ``spins + 1``."""
    if spins % PATIENCE == PATIENCE - 1:
        give_way()
    else:
        pause()
    return spins + 1


@kernel
def _await(words: int) -> bool:
    """Wait for what was asked for last, and return whether it is done; if not, the other thread will never do it."""
    asked, spins = acquire(words), 0
    while acquire(words + DONE) != asked:
        if acquire(words + END) == GONE:
            return bool(acquire(words + DONE) == asked)  # it may have been the last that it did
        spins = _spin(spins)
    return True


@kernel
def pass_forward(settings: Any, ints: NDArray, reals: NDArray, floats: NDArray, learning: bool, words: int) -> None:
    """Advance both networks by one tick, in place, see `forward.forward`."""
    if PAIRED:
        ask(words, PASS if learning else ACT)
        for net in range(N_NETS):  # not two calls, which would compile for longer
            if net == ACTOR or not _await(words):
                forward(settings, ints, reals, floats, net, learning)
    else:
        for net in range(N_NETS):
            forward(settings, ints, reals, floats, net, learning)


@kernel
def learn_both(
    settings: Any,
    ints: NDArray,
    reals: NDArray,
    floats: NDArray,
    delta: float,
    push: float,
    keep: float,
    traces_follow: bool,
    words: int,
) -> None:
    """Have both networks learn, in place, see `learn.learn`; credit fades by discount times lambda of each.

    The critic learns by `delta`, the actor by `push`, and `keep`, 0 or 1, is a factor of what its credit fades by.
    """
    if PAIRED:
        reals_at(words + DELTA, 1)[0] = delta
        ask(words, LEARN if traces_follow else CHANGE)
    for net in range(N_NETS):
        is_actor = net == ACTOR
        if PAIRED and not is_actor and _await(words):
            break
        by, kept = push if is_actor else delta, keep if is_actor else 1.0
        _learn(settings, ints, reals, floats, net, by, kept, traces_follow)


@kernel
def _learn(
    settings: Any,
    ints: NDArray,
    reals: NDArray,
    floats: NDArray,
    net: int,
    delta: float,
    keep: float,
    traces_follow: bool,
) -> None:
    decay = keep * settings.discount * (settings.lambda_policy if net == ACTOR else settings.lambda_value)
    learn(settings, ints, reals, floats, net, delta, decay, traces_follow)


@kernel
def keep_company(address: int, words: int) -> int:
    """Do the critic's half of the steps of an arena until asked to quit, which is looked at while there is none."""
    sizes = sizes_of(ints_at(address, NETS_AT))
    ints = ints_at(address, sizes.n_ints)
    reals = reals_at(address + 8 * sizes.n_ints, sizes.n_reals)
    floats = floats_at(address + 8 * (sizes.n_ints + sizes.n_reals), sizes.n_floats)
    settings = record(reals, SETTINGS_AT, Settings)
    done, spins = acquire(words + DONE), 0
    while True:
        asked = acquire(words)
        if asked == done:
            if acquire(words + END) == QUIT:
                release(words + END, GONE)
                return 0
            spins = _spin(spins)
            continue
        spins = 0
        what = asked % WHAT
        if what <= PASS:
            forward(settings, ints, reals, floats, CRITIC, what == PASS)
        else:
            _learn(settings, ints, reals, floats, CRITIC, reals_at(words + DELTA, 1)[0], 1.0, what == LEARN)
        done = asked
        release(words + DONE, done)
