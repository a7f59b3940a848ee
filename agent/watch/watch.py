"""Watching the agent of a run act, without learning: a film, or a window."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

from ..config import Config
from ..errors import ConfigError, Interrupted
from ..metrics.episodes import Tally
from ..training.environment import held_out_seed
from ..training.evaluation import MostProbable
from ..training.guarded_env import cause_of, env_failure
from ..training.hooks import Functions
from ..training.interrupts import StopRequest
from ..training.loop import run
from ..training.run_folder import Moment, RunFolder
from .layout import DEFAULT_SIZE, LARGEST, SMALLEST
from .screen import Closed, Screen
from .watched_env import WatchedEnv

STEPS, FPS = 300, 30.0
MOST_STEPS, LEAST_FPS, MOST_FPS = 10**6, 0.1, 240.0
NETS = ("actor", "critic")
# Modules, and the packages that have them.
PACKAGES = {"PIL": "pillow", "imageio": "imageio", "imageio_ffmpeg": "imageio-ffmpeg", "pygame": "pygame"}


def watch(
    path: Path,
    gif: Path | None = None,
    mp4: Path | None = None,
    steps: int = STEPS,
    fps: float = FPS,
    deterministic: bool = False,
    net: str = "actor",
    size: tuple[int, int] = DEFAULT_SIZE,
    seed: int | None = None,
) -> dict[str, Any]:
    """Let the agent of a run act without learning, and draw each step; the run, which may still go on, is not changed.

    Parameters
    ----------
    path : Path
        Folder of the run.
    gif, mp4 : Path, optional
        File to write; without either a window is opened.
    steps : int
        Steps to take, in as many episodes as they make.
    fps : float
        Steps a second. A GIF has at most 15 frames a second, and leaves out steps between them.
    deterministic : bool
        True: take the most probable action each time, not a sample.
    net : str
        Whose spikes are shown: "actor" or "critic".
    size : (int, int)
        Width and height of a frame.
    seed : int, optional
        Seed of the environment; by default one that training did not use.

    Raises
    ------
    StateError
        If the folder holds no usable run.
    ConfigError
        If an argument is out of range, a package is missing, there is no screen, or a file cannot be written.
    EnvError, RunError
        If the environment cannot be made, or raises.
    Interrupted
        After Ctrl-C, SIGTERM or SIGHUP; a film ends there.
    """
    _check(gif, mp4, steps, fps, net, size, seed)
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    if gif or mp4:  # pygame would look for a screen and for loudspeakers, and complain
        for driver in ("SDL_VIDEODRIVER", "SDL_AUDIODRIVER"):
            os.environ.setdefault(driver, "dummy")
    _need("PIL", *(("imageio", "imageio_ffmpeg") if mp4 else () if gif else ("pygame",)))
    folder = RunFolder.open(path)
    moment = folder.load()
    config = folder.config
    screen = _screen(gif, mp4, steps, fps, size, f"{config.env} - synaptick")
    tally = Tally()
    try:
        _film(folder.config, moment, screen, tally, steps, deterministic, net, size, seed)
    except Closed:
        pass
    except Interrupted:
        if tally.steps:
            screen.close(tally.steps)
        else:
            screen.discard()
        raise
    except BaseException:
        screen.discard()
        raise
    screen.close(tally.steps)
    return {
        "env": config.env,
        "steps": tally.steps,
        "episodes": tally.episodes,
        "mean_return": tally.mean_return,
        "frames": screen.frames,
        "bytes": screen.nbytes,
        "out": str(gif or mp4 or ""),
    }


def _film(
    config: Config,
    moment: Moment,
    screen: Screen,
    tally: Tally,
    steps: int,
    deterministic: bool,
    net: str,
    size: tuple[int, int],
    seed: int | None,
) -> None:
    """Take the steps, each of which is offered to the screen."""
    from .film import Film

    agent = moment.agent
    acting: Any = MostProbable(agent) if deterministic else agent
    title = f"{config.env}{', most probable actions' if deterministic else ''}"
    if seed is None:
        seed = held_out_seed(config.seed)
    with StopRequest() as stop, WatchedEnv(config, agent, stop, moment.env) as env:
        film = Film(agent, env, screen, net, size, title)
        with stop.elsewhere:
            agent.compile(agent.config)

        def on_step(tally: Tally) -> None:
            film(tally)
            stop.check(f"{tally.steps} of {steps} steps were shown")

        try:
            run(acting, env, steps, seed=seed, learn=False, tally=tally, hooks=[Functions(on_step=on_step)])
        except (Closed, Interrupted, ConfigError):
            raise
        except BaseException as error:
            raise env_failure(error, config.env, f"step {tally.steps + 1} that is watched") from cause_of(error)


def _screen(gif: Path | None, mp4: Path | None, steps: int, fps: float, size: tuple[int, int], title: str) -> Screen:
    if gif:
        from .gif import Gif

        return Gif(gif, size, fps, steps)
    if mp4:
        from .mp4 import Mp4

        return Mp4(mp4, fps)
    from .window import Window

    return Window(size, fps, title)


def _check(
    gif: Path | None, mp4: Path | None, steps: int, fps: float, net: str, size: tuple[int, int], seed: int | None
) -> None:
    """Raise `ConfigError` for an argument that is out of range."""
    for option, path in (("gif", gif), ("mp4", mp4)):
        if path is not None and path.suffix.lower() != f".{option}":
            raise ConfigError(f"--{option} {path}: allowed: a file whose name ends in .{option}")
    if gif and mp4:
        raise ConfigError("--gif and --mp4: allowed: one of them; give the command twice, with the same --seed")
    if not 1 <= steps <= MOST_STEPS:
        raise ConfigError(f"--steps {steps}: allowed: 1 to {MOST_STEPS}")
    if not LEAST_FPS <= fps <= MOST_FPS:  # NaN is refused too
        raise ConfigError(f"--fps {fps}: allowed: {LEAST_FPS} to {MOST_FPS:g}")
    if net not in NETS:
        raise ConfigError(f"--net {net}: allowed: {' or '.join(NETS)}")
    inside = all(low <= given <= high for low, given, high in zip(SMALLEST, size, LARGEST, strict=True))
    if not inside or size[0] % 2 or size[1] % 2:
        ends = " to ".join(f"{width}x{height}" for width, height in (SMALLEST, LARGEST))
        raise ConfigError(f"--size {size[0]}x{size[1]}: allowed: {ends}, both even")
    if seed is not None and seed < 0:
        raise ConfigError(f"--seed {seed}: allowed: 0 or more")


def _need(*modules: str) -> None:
    """Raise `ConfigError` if a package is missing."""
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise ConfigError(
                f'watch needs the package {PACKAGES[module]}; run: pip install "synaptick[watch]"'
            ) from error
