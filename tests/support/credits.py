"""What tests of exactness and of quality share: agents that form credit but do not learn, and its exact counterpart.

With step sizes and lambda 0 the credit after a tick is the agent's estimate of the gradient of that tick's
value (critic), or of the log-probability of that tick's action (actor), and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from synaptick.bench.gradients import compare as gradients
from synaptick.config import Config

from ..reference.distributions import Clipped
from ..reference.policy import gaussians
from ..reference.spaces import parts_of
from .harness import DoubleAgent, twin_of, up_to_date
from .oracle import Paths, Stack, rtrl, run

Array = NDArray[np.float64]

TICKS, INPUTS = 40, 3
OBSERVATIONS = spaces.Box(-np.inf, np.inf, (INPUTS,))
ACTIONS = spaces.Discrete(3)
FROZEN = {
    "memory": 0,
    "lr_policy": 0.0,
    "lr_value": 0.0,
    "lambda_policy": 0.0,
    "lambda_value": 0.0,
    "normalize_observations": False,
    "normalize_rewards": False,  # else the readout changes with the unit of values
    "connectivity": 1.0,
    "leak_groups": 3,
    "tau_max": 8.0,
}


def observations(seed: int = 0) -> Array:
    """Return (TICKS, INPUTS) smooth random observations."""
    rng = np.random.default_rng(seed)
    xs = rng.normal(size=(TICKS, INPUTS))
    for t in range(1, TICKS):
        xs[t] += 0.8 * xs[t - 1]
    return xs


def frozen_agent(seed: int = 0, actions: Any = ACTIONS, **changes: Any) -> DoubleAgent:
    """Build an agent that forms credit but never changes a weight."""
    return DoubleAgent(Config(**(FROZEN | changes)), OBSERVATIONS, actions, seed)


def stack_of(agent: DoubleAgent, net: str) -> Stack:
    """Return the network of `agent`; nothing may lie in the padding that is left out."""
    stack = gradients.stack_of(agent.config, agent.arena.dimensions, agent.views, net)
    for index, layer in enumerate(stack.layers):
        assert not agent.views[f"{net}/{index}/w"][:, layer.w.shape[1] :].any()
    return stack


def policy_score(agent: Any) -> Array:
    """Return the gradient of log pi of the last action with respect to the actor's outputs, each on its natural scale.

    Worked out from the outputs and from what was drawn, by the twin's equations: of a mean times the std, of the
    logarithm of a std times `std_lr_scale`.
    """
    values, parts = getattr(agent, "arrays", None) or agent.views, parts_of(agent.spaces[1])
    found = []
    for factor, (first, size) in enumerate(zip(parts.offsets[:-1], parts.choices, strict=True)):
        chosen = int(values["action"][factor])
        found += list(np.eye(size)[chosen] - values["probabilities"][first : first + size])
    # This `Clipped` stays the true one when a test puts another in the twin's place.
    policies = [Clipped(*given) for given in gaussians(values["actor/output"], parts, agent.config.initial_std)]
    pairs = [(policy, policy.mean + policy.std * n) for policy, n in zip(policies, values["noise"], strict=True)]
    found += [policy.mean_gradient(u) for policy, u in pairs]
    found += [agent.config.std_lr_scale * policy.std_gradient(u) for policy, u in pairs]
    return np.array(found)


def credits_of(agent: Any, views: Callable[[], dict[str, Any]], xs: Array, net: str) -> tuple[list[Array], Array]:
    """Return the credit of every layer after every tick, (T, n, m) each, and the readout gradients g, (T, K)."""
    found: list[list[Array]] = [[] for _ in agent.config.stack]
    gradients = []
    for t, x in enumerate(xs):
        if t == 0:
            agent.start(x)
        else:
            agent.step(1.0, x)
        for index, credit in enumerate(found):
            credit.append(views()[f"{net}/{index}/credit"].copy())
        gradients.append(policy_score(agent) if net == "actor" else np.ones(1))
    return [np.array(credit) for credit in found], np.array(gradients)


def exact(stack: Stack, xs: Array, g: Array, paths: Paths) -> list[Array]:
    """Return the gradient of g(t) . readout(t), (T, n, m) a layer."""
    return [np.einsum("tk,tknm->tnm", g, part) for part in rtrl(stack, xs, paths)]


def assert_alive(stack: Stack, xs: Array, gradient: list[Array]) -> None:
    """Every layer spikes, but not always; every layer has a gradient."""
    for past, part in zip(run(stack, xs)[1], gradient, strict=True):
        assert 0.03 < past.z.mean() < 0.7
        assert (past.z.sum(axis=0) > 0).mean() > 0.5
        assert np.abs(part).max() > 1e-3


def compared(agent: DoubleAgent, net: str, paths: Paths, twin: bool = False) -> list[tuple[Array, Array]]:
    """Return credit and exact gradient of each layer, (T, n, m), of a network found alive; from the twin if asked."""
    xs, stack = observations(), stack_of(agent, net)
    model: Any = twin_of(agent) if twin else agent
    credit, g = credits_of(model, lambda: model.arrays if twin else up_to_date(model), xs, net)
    gradient = exact(stack, xs, g, paths)
    assert_alive(stack, xs, gradient)
    return [(ours[:, :, : part.shape[2]], part) for ours, part in zip(credit, gradient, strict=True)]


def mismatch(agent: DoubleAgent, net: str, paths: Paths, twin: bool = False) -> list[float]:
    """Return the largest difference of credit and gradient in each layer, relative to the largest gradient."""
    return [float(np.abs(ours - part).max() / np.abs(part).max()) for ours, part in compared(agent, net, paths, twin)]


def cosines(agent: DoubleAgent, net: str, paths: Paths, twin: bool = False) -> Array:
    """Return the cosine of credit and gradient over all ticks, a layer, once running means have settled."""
    for _ in range(3):
        credits_of(agent, lambda: agent.views, observations(seed=1), net)
    pairs = compared(agent, net, paths, twin)
    return np.array([np.sum(a * b) / np.sqrt(np.sum(a**2) * np.sum(b**2)) for a, b in pairs])


def make_upper_simple(agent: DoubleAgent, strength: float = 0.0) -> DoubleAgent:
    """Give the top layer one leak group, and its neurons the adaptation strength of the argument."""
    top = len(agent.config.stack) - 1
    for net in ("actor", "critic"):
        agent.views[f"{net}/{top}/alphas"][:] = agent.views[f"{net}/{top}/alpha"][:] = 0.8
        agent.views[f"{net}/leak"][top] = 0.8
        agent.views[f"{net}/{top}/strength"][:] *= strength
    return agent
