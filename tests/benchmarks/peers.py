"""What a learning step costs elsewhere: other libraries beside synaptick, in turns, in one process and on one thread.

``python -m tests.benchmarks.peers``, where torch, stable-baselines3, snntorch and braintrace are installed (one that is
not is left out with a word). *A step* is one observation of 4 numbers, one action of 2 and all the learning that one
sample brings, with about as many weights as the default network:

- torch: actor and critic, two hidden layers each, TD(0), a gradient and a step of SGD every sample;
- snntorch: two layers of leaky neurons, the state of the last step detached, that is, gradients of a single step;
- braintrace: a recurrent layer (tanh), the gradient of its e-prop for a sample, compiled by JAX, SGD.

*With CartPole*, environment included: a step of synaptick's default, and of stable-baselines3's A2C and PPO with their
default hyperparameters, which learn every 5 and every 2,048 steps.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from synaptick import Agent, Config
from synaptick.bench.support.timing import STREAM, count_weights, in_turns, timed_step
from synaptick.versions import versions

CARTPOLE = "CartPole-v1"
# Wide enough for two networks of two hidden layers to have as many weights as ours.
HIDDEN = 108
RATE = 1e-3


def synaptick_step(stream: Any) -> tuple[Callable[[int], int], int]:
    """Return a timed step of the default agent and the number of its weights."""
    agent = Agent(Config(), spaces.Box(-1.0, 1.0, (4,)), spaces.Discrete(2), seed=0)
    agent.start(stream[0])
    return timed_step(agent, stream), count_weights(agent)


def torch_step(stream: Any) -> tuple[Callable[[int], int], int]:
    """Return a timed step of a one-sample actor-critic."""
    import torch  # type: ignore[import-not-found,unused-ignore]

    torch.set_num_threads(1)
    torch.manual_seed(0)

    def mlp(outputs: int) -> Any:
        inner = [torch.nn.Linear(4, HIDDEN), torch.nn.Tanh(), torch.nn.Linear(HIDDEN, HIDDEN), torch.nn.Tanh()]
        return torch.nn.Sequential(*inner, torch.nn.Linear(HIDDEN, outputs))

    actor, critic = mlp(2), mlp(1)
    weights = [*actor.parameters(), *critic.parameters()]
    optimizer = torch.optim.SGD(weights, lr=RATE)
    inputs = torch.as_tensor(np.asarray(stream), dtype=torch.float32)
    last: list[Any] = [None]

    def step(k: int) -> int:
        begun = time.perf_counter_ns()
        x = inputs[k % STREAM]
        value = critic(x)
        if last[0] is not None:
            log_probability, before = last[0]
            delta = 0.1 + 0.99 * value.detach() - before
            loss = delta.pow(2) - delta.detach() * log_probability
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        chances = torch.log_softmax(actor(x), -1)
        action = int(torch.multinomial(chances.detach().exp(), 1))
        last[0] = (chances[action], critic(x))
        return time.perf_counter_ns() - begun

    return step, sum(w.numel() for w in weights)


def snntorch_step(stream: Any) -> tuple[Callable[[int], int], int]:
    """Return a timed step of a spiking actor-critic that learns from gradients of one step."""
    import snntorch  # type: ignore[import-not-found,unused-ignore]
    import torch  # type: ignore[import-not-found,unused-ignore]

    torch.set_num_threads(1)
    torch.manual_seed(0)

    class Net(torch.nn.Module):  # type: ignore[misc,name-defined,unused-ignore]
        def __init__(self, outputs: int) -> None:
            super().__init__()
            self.first, self.second = torch.nn.Linear(4, HIDDEN), torch.nn.Linear(HIDDEN, HIDDEN)
            self.out = torch.nn.Linear(HIDDEN, outputs)
            self.leaky = torch.nn.ModuleList([snntorch.Leaky(beta=0.6), snntorch.Leaky(beta=0.6)])
            self.v = [layer.reset_mem() for layer in self.leaky]

        def forward(self, x: Any) -> Any:
            for index, linear in enumerate((self.first, self.second)):
                x, v = self.leaky[index](linear(x), self.v[index].detach())
                self.v[index] = v
            return self.out(x)

    actor, critic = Net(2), Net(1)
    weights = [*actor.parameters(), *critic.parameters()]
    optimizer = torch.optim.SGD(weights, lr=RATE)
    inputs = torch.as_tensor(np.asarray(stream), dtype=torch.float32)
    last: list[Any] = [None]

    def step(k: int) -> int:
        begun = time.perf_counter_ns()
        x = inputs[k % STREAM][None]
        if last[0] is not None:
            log_probability, before = last[0]
            kept = list(critic.v)
            with torch.no_grad():
                after = critic(x)[0]
            critic.v = kept
            delta = 0.1 + 0.99 * after - before
            loss = delta.pow(2) - delta.detach() * log_probability
            optimizer.zero_grad()
            loss.sum().backward()
            optimizer.step()
        chances = torch.log_softmax(actor(x)[0], -1)
        action = int(torch.multinomial(chances.detach().exp(), 1))
        last[0] = (chances[action], critic(x)[0])
        return time.perf_counter_ns() - begun

    return step, sum(w.numel() for w in weights)


def braintrace_step(stream: Any) -> tuple[Callable[[int], int], int]:
    """Return a timed e-prop step of a recurrent layer, compiled before it is timed."""
    import brainstate  # type: ignore[import-not-found,unused-ignore]
    import braintrace  # type: ignore[import-not-found,unused-ignore]
    import jax  # type: ignore[import-not-found,unused-ignore]
    import jax.numpy as jnp  # type: ignore[import-not-found,unused-ignore]

    class Net(brainstate.nn.Module):  # type: ignore[misc,name-defined,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.cell = braintrace.nn.ValinaRNNCell(4, 156, activation="tanh")
            self.out = braintrace.nn.Linear(156, 3)

        def update(self, x: Any) -> Any:
            return self.out(self.cell(x))

    model = Net()
    learner = braintrace.compile(model, braintrace.EProp, jnp.zeros((1, 4)), batch_size=1)
    weights = model.states(brainstate.ParamState)

    @brainstate.transform.jit
    def advance(x: Any, target: Any) -> Any:
        gradients, loss = brainstate.transform.grad(
            lambda: jnp.mean((learner(x) - target) ** 2), weights, return_value=True
        )()
        for name, state in weights.items():
            state.value = jax.tree.map(lambda w, g: w - RATE * g, state.value, gradients[name])
        return loss

    inputs, target = jnp.asarray(np.asarray(stream), jnp.float32), jnp.zeros((1, 3))

    def step(k: int) -> int:
        begun = time.perf_counter_ns()
        advance(inputs[k % STREAM][None], target).block_until_ready()
        return time.perf_counter_ns() - begun

    return step, sum(leaf.size for state in weights.values() for leaf in jax.tree.leaves(state.value))


STEPS = {
    "synaptick": synaptick_step,
    "torch, one sample": torch_step,
    "snntorch, one step of gradients": snntorch_step,
    "braintrace, e-prop": braintrace_step,
}


def steps_of(count: int) -> Iterator[dict[str, Any]]:
    """Yield median microseconds of a step of each, and how many times ours that is."""
    stream = np.random.default_rng(0).normal(size=(STREAM, 4))
    made: dict[str, tuple[Callable[[int], int], int]] = {}
    for name, make in STEPS.items():
        try:
            made[name] = make(stream)
            made[name][0](0)
        except ImportError as error:
            made.pop(name, None)
            print(f"{name}: left out, {error}", file=sys.stderr)
    medians = [float(np.median(sample)) / 1000.0 for sample in in_turns([step for step, _ in made.values()], count)]
    for (name, (_, weights)), median in zip(made.items(), medians, strict=True):
        yield {"what": "step", "who": name, "weights": weights, "us": median, "times_ours": median / medians[0]}


def cartpole(count: int, repeats: int) -> Iterator[dict[str, Any]]:
    """Yield median microseconds of a step of CartPole with learning, over interleaved repeats."""

    def ours() -> float:
        env = gymnasium.make(CARTPOLE)
        agent = Agent(Config(), env.observation_space, env.action_space, seed=0)
        action = agent.start(env.reset(seed=0)[0])
        begun = time.perf_counter()
        for _ in range(count):
            observation, reward, terminated, truncated, _info = env.step(action)
            if terminated or truncated:
                agent.end(float(reward), observation if truncated else None)
                action = agent.start(env.reset()[0])
            else:
                action = agent.step(float(reward), observation)
        return time.perf_counter() - begun

    def theirs(name: str) -> float:
        import stable_baselines3  # type: ignore[import-not-found,unused-ignore]

        model = getattr(stable_baselines3, name)("MlpPolicy", gymnasium.make(CARTPOLE), seed=0, device="cpu")
        begun = time.perf_counter()
        model.learn(count)
        return time.perf_counter() - begun

    runs: dict[str, Callable[[], float]] = {"synaptick": ours}
    for name in ("A2C", "PPO"):
        runs[f"stable-baselines3 {name}"] = lambda name=name: theirs(name)  # type: ignore[misc]
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            times[name].append(run() / count * 1e6)
    medians = {name: float(np.median(sample)) for name, sample in times.items()}
    for name, median in medians.items():
        yield {"what": "CartPole", "who": name, "us": median, "times_ours": median / medians["synaptick"]}


def main() -> None:
    """Print a table as CSV."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=5000, help="timed steps of each (default 5000)")
    parser.add_argument("--repeats", type=int, default=5, help="interleaved runs of CartPole (default 5)")
    options = parser.parse_args()
    print(f"# python -m tests.benchmarks.peers; {' '.join(f'{k} {v}' for k, v in versions().items())}")
    table = csv.DictWriter(sys.stdout, ["what", "who", "weights", "us", "times_ours"], restval="")
    table.writeheader()
    for row in [*steps_of(options.steps), *cartpole(2 * options.steps, options.repeats)]:
        table.writerow({key: f"{value:.4g}" if isinstance(value, float) else value for key, value in row.items()})


if __name__ == "__main__":
    main()
