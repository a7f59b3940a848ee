"""PPO, A2C, DQN and SAC of stable-baselines3, and RecurrentPPO of sb3-contrib, on tasks of `synaptick bench learning`.

``python -m tests.benchmarks.baselines``: default hyperparameters, ``MlpPolicy`` (``MlpLstmPolicy``), one environment,
one CPU thread, the same number of steps. DQN (actions by number) and SAC (controls) replay a million steps from a
buffer; tasks whose actions they cannot take are left out. Tasks of other packages only, and none with settings of its
own: the suites classic, box2d and mujoco, and with ``--suite masked --algorithms recurrent_ppo`` those of masked. What
counts is what counts there: the mean return of the last 100 episodes of training, with the stochastic policy. Runs
where stable-baselines3 is installed and synaptick is not. One row a run, seed by seed, so that it can be stopped at any
time; runs that the file already holds are not repeated.
"""

from __future__ import annotations

import argparse
import csv
import functools
import importlib.util
import multiprocessing
import runpy
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import stable_baselines3  # type: ignore[import-not-found,unused-ignore]
import torch  # type: ignore[import-not-found,unused-ignore]
from stable_baselines3.common.monitor import Monitor  # type: ignore[import-not-found,unused-ignore]

ROOT = Path(__file__).parents[2]
SUITES_FILE = ROOT / "agent" / "bench" / "suites.py"
# Which actions each can take.
ALGORITHMS = {
    "ppo": ("Discrete", "Box"),
    "a2c": ("Discrete", "Box"),
    "recurrent_ppo": ("Discrete", "Box"),
    "dqn": ("Discrete",),
    "sac": ("Box",),
}
SUITES = ("classic", "box2d", "mujoco", "masked")
# What a task may set if another algorithm is to do the same.
SHARED = {"env", "wrappers", "steps"}
# As in agent/bench/learning.py: episodes averaged, and how many of them must have ended to reach a threshold.
RECENT, ENOUGH = 100, 20
COLUMNS = [
    *("suite", "task", "algorithm", "seed", "steps", "episodes", "last_100"),
    *("threshold", "steps_to_threshold", "steps_per_cpu_second", "note"),
]


class Job(NamedTuple):
    suite: str
    task: str
    algorithm: str
    seed: int
    steps: int
    threshold: float | None
    env: str
    wrappers: tuple[str, ...]


@functools.cache
def actions_of(env: str) -> str:
    """Return the name of the kind of an environment's actions."""
    made = gymnasium.make(env)
    made.close()
    return type(made.action_space).__name__


def jobs_of(suites: dict[str, Any], options: argparse.Namespace) -> Iterator[Job]:
    """Yield the runs, all tasks and algorithms of a seed before the next seed."""
    chosen = {name: suites[name] for name in options.suite}
    numbers = {name: options.seeds or suite.seeds for name, suite in chosen.items()}
    for number in range(max(numbers.values())):
        for name, suite in chosen.items():
            for task, (settings, threshold, _) in suite.tasks.items():
                if not settings.keys() <= SHARED or (options.tasks is not None and task not in options.tasks):
                    continue
                if number < numbers[name]:
                    steps, wrappers = options.steps or settings["steps"], tuple(settings.get("wrappers", ()))
                    for algorithm in options.algorithms:
                        if actions_of(settings["env"]) not in ALGORITHMS[algorithm]:
                            continue
                        seed = options.first_seed + number
                        yield Job(name, task, algorithm, seed, steps, threshold, settings["env"], wrappers)


def environments() -> Any:
    """Return the package of environments and wrappers, which needs nothing of synaptick."""
    folder = ROOT / "envs"
    spec = importlib.util.spec_from_file_location(
        "envs", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["envs"] = module
    spec.loader.exec_module(module)
    return module


def model_of(job: Job, env: Any) -> Any:
    """Return an untrained model with default hyperparameters."""
    if job.algorithm == "recurrent_ppo":
        import sb3_contrib  # type: ignore[import-not-found,unused-ignore]

        return sb3_contrib.RecurrentPPO("MlpLstmPolicy", env, seed=job.seed, device="cpu")
    return getattr(stable_baselines3, job.algorithm.upper())("MlpPolicy", env, seed=job.seed, device="cpu")


def measure(job: Job) -> dict[str, Any]:
    torch.set_num_threads(1)
    bare = gymnasium.make(job.env)
    for wrapper in job.wrappers:
        bare = getattr(environments(), wrapper.rpartition(":")[2])(bare)
    env = Monitor(bare)
    model = model_of(job, env)
    recent: deque[float] = deque(maxlen=RECENT)
    reached: int | None = None
    episodes = steps = 0

    def after_step(scope: dict[str, Any], _: dict[str, Any]) -> bool:
        nonlocal reached, episodes, steps
        steps += 1
        for info in scope["infos"]:
            if "episode" in info:
                episodes += 1
                recent.append(float(info["episode"]["r"]))
                if reached is None and job.threshold is not None and len(recent) >= ENOUGH:
                    reached = steps if sum(recent) / len(recent) >= job.threshold else None
        return steps < job.steps  # PPO would go on to the end of its rollout

    note = ""
    # Of this thread alone, since it shares the machine with others.
    begun = time.thread_time()
    try:
        model.learn(job.steps, callback=after_step)
    except ValueError as error:  # a policy of NaN
        note = f"failed at step {steps}: {' '.join(str(error).split())[:80]}"
    seconds = time.thread_time() - begun
    env.close()
    return {
        **{key: value for key, value in job._asdict().items() if key in COLUMNS},
        "episodes": episodes,
        "last_100": round(sum(recent) / len(recent), 3) if recent else None,
        "steps_to_threshold": reached,
        "steps_per_cpu_second": round(steps / seconds, 1),
        "note": note,
    }


def done_in(path: Path) -> set[tuple[str, str, int, int]]:
    """Return task, algorithm, seed and steps of the runs in the file."""
    if not path.exists():
        return set()
    with path.open(encoding="utf-8") as lines:
        rows = csv.DictReader(line for line in lines if not line.startswith("#"))
        return {(row["task"], row["algorithm"], int(row["seed"]), int(row["steps"])) for row in rows}


def main() -> int:
    suites = runpy.run_path(str(SUITES_FILE))["SUITES"]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--algorithms", nargs="+", default=["ppo", "a2c"], choices=ALGORITHMS)
    parser.add_argument("--suite", nargs="+", default=SUITES[:3], choices=SUITES)
    parser.add_argument("--tasks", nargs="+")
    parser.add_argument("--seeds", type=int, help="default: those of the suite")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="default: those of the task")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("docs/results/baselines.csv"))
    options = parser.parse_args()
    known = [task for name in options.suite for task in suites[name].tasks]
    for task in options.tasks or ():
        if task not in known:
            parser.error(f"--tasks {task}: there is no such name; allowed: {', '.join(known)}")
    done = done_in(options.out)
    jobs = [job for job in jobs_of(suites, options) if (job.task, job.algorithm, job.seed, job.steps) not in done]
    with options.out.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if file.tell() == 0:
            modules = (stable_baselines3, torch, gymnasium)
            versions = " ".join(f"{module.__name__} {module.__version__}" for module in modules)
            file.write(f"# python -m tests.benchmarks.baselines; {versions}\n")
            writer.writeheader()
            file.flush()
        with multiprocessing.Pool(options.jobs) as pool:
            for row in pool.imap(measure, jobs):
                writer.writerow(row)
                file.flush()
                speed = f"{row['steps_per_cpu_second']} steps/s"
                print(row["task"], row["algorithm"], row["seed"], row["last_100"], speed, row["note"], flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
