"""A motor whose speed is controlled while it ages: a tuned PID, and the agent on top of it.

    python docs/examples/aging_plant.py --seeds 5 --json

A PID is tuned on the motor as it is when new. Then the motor ages: it loses torque, friction grows, dead time grows,
and a worn gear brakes and pushes once a revolution. The agent adds a bounded correction to what the PID asks for, and
learns in every period of the whole life, from nothing but the cost of that period. See `CONTROLLERS` for what is
compared.

Everything that happens to a motor (targets, load, noise, aging) is drawn from a seed before its life begins, so that
all controllers meet the same.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from gymnasium.spaces import Box
from numba import njit
from synaptick import Agent, Config
from synaptick.aggregate import interquartile_mean
from synaptick.bench.support.csv_rows import RowWriter
from synaptick.compiled_loop import START, STEP, load_tick, ports

tick = load_tick()

PERIOD = 0.01  # s
# torque for full voltage, time constant in periods, friction, torque of the worn gear, dead time in periods
NEW = {"gain": 1.25, "inertia": 15.0, "friction": 0.05, "ripple": 0.02, "delay": 3}
AGED = {"gain": 0.95, "inertia": 15.0, "friction": 0.12, "ripple": 0.3, "delay": 5}
EFFORT = 0.02  # cost of the squared change of the voltage
CORRECTION = 0.3  # the agent may add or take off so much of the full voltage

# PID alone as tuned on the new motor; tuned on the aged one, for a bound on what tuning can do; the agent on top of the
# first, that without the angle of the shaft among its observations, and an agent that drives the motor by itself.
CONTROLLERS = ("pid", "pid retuned", "pid + agent", "pid + agent, no angle", "agent alone")
ON_TOP, NO_ANGLE, ALONE = range(3)
GAINS = ("kp", "ki", "kd", "filter", "weight", "forward", "unwind")
LOWEST = np.array([0.1, 0.001, 0.01, 0.1, 0.0, 0.0, 0.02])
HIGHEST = np.array([5.0, 0.2, 20.0, 1.0, 1.0, 1.5, 1.0])
LOGARITHMIC = np.array([True, True, True, False, False, False, True])


class Life(NamedTuple):
    """What a motor meets in each period, all (periods,) arrays."""

    target: np.ndarray
    load: np.ndarray
    noise: np.ndarray
    gain: np.ndarray
    inertia: np.ndarray
    friction: np.ndarray
    ripple: np.ndarray
    delay: np.ndarray


@njit
def wandering(draws, rate, first):
    """Return ``x <- x - rate x + sqrt(2 rate) draw`` from `first` on: standard deviation 1, correlation time 1/rate."""
    out, x = np.empty(draws.size), first
    for t in range(draws.size):
        x += np.sqrt(2.0 * rate) * draws[t] - rate * x
        out[t] = x
    return out


def draw_life(seed: int, periods: int, change: int) -> Life:
    """Draw a life that ages at once in period `change`; every parameter also wanders by 10 %, over 8 minutes or so."""
    rng = np.random.default_rng(seed)
    jumps = rng.random(periods) < 0.005
    jumps[0] = True
    levels = rng.uniform(0.2, 0.8, periods)
    aged = np.arange(periods) >= change

    def drift(rate: float) -> np.ndarray:
        return wandering(rng.normal(size=periods), rate, rng.normal())

    return Life(
        target=levels[np.maximum.accumulate(np.where(jumps, np.arange(periods), 0))],
        load=0.05 * drift(0.005),
        noise=0.01 * rng.normal(size=periods),
        delay=np.where(aged, AGED["delay"], NEW["delay"]),
        **{
            name: np.where(aged, AGED[name], NEW[name]) * np.exp(0.1 * drift(2e-5))
            for name in ("gain", "inertia", "friction", "ripple")
        },
    )


@njit
def turn(life, t, motor, sent, voltage):
    """Let one period pass and return the speed as it is measured; `motor` and `sent` in place.

    `motor` is speed (1 is 8 revolutions a second), current in the winding and angle of the shaft; `sent` the last
    voltages, 0 to 1, which arrive after the dead time.
    """
    sent[t % sent.size] = voltage
    motor[1] += 0.5 * (sent[(t - life.delay[t]) % sent.size] - motor[1])
    torque = life.gain[t] * motor[1] + life.ripple[t] * np.sin(motor[2]) - life.load[t]
    if motor[0] > 0.0:
        torque -= life.friction[t]
    motor[0] = max(motor[0] + (torque - motor[0]) / life.inertia[t], 0.0)
    motor[2] = (motor[2] + 50.0 * PERIOD * motor[0]) % (2.0 * np.pi)
    return motor[0] + life.noise[t]


@njit
def pid(gains, memory, target, speed):
    """Return what a PID with set-point weight, filtered derivative and feedforward asks for; `memory` in place."""
    kp, _, kd, share, weight, forward, _ = gains
    before = memory[1]
    memory[1] += share * (speed - memory[1])
    return kp * (weight * target - speed) + memory[0] - kd * (memory[1] - before) + forward * target


@njit
def integrate(gains, memory, target, speed, wanted, voltage):
    """Add the error to the integral, and take back what the limits of the voltage took off (back-calculation)."""
    memory[0] += gains[1] * (target - speed) + gains[6] * (voltage - wanted)


@njit
def drive_with_pid(life, gains, costs):
    """Live a life with the PID; add the mean cost of each part of it to `costs`, in place."""
    motor, sent, memory = np.zeros(3), np.zeros(16), np.zeros(2)
    speed = voltage = 0.0
    periods = life.target.size
    for t in range(periods):
        target, last = life.target[t], voltage
        wanted = pid(gains, memory, target, speed)
        voltage = min(max(wanted, 0.0), 1.0)
        integrate(gains, memory, target, speed, wanted, voltage)
        speed = turn(life, t, motor, sent, voltage)
        cost = (target - motor[0]) ** 2 + EFFORT * (voltage - last) ** 2
        costs[t * costs.size // periods] += cost * costs.size / periods


@njit
def drive_with_agent(life, gains, address, observation, action, form, costs):
    """Live a life with the agent; add the mean cost of each part of it to `costs`, in place.

    The agent's reward is what can be measured of the cost. In `costs` the true speed counts, as for the PID.
    """
    motor, sent, memory = np.zeros(3), np.zeros(16), np.zeros(2)
    speed = voltage = reward = correction = 0.0
    mode = START
    periods = life.target.size
    for t in range(periods):
        target, last, slow, filtered = life.target[t], voltage, memory[0], memory[1]
        wanted = pid(gains, memory, target, speed)
        observation[0], observation[1], observation[2] = target, speed, target - speed
        observation[3], observation[4] = last, correction
        observation[5] = slow
        observation[6] = memory[1] - filtered if form == ALONE else wanted
        if form != NO_ANGLE:
            observation[7], observation[8] = np.sin(motor[2]), np.cos(motor[2])
        tick(address, reward, mode, True)
        mode = STEP
        if form == ALONE:
            voltage = action[0]
            memory[0] = min(max(memory[0] + 0.02 * (target - speed), -1.0), 1.0)
        else:
            correction = action[0]
            wanted += correction
            voltage = min(max(wanted, 0.0), 1.0)
            integrate(gains, memory, target, speed, wanted, voltage)
        speed = turn(life, t, motor, sent, voltage)
        reward = -((target - speed) ** 2) - EFFORT * (voltage - last) ** 2
        cost = (target - motor[0]) ** 2 + EFFORT * (voltage - last) ** 2
        costs[t * costs.size // periods] += cost * costs.size / periods


def tune(lives: list[Life], points: int, refined: int) -> np.ndarray:
    """Return the gains of least mean cost: of random points the best few are refined, one gain at a time."""

    def cost_of(gains: np.ndarray) -> float:
        costs = np.zeros(len(lives))
        for k, life in enumerate(lives):
            drive_with_pid(life, gains, costs[k : k + 1])
        return float(costs.mean())

    rng = np.random.default_rng(0)
    low, high = (np.log(bound, out=bound.copy(), where=LOGARITHMIC) for bound in (LOWEST, HIGHEST))

    def decoded(place: np.ndarray) -> np.ndarray:
        gains = low + (high - low) * np.clip(place, 0.0, 1.0)
        return np.exp(gains, out=gains, where=LOGARITHMIC)

    found = sorted((cost_of(decoded(place)), tuple(place)) for place in rng.random((points, len(GAINS))))[:refined]
    for k, (least, start) in enumerate(found):
        place, step = np.array(start), 0.1
        while step > 0.005:
            moves = [place + sign * step * axis for axis in np.eye(len(GAINS)) for sign in (1.0, -1.0)]
            best = min((cost_of(decoded(move)), tuple(np.clip(move, 0.0, 1.0))) for move in moves)
            if best[0] < least:
                least, place = best[0], np.array(best[1])
            else:
                step /= 2.0
        found[k] = (least, tuple(place))
    return decoded(np.array(min(found)[1]))


def live(controller: str, seed: int, periods: int, gains: dict[str, np.ndarray], parts: int) -> np.ndarray:
    """Return the mean cost of each part of a life that changes after its first third."""
    life, costs = draw_life(seed, periods, periods // 3), np.zeros(parts)
    if controller in gains:
        drive_with_pid(life, gains[controller], costs)
        return costs
    form = (ON_TOP, NO_ANGLE, ALONE)[CONTROLLERS.index(controller) - 2]
    voltage = Box(0.0, 1.0, (1,)) if form == ALONE else Box(-CORRECTION, CORRECTION, (1,))
    agent = Agent(Config(), Box(-np.inf, np.inf, (9,)), voltage, seed=seed)
    drive_with_agent(life, gains["pid"], *ports(agent), form, costs)
    return costs


# Columns of the table: name, and share of the life at which it begins and ends.
SPANS = {"new": (1 / 6, 1 / 3), "after_change": (1 / 3, 1 / 2), "aged": (1 / 3, 1.0), "aged_last": (5 / 6, 1.0)}


def compare(seeds: int, periods: int, points: int, refined: int) -> dict[str, object]:
    """Return gains, rows and summary: costs times 10^4, over parts of the life, for every controller and seed."""
    short = min(periods, 10_000)
    lives = {
        name: [draw_life(100 + k, short, change) for k in range(4)] for name, change in (("new", short), ("aged", 0))
    }
    gains = {name: tune(lives[age], points, refined) for name, age in (("pid", "new"), ("pid retuned", "aged"))}
    rows, curves = [], {}
    for controller in CONTROLLERS:
        for seed in range(seeds):
            costs = 1e4 * live(controller, seed, periods, gains, 60)
            curves.setdefault(controller, []).append(costs.tolist())
            spans = {
                name: round(float(costs[round(60 * a) : round(60 * b)].mean()), 2) for name, (a, b) in SPANS.items()
            }
            rows.append({"controller": controller, "seed": seed, **spans})
    summary = {}
    for controller in CONTROLLERS:
        summary[controller] = {}
        for name in SPANS:
            values = [row[name] for row in rows if row["controller"] == controller]
            summary[controller][name] = {
                "mean": round(float(np.mean(values)), 2),
                "worst": max(values),
                "iqm": round(float(interquartile_mean(np.array(values))), 2),
            }
    tuned = {name: dict(zip(GAINS, np.round(value, 4).tolist(), strict=True)) for name, value in gains.items()}
    return {"gains": tuned, "rows": rows, "summary": summary, "curves": curves}


def plot(result: dict[str, object], periods: int, path: Path) -> None:
    """Draw the cost over the life: mean and range over the seeds."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4), layout="constrained")
    for controller, color in zip(CONTROLLERS, ("#d62728", "#ff9896", "#1f77b4", "#9ecae1", "#2ca02c"), strict=True):
        curves = np.array(result["curves"][controller])
        minutes = (np.arange(curves.shape[1]) + 0.5) / curves.shape[1] * periods * PERIOD / 60
        axes.plot(minutes, curves.mean(axis=0), color=color, label=controller)
        axes.fill_between(minutes, curves.min(axis=0), curves.max(axis=0), color=color, alpha=0.15, linewidth=0)
    axes.axvline(periods * PERIOD / 180, color="black", linewidth=0.8, linestyle=":")
    axes.set(xlabel="minutes of the motor's life (dotted: it ages)", ylabel=r"cost, $10^{-4}$", yscale="log")
    axes.legend(ncols=2, fontsize="small")
    figure.savefig(path, dpi=110)


