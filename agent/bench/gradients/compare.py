"""How close the traces come to the exact gradient: ``synaptick bench gradients``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from ...agent import Agent
from ...arena.dimensions import Dimensions
from ...arena.traces import traces
from ...config import Config
from ...training.environment import make_env_of
from ...training.loop import run
from ...versions import versions
from ..support.tables import table, wrapped
from ..support.trials import in_parallel
from .bptt import Array, Layer, Paths, Spikes, Stack, bptt
from .bptt import run as run_stack
from .costs import SHIPPED, costs
from .variants import Form, estimate

LAYERS = (20, 20, 20)
INPUTS, CORRELATION = 4, 0.8
TRAINING_ENV = "CartPole-v1"

# Three layers of 20 neurons, all connected at the start, recurrent weights w_rec times the size of the others; binary
# spikes but for the last two, whose neurons are those of the default.
LIF = {"adaptive_fraction": 0.0, "leak_groups": 1, "spikes": "binary"}
LEAKS = {"leak_groups": 4, "tau_max": 20.0, "spikes": "binary"}
NETWORKS: dict[str, dict[str, Any]] = {
    **{
        f"LIF, tau {tau}, w_rec {w_rec}": {**LIF, "tau_max": float(tau), "recurrent_scale": w_rec}
        for tau in (5, 20)
        for w_rec in (0.0, 0.6, 1.5)
    },
    "ALIF, tau 20, w_rec 0.6": {**LIF, "adaptive_fraction": 1.0, "tau_max": 20.0, "recurrent_scale": 0.6},
    "leaks to 20, half ALIF, w_rec 0": {**LEAKS, "recurrent_scale": 0.0},
    "leaks to 20, half ALIF, w_rec 0.6": {**LEAKS, "recurrent_scale": 0.6},
    "graded, tau 2, half ALIF, w_rec 0": {"recurrent_scale": 0.0},
    "graded, tau 2, half ALIF, w_rec 0.6": {"recurrent_scale": 0.6},
}
# Every layer read out and shown the observation, as by default; or the plain stack, in which credit has one way only.
WIRINGS: dict[str, dict[str, Any]] = {
    "default": {},
    "plain stack": {"readout": "top", "observation_skip": False},
}
# Forms that do not.
STUDIED: dict[str, Form] = {
    "cascade a leak group": Form(by_group=True),
    "cascade, psi of now": Form(psi_of_now=True),
    "cascade, adaptation above": Form(adaptation_above=True),
    "cascade, normalizer": Form(normalizer=True),
    "presynaptic": Form(presynaptic=True),
}
# What e-prop aims at; and everything.
REFERENCES: dict[str, Paths] = {
    "reset and normalizer constant": Paths(reset=False, reset_above=False, normalizer=False),
    "all paths": Paths(),
}
# Of the forms, the one that the others stand for: what they are compared with besides.
LITERAL = "tensor"
AIMS = (*REFERENCES, LITERAL)


def bench_gradients(
    seeds: Sequence[int] = range(6),
    ticks: int = 100,
    training_steps: int = 20_000,
    jobs: int = 1,
    on_row: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Compare every form of the traces with exact gradients and the literal recursion, at the start and after training.

    The estimate of a tick is the credit that the critic's weights get in that tick; the exact gradient is that of the
    value of that tick with respect to all weights, from the first tick on, by BPTT, for the same inputs.

    Parameters
    ----------
    seeds : sequence of int
        Of the networks of a row.
    ticks : int
        Length of the input, 4 smooth random channels of unit variance.
    training_steps : int
        Steps in CartPole before the second measurement; 0 leaves it out.
    jobs : int
        Processes.
    on_row : callable, optional
        Called with each row, a column a number, as soon as it is known.

    Returns
    -------
    dict
        ``versions``, ``settings``, ``rows``: for each network, wiring, stage, form and reference, cosine and relative
        norm of all estimates of a layer, bottom first, averaged over the seeds in which every layer has a gradient
        (after training, one may be saturated all along), and their number; ``costs``: bytes and time a synapse.
    """
    stages = ("start", "trained") if training_steps else ("start",)
    cells = [(network, wiring, stage) for network in NETWORKS for wiring in WIRINGS for stage in stages]
    chosen = [
        (network, wiring, seed, ticks, training_steps if stage == "trained" else 0)
        for network, wiring, stage in cells
        for seed in seeds
    ]
    rows: list[dict[str, Any]] = []
    measured: list[dict[tuple[str, str], Array]] = []
    for done in in_parallel(_measure, chosen, jobs):
        measured.append(done)
        if len(measured) % len(seeds) == 0:
            for row in _averages(cells[len(measured) // len(seeds) - 1], measured[-len(seeds) :]):
                rows.append(row)
                if on_row is not None:
                    on_row(_flat(row))
    settings = {"seeds": list(seeds), "ticks": ticks, "training_steps": training_steps, "layers": list(LAYERS)}
    return {"versions": versions(), "settings": settings, "rows": rows, "costs": costs()}


def _averages(cell: tuple[str, str, str], measured: list[dict[tuple[str, str], Array]]) -> Iterator[dict[str, Any]]:
    for form, reference in measured[0]:
        values = np.array([found[form, reference] for found in measured])
        alive = values[np.isfinite(values).all(axis=(1, 2))]
        means = alive.mean(axis=0).tolist() if len(alive) else [[None] * len(LAYERS)] * 2
        yield {
            **dict(zip(("network", "wiring", "stage"), cell, strict=True)),
            "form": form,
            "reference": reference,
            "seeds": len(alive),
            "cosine": means[0],
            "relative_norm": means[1],
        }


def _measure(job: tuple[str, str, int, int, int]) -> dict[tuple[str, str], Array]:
    """Return, for each form and reference, cosine and relative norm of each layer, shape (2, layers)."""
    network, wiring, seed, ticks, training_steps = job
    changes = {**NETWORKS[network], **WIRINGS[wiring], "seed": seed}
    config = Config(layers=LAYERS, memory=0, connectivity=1.0, env=TRAINING_ENV).with_changes(changes)
    trained = _trained(config, training_steps)
    inputs = smooth_noise(config.seed, ticks)
    stack = stack_of(trained.config, trained.arena.dimensions, trained.arena.views, "critic")
    past = run_stack(stack, inputs)[1]
    estimates = {name: credit_of(_frozen(trained, changes), inputs) for name, changes in SHIPPED.items()}
    estimates.update({name: estimate(stack, past, form) for name, form in STUDIED.items()})
    aims = {reference: exact_gradients(stack, inputs, paths) for reference, paths in REFERENCES.items()}
    aims[LITERAL] = estimates[LITERAL]
    return {
        (name, aim): np.array([_compare(ours, true) for ours, true in zip(layers, aims[aim], strict=True)]).T
        for aim in AIMS
        for name, layers in estimates.items()
    }


def _compare(ours: Array, true: Array) -> tuple[float, float]:
    """Return cosine and relative norm; what only one of the two has are columns of padding."""
    columns = min(ours.shape[2], true.shape[2])
    ours, true = ours[:, :, :columns], true[:, :, :columns]
    norms = np.sqrt(np.sum(ours**2)), np.sqrt(np.sum(true**2))
    if not (norms[0] > 0 and norms[1] > 0):
        return float("nan"), float("nan")
    return float(np.sum(ours * true) / (norms[0] * norms[1])), float(norms[0] / norms[1])


def _trained(config: Config, steps: int) -> Agent:
    env = make_env_of(config)
    agent = Agent(config, env.observation_space, env.action_space, seed=config.seed)
    if steps:
        run(agent, env, steps, seed=config.seed)
    env.close()
    return agent


def _frozen(trained: Agent, changes: dict[str, Any]) -> Agent:
    """Return an agent with the weights of `trained` that forms credit of single ticks and never changes a weight."""
    config = trained.config.with_changes(
        {
            "lr_policy": 0.0,
            "lr_value": 0.0,
            "lambda_policy": 0.0,
            "lambda_value": 0.0,
            "normalize_observations": False,
            "normalize_rewards": False,
            **changes,
        }
    )
    agent = Agent(config, spaces.Box(-1.0, 1.0, (INPUTS,)), spaces.Discrete(trained.action.choices[0]), seed=0)
    for name, view in trained.arena.views.items():
        if name.endswith("/w"):
            agent.arena.views[name][:] = view
    return agent


def smooth_noise(seed: int, ticks: int, inputs: int = INPUTS) -> Array:
    """Return (ticks, inputs) Gaussian numbers of unit variance, each correlated with the one before."""
    noise = np.random.default_rng(seed).normal(size=(ticks, inputs))
    for t in range(1, ticks):
        noise[t] = CORRELATION * noise[t - 1] + np.sqrt(1 - CORRELATION**2) * noise[t]
    return noise


def credit_of(agent: Agent, inputs: Array) -> list[Array]:
    """Return the critic's credit of every layer after each tick, (ticks, n, m) each."""
    found: list[list[Array]] = [[] for _ in agent.config.stack]
    for t, x in enumerate(inputs):
        if t == 0:
            agent.start(x)
        else:
            agent.step(0.0, x)
        for index, credit in enumerate(found):
            credit.append(traces(agent.arena.views, f"critic/{index}")["credit"].astype(np.float64))
    return [np.array(credit) for credit in found]


def stack_of(config: Config, d: Dimensions, views: Mapping[str, Array], net: str) -> Stack:
    """Return a network ("actor" or "critic") as exact gradients take it, without the padding.

    d, views : as of the agent's arena; the views may be copies in float64.
    """
    layers = []
    for index in range(len(config.stack)):
        columns = d.columns(index)
        w, alpha, rho, strength = (
            views[f"{net}/{index}/{name}"].astype(np.float64) for name in ("w", "alpha", "rho", "strength")
        )
        is_read = d.readout_columns()[0][index] >= 0
        layers.append(
            Layer(w[:, : columns["bias"] + 1], alpha, rho, strength, columns["observed"] >= 0, d.recurrent, is_read)
        )
    readout = views[f"{net}/w"][:, : d.readout_columns()[1] + 1].astype(np.float64)
    return Stack(tuple(layers), readout, spikes_of(config, config.payload_cap), config.gain, config.reset_strength)


def spikes_of(config: Config, cap: float) -> Spikes:
    """Return what neurons send, as exact gradients take it; cap: of graded spikes."""
    return Spikes(config.v_th, config.dampening, cap if config.spikes == "graded" else None)


def exact_gradients(stack: Stack, inputs: Array, paths: Paths) -> list[Array]:
    """Return the gradient of the first readout of each tick for every layer, (ticks, n, m) each."""
    found: list[list[Array]] = [[] for _ in stack.layers]
    for t in range(len(inputs)):
        cost = np.zeros((t + 1, len(stack.readout)))
        cost[t, 0] = 1.0
        for gradients, gradient in zip(found, bptt(stack, inputs[: t + 1], cost, paths), strict=True):
            gradients.append(gradient)
    return [np.array(gradients) for gradients in found]


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with a column a number."""
    places = ("bottom", "middle", "top")
    return {
        **{key: value for key, value in row.items() if key not in ("cosine", "relative_norm")},
        **{f"cosine_{place}": value for place, value in zip(places, row["cosine"], strict=True)},
        **{f"norm_{place}": value for place, value in zip(places, row["relative_norm"], strict=True)},
    }


def gradient_lines(result: dict[str, Any]) -> Iterator[str]:
    """Yield the tables of `bench_gradients` line by line."""
    yield from wrapped(
        "cosine (relative norm) to the exact surrogate gradient, by layer; with "
        f"{' and with '.join(REFERENCES)}; and to the literal recursion, {LITERAL}",
        "",
    )
    keys = ("network", "wiring", "stage")
    for heading in dict.fromkeys(tuple(row[key] for key in keys) for row in result["rows"]):
        rows = [row for row in result["rows"] if tuple(row[key] for key in keys) == heading]
        yield from wrapped(f"{'; '.join(heading)}; {rows[0]['seeds']} networks", "")
        for aim in AIMS:
            yield from table(
                (f"to {aim}", "bottom", "middle", "top"),
                [[row["form"], *_cells(row)] for row in rows if row["reference"] == aim],
            )
    yield "cost on 3 layers of 64"
    yield from table(
        ("", "bytes a synapse", "median step us", "ns a synapse"),
        [
            [name, f"{cost['bytes_per_synapse']:.1f}", f"{cost['step_us']:.1f}", f"{cost['ns_per_synapse']:.2f}"]
            for name, cost in result["costs"].items()
        ],
    )


def _cells(row: dict[str, Any]) -> list[str]:
    pairs = zip(row["cosine"], row["relative_norm"], strict=True)
    return ["-" if cosine is None else f"{cosine:.3f} ({norm:.2f})" for cosine, norm in pairs]
