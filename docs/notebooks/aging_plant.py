# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # A plant that ages
#
# A PID is tuned on a new motor. After a third of its life the motor loses torque, friction and dead time grow, and a
# worn gear brakes and pushes. An agent adds at most 0.3 of the full voltage to what the PID asks for, and learns from
# nothing but the cost of each period.
#
# This is a short life, 33 minutes of one motor at 100 Hz, and takes less than a minute; five lives of 100 minutes and
# the other controllers are on [the page of results](../results/aging-motor.md). The motor is in
# [aging_plant.py](../examples/aging_plant.py). In a clone: `pip install ".[plot]"`, then
# `python docs/notebooks/aging_plant.py`; without a display figures are not shown.

# %%
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

sys.path.insert(0, str(Path.cwd().parent / "examples"))
from aging_plant import GAINS, PERIOD, draw_life, live, tune

PERIODS, PARTS = 200_000, 40
new_motors = [draw_life(100 + k, 10_000, 10_000) for k in range(4)]
gains = tune(new_motors, points=200, refined=2)
print(dict(zip(GAINS, np.round(gains, 3).tolist(), strict=True)))

# %% [markdown]
# The same life for both: targets, load, noise and aging are drawn before it begins.

# %%
costs = {name: 1e4 * live(name, 0, PERIODS, {"pid": gains}, PARTS) for name in ("pid", "pid + agent")}
last = slice(-PARTS // 6, None)
for name, cost in costs.items():
    print(f"{name:12} new {cost[PARTS // 6 : PARTS // 3].mean():6.1f}    aged, last sixth {cost[last].mean():6.1f}")

# %%
minutes = (np.arange(PARTS) + 0.5) / PARTS * PERIODS * PERIOD / 60
figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
for name, cost in costs.items():
    axes.plot(minutes, cost, label=name)
axes.axvline(PERIODS * PERIOD / 180, color="black", linewidth=0.8, linestyle=":")
axes.set(xlabel="minutes (dotted: the motor ages)", ylabel=r"cost, $10^{-4}$", yscale="log")
axes.legend()
plt.show()

# %%
assert costs["pid + agent"][last].mean() < 0.9 * costs["pid"][last].mean()
