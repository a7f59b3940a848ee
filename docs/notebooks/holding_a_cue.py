# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Memory neurons learn to hold a cue
#
# A cue is shown once; 16 steps later a question asks which it was. The memory neurons of this agent begin with time
# constants of 1 to 4 ticks, on average too short by far: after 16 steps a neuron with 4 ticks keeps 2 % of what it
# had. The gate of each neuron can learn to keep more. Beside it runs the control: the same agent whose memory neurons
# stay as they were drawn (`frozen_layers: 1`), so that only what reads them learns. How much is luck of the draw, ten
# seeds of each show.
#
# Takes about a minute. In a clone: `pip install ".[plot]"`, then `python docs/notebooks/holding_a_cue.py`. Without a
# display write the figures to files: `plt.savefig("NAME.png")` in the place of `plt.show()`.

# %%
import gymnasium as gym
import matplotlib.pyplot as plt
import numpy as np
from synaptick import Agent, Config, run

LENGTH, HORIZON, STEPS, SEEDS = 16, 4.0, 200_000, 10


class Returns:
    """Keeps the return of every episode: 1 for the right answer, -1 for the wrong one."""

    def __init__(self):
        self.returns = []

    def on_episode(self, tally):
        self.returns.append(tally.last_return)


def learned(frozen, seed):
    """Return an agent after learning, its environment and the mean return in each tenth of its life."""
    env = gym.make("synaptick.envs:synaptick/MemoryChain-v0", length=LENGTH)
    config = Config(memory_horizon=HORIZON, frozen_layers=frozen)
    agent, seen = Agent(config, env.observation_space, env.action_space, seed=seed), Returns()
    run(agent, env, STEPS, seed=seed, hooks=[seen])
    return agent, env, [np.mean(part) for part in np.array_split(seen.returns, 10)]


results = {frozen: [learned(frozen, seed) for seed in range(SEEDS)] for frozen in (0, 1)}
curves = {frozen: np.array([curve for _, _, curve in found]) for frozen, found in results.items()}
held = {frozen: curve[:, -1] > 0.5 for frozen, curve in curves.items()}
for frozen, name in ((0, "memory learns"), (1, "memory frozen")):
    print(f"{name}: held by {held[frozen].sum()} of {SEEDS} seeds; return in the last tenth, seed by seed:")
    print(np.round(curves[frozen][:, -1], 2))

# %% [markdown]
# Without memory the answer is a guess, and the mean return 0. "Held" is a mean return above 0.5 in the last tenth.
# On ten other seeds, 20 to 29, 9 of 10 held it with memory that learns and 6 of 10 with memory frozen.

# %%
figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
tenths = (np.arange(10) + 0.5) * STEPS / 10
for frozen, name, color in ((0, "memory learns", "C0"), (1, "memory frozen", "C1")):
    axes.plot(tenths, curves[frozen].T, color=color, linewidth=1)
    axes.plot([], [], color=color, label=f"{name}: held by {held[frozen].sum()} of {SEEDS}")
axes.set(xlabel="steps", ylabel="mean return", ylim=(-0.2, 1.05))
axes.legend()
plt.show()

# %% [markdown]
# What has changed is the gate. `agent.retention()` has, for each memory neuron, the share of its cell that it kept in
# the last tick and the time constant in ticks that this share stands for; here in the middle of the wait. What a neuron
# sees moves its gate too, so that those as drawn come to 16 ticks.


# %%
def time_constants(agent, env):
    """Return the time constants, in ticks, while the agent waits for the question."""
    action = agent.start(env.reset(seed=7)[0], learn=False)
    for _ in range(LENGTH // 2):
        observation, reward, *_ = env.step(action)
        action = agent.step(reward, observation, learn=False)
    return np.sort(agent.retention("actor").ticks[0])[::-1]


figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
for frozen, name, color in ((1, "as drawn", "C1"), (0, "learned", "C0")):
    agent, env, _ = results[frozen][0]
    constants = time_constants(agent, env)
    axes.plot(np.maximum(constants, 0.1), color=color, label=f"{name}: the longest {constants[0]:.0f} ticks")
axes.axhline(LENGTH, color="black", linewidth=0.8, linestyle=":")
axes.set(yscale="log", xlabel="memory neurons, the most lasting first", ylabel="time constant, ticks")
axes.legend()
plt.show()

# %% [markdown]
# One of the cells through an episode with either cue: what a probe sees of `v`, which of memory neurons is the cell c.
# A neuron may see the cue twice, when it is shown and up to eight ticks later (`memory_delay`).


# %%
def cells(agent, env, cue):
    """Return the cells of all memory neurons in each tick of an episode with this cue, -1 or 1."""
    seed = next(seed for seed in range(100) if env.reset(seed=seed)[0][2] == cue)
    with agent.probe("actor/0", ["v"], capacity=LENGTH) as probe:
        action = agent.start(env.reset(seed=seed)[0], learn=False)
        for _ in range(LENGTH - 1):
            observation, reward, *_ = env.step(action)
            action = agent.step(reward, observation, learn=False)
    return probe.data["v"]


agent, env, _ = results[0][0]
left, right = cells(agent, env, -1), cells(agent, env, 1)
neuron = np.argmax(np.abs(right[-1] - left[-1]))
figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
axes.plot(right[:, neuron], label="cue 1")
axes.plot(left[:, neuron], label="cue -1")
axes.set(xlabel="ticks since the cue", ylabel=f"cell of memory neuron {neuron}")
axes.legend()
plt.show()

# %%
assert held[0].sum() >= 8  # most seeds hold the cue
assert curves[0][:, -1].mean() > curves[1][:, -1].mean() + 0.1  # and learning to hold it is what did it
