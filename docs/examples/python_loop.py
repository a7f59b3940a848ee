"""The agent in a Python loop of your own: batches in a heated tank, no Gymnasium environment.

    python docs/examples/python_loop.py

Each batch has a temperature of its own to be held. It is cut off after 200 seconds (truncated: the tank would have gone
on), or ends for good when the tank boils over (terminated). The agent learns from every second of it.

Spaces are the only thing taken from Gymnasium, and only to make a new agent: `Agent.load(path)` does without.
"""

from __future__ import annotations

import argparse

import numpy as np
from gymnasium.spaces import Box
from synaptick import Agent, Config

BATCH = 200  # s
BOILING = 95.0  # degrees C


class Tank:
    """Water that is heated and loses heat; one call is one second.

    ::

        temperature <- temperature + 1.2 power - 0.01 (temperature - 20)     degrees C
    """

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def fill(self) -> np.ndarray:
        """Begin a batch: fresh water, a new target; return what is measured."""
        self.temperature, self.target = 20.0, self.rng.uniform(40.0, 80.0)
        return self.measured()

    def heat(self, power: float) -> np.ndarray:
        """Heat for one second with a power of 0 to 1; return what is measured."""
        self.temperature += 1.2 * power - 0.01 * (self.temperature - 20.0)
        return self.measured()

    def measured(self) -> np.ndarray:
        """Return target and temperature, the latter with noise; units do not matter, the agent finds its own."""
        return np.array([self.target, self.temperature + self.rng.normal(0.0, 0.2)])


def learn(seconds: int, seed: int) -> list[float]:
    """Return the mean distance from the target of each batch, degrees C."""
    tank = Tank(seed)
    agent = Agent(Config(), Box(-np.inf, np.inf, (2,)), Box(0.0, 1.0, (1,)), seed=seed)
    distances, batch = [], []
    action = agent.start(tank.fill())
    for _ in range(seconds):
        observation = tank.heat(float(action[0]))
        batch.append(abs(tank.target - tank.temperature))
        reward = -batch[-1]
        boiled, over = tank.temperature > BOILING, len(batch) == BATCH
        if not (boiled or over):
            action = agent.step(reward, observation)
            continue
        if boiled:
            agent.end(reward - 100.0)  # nothing comes after this
        else:
            agent.end(reward, observation)  # something would have: its value counts
        distances.append(float(np.mean(batch)))
        batch = []
        action = agent.start(tank.fill())
    return distances


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description="an agent that learns to heat a tank, in a plain Python loop")
    parser.add_argument("--seconds", type=int, default=60_000, help="of the tank's time (default 60000)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.seconds < 2 * BATCH:
        parser.error(f"--seconds {options.seconds}: give at least two batches, {2 * BATCH}")
    distances = learn(options.seconds, options.seed)
    tenth = max(1, len(distances) // 10)
    print(f"{len(distances)} batches, mean distance from the target:")
    print(f"first {tenth}: {np.mean(distances[:tenth]):.2f} degrees")
    print(f"last {tenth}: {np.mean(distances[-tenth:]):.2f} degrees")


if __name__ == "__main__":
    main()
