"""Which parts of the algorithm an agent makes use of, so that its C source holds no other."""

from __future__ import annotations

from ...arena.arena import Arena
from ...config import Config
from ...kernels import feedback, spike


def features(config: Config, arena: Arena, initial: bool) -> dict[str, bool]:
    """Return, for each name that conditions in the templates use, whether it holds for this agent.

    Parameters
    ----------
    config : Config
    arena : Arena
        Of the agent.
    initial : bool
        Whether the state is to be part of the source.
    """
    d, settings = arena.dimensions, arena.settings
    able = range(config.fixed, len(d.layers))
    memory, learning = (
        range(max(first, config.fixed), end) for first, end in ((0, d.memory), (d.memory, len(d.layers)))
    )
    hops = any(d.levels(index) for index in learning)
    memory_hops = any(d.levels(index) for index in memory)
    return {
        "INITIAL": initial,
        "DISCRETE": bool(d.choices),
        "CONTINUOUS": d.controls > 0,
        "LEARNING_LAYERS": len(able) > 0,
        "MEMORY": d.memory > 0,
        "MEMORY_LEARNS": len(memory) > 0,
        "MEMORY_HOPS": memory_hops,
        "MEMORY_CARRIED": any(d.n_above(index) for index in memory),
        "HOPS": hops or memory_hops,
        "CASCADE": hops and d.cascade,
        "RESTS": any(d.rests(index) for index in learning),
        "MOVES": any(not d.rests(index) for index in learning),
        "ONE_HOP": any(d.rests(index) and d.levels(index) == 1 for index in learning),
        "TWO_HOPS": any(d.rests(index) and d.levels(index) == 2 for index in learning),
        "MORE_HOPS": d.cascade and any(d.levels(index) > 0 and not d.rests(index) for index in learning),
        "FACTORED": any(d.vectors(index) for index in learning),
        "TENSOR": any(d.n_above(index) for index in learning),
        "RECURRENT_HOP": hops and d.recurrent_hop,
        "RESET_PATH": d.reset_path,
        "ADAPTIVE": any(d.adaptive[index] for index in learning),
        "GRADED": settings.spikes == spike.GRADED,
        "SHARED_BOUND": settings.readout_share == 0,
        "ADAPTIVE_FEEDBACK": settings.feedback == feedback.ADAPTIVE,
        "RATES": settings.rate_regularization > 0,
        "KEEP_STATE": settings.keep_state != 0,
        "NORMALIZE_REWARDS": settings.normalize_rewards != 0,
        "RESTRAINS": settings.lr_policy > 0,
        "FADES": settings.preference_decay > 0,
    }
