"""The pictures of the gallery, drawn from what the examples and the commands do.

    python docs/examples/pictures.py

writes them to docs/assets/pictures, in three minutes or so. Needs the extras plot and watch.
"""

from __future__ import annotations

import argparse
import os
import runpy
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot

HERE = Path(__file__).resolve().parent
NOTEBOOKS = HERE.parent / "notebooks"
sys.path.insert(0, str(HERE))


def curves(path: Path) -> None:
    """Three runs of CartPole in one figure: `synaptick plot`."""
    with tempfile.TemporaryDirectory() as folder:
        runs = [f"{folder}/runs/seed{seed}" for seed in (1, 2, 3)]
        for seed, run in enumerate(runs, 1):
            command("run", "CartPole-v1", "--steps", "60000", "--seed", str(seed), "--out", run, "--quiet")
        command("plot", *runs, "--out", str(path), "--only", "return", "spikes")


def film(path: Path) -> None:
    """CartPole, learned, and the spikes of the agent: `synaptick watch`."""
    with tempfile.TemporaryDirectory() as folder:
        run = f"{folder}/run"
        command("run", "CartPole-v1", "--steps", "60000", "--seed", "1", "--out", run, "--quiet")
        command("watch", run, "--gif", str(path), "--steps", "100", "--size", "640x400")


def command(*arguments: str) -> None:
    """Run the command line."""
    subprocess.run([sys.executable, "-m", "synaptick", *arguments], check=True)


def tank(path: Path) -> None:
    """Distance from the target of each batch in the tank."""
    import python_loop

    axes = new_axes("batch of 200 s", "distance, degrees")
    axes.plot(python_loop.learn(60_000, seed=1), ".", markersize=3)
    axes.set(ylim=(0, None))
    save(path)


def motor(path: Path) -> None:
    """Speed of the motor and the speed wanted, at first and at last; without waiting for a clock."""
    import control_loop
    from gymnasium.spaces import Box
    from synaptick import Agent, Config
    from synaptick.realtime import Guard, Watchdog

    periods = 20_000
    machine = control_loop.Motor(2 * periods, seed=0)  # twice as many: the load would come halfway
    agent = Agent(Config(layers=(64,), memory=0), Box(-np.inf, np.inf, (2,)), Box(-1.5, 1.5, (1,)))
    guard = Guard(agent, Watchdog(action_rate=0.5), safe_action=np.zeros(1, np.float32))
    seen = []
    for _ in range(periods):
        machine.act(guard.step(*machine.sense()))
        seen.append((machine.wanted, machine.speed))
    guard.close()
    _, both = pyplot.subplots(1, 2, figsize=(7, 2.8), sharey=True, layout="constrained")
    for axes, first in zip(both, (0, periods - 3000), strict=True):
        seconds = np.arange(first, first + 3000) / control_loop.RATE
        axes.plot(seconds, [speed for _, speed in seen[first : first + 3000]], label="speed")
        axes.plot(seconds, [wanted for wanted, _ in seen[first : first + 3000]], "k:", linewidth=1, label="wanted")
        axes.set(xlabel="seconds")
    both[0].legend(fontsize="small")
    save(path)


def tanks(path: Path) -> None:
    """Level of the lower tank and its target, at first and after a day of learning in compiled code."""
    import numba_loop
    from synaptick.compiled_loop import ports

    rng, agent, levels = np.random.default_rng(0), numba_loop.new_agent(64), np.array([0.2, 0.2])
    targets = np.repeat(rng.uniform(0.05, 0.4, 334), 300)
    inflows = 0.2 * rng.random(targets.size)

    def levels_of(span: slice) -> list[float]:
        reward, seen = 0.0, []
        for target, inflow in zip(targets[span], inflows[span], strict=True):
            observation = np.array([target, *levels])
            action = agent.step(reward, observation) if seen else agent.start(observation)
            numba_loop.advance(levels, float(action[0]), inflow)
            reward = -((target - levels[1]) ** 2)
            seen.append(levels[1])
        return seen

    _, both = pyplot.subplots(1, 2, figsize=(7, 2.8), sharey=True, layout="constrained")
    for axes, span in zip(both, (slice(0, 1500), slice(targets.size - 1500, targets.size)), strict=True):
        axes.plot(np.arange(span.start, span.stop), levels_of(span), label="lower tank")
        axes.plot(np.arange(span.start, span.stop), targets[span], "k:", linewidth=1, label="target")
        axes.set(xlabel="seconds", xticks=np.arange(span.start, span.stop + 1, 500))
        if span.start == 0:
            middle = slice(1500, -1500)
            numba_loop.compiled_loop(*ports(agent), targets[middle], inflows[middle], True)
    both[0].set_ylabel("level, m")
    both[0].legend(fontsize="small")
    save(path)


def pid(path: Path) -> None:
    """Squared error of the motor with a PID alone, and with an agent that corrects it."""
    before, sys.argv = sys.argv, ["pid.py", "--seeds", "1"]
    found = runpy.run_path(str(HERE / "pid.py"))
    sys.argv = before
    axes = new_axes("seconds", "squared error x 10^4")
    for label, name in (("PID", "alone"), ("PID and agent", "both")):
        costs = np.reshape(found[name].costs[:30_000], (-1, 500)).mean(axis=1)
        axes.plot(5.0 * np.arange(1, costs.size + 1), 1e4 * costs, label=label)
    axes.set(ylim=(0, None))
    axes.legend(fontsize="small")
    save(path)


def of_notebook(name: str, figure: int) -> Callable[[Path], None]:
    """Return what draws one of the figures of a notebook."""

    def draw(path: Path) -> None:
        pyplot.close("all")
        before = Path.cwd()
        os.chdir(NOTEBOOKS)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive")
            runpy.run_path(f"{name}.py")
        os.chdir(before)
        pyplot.figure(figure)
        save(path)

    return draw


def new_axes(x: str, y: str) -> pyplot.Axes:
    """Return the axes of a new figure, of the width of the page."""
    _, axes = pyplot.subplots(figsize=(7, 2.8), layout="constrained")
    axes.set(xlabel=x, ylabel=y)
    return axes


def save(path: Path) -> None:
    """Write the current figure."""
    pyplot.savefig(path, dpi=90)
    pyplot.close("all")


PICTURES: dict[str, Callable[[Path], None]] = {
    "cartpole.gif": film,
    "curves.png": curves,
    "pid.png": pid,
    "tank.png": tank,
    "motor.png": motor,
    "tanks.png": tanks,
    "spikes.png": of_notebook("quickstart", 2),
    "holding_a_cue.png": of_notebook("holding_a_cue", 1),
    "aging_plant.png": of_notebook("aging_plant", 1),
}


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description="draw the pictures of the gallery")
    parser.add_argument("--only", nargs="+", choices=PICTURES, default=list(PICTURES), help="some of them, by name")
    parser.add_argument("--out", type=Path, default=HERE.parent / "assets" / "pictures", help="folder to write to")
    options = parser.parse_args()
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    for name in options.only:
        PICTURES[name](out / name)
        print(f"{name}: {(out / name).stat().st_size:,} bytes", flush=True)


if __name__ == "__main__":
    main()
