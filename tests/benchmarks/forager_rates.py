"""Rewards a step of policies in synaptick/Forager-v0, for its documentation.

::

    python -m tests.benchmarks.forager_rates --steps 20000 --depth 8

A planner tries every path of so many moves, but for those that turn back at once, and takes the first move of the one
with the largest discounted reward; where it ends, the nearest thing worth eating counts as if it could be walked to. It
is told the signs of now. After 20 steps without food, when it waits for what it cannot reach, it walks at random until
there is some, but not onto anything bad. Two kinds: what it sees is the observation, or the whole field.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np
from numba import njit
from synaptick.envs import Forager

DISCOUNT, REACH, PATIENCE, ROWS, COLUMNS = 0.95, 6, 20, (-1, 0, 1, 0), (0, 1, 0, -1)
Field = np.ndarray


@njit
def _nearest(field: Any, row: int, column: int) -> float:
    size, best = len(field), 0.0
    for i in range(-REACH, REACH + 1):
        for j in range(-REACH, REACH + 1):
            reward = field[(row + i) % size, (column + j) % size]
            if reward > 0.0:
                best = max(best, reward * DISCOUNT ** (abs(i) + abs(j) - 1))
    return best


@njit
def _worth(field: Any, row: int, column: int, came: int, depth: int) -> float:
    """Return the worth of the best path from here; `came` is the move that led here."""
    if depth == 0:
        return _nearest(field, row, column)
    size, best = len(field), -np.inf
    for move in range(4):
        if move != (came + 2) % 4:
            to_row, to_column = (row + ROWS[move]) % size, (column + COLUMNS[move]) % size
            reward = field[to_row, to_column]
            field[to_row, to_column] = 0.0
            best = max(best, reward + DISCOUNT * _worth(field, to_row, to_column, move, depth - 1))
            field[to_row, to_column] = reward
    return best


@njit
def plan(field: Any, row: int, column: int, order: Any, depth: int) -> int:
    """Return the first move of the best path; of equal ones, the first in order."""
    size, best, chosen = len(field), -np.inf, 0
    for move in order:
        to_row, to_column = (row + ROWS[move]) % size, (column + COLUMNS[move]) % size
        reward = field[to_row, to_column]
        field[to_row, to_column] = 0.0
        worth = reward + DISCOUNT * _worth(field, to_row, to_column, move, depth - 1)
        field[to_row, to_column] = reward
        if worth > best + 1e-9:
            best, chosen = worth, move
    return chosen


def rewards(policy: str, steps: int, depth: int, seed: int = 0, **kwargs: Any) -> list[float]:
    """Return the reward of each step, without flips."""
    env, rng = Forager(flip_every=0, **kwargs), np.random.default_rng(seed)
    observation, _ = env.reset(seed=seed)
    signs = np.array(env.rewards)
    radius, move, earned, last = env.view // 2, 1, [], 0
    for step in range(steps):
        if policy == "random":
            move = int(rng.integers(4))
        else:
            row, column = env.get_state()["place"]
            field = np.zeros((env.size, env.size))
            if policy == "field":
                for cells, reward in zip(env.get_state()["cells"], signs, strict=True):
                    field.flat[cells] = reward
            else:
                around = np.arange(-radius, radius + 1)
                seen = np.tensordot(signs, observation.reshape(len(signs), env.view, env.view), 1)
                field[np.ix_((row + around) % env.size, (column + around) % env.size)] = seen
            # Straight on if nothing speaks against it, and back last.
            order = [move, *((move + turn) % 4 for turn in rng.permutation([1, 3])), (move + 2) % 4]
            if step - last <= PATIENCE:
                move = plan(field, row, column, np.array(order), depth)
            else:
                ahead = [field[(row + ROWS[to]) % env.size, (column + COLUMNS[to]) % env.size] for to in range(4)]
                move = int(rng.choice(np.flatnonzero(np.array(ahead) >= min(max(ahead), 0.0))))
        observation, reward, *_ = env.step(np.int64(move))
        earned.append(reward)
        last = step if reward else last
    return earned


def main() -> None:
    """Print a line a policy: mean reward, share of steps that eat, standard error over tenths of the run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--depth", type=int, default=8)
    parser.add_argument(
        "--policies", nargs="+", choices=["random", "view", "field"], default=["random", "view", "field"]
    )
    given = parser.parse_args()
    for policy in given.policies:
        earned = np.array(rewards(policy, given.steps, given.depth))
        tenths = earned[: len(earned) // 10 * 10].reshape(10, -1).mean(axis=1)
        error = tenths.std(ddof=1) / np.sqrt(10)
        sys.stdout.write(f"{policy}: {earned.mean():.3f} +- {error:.3f}, eats {np.mean(earned != 0):.3f}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
