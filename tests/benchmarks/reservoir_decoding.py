"""What a linear readout could tell from an untrained reservoir: ``python -m tests.benchmarks.reservoir_decoding``.

Episodes are played with a fixed policy; in the first half of them the statistics of observations settle, then nothing
changes. A ridge regression on the critic's reservoir spikes at the question, fitted on three in five of the rest,
answers what is left. Chance is 0.5, in the last column 0.25: which of four symbols was shown four ticks ago, in a
stream of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from synaptick import Agent, Config

Array = NDArray[np.float64]

FROZEN = {"layers": [4], "lr_policy": 0.0, "lr_value": 0.0}
ARMS: dict[str, dict[str, Any]] = {
    "default": {},
    "no latches": {"latch_fraction": 0.0, "delay_fraction": 0.5},
    "no delay lines": {"latch_fraction": 0.5, "delay_fraction": 0.0},
    "random neurons alone": {"latch_fraction": 0.0, "delay_fraction": 0.0},
    "latches alone": {"latch_fraction": 1.0},
    "random neurons alone, 32": {"latch_fraction": 0.0, "delay_fraction": 0.0, "reservoir": 32},
}


def walk(rng: np.random.Generator, observation: Array) -> int:
    """Go east four times in five, north at the junction."""
    if tuple(observation) == (0.0, 1.0, 0.0):
        return 0
    return 1 if rng.random() < 0.8 else int(rng.choice([0, 2, 3]))


TASKS: dict[str, tuple[str, dict[str, Any], int, Callable[[np.random.Generator, Array], int]]] = {
    "chain 64": ("MemoryChain", {"length": 64}, 200, lambda rng, observation: 0),
    "chain 256": ("MemoryChain", {"length": 256}, 200, lambda rng, observation: 0),
    "T-maze 50": ("TMaze", {"length": 50}, 400, walk),
    "evidence 50 ms": ("EvidenceAccumulation", {"tick_ms": 50}, 800, lambda rng, observation: 0),
    "evidence 10 ms": ("EvidenceAccumulation", {"tick_ms": 10}, 800, lambda rng, observation: 0),
}


def accuracy(spikes: Array, answers: NDArray[np.int_]) -> float:
    """Share of right answers on the last two fifths."""
    features, targets = np.c_[spikes, np.ones(len(spikes))], np.eye(answers.max() + 1)[answers]
    first = len(features) * 3 // 5
    known = features[:first]
    weights = np.linalg.solve(known.T @ known + np.eye(known.shape[1]), known.T @ targets[:first])
    return float(((features[first:] @ weights).argmax(axis=1) == answers[first:]).mean())


def of_episodes(name: str, arm: dict[str, Any], seed: int) -> float:
    """Accuracy at the end of episodes, where the reward of a fixed answer says which was right."""
    task, arguments, episodes, policy = TASKS[name]
    env = gymnasium.make(f"synaptick.envs:synaptick/{task}-v0", disable_env_checker=True, **arguments)
    agent = Agent(Config(**FROZEN, **arm), env.observation_space, env.action_space, seed)
    rng = np.random.default_rng(seed)
    spikes, answers = [], []
    observation, _ = env.reset(seed=0)
    for episode in range(2 * episodes):
        settling = episode < episodes
        agent.start(observation, learn=settling)
        ended = False
        while not ended:
            seen = agent.arena.views["critic/0/z"].copy()
            observation, reward, terminated, truncated, _ = env.step(policy(rng, observation))
            ended = terminated or truncated
            if ended:
                agent.end(0.0, learn=settling)
            else:
                agent.step(0.0, observation, learn=settling)
        if not settling:
            spikes.append(seen)
            answers.append(int(float(reward) > 0))
        observation, _ = env.reset()
    return accuracy(np.array(spikes, np.float64), np.array(answers))


def of_stream(arm: dict[str, Any], seed: int, ticks: int = 10_000, ago: int = 4) -> float:
    """Accuracy of the symbol of four ticks ago in a stream of four symbols."""
    agent = Agent(Config(**FROZEN, **arm), spaces.Discrete(4), spaces.Discrete(2), seed)
    symbols = np.random.default_rng(0).integers(4, size=ticks)
    spikes = np.zeros((ticks, agent.config.reservoir))
    agent.start(symbols[0])
    for tick in range(1, ticks):
        agent.step(0.0, symbols[tick])
        spikes[tick] = agent.arena.views["critic/0/z"]
    return accuracy(spikes[ago:], symbols[:-ago])


def main() -> None:
    """Print mean and worst accuracy of every arm."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=6, metavar="N", help="networks an arm (default 6)")
    options = parser.parse_args()
    print(
        f"{'mean (worst) of ' + str(options.seeds) + ' networks':26}", *(f"{name:>15}" for name in TASKS), "4 ticks ago"
    )
    for label, arm in ARMS.items():
        found = [[of_episodes(name, arm, seed) for seed in range(options.seeds)] for name in TASKS]
        found.append([of_stream(arm, seed) for seed in range(options.seeds)])
        print(f"{label:26}", *(f"    {np.mean(x):.2f} ({min(x):.2f})" for x in found), flush=True)


if __name__ == "__main__":
    main()
