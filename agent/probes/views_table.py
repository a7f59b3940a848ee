"""What the arrays of an arena are, in the terms of docs/equations.md: the words of docs/reference/views.md."""

from __future__ import annotations

from typing import NamedTuple

# Sections of docs/equations.md: what a link there is called, and its anchor.
FORWARD = ("Forward", "forward")
ELIGIBILITY = ("Eligibility", "eligibility")
MEMORY = ("Memory neurons", "memory-neurons")
DEPTH = ("Depth", "depth")
SIGNALS = ("Signals", "signals")
POLICY = ("Policy", "policy")
REWARD = ("Reward", "reward")
NORMALIZATION = ("Normalization", "normalization")
NOWHERE = ("", "")

# Who writes what is not written by a kernel.
BEGINNING, CALLER = "arena/initialize.py", "agent.py"


class Array(NamedTuple):
    """One array: its unit, its symbol as LaTeX, what it is, where in the equations, who writes it.

    "" is no unit, and no symbol. `files` lie below agent/kernels/, but for the two above.
    """

    unit: str
    symbol: str
    text: str
    section: tuple[str, str]
    files: tuple[str, ...]


AGENT = {
    "staging": Array("of the space", "", "observation as it was given; 0 after the call", NOWHERE, (CALLER, "tick.py")),
    "standardized": Array("", "", "1: standardized, 0: taken as it is", NORMALIZATION, (BEGINNING,)),
    "observation_mean": Array("of the space", r"\text{mean}", "running mean", NORMALIZATION, ("normalize.py",)),
    "observation_m2": Array("its square", "m_2", "running sum of squared deviations", NORMALIZATION, ("normalize.py",)),
    "returns": Array(
        "",
        r"\text{ones, squares, held}, \sum G, \sum G^2",
        "statistics of returns, in the order that normalize.py names",
        NORMALIZATION,
        ("normalize.py",),
    ),
    "output_mean": Array(
        "spikes a tick", r"\text{mean}(z)", "of memory neurons, over all ticks", MEMORY, ("forward.py",)
    ),
    "probabilities": Array("", r"\pi", "of each category, factor after factor", POLICY, ("policy.py",)),
    "control_center": Array("of the space", r"\text{center}", "what a mean of 0 stands for", POLICY, (BEGINNING,)),
    "control_scale": Array("of the space", r"\text{scale}", "what a mean of 1 adds to that", POLICY, (BEGINNING,)),
    "control_low": Array("scale", "l", "lower bound of what is drawn, maybe infinite", POLICY, (BEGINNING,)),
    "control_high": Array("scale", "h", "upper bound likewise", POLICY, (BEGINNING,)),
    "stds": Array("scale", r"\sigma", "standard deviation of each control", POLICY, ("policy.py",)),
    "noise": Array("std", "n", "what each control was drawn with", POLICY, ("policy.py",)),
    "slow_noise": Array("std", r"\nu", "the part of it that lasts", POLICY, ("policy.py",)),
    "scratch_pair": Array("", "", "room for two numbers", NOWHERE, ("policy.py",)),
    "action": Array(
        "of the space",
        r"\text{action}",
        "the last action: indices of categories, then controls",
        POLICY,
        ("policy.py",),
    ),
    "spike_rates": Array(
        "share a tick", "", "running share of neurons that spike, of each layer", NOWHERE, ("forward.py",)
    ),
    "credit_norms": Array(
        "",
        r"\lVert \bar e_b \rVert_1",
        "of each layer, the readout, then gates of memory layers",
        REWARD,
        ("learn.py",),
    ),
    "step_sizes": Array("", r"\text{step}_b", "of the same blocks, without delta", REWARD, ("step_size.py",)),
    "input": Array("standard deviations", "x", "encoded observation, normalized", NORMALIZATION, ("normalize.py",)),
    "scratch_e": Array("", "e", "work row of each network: eligibility of one neuron", ELIGIBILITY, ("learn.py",)),
    "scratch_total": Array("", "", "work row of each network: signals times traces", DEPTH, ("learn.py",)),
    "scratch_factors": Array("", "", "work row of each network: factors of vectors and tensors", DEPTH, ("learn.py",)),
}

NET = {
    "w": Array(
        "output a spike", r"W_\text{out}", "weights of the readout", FORWARD, ("credit.py", "policy.py", "tick.py")
    ),
    "feedback": Array(
        "output a spike", r"B_\text{out}", "weights that S_0 comes down through", SIGNALS, ("feedback.py",)
    ),
    "leak": Array(
        "share a tick",
        r"\text{leak}",
        "mean leak of each layer, of memory layers that of this tick",
        DEPTH,
        (BEGINNING, "forward.py"),
    ),
    "credit": Array("", r"\bar e", "decaying sum of gradient x features", REWARD, ("credit.py",)),
    "features": Array("0 to 1", "z", "spikes of all layers that are read out, then 1", FORWARD, ("forward.py",)),
    "output": Array(
        "preference, mean, log std; value",
        "",
        "preferences, means and log stds; the value",
        FORWARD,
        ("forward.py",),
    ),
    "gradient": Array(
        "1/output", "g", "gradient of log pi(action), or 1 for the value", POLICY, ("policy.py", "tick.py")
    ),
    "slope": Array(
        "", r"\text{slope}", "of each layer's normalized current; of memory layers 1", FORWARD, ("forward.py",)
    ),
}

