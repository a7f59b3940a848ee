"""Start from a PID, which an agent corrects by a fifth of the actuator's range at most.

python docs/examples/pid.py
"""

import argparse

import numpy as np
from gymnasium.spaces import Box
from synaptick import Agent, Config
from synaptick.realtime import Loop, Residual


class Motor:
    """A motor with noise, a dead time of 4 periods and a worn gear that pushes and brakes once a turn."""

    def __init__(self, seed: int) -> None:
        self.rng, self.costs, self.sent, self.time = np.random.default_rng(seed), [], [0.0] * 4, 0
        self.speed = self.angle = self.load = self.integral = self.last = 0.0

    def sense(self) -> tuple[float, np.ndarray]:
        """Return the reward, and error and angle as they are measured; keep the true cost."""
        self.costs.append((0.5 - self.speed) ** 2)
        error = 0.5 - self.speed + 0.01 * self.rng.normal()
        return -(error**2), np.array([error, np.sin(self.angle), np.cos(self.angle)])

    def act(self, volts: np.ndarray) -> None:
        """Let the motor run for 10 ms."""
        self.sent.append(float(volts[0]))
        self.load += 0.01 * self.rng.normal() - 0.01 * self.load
        torque = self.sent.pop(0) + 0.3 * np.sin(self.angle) - 0.3 * self.load
        self.speed += (torque - self.speed) / 15.0
        self.angle += 0.5 * self.speed

    def now(self, passed: int = 0) -> int:
        """Be the clock, one that runs as fast as the program can; a real machine needs none."""
        self.time += passed
        return self.time

    sleep = now

    def pid(self, seen: np.ndarray) -> np.ndarray:
        """Return the voltage; of 495 combinations of gains these had the least cost on this motor."""
        change, self.last = seen[0] - self.last, seen[0]
        self.integral += 0.04 * seen[0]
        return np.array([0.1 * seen[0] + self.integral + 12.0 * change])


parser = argparse.ArgumentParser(description="a PID alone, and with an agent that corrects it: cost of the last third")
parser.add_argument("--seeds", type=int, default=5)
parser.add_argument("--seconds", type=float, default=300.0, help="of the motor's time (default 300)")
args = parser.parse_args()
for seed in range(args.seeds):
    agent = Agent(Config(initial_std=0.3), Box(-np.inf, np.inf, (3,)), Box(-1, 1, (1,)), seed=seed)
    alone, both = Motor(seed), Motor(seed)
    Loop(agent, alone, 100, fallback=alone.pid, shadow=True, learn=False, spin=0, clock=alone).run(seconds=args.seconds)
    Loop(Residual(both.pid, agent, 0.2, ramp_seconds=30), both, 100, spin=0, clock=both).run(seconds=args.seconds)
    costs = [1e4 * np.mean(motor.costs[2 * len(motor.costs) // 3 :]) for motor in (alone, both)]
    print(f"seed {seed}: PID {costs[0]:.1f}, with the agent {costs[1]:.1f}", flush=True)
