"""What rliable says of scores that are shaped like those of its examples, next to what `synaptick compare` says.

::

    pip install rliable "pandas<3"
    python -m tests.benchmarks.rliable_agreement --out tests/compare/rliable.json

The scores of Atari 100k that rliable's examples read are not public any more; these are drawn with a fixed seed, as
many and as skewed. The file that is written holds rliable's numbers, which tests compare ours with. Both draw at
random: with 50,000 samples the bounds of an interval are known to some .005 of its width.
"""

from __future__ import annotations

import argparse
import json
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from synaptick.compare.statistics import DRAWS, overall_iqm, performance_profile, probability_of_improvement

LEVELS = np.linspace(0.0, 2.0, 9)
# Runs of either arm, and environments: as of Atari 100k, and as most have them.
SHAPES = {"large": (100, 80, 26), "small": (10, 10, 8)}


def scores(shape: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores of two arms, (runs, environments)."""
    ours, theirs, environments = SHAPES[shape]
    rng = np.random.default_rng(7)
    skill = rng.gamma(1.2, 0.5, environments)
    first = skill * rng.lognormal(0.0, 0.35, (ours, environments))
    return first, 1.06 * skill * rng.lognormal(0.0, 0.4, (theirs, environments))


def of_rliable(shape: str) -> dict[str, Any]:
    """Return estimates and intervals of rliable."""
    from rliable import library, metrics

    first, second = scores(shape)
    np.random.seed(0)  # noqa: NPY002 - that is where rliable draws from
    found = {}
    for name, arm in (("first", first), ("second", second)):
        value, interval = library.get_interval_estimates(
            {"": arm}, lambda drawn: np.array([metrics.aggregate_iqm(drawn)]), reps=DRAWS
        )
        found[f"iqm of {name}"] = [float(value[""][0]), *interval[""][:, 0].tolist()]
    value, interval = library.get_interval_estimates({"": (second, first)}, _Probability(), reps=DRAWS)
    found["probability of improvement"] = [float(value[""]), *interval[""][:, 0].tolist()]
    value, interval = library.create_performance_profile({"": first}, LEVELS, reps=20_000)
    found |= {
        f"profile at {level:g}": [float(value[""][k]), *interval[""][:, k].tolist()] for k, level in enumerate(LEVELS)
    }
    return found


class _Probability:
    """rliable's probability of improvement without a call of SciPy for each environment, which takes it half an hour.

    That it is the same number is looked at for the first samples.
    """

    calls = 0

    def __call__(self, x: np.ndarray, y: np.ndarray) -> float:
        from rliable import metrics

        found = float(((x[:, None] > y).mean() + (x[:, None] >= y).mean()) / 2)
        if self.calls < 100:
            np.testing.assert_allclose(found, metrics.probability_of_improvement(x, y), rtol=1e-12)
        self.calls += 1
        return found


def of_ours(shape: str, draws: int = DRAWS) -> dict[str, Any]:
    """Return the same of ours."""
    first, second = (list(arm.T) for arm in scores(shape))
    profile = performance_profile(first, LEVELS, min(draws, 20_000))
    return {
        "iqm of first": list(overall_iqm(first, draws)),
        "iqm of second": list(overall_iqm(second, draws)),
        "probability of improvement": list(probability_of_improvement(second, first, draws)),
        **{f"profile at {level:g}": [part[k] for part in profile] for k, level in enumerate(LEVELS)},
    }


def main() -> None:
    """Print both, and write those of rliable."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    result: dict[str, Any] = {name: version(name) for name in ("rliable", "arch", "scipy", "numpy")}
    for shape in SHAPES:
        begun = time.process_time()
        theirs = result[shape] = of_rliable(shape)
        between = time.process_time()
        ours = of_ours(shape)
        print(f"{shape}: rliable {between - begun:.0f} s, ours {time.process_time() - between:.0f} s of processor time")
        for name, values in theirs.items():
            told = "  ".join(f"{a:.4f} {b:.4f}" for a, b in zip(values, ours[name], strict=True))
            print(f"  {name:28} {told}   apart {np.abs(np.subtract(values, ours[name])).max():.5f}")
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