LAYER = {
    "w": Array(
        "",
        r"W;\ C \text{, then } G",
        "weights of all inputs; of memory neurons with A in a column",
        FORWARD,
        ("credit.py", "rest.py", "memory.py"),
    ),
    "feedback": Array("", "B", "weights that signals come down through", SIGNALS, ("feedback.py",)),
    "alpha": Array("share a tick", r"\alpha", "membrane leak; not read in memory layers", FORWARD, (BEGINNING,)),
    "rho": Array("share a tick", r"\rho", "leak of the adaptation", FORWARD, (BEGINNING,)),
    "strength": Array("v_th a spike", r"\beta", "rise of the threshold a spike", FORWARD, (BEGINNING,)),
    "alphas": Array("share a tick", r"\alpha_g", "leak of each leak group", ELIGIBILITY, (BEGINNING,)),
    "filter_leak": Array("share a tick", "a_h", "leak of each group that signals are split into", DEPTH, (BEGINNING,)),
    "psi_mean": Array("1/v_th", r"\bar\psi", "running mean of psi", SIGNALS, ("forward.py",)),
    "rate": Array("spikes a tick", "f", "running mean of the spikes", SIGNALS, ("forward.py",)),
    "credit": Array(
        "",
        r"\bar e",
        "decaying sum of signal x eligibility; of rows at rest what it was",
        REWARD,
        ("credit.py", "rest.py", "memory.py"),
    ),
    "eps": Array(
        "",
        r"\epsilon;\ \epsilon^C \text{, then } \epsilon^G",
        "membrane eligibility vector; of memory neurons that of each synapse",
        ELIGIBILITY,
        ("neuron.py", "memory.py"),
    ),
    "epsa": Array(
        "spikes/weight",
        r"\epsilon^a",
        "adaptation eligibility; of rows at rest what it was",
        ELIGIBILITY,
        ("neuron.py",),
    ),
    "epsr": Array("spikes/weight", r"\epsilon^r", "the same for the reset", ELIGIBILITY, ("neuron.py",)),
    "cascade": Array(
        "spikes/weight",
        "R_q / N_q",
        "e filtered by the layers above; of rows at rest what it was",
        DEPTH,
        ("depth.py", "rest.py", "memory.py"),
    ),
    "filtered": Array("", "F_h / M_h, D_q / N_q", "eps filtered by the layers above", DEPTH, ("depth.py",)),
    "tensor": Array(
        "v_th/weight", r"V^q;\ V", "influence of a synapse on each neuron above", DEPTH, ("tensor.py", "memory.py")
    ),
    "psi_past": Array("1/v_th", "P_h, P", "weighted mean of past psi", DEPTH, ("depth.py",)),
    "mass": Array("", "M_h, N_q / N_{q-1}", "what a filter would hold of a constant 1", DEPTH, ("depth.py",)),
    "share": Array("", r"\text{share}_q", "share of this tick in a filter", DEPTH, ("depth.py",)),
    "rest": Array(
        "", r"\text{a, c, norm, b, r, g, q, s}", "factors of rows at rest, as rest.py names them", NOWHERE, ("rest.py",)
    ),
    "inputs": Array(
        "", "u", "spikes below, observation, own spikes one tick ago, 1", FORWARD, ("forward.py", "memory.py")
    ),
    "current": Array(
        "v_th",
        r"I;\ h \text{, then } G u",
        "normalized input current; candidate, then the sum at the gate",
        FORWARD,
        ("forward.py", "memory.py"),
    ),
    "past": Array(
        "standard deviations",
        "",
        "the earlier observation that each memory neuron sees next",
        MEMORY,
        ("memory.py",),
    ),
    "keep": Array("share a tick", "1 - g", "what is left of each cell", MEMORY, ("memory.py",)),
    "push": Array("", r"a \text{, then } b", "what eC and eG take of the inputs", MEMORY, ("memory.py",)),
    "v": Array("v_th", r"v;\ c", "membrane; cell of a memory neuron", FORWARD, ("neuron.py", "memory.py")),
    "a": Array("spikes", "a", "threshold adaptation", FORWARD, ("neuron.py",)),
    "z": Array("0 to 1", "z", "spikes: graded, or 0 or 1", FORWARD, ("spike.py",)),
    "psi": Array("1/v_th", r"\psi", "pseudo-derivative", FORWARD, ("spike.py",)),
    "output": Array("spikes", r"z - \text{mean}(z)", "what others see of a memory neuron", MEMORY, ("forward.py",)),
    "signals": Array(
        "1/spike",
        "S_0, U_h, D_h, T_q",
        "learning signals by the way they came; learning turns them into factors of its traces",
        SIGNALS,
        ("signals.py", "depth.py"),
    ),
}

# What a size in a shape is, where the comments of `kernels.views.Layer` do not say so.
SIZES = {
    "N_NETS": "2: actor, then critic",
    "RETURNS_SIZE": "6, as normalize.py names them",
    "SLOTS": "factors of a row at rest by levels: (3, 5, 8)",
    "centered": "neurons of all memory layers of a network",
    "choices": "categories of each discrete factor of an action",
    "controls": "continuous dimensions of an action",
    "features": "neurons that are read out and 1, padded to a multiple of 16",
    "m": "inputs of a neuron and 1, padded with zeros to a multiple of 16; of memory neurons with the threshold, as is",
    "matrices": "`depth_filter: cascade`, or a memory layer",
    "memory": "a memory layer",
    "most": "most `vectors + n_above` of any layer",
    "n": "neurons",
    "n_choices": "discrete factors of an action",
    "n_input": "numbers of the encoded observation",
    "n_layers": "layers of a network, those of memory among them",
    "n_memory": "memory layers of a network",
    "outputs": "of the actor a preference a category, a mean and a log std a control; of the critic 1",
    "reset_path": "`reset_path`",
    "widest": "largest `m` of any layer, of memory layers `n`",
}
