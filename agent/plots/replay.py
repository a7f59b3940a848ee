"""What the agent of a run does now: its last checkpoint, acting for a while in a new episode, without learning."""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np

from ..errors import ConfigError, Interrupted
from ..metrics.episodes import Tally
from ..training.environment import held_out_seed
from ..training.guarded_env import GuardedEnv, cause_of, env_failure
from ..training.hooks import Functions
from ..training.interrupts import StopRequest
from ..training.loop import run as run_steps
from ..training.run_folder import RunFolder
from .runs import Run, layer_names
from .series import Curve

TICKS = 256
LONGEST = 4096


def checked_ticks(ticks: int) -> int:
    """Return how long to act; raise `ConfigError` if that is out of range."""
    if not 0 <= ticks <= LONGEST:
        raise ConfigError(f"--replay {ticks}: allowed: 1 to {LONGEST} ticks")
    return ticks


def spikes_of(run: Run, ticks: int) -> dict[str, Curve]:
    """Let the agent act, and return what the neurons of the actor sent: by layer, of (ticks, neurons), 0 to 1.

    Raises
    ------
    StateError
        If there is no checkpoint that can be used.
    EnvError, RunError
        If the environment cannot be made, or raises.
    Interrupted
        After Ctrl-C, SIGTERM or SIGHUP.
    """
    folder = RunFolder.open(run.path)
    moment = folder.load()
    agent, config = moment.agent, folder.config
    names = layer_names(config)
    with ExitStack() as stack:
        stop = stack.enter_context(StopRequest())
        env = stack.enter_context(GuardedEnv(config, stop))
        env.restore_statistics(moment.env)
        with stop.elsewhere:
            agent.compile(agent.config)
        sent = [agent.arena.views[f"actor/{k}/z"] for k in range(len(names))]
        rasters = [np.zeros((ticks, *spikes.shape), np.float32) for spikes in sent]

        def note(tally: Tally) -> None:
            for raster, spikes in zip(rasters, sent, strict=True):
                raster[tally.steps - 1] = spikes
            stop.check(f"{tally.steps} of {ticks} ticks were replayed")

        try:
            # Of a step that no run begins at.
            run_steps(
                agent,
                env,
                ticks,
                seed=held_out_seed(config.seed),
                learn=False,
                hooks=[Functions(on_step=note)],
            )
        except Interrupted:
            raise
        except BaseException as error:
            raise env_failure(error, config.env, "a step that is replayed") from cause_of(error)
    numbers = np.arange(1.0, ticks + 1)
    return {name: Curve(numbers, raster.astype(np.float64)) for name, raster in zip(names, rasters, strict=True)}
