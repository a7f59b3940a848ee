"""A neuron model of one's own, from the equation to a gradient test that passes, and one that fails.

    python docs/examples/own_neuron.py

The model is an ALIF neuron whose threshold also follows its membrane, as adaptation does below the threshold in the
AdEx model. docs/howto/own-neuron.md goes through it. The kernels are changed in a copy of the package, in a temporary
folder, and run uncompiled; for a model to keep, make the same changes in a clone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

COUPLING = 0.2
TOLERANCE = 1e-5  # float32 against float64, relative; what is wrong is off by far more

# File of the package, what stands there, what takes its place.
EDITS = {
    "equation": (
        "kernels/neuron.py",
        "        adaptation = rho[i] * a[i] + z[i]\n",
        f"        adaptation = rho[i] * a[i] + z[i] + real({COUPLING}) * v[i]\n",
    ),
    "sign": (  # an adaptation may now be below 0
        "kernels/neuron.py",
        "        a[i] = adaptation if adaptation > tiny else zero\n",
        "        a[i] = adaptation if np.abs(adaptation) > tiny else zero\n",
    ),
    "eligibility": (
        "kernels/neuron.py",
        "        eligibility = psi * (eps[j] - strength * epsa[j])\n"
        "        trace = rho * epsa[j] + eligibility\n"
        "        epsa[j] = trace if np.abs(trace) > tiny else zero\n"
        "        e[j] = eligibility\n",
        "        eligibility = psi * (eps[j] - strength * epsa[j])\n"
        f"        trace = rho * epsa[j] + eligibility + real({COUPLING}) * eps[j]\n"
        "        epsa[j] = trace if np.abs(trace) > tiny else zero\n"
        "        e[j] = eligibility\n",
    ),
    "rest": (  # epsa moves where psi is 0
        "arena/dimensions.py",
        "        return not read and not self.is_memory(layer) and self.levels(layer) < len(SLOTS)\n",
        "        return False\n",
    ),
}


# The last one is the model; each of the others has to fail.
TRIED = {
    "nothing changed": [],
    "the equation alone": ["equation", "sign", "rest"],
    "without the sign": ["equation", "eligibility", "rest"],
    "with rows at rest": ["equation", "sign", "eligibility"],
    "all four changes": list(EDITS),
}


def move(layer: dict[str, Any], v: Any, a: Any, z: Any, sent: Any, current: Any) -> tuple[Any, Any, Any]:
    """Return v', a' and how far v' is above the threshold: the model, once more and in no hurry.

    `z` and `sent` are both the last spikes; the reset takes z, through which e-prop sends no gradient.
    """
    membrane = layer["alpha"] * v + current - layer["fall"] * z
    adaptation = layer["rho"] * a + sent + COUPLING * v
    return membrane, adaptation, membrane - layer["v_th"] - layer["strength"] * adaptation


def mismatch(ticks: int = 30) -> tuple[float, float]:
    """Return how far the kernels' neurons are from `move`, and their eligibility from its derivative, relatively.

    Learning rates and lambda are 0, so that the critic's credit is readout times eligibility, and nothing else. The
    derivative of `move` is taken numerically, that of a spike is psi, and both are carried forward in time.
    """
    from gymnasium.spaces import Box, Discrete
    from synaptick import Agent, Config
    from synaptick.arena.traces import traces

    config = Config(
        **dict.fromkeys(("lr_policy", "lr_value", "lambda_policy", "lambda_value"), 0.0),
        layers=(6,),
        memory=0,
        recurrent=False,
        connectivity=1.0,
        adaptive_fraction=1.0,
        tau_max=8.0,
        normalize_rewards=False,
        normalize_observations=False,
    )
    agent = Agent(config, Box(-np.inf, np.inf, (3,)), Discrete(2), seed=0)
    views = agent.arena.views

    def column(name: str) -> Any:  # one row a neuron
        return views[f"critic/0/{name}"][:, None].astype(float)

    layer = {name: column(name) for name in ("alpha", "rho", "strength")}
    layer |= {"v_th": config.v_th, "fall": config.reset_strength * config.v_th}
    readout = views["critic/w"][0, :6, None].astype(float)
    rng, x = np.random.default_rng(0), np.zeros(3)
    state = [np.zeros((6, 1))] * 3  # v, a, z
    tangents = [np.zeros((6, views["critic/0/inputs"].size))] * 3  # of the same, one column a synapse
    apart, largest, h = np.zeros(2), np.zeros(2), 1e-6
    for t in range(ticks):
        x = 0.8 * x + rng.normal(size=3)
        agent.step(0.0, x) if t else agent.start(x)
        current, du = column("current"), float(views["critic/slope"][0]) * views["critic/0/inputs"].astype(float)
        (v, a, z), (dv, da, dz) = state, tangents
        sides = [move(layer, v + s * dv, a + s * da, z, z + s * dz, current + s * du) for s in (h, -h)]
        dv, da, dx = ((plus - minus) / (2.0 * h) for plus, minus in zip(*sides, strict=True))
        v, a, _ = move(layer, v, a, z, z, current)
        z, dz = column("z"), column("psi") * dx
        state, tangents = [v, a, z], [dv, da, dz]
        credit = traces(views, "critic/0")["credit"]
        pairs = [(np.hstack([column("v"), column("a")]), np.hstack([v, a])), (credit, readout * dz)]
        apart = np.maximum(apart, [np.abs(ours - true).max() for ours, true in pairs])
        largest = np.maximum(largest, [np.abs(true).max() for _, true in pairs])
    of_neurons, of_eligibility = (apart / largest).tolist()
    return of_neurons, of_eligibility


def mismatch_with(*names: str) -> tuple[float, float]:
    """Return `mismatch` of a copy of the package with these edits."""
    import synaptick

    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "synaptick"
        shutil.copytree(Path(synaptick.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
        for file, old, new in (EDITS[name] for name in names):
            text = (package / file).read_text(encoding="utf-8")
            if text.count(old) != 1:
                raise SystemExit(f"{file} has changed: these lines are not there, or more than once:\n{old}")
            (package / file).write_text(text.replace(old, new), encoding="utf-8")
        uncompiled = {**os.environ, "PYTHONPATH": folder, "NUMBA_DISABLE_JIT": "1"}
        command = [sys.executable, str(Path(__file__).resolve()), "--check"]
        done = subprocess.run(command, env=uncompiled, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    of_neurons, of_eligibility = map(float, done.stdout.split())
    return of_neurons, of_eligibility


def main() -> None:
    """Run it from the command line."""
    if "--check" in sys.argv:
        print(*mismatch())
        return
    print(f"{'relative difference from the equations':38}   neurons   eligibility   below {TOLERANCE:.0e}")
    as_expected = True
    for title, names in TRIED.items():
        found = mismatch_with(*names)
        passes = max(found) < TOLERANCE
        as_expected &= passes == (set(names) == set(EDITS))
        print(f"{title:38}   {found[0]:7.1e}   {found[1]:7.1e}       {'pass' if passes else 'FAIL'}")
    if not as_expected:
        raise SystemExit("all changes together have to pass, and a model that lacks one has to fail")


if __name__ == "__main__":
    main()
