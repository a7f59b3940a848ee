# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Quickstart
#
# An agent, CartPole, and what its neurons do. Takes half a minute; on a machine that has never run the agent,
# compiling adds some ten seconds. In a clone: `pip install ".[plot]"`, then `python docs/notebooks/quickstart.py`;
# without a display figures are not shown.

# %%
import tempfile
from pathlib import Path

import gymnasium as gym
import matplotlib.pyplot as plt
import numpy as np
from synaptick import Agent, Config, run

env = gym.make("CartPole-v1")
agent = Agent(Config(), env.observation_space, env.action_space, seed=1)
print(agent.summary())

# %% [markdown]
# `run` is the loop of `start`, `step` and `end`. A hook, an object with `on_episode`, sees every return as it comes
# in.


# %%
class Returns:
    """Keeps the return of every episode, and the step at which it ended."""

    def __init__(self):
        self.steps, self.returns = [], []

    def on_episode(self, tally):
        self.steps.append(tally.steps)
        self.returns.append(tally.last_return)


seen = Returns()
run(agent, env, 80_000, seed=1, hooks=[seen])
print(f"{len(seen.returns)} episodes; mean return of the first 20: {np.mean(seen.returns[:20]):.0f}")
print(f"of the last 20: {np.mean(seen.returns[-20:]):.0f} (the most there is to get is 500)")

# %%
figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
axes.plot(seen.steps, seen.returns, ".", markersize=3)
axes.set(xlabel="steps", ylabel="return of an episode")
plt.show()

# %% [markdown]
# A probe records what neurons do, tick by tick, without changing a bit of the agent. `actor/0` is the memory layer,
# `actor/1` the layer that reads it. Spikes are graded: a darker mark is a larger one.

# %%
with agent.probe("actor/1", ["spike"], every=1, capacity=200) as probe:
    run(agent, env, 200, learn=False, seed=2)

figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
axes.imshow(probe.raster().T, aspect="auto", cmap="Greys", interpolation="none")
axes.set(xlabel="ticks", ylabel="neuron")
plt.show()

# %% [markdown]
# The whole agent is one block of memory, which a file holds to the last bit: what goes on from the file is what would
# have gone on here.

# %%
with tempfile.TemporaryDirectory() as folder:
    agent.save(Path(folder) / "agent.synaptick")
    again = Agent.load(Path(folder) / "agent.synaptick")

assert (again.snapshot() == agent.snapshot()).all()
print(f"{agent.nbytes:,} bytes, the same after {agent.ticks:,} ticks as after none")
