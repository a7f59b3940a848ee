"""Which parts of the algorithm an agent makes use of, so that its C source holds no other."""

from __future__ import annotations

from ..config import Config
from ..kernels import layout as at
from ..kernels.step_size import BOUNDED
from ..state import Arena


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
    d, ints, reals = arena.dimensions, arena.ints, arena.reals
    layers = range(len(d.layers))
    learning = range(config.fixed, len(d.layers))
    hops = any(d.levels(index) for index in learning)
    return {
        "INITIAL": initial,
        "DISCRETE": bool(d.choices),
        "CONTINUOUS": d.controls > 0,
        "RESERVOIR": any(not d.learns(index) for index in layers),
        # Frozen layers have traces too, which lead to nothing.
        "TRACES": any(d.learns(index) for index in layers),
        "LEARNING_LAYERS": len(learning) > 0,
        "HOPS": hops,
        "CASCADE": hops and d.cascade,
        "ONE_HOP": d.cascade and any(d.levels(index) == 1 for index in learning),
        "TWO_HOPS": d.cascade and any(d.levels(index) == 2 for index in learning),
        "MORE_HOPS": d.cascade and any(d.levels(index) > 2 for index in learning),
        "FACTORED": any(d.vectors(index) for index in learning),
        "RECURRENT_HOP": hops and d.recurrent_hop,
        "RESET_PATH": d.reset_path,
        "ADAPTIVE": any(d.adaptive[index] for index in learning),
        "PEAKS": int(ints[at.STEP_RULE]) != BOUNDED,
        "SHARED_BOUND": bool(reals[at.READOUT_SHARE] == 0),
        "ADAPTIVE_FEEDBACK": int(ints[at.FEEDBACK]) == at.ADAPTIVE_FEEDBACK,
        "RATES": bool(reals[at.RATE_REGULARIZATION] > 0),
        "KEEP_STATE": bool(ints[at.KEEP_STATE]),
        "NORMALIZE_REWARDS": bool(ints[at.NORMALIZE_REWARDS]),
        "HOLDS": bool(reals[at.LR_POLICY] > 0),
        "FADES": bool(reals[at.PREFERENCE_DECAY] > 0),
    }