def write_rows(result: dict[str, object], command: str, path: Path) -> None:
    """Write the rows as a table, with the command that makes it."""
    with RowWriter(path, command) as table:
        for row in result["rows"]:
            table.add(row)


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description="a tuned PID, and the agent on top of it, on a motor that ages")
    parser.add_argument("--seeds", type=int, default=1, help="lives, seeds 0 to N - 1 (default 1)")
    parser.add_argument("--periods", type=int, default=600_000, help="of 10 ms, a life (default 600000)")
    parser.add_argument("--points", type=int, default=400, help="random gains that tuning begins with (default 400)")
    parser.add_argument("--refined", type=int, default=4, help="the best of them, which are refined (default 4)")
    parser.add_argument("--csv", type=Path, help="write the rows to this file")
    parser.add_argument("--plot", type=Path, help="draw the cost to this file (needs matplotlib)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    for name, least in (("seeds", 1), ("periods", 600), ("points", 4), ("refined", 1)):
        if getattr(options, name) < least:
            parser.error(f"--{name} {getattr(options, name)}: give at least {least}")
    if options.plot is not None and importlib.util.find_spec("matplotlib") is None:
        parser.error("--plot needs matplotlib: pip install matplotlib")
    result = compare(options.seeds, options.periods, options.points, options.refined)
    if options.csv is not None:
        command = f"python docs/examples/aging_plant.py --seeds {options.seeds} --periods {options.periods}"
        write_rows(result, f"{command} --csv docs/results/aging_plant.csv", options.csv)
    if options.plot is not None:
        plot(result, options.periods, options.plot)
    del result["curves"]
    if options.json:
        print(json.dumps(result))
        return
    print(f"{'cost, 10^-4, mean (worst)':25}" + "".join(f"{name:>18}" for name in SPANS))
    for controller, spans in result["summary"].items():
        cells = (f"{span['mean']:.1f} ({span['worst']:.1f})" for span in spans.values())
        print(f"{controller:25}" + "".join(f"{cell:>18}" for cell in cells))


if __name__ == "__main__":
    main()
