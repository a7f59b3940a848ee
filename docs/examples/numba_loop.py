"""The agent in a Numba loop of your own: two water tanks, with no Python object in the loop.

    python docs/examples/numba_loop.py

A valve feeds the upper tank, which drains into the lower one, whose level is to follow a target. The same simulator is
driven from a Python loop and from a compiled one; both end with the same agent, to the last bit.

Three things make the compiled loop: `load_tick()`, the compiled step as a function pointer; `ports(agent)`, the address
and the two arrays through which it is talked to; and modes, START and STEP here. What the loop does not do is check:
numbers that are not finite are refused by the return value, and that is up to you to look at.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
from gymnasium.spaces import Box
from numba import njit
from synaptick import Agent, Config
from synaptick.compiled_loop import START, STEP, load_tick, ports

# Held by a global, so that Numba sees a constant.
tick = load_tick()


@njit
def advance(levels, valve, inflow):
    """Let one second pass: Torricelli's law for both tanks; `levels`, (2,) in meters, in place.

    ::

        upper <- upper + 0.02 (valve + inflow) - 0.03 sqrt(upper)
        lower <- lower + 0.03 sqrt(upper) - 0.03 sqrt(lower)
    """
    between = 0.03 * np.sqrt(levels[0])
    levels[0] = max(levels[0] + 0.02 * (valve + inflow) - between, 0.0)
    levels[1] = max(levels[1] + between - 0.03 * np.sqrt(levels[1]), 0.0)


@njit
def compiled_loop(address, observation, action, targets, inflows, learning):
    """Run the simulator and the agent together; return the mean squared error and the last status of the step."""
    levels = np.array([0.2, 0.2])
    reward, total, mode, status = 0.0, 0.0, START, 0
    for t in range(targets.shape[0]):
        observation[0], observation[1], observation[2] = targets[t], levels[0], levels[1]
        status = tick(address, reward, mode, learning)
        if status < 0:  # NOT_STARTED, BAD_REWARD or BAD_OBSERVATION; the agent is as it was
            break
        mode = STEP
        advance(levels, action[0], inflows[t])
        missed = targets[t] - levels[1]
        reward = -missed * missed  # ** 2 may round otherwise here than there
        total -= reward
    return total / targets.shape[0], status


def python_loop(agent, targets, inflows):
    """Do the same from Python; return the mean squared error."""
    levels = np.array([0.2, 0.2])
    reward = total = 0.0
    for t in range(len(targets)):
        observation = np.array([targets[t], levels[0], levels[1]])
        action = agent.step(reward, observation) if t else agent.start(observation)
        advance(levels, float(action[0]), inflows[t])
        missed = targets[t] - levels[1]
        reward = -missed * missed  # ** 2 may round otherwise here than there
        total -= reward
    return total / len(targets)


def new_agent(hidden: int) -> Agent:
    """Return an agent for the tanks; without `hidden`, the default network."""
    config = Config() if hidden == 0 else Config(layers=(hidden,), memory=0)
    # Actions in float64, as they are drawn, so that both loops hand the simulator the same number.
    return Agent(config, Box(0.0, np.inf, (3,)), Box(0.0, 1.0, (1,), np.float64), seed=0)


def compare(seconds: int, hidden: int) -> dict[str, float | bool]:
    """Run both loops over one stream and return their speeds, errors, and whether the agents are the same."""
    rng = np.random.default_rng(0)
    targets = np.repeat(rng.uniform(0.05, 0.4, -(-seconds // 300)), 300)[:seconds]
    inflows = 0.2 * rng.random(seconds)
    ours, theirs = new_agent(hidden), new_agent(hidden)
    spare = new_agent(hidden)
    begun = time.perf_counter()
    compiled_loop(*ports(spare), targets[:1], inflows[:1], True)  # one second of another agent compiles the loop
    compiling = time.perf_counter() - begun
    begun = time.perf_counter()
    error, status = compiled_loop(*ports(ours), targets, inflows, True)
    compiled = time.perf_counter() - begun
    if status < 0:
        raise RuntimeError(f"the step refused its input with {status}, see synaptick.compiled_loop")
    begun = time.perf_counter()
    same_error = python_loop(theirs, targets, inflows)
    interpreted = time.perf_counter() - begun
    return {
        "seconds_to_compile_the_loop": round(compiling, 2),
        "steps_per_second_compiled": round(seconds / compiled),
        "steps_per_second_python": round(seconds / interpreted),
        "mean_squared_error": error,
        "same_error": bool(error == same_error),
        "same_agent_bit_for_bit": bool(np.array_equal(ours.snapshot(), theirs.snapshot())),
    }


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description="the compiled step in a compiled loop, next to a Python loop")
    parser.add_argument("--seconds", type=int, default=100_000, help="of the tanks' time (default 100000)")
    parser.add_argument("--hidden", type=int, default=64, help="neurons of the only layer; 0: the default network")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.seconds < 1:
        parser.error(f"--seconds {options.seconds}: give at least 1")
    result = compare(options.seconds, options.hidden)
    if options.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name.replace('_', ' ')}: {value}")


if __name__ == "__main__":
    main()
