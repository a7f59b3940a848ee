"""The agent in a control loop at 1 kHz: it learns to hold the speed of a motor while the motor runs.

    python docs/examples/control_loop.py

What is needed of a machine are two methods, `sense` and `act`; `Loop` does the rest: deadlines, limits, faults,
snapshots on disk. A program that has a loop of its own calls `Guard.step` in it, with the same protection.

Halfway the speed sensor sends NaN for ten periods, and a load is put on the motor.
"""

from __future__ import annotations

import argparse
import json
import math

import numpy as np
from gymnasium.spaces import Box
from synaptick import Agent, Config
from synaptick.realtime import Loop, Snapshots, Watchdog

RATE = 1000  # Hz


class Motor:
    """A motor with inertia and friction; the speed wanted changes every half second.

    ::

        speed <- speed + 0.02 (voltage - 0.5 speed - load)     one period of 1 ms
    """

    def __init__(self, periods: int, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.half, self.period = periods // 2, 0
        self.speed = self.wanted = self.load = 0.0
        self.errors: list[float] = []

    def sense(self) -> tuple[float, np.ndarray]:
        """Return the reward of the last period, and what the sensors say: the error and the speed."""
        self.period += 1
        if self.period % 500 == 0:
            self.wanted = self.rng.uniform(-1.0, 1.0)
        self.load = 0.3 if self.period > self.half else 0.0
        self.errors.append(abs(self.wanted - self.speed))
        speed = math.nan if 0 < self.period - self.half <= 10 else self.speed + self.rng.normal(0.0, 0.01)
        return -self.errors[-1], np.array([self.wanted - speed, speed])

    def act(self, voltage: np.ndarray) -> None:
        """Let the motor run for one period."""
        self.speed += 0.02 * (float(voltage[0]) - 0.5 * self.speed - self.load)


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description="an agent that learns to hold the speed of a motor, at 1 kHz")
    parser.add_argument("--seconds", type=float, default=10.0, help="of the motor's time, 1 or more (default 10)")
    parser.add_argument("--out", help="folder for snapshots, to go on from if there are any (default: none)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print the whole report")
    options = parser.parse_args()
    if not options.seconds >= 1.0:
        parser.error(f"--seconds {options.seconds}: give 1 or more")

    # The ten lines.
    periods = int(options.seconds * RATE)
    motor = Motor(periods, options.seed)
    agent = (Snapshots.load_newest(options.out) if options.out else None) or Agent(
        Config(layers=(64,), memory=0), Box(-np.inf, np.inf, (2,)), Box(-1.5, 1.5, (1,)), seed=options.seed
    )
    loop = Loop(
        agent,
        motor,
        RATE,
        watchdog=Watchdog(action_rate=0.5, observation_low=-10.0, observation_high=10.0),
        snapshots=Snapshots(agent, every=1000, folder=options.out, write_every=5000),
        safe_action=np.zeros(1, np.float32),
        final_action=np.zeros(1, np.float32),
    )
    report = loop.run(steps=periods)
    loop.close()

    if options.json:
        print(json.dumps(loop.report()))
        return
    tenth = len(motor.errors) // 10
    print(f"{report['periods']} periods, {report['misses']} deadlines missed, {report['collections']} collections")
    print(f"a step takes {report['step_us']['p50']:.0f} us (median), {report['step_us']['p99.9']:.0f} us (p99.9)")
    first, last = np.mean(motor.errors[:tenth]), np.mean(motor.errors[-tenth:])
    print(f"error of the speed: {first:.2f} at first, {last:.2f} at last")
    # On a busy machine there may be many overruns; what else there was in trouble comes first.
    events = sorted(report["events"]["events"], key=lambda event: event["kind"] == "overrun")
    for event in events[:8]:
        print(f"{event['seconds']:7.3f} s  {event['kind']}: {event['what']}")


if __name__ == "__main__":
    main()
