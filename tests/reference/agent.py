"""Slow, readable twin of the compiled agent: plain numpy, float64, one function an equation, and `ReferenceAgent`.

What the actor draws is in `reference_policy`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import policy

Array = NDArray[np.float64]
Arrays = tuple[Array, ...]

PSI_MEAN_RATE, RATE_RATE = 0.05, 0.01
# Below, a mean of past psi is 0.
PSI_FLOOR = 1e-12
# What the beginning of an episode, and a stretch of acting only, forget.
TRACES = ("credit", "eps", "epsa", "epsr", "cascade", "filtered", "psi_past", "mass")
# Of which an arena leaves out rows that nothing would ever change.
CARRIED = ("epsa", "epsr", "credit", "peak", "eps")
NETS = ("actor", "critic")
FAINT = 1e-60
DRAWN = ("action", "probabilities", "noise", "slow_noise", "stds")


def kept(memory: float, count: float) -> float:
    """1 until there are `memory` samples, then 1 - 1/memory."""
    return 1.0 if count < memory - 0.5 else 1 - 1 / memory


def running(mean: Any, sample: Any, count: float) -> Any:
    """mean + (x - mean)/n, n counting this sample."""
    return mean + (sample - mean) / count


def welford(keep: float, count: float, mean: Any, m2: Any, sample: Any) -> tuple[Any, Any]:
    """mean' = mean + (x - mean)/n, m2' = keep m2 + (x - mean)(x - mean'), n counting this sample."""
    new = flushed(running(mean, sample, count), FAINT)
    return new, flushed(keep * m2 + (sample - mean) * (sample - new), FAINT)


def variance(count: float, m2: Any) -> Any:
    """m2 / (n - 1); 1 before the second sample."""
    return m2 / (count - 1) if count >= 2 else np.ones_like(m2)


def std(count: float, mean: Any, m2: Any) -> Any:
    """sqrt(var + (1e-5 mean)^2 + 1e-30)."""
    return np.sqrt(variance(count, m2) + (1e-5 * mean) ** 2 + 1e-30)


def standardize(count: float, mean: Array, m2: Array, clip: float, sample: Array) -> Array:
    """clip((x - mean) / std, -clip, clip)."""
    return np.clip((sample - mean) / std(count, mean, m2), -clip, clip)


def with_reward(returns: Array, memory: float, discount: float, reward: float) -> Array:
    """[n, sum G, sum G^2, sum d^(k-t) G_t, sum d^(k-t), sum d^(2(k-t))] with one reward more; d the discount.

    Each sum is over ticks t with weights keep^(k-t).
    """
    returns = kept(memory, returns[0]) * returns
    count, total, of_squares, held, ones, squares = returns
    ones, squares = 1 + discount * ones, 1 + discount**2 * squares
    total, of_squares = total + reward * ones, of_squares + 2 * reward * discount * held + reward**2 * squares
    sums = flushed(np.array([total, of_squares, discount * held + reward * squares]), FAINT)
    return np.array([count + 1, *sums, ones, squares])


def reward_scale(returns: Array) -> float:
    """1 / std of G, the returns of all ticks."""
    count, total, of_squares = returns[:3]
    return float(1 / std(count, total / count, max(of_squares - total**2 / count, 0.0)))


def input_vector(size: int, below: Array | None, x: Array | None, own: Array | None) -> Array:
    """u = [z of the layer below; x; own z one tick ago; 1; zero padding], None for an absent part."""
    u = np.concatenate([*(part for part in (below, x, own) if part is not None), [1.0]])
    return np.pad(u, (0, size - u.size))


def normalized_current(w: Array, u: Array, gain: float) -> tuple[Array, float]:
    """I = W u; slope = gain / sqrt(var(I) + 1e-5); returns slope (I - mean(I)) and slope."""
    current = w @ u
    slope = gain / np.sqrt(np.mean((current - current.mean()) ** 2) + 1e-5)
    return slope * (current - current.mean()), float(slope)


def neuron(state: Arrays, constants: Arrays, current: Array, v_th: float, reset: float, dampening: float) -> Arrays:
    """v' = alpha v + I - reset v_th z; a' = rho a + z; A = v_th + strength a'; returns v', a', z' = 1[v' > A] and psi.

    psi = dampening/v_th max(0, 1 - |v' - A|/v_th); state is v, a, z; constants are alpha, rho, strength (0 for LIF).
    """
    (v, a, z), (alpha, rho, strength) = state, constants
    v, a = alpha * v + current - reset * v_th * z, rho * a + z
    excess = v - (v_th + strength * a)
    return v, a, (excess > 0).astype(float), dampening / v_th * np.maximum(0, 1 - np.abs(excess) / v_th)


def flushed(x: Any, floor: float = 1e-30) -> Any:
    """0 where |x| <= floor, else x."""
    return np.where(np.abs(x) <= floor, 0.0, x)


def membrane_eligibility(eps: Array, alphas: Array, slope: float, u: Array) -> Array:
    """eps_gj' = alpha_g eps_gj + slope u_j, one row a leak group (Bellec eq. 22 with leak groups)."""
    return flushed(alphas[:, None] * eps + slope * u)


def suppression(epsa: Array, epsr: Array, strength: Array, fall: float) -> Array:
    """x_ij = strength_i epsa_ij + fall epsr_ij, what threshold and reset take from the membrane's eligibility."""
    return strength[:, None] * epsa + fall * epsr


def eligibility(eps: Array, x: Array, psi: Array) -> Array:
    """e_ij = psi_i (eps_ij - x_ij) = dz_i/dW_ij (Bellec eqs. 23 and 25, with the reset)."""
    return psi[:, None] * (eps - x)


def adaptive_eligibility(epsa: Array, eps: Array, undone: Array, psi: Array, strength: Array, rho: Array) -> Array:
    """da(t+1)/dW = psi (eps - undone) + (rho - psi strength) epsa (Bellec eq. 24), undone = fall epsr."""
    return flushed(psi[:, None] * (eps - undone) + (rho - psi * strength)[:, None] * epsa)


def reset_eligibility(epsr: Array, eps: Array, raised: Array, psi: Array, fall: float, alpha: Array) -> Array:
    """Sum of alpha^age dz/dW = psi (eps - raised) + (alpha - psi fall) epsr, raised = strength epsa."""
    return flushed(psi[:, None] * (eps - raised) + (alpha - psi * fall)[:, None] * epsr)


def cascade(traces: Array, source: Any, leaks: Array, slopes: Array) -> Array:
    """R_0 = source, R_q' = leak_q R_q + slope_q R_{q-1}'; R_1..R_k along the first axis of traces, nearest layer first.

    Also D_q, from eps, and N_q, from 1.
    """
    filtered = np.zeros_like(traces)
    for q in range(len(traces)):
        source = filtered[q] = flushed(leaks[q] * traces[q] + slopes[q] * source)
    return filtered


def fan(traces: Array, source: Any, leaks: Array, slope: float) -> Array:
    """F_h' = leak_h F_h + slope source; F_h along the first axis. Also M_h, from 1."""
    return np.array([flushed(leak * f + slope * source) for leak, f in zip(leaks, traces, strict=True)])


def past_mean(past: Array, psi: Array, mass: float, fresh: float) -> Array:
    """P' = (old mass P + fresh psi) / mass, mass = old mass + fresh: mean of psi with the weights that mass sums."""
    found = ((mass - fresh) * past + fresh * psi) / mass
    return np.where(found > PSI_FLOOR, found, 0.0)


class Signals(NamedTuple):
    """Learning signals of one layer of n neurons, s splits and k levels."""

    direct: Array  # (n,), S_0: from the readout
    up: Array  # (s, n), U_h: one hop, from leak group h of the layer above
    around: Array  # (s, n), D_h: one hop, from leak group h of this layer, one tick later
    hops: Array  # (k, n), T_q: all that took q hops


def by_group(x: Array, groups: int) -> Array:
    """(groups, n): row h is x_i where i mod groups = h, else 0."""
    return np.where(np.arange(x.size) % groups == np.arange(groups)[:, None], x, 0.0)


def signals(
    direct: list[Array],
    weights: list[tuple[Array, Array]],
    psi: list[Array],
    psi_mean: list[Array],
    ratios: list[float],
    split: int,
    levels: list[int],
) -> list[Signals]:
    """U = B_{l+1}^T (S_0 psi)^{l+1}; D = ratio B_rec^T (S_0 psi); T_1 = sum_h U_h + D_h; T_q from T_{q-1} psi_mean.

    weights : B_{l+1}, (n_{l+1}, n_l), and B_rec, (n_l, n_l), of each layer; no rows where there is nothing to pass.
    """
    found: list[Signals] = []
    for index in range(len(direct) - 1, -1, -1):
        s_0, (b_up, b_own) = direct[index], weights[index]
        above = found[0] if found else Signals(*[np.zeros((levels[index], 0))] * 4)
        s_above = above.direct if found else np.zeros(0)
        psi_above, mean_above = (x[index + 1] if found else np.zeros(0) for x in (psi, psi_mean))
        has_own = len(b_own) > 0
        u = by_group(s_above * psi_above, split) @ b_up
        d = ratios[index] * by_group(s_0 * psi[index], split) @ b_own if has_own else np.zeros_like(u)
        hops = [u.sum(axis=0) + d.sum(axis=0)]
        for q in range(2, levels[index] + 1):
            t = (above.hops[q - 2] * mean_above) @ b_up
            hops.append(t + (hops[-1] * psi_mean[index]) @ b_own if has_own else t)
        found.insert(0, Signals(s_0, u, d, np.array(hops)[: levels[index]]))
    return found


def cascade_credit(s: Signals, e: Array, before: Array, after: Array) -> Array:
    """S_0 e + U R_1 + D R_1(t-1) + sum_{q>1} T_q R_q; before, after (k, n, m): R as of the last tick and this one."""
    credit = s.direct[:, None] * e
    if len(after):
        credit = credit + s.up[0][:, None] * after[0] + s.around[0][:, None] * before[0]
    return credit + np.einsum("qi,qij->ij", s.hops[1:], after[1:])


def instant_credit(s: Signals, e: Array, slopes: Array) -> Array:
    """(S_0 + slope_1 sum_h U_h + sum_{q>1} slope_1 .. slope_q T_q) e: inputs of this very tick."""
    factor = s.direct
    if len(slopes):
        factor = factor + slopes[0] * s.up.sum(axis=0) + np.cumprod(slopes)[1:] @ s.hops[1:]
    return factor[:, None] * e


def one_hop_credit(s: Signals, x: Array, f: Array, m: Array, past: Array, leaks: Array) -> Array:
    """sum_h P_h (a_h U_h + D_h) (F_h - M_h x); f (s, n, m), m (s,), past (s, n) as of the tick before."""
    factors = past * (leaks[:, None] * s.up + s.around)
    return np.einsum("hi,hij->ij", factors, f - m[:, None, None] * x)


def deeper_credit(s: Signals, x: Array, d: Array, n: Array, past: Array, leak: float, slopes: Array) -> Array:
    """P a sum_q (sum_{r>=q, r>1} slope_{q+1} .. slope_r T_r) (D_q - N_q x); d (k, n, m), n (k,), past P (n,)."""
    credit = np.zeros_like(x)
    for q in range(1, len(n) + 1):
        for r in range(max(q, 2), len(n) + 1):
            factor = past * leak * np.prod(slopes[q:r]) * s.hops[r - 1]
            credit += factor[:, None] * (d[q - 1] - n[q - 1] * x)
    return credit


def bounded_step(lr: float, kappa: float, bound: float, delta: float, norm: float) -> float:
    """lr / max(1, lr kappa max(|delta| / bound, 1) ||credit||_1)."""
    return lr / max(1.0, lr * kappa * max(abs(delta) / bound, 1.0) * norm)


def coordinate_change(credit: Array, peak: Array, lr: float, delta: float, decay: float) -> tuple[Array, Array]:
    """m' = max(decay m, |delta credit|); returns lr delta credit / (m' + 1e-8) and m'."""
    peak = flushed(np.maximum(decay * peak, np.abs(delta * credit)))
    return lr * delta * credit / (peak + 1e-8), peak


def rate_change(strength: float, rate: Array, target: float, e: Array) -> Array:
    """-strength (f_i - target) e_ij."""
    return -strength * (rate - target)[:, None] * e


def decayed_change(x: Array, decay: float, change: Array) -> Array:
    """(1 - decay) x + change."""
    return (1 - decay) * x + change


class ReferenceAgent:
    """Whole ticks, from a copy of the views and random words of an arena; `spaces`: of observations and of actions."""

    def __init__(
        self, config: Any, spaces: tuple[Any, Any], views: Mapping[str, Any], words: Iterable[int], **scalars: float
    ):
        self.config, self.spaces, self.words = config, spaces, [int(word) for word in words]
        self.parts, self.is_number = policy.parts_of(spaces[1]), policy.is_number(spaces[0])
        self.indices = range(len(config.stack))
        self.learning = range(config.fixed, len(config.stack))
        self.read = [index for index in self.indices if config.readout == "all" or index == self.indices[-1]]
        self.bias = sum(config.stack[index] for index in self.read)
        self.arrays: dict[str, Any] = {name: np.array(view, np.float64) for name, view in views.items()}
        for path in (f"{net}/{index}" for net in NETS for index in self.indices):
            # LIF rows are carried along: strength 0 takes them out of e. So is the reset: 0 unless its path is in. What
            # a reservoir would have if it learned is carried along too.
            groups = len(self.arrays[f"{path}/alphas"])
            for name, rows in ((f"{path}/{k}", groups if k == "eps" else None) for k in CARRIED):
                missing = (rows or len(self.arrays[f"{path}/w"])) - len(self.arrays[name])
                self.arrays[name] = np.pad(self.arrays[name], ((0, missing), (0, 0)))
        self.scalars: dict[str, float] = defaultdict(float, scalars)
        c = config
        self.hop = c.recurrent_hop and c.recurrent and c.spatial_signal and c.temporal_trace
        self.fall = c.reset_strength * c.v_th * (c.reset_path and c.temporal_trace)
        self.levels = [c.spatial_signal * (len(c.stack) - 1 - index) + self.hop for index in self.indices]

    def start(self, observation: Any, learn: bool = True) -> Array:
        """An episode begins: forget the last one, then act; no reward is due."""
        if not self.config.keep_state:
            self.clear(neurons=True)
        return self.tick(None, observation, learn, self.config.discount)

    def step(self, reward: float, observation: Any, learn: bool = True) -> Array:
        """Learn from the reward of the action before, then act."""
        return self.tick(reward, observation, learn, self.config.discount)

    def end(self, reward: float, observation: Any = None, learn: bool = True) -> None:
        """Terminated (no bootstrap), or, given an observation, truncated (bootstraps)."""
        self.tick(reward, observation, learn, 0.0 if observation is None else self.config.discount, last=True)
        self.arrays["returns"][3:] = 0.0

    def tick(self, reward: float | None, observation: Any, learn: bool, discount: float, last: bool = False) -> Array:
        """delta = r + discount value - value_tm1; then action; then learning."""
        s, arrays = self.scalars, self.arrays
        if learn and s["stale"]:
            self.clear()
        value, delta = 0.0, 0.0
        gradients: Arrays = ()
        if observation is not None:
            x = self.observe(observation, learn)
            for net in NETS:
                self.forward(net, x, learn)
            value = float(arrays["critic/output"][0])
        if learn and reward is not None:
            reward = self.scaled(reward) - self.config.entropy_bonus * s["log_probability_tm1"]
            s["delta"] = delta = float(flushed(reward + discount * value - s["value_tm1"]))
        if not last:
            # No reward: an episode begins, with noise that knows nothing of the last one.
            correlation = self.config.noise_correlation if reward is not None else 0.0
            drawn = policy.sample_action(
                arrays["actor/output"], self.parts, arrays["slow_noise"], correlation, self.config, self.words
            )
            arrays.update({name: getattr(drawn, name) for name in DRAWN})
            gradients = drawn.gradient, np.ones(1)
            s["value_tm1"], s["log_probability_tm1"] = value, drawn.log_probability
        elif observation is not None and self.config.keep_state:
            gradients = np.zeros(arrays["actor/output"].size), np.zeros(1)  # credit and traces live on; nothing new
        s["stale"] = float(not learn)
        if learn:
            self.learn(delta, gradients)
            if not last and self.config.lr_policy > 0:
                self.restrain_outputs()
        found: Array = arrays["action"]
        return found

    def learn(self, delta: float, gradients: Arrays) -> None:
        """Signals of this tick's weights; weights by the credit of the tick before; then credit and traces.

        Without gradients, at the end of an episode, credit and traces stay as they are.
        """
        for number, net in enumerate(NETS):
            found = self.signals(net, gradients[number]) if gradients else []
            self.change_weights(net, delta, follow=bool(gradients))
            if gradients:
                self.advance(net, gradients[number], found)

    def restrain_outputs(self) -> None:
        """Readout rows of outputs beyond their range move back, preferences fade; feedback does not follow."""
        arrays = self.arrays
        found = arrays["actor/output"]
        faded = self.config.preference_decay * policy.apart(found, self.parts)
        change = -policy.HOLD_RATE * policy.excess(found, self.parts, self.config) - faded
        seen = np.tile(arrays["actor/features"], (change.size, 1))
        self.keep_free(seen)
        arrays["actor/w"] = arrays["actor/w"] + policy.hold_change(change, seen)

    def keep_free(self, rows: Array) -> None:
        """Leave nothing but the bias, which is behind the spikes, to free stds; `rows`: one an output."""
        if self.config.std == "free":
            rows[len(rows) - self.parts.controls.shape[1] :, : self.bias] = 0.0

    def clear(self, neurons: bool = False) -> None:
        """Forget credit, eligibility and the sum of rewards that began before the gap; maybe the neurons too."""
        names = TRACES + ("v", "a", "z", "psi") * neurons
        self.arrays.update({k: np.zeros_like(x) for k, x in self.arrays.items() if k.split("/")[-1] in names})
        self.arrays["returns"][3:] = self.scalars["stale"] = 0.0

    def observe(self, observation: Any, learn: bool) -> Array:
        """The encoded observation, its continuous entries standardized; only learning changes the statistics."""
        arrays, s, c = self.arrays, self.scalars, self.config
        x = policy.encoded(self.spaces[0], observation)
        if learn:
            keep = kept(c.statistics_horizon, s["observation_count"])
            s["observation_count"] = keep * s["observation_count"] + 1
            found = welford(keep, s["observation_count"], arrays["observation_mean"], arrays["observation_m2"], x)
            arrays.update(observation_mean=found[0], observation_m2=found[1])
        standard = standardize(
            s["observation_count"], arrays["observation_mean"], arrays["observation_m2"], c.observation_clip, x
        )
        return flushed(np.where(self.is_number & c.normalize_observations, standard, x))

    def scaled(self, reward: float) -> float:
        """r divided by the std of the returns of all ticks."""
        if not self.config.normalize_rewards:
            return reward
        self.arrays["returns"] = with_reward(
            self.arrays["returns"], self.config.statistics_horizon, self.config.discount, reward
        )
        return reward * reward_scale(self.arrays["returns"])

    def forward(self, net: str, x: Array, learn: bool) -> None:
        """Spikes up through the layers, eps and the means of psi and z; output = W_out [spikes read out; 1]."""
        c, arrays = self.config, self.arrays
        spikes: list[Array] = []
        for index in self.indices:
            at = f"{net}/{index}/"
            state = arrays[at + "v"], arrays[at + "a"], arrays[at + "z"]
            constants = arrays[at + "alpha"], arrays[at + "rho"], arrays[at + "strength"]
            below, seen = spikes[-1] if spikes else None, x if self.sees(index) else None
            u = input_vector(arrays[at + "w"].shape[1], below, seen, state[2] if c.recurrent else None)
            current, slope = normalized_current(arrays[at + "w"], u, c.gain)
            found = neuron(state, constants, current, c.v_th, c.reset_strength, c.dampening)
            arrays.update({at + name: new for name, new in zip(("v", "a", "z", "psi"), found, strict=True)})
            spikes.append(arrays[at + "z"])
            if index < (c.reservoir > 0):
                means, row = arrays["reservoir_mean"], NETS.index(net)
                if learn:
                    means[row] = flushed(running(means[row], spikes[-1], self.scalars["observation_count"]))
                arrays[at + "output"] = spikes[-1] = spikes[-1] - means[row]
            if learn:
                arrays[at + "slope"] = slope
                arrays[at + "eps"] = membrane_eligibility(arrays[at + "eps"], arrays[at + "alphas"], slope, u)
                arrays[at + "psi_mean"] += PSI_MEAN_RATE * (arrays[at + "psi"] - arrays[at + "psi_mean"])
                arrays[at + "rate"] += RATE_RATE * (arrays[at + "z"] - arrays[at + "rate"])
        read = np.concatenate([spikes[index] for index in self.read])
        arrays[f"{net}/features"] = input_vector(arrays[f"{net}/w"].shape[1], read, None, None)
        arrays[f"{net}/output"] = arrays[f"{net}/w"] @ arrays[f"{net}/features"]

    def feedback(self, path: str) -> Array:
        """B: the weights themselves, or those that stand in for them."""
        found: Array = self.arrays[f"{path}/w" if self.config.feedback == "symmetric" else f"{path}/feedback"]
        return found

    def signals(self, net: str, gradient: Array) -> list[Signals]:
        """S, U, D and T of all layers, from S_0 = B_out^T g."""
        c, arrays = self.config, self.arrays
        direct = [np.zeros(n) for n in c.stack]
        parts = np.split(self.feedback(net).T @ gradient, np.cumsum([direct[index].size for index in self.read]))
        direct = [parts.pop(0) if index in self.read else part for index, part in enumerate(direct)]
        factored = c.depth_filter != "cascade"
        weights = []
        for index, n in enumerate(c.stack):
            below, seen = c.stack[index - 1] if index else 0, arrays["input"].size * self.sees(index)
            own = self.feedback(f"{net}/{index}")[:, below + seen : below + seen + n] if self.hop else np.zeros((0, n))
            last = index == self.indices[-1] or not c.spatial_signal
            weights.append((np.zeros((0, n)) if last else self.feedback(f"{net}/{index + 1}")[:, :n], own))
        if not c.spatial_signal:
            nothing = [np.zeros((0, n)) for n in c.stack]
            return [Signals(s, none, none, none) for s, none in zip(direct, nothing, strict=True)]
        psi, psi_mean = ([arrays[f"{net}/{k}/{name}"] for k in self.indices] for name in ("psi", "psi_mean"))
        # R_1 and F carry the slope of the layer above, where a hop around passes that of its own.
        slopes = self.slopes(net)
        ratios = list(slopes / np.append(slopes[1:], slopes[-1]))
        return signals(direct, weights, psi, psi_mean, ratios, c.leak_groups if factored else 1, self.levels)

    def sees(self, index: int) -> bool:
        """Whether a layer sees the observation; a reservoir does not stand between it and the layer above."""
        return bool(index <= (self.config.reservoir > 0) or self.config.observation_skip)

    def slopes(self, net: str) -> Array:
        return np.array([self.arrays[f"{net}/{k}/slope"] for k in self.indices])

    def change_weights(self, net: str, delta: float, follow: bool) -> None:
        """W <- W + step(delta, credit) credit and the pull of the rates; each block has its share of the bound.

        A narrow policy is moved in small steps: the actor's kappa is divided by the spread of what it has just drawn.
        Each of K parts of an action moves as if it were alone: norms count 1/K in the readout, 1/sqrt(K) in layers.
        Adaptive feedback gets the same change, and both decay.
        """
        c, arrays = self.config, self.arrays
        lr, kappa = (c.lr_policy, c.kappa_policy) if net == "actor" else (c.lr_value, c.kappa_value)
        count = 1
        if net == "actor":
            kappa /= policy.action_scale(self.parts, arrays["stds"])
            count = max(1, sum(size > 1 for size in self.parts.choices) + len(arrays["stds"]))
        paths = [*(f"{net}/{index}" for index in self.indices), net]
        norms = [float(np.abs(arrays[f"{path}/credit"]).sum()) / np.sqrt(count) for path in paths]
        norms[-1] /= np.sqrt(count)
        share = c.readout_share
        shares = [(1 - share) / max(len(self.learning), 1)] * len(c.stack) + [share]
        if share == 0:
            norms, shares = [sum(norms)] * len(paths), [1.0] * len(paths)
        learning = [f"{net}/{index}" for index in self.learning]
        for path, norm, part in zip(paths, norms, shares, strict=True):
            credit, peak = arrays[f"{path}/credit"], arrays[f"{path}/peak"]
            if c.step_rule == "coordinate":
                change, arrays[f"{path}/peak"] = coordinate_change(credit, peak, lr, delta, c.peak_decay)
            else:
                change = bounded_step(lr, kappa / part, c.td_error_scale, delta, norm) * delta * credit
            if follow and path in learning:
                e = self.eligibility(path)[1]
                change = change + rate_change(c.rate_regularization, arrays[f"{path}/rate"], c.target_rate, e)
            decay = c.feedback_decay if c.feedback == "adaptive" and path in [*learning, net] else 0.0
            arrays[f"{path}/w"] = decayed_change(arrays[f"{path}/w"], decay, change)
            if c.feedback == "adaptive":
                arrays[f"{path}/feedback"] = decayed_change(arrays[f"{path}/feedback"], decay, change)

    def eligibility(self, path: str) -> tuple[Array, Array]:
        """x and e of this tick."""
        strength, psi, epsa, epsr, eps = (
            self.arrays[f"{path}/{k}"] for k in ("strength", "psi", "epsa", "epsr", "eps")
        )
        x = suppression(epsa, epsr, strength * self.config.temporal_trace, self.fall)
        return x, eligibility(eps[np.arange(psi.size) % self.config.leak_groups], x, psi)

    def advance(self, net: str, gradient: Array, found: list[Signals]) -> None:
        """credit <- discount lambda credit + signals times eligibility; then traces; in the readout + g features."""
        c, arrays, decay = self.config, self.arrays, self.config.discount * self.config.trace_lambda
        slopes, last = self.slopes(net), self.indices[-1]
        remembers = float(c.depth_filter != "none" and c.temporal_trace)
        means = np.array([arrays[f"{net}/{k}/alpha"].mean() * remembers for k in self.indices])
        fresh = {f"{net}/": np.outer(gradient, arrays[f"{net}/features"])}
        if net == "actor":
            self.keep_free(fresh["actor/"])
        for index in self.learning:
            at = f"{net}/{index}/"
            above = [min(index + q, last) for q in range(1, self.levels[index] + 1)]
            x, e = self.eligibility(f"{net}/{index}")
            self.advance_eligibility(at)
            if c.depth_filter == "cascade":
                before = arrays[at + "cascade"]
                arrays[at + "cascade"] = cascade(before, e, means[above], slopes[above])
                fresh[at] = cascade_credit(found[index], e, before, arrays[at + "cascade"])
            else:
                leaks = remembers * arrays[at + "alphas"][: c.leak_groups * bool(above)]
                fresh[at] = self.factored(at, found[index], e, x, leaks, means[above], slopes[above])
        arrays.update({at + "credit": flushed(decay * arrays[at + "credit"] + new) for at, new in fresh.items()})

    def factored(self, at: str, found: Signals, e: Array, x: Array, leaks: Array, means: Array, slopes: Array) -> Array:
        """Credit by the filtered vectors of the tick before, which then take in this tick.

        Arrays hold F_1 .. F_s, then D_1 .. D_k if k > 1; likewise M and N, and P_1 .. P_s and P.
        """
        arrays, psi, s = self.arrays, self.arrays[at + "psi"], len(leaks)
        fresh = instant_credit(found, e, slopes)
        if s == 0:
            return fresh
        vectors, mass, past = (arrays[at + name].copy() for name in ("filtered", "mass", "psi_past"))
        rows = np.moveaxis(vectors[np.arange(len(e)) % self.config.leak_groups], 0, 1)
        fresh = fresh + one_hop_credit(found, x, rows[:s], mass[:s], past[:s], leaks)
        fresh = fresh + deeper_credit(found, x, rows[s:], mass[s:], past[s], means[0], slopes)
        # One leak for all D: that of the nearest layer.
        deep_leaks = np.full(len(means), means[0])
        for vector, source in zip([*vectors, mass], [*arrays[at + "eps"], 1.0], strict=True):
            vector[:s] = fan(vector[:s], source, leaks, slopes[0])
            vector[s:] = cascade(vector[s:], source, deep_leaks, slopes)
        # The last row of `past` goes with D_1, the first vector after all F; it is never used without one.
        for row, total in enumerate(mass[: s + 1]):
            past[row] = past_mean(past[row], psi, total, slopes[0])
        arrays.update({at + "filtered": vectors, at + "mass": mass, at + "psi_past": past})
        return fresh

    def advance_eligibility(self, at: str) -> None:
        """epsa and epsr of the next tick."""
        c, arrays = self.config, self.arrays
        psi, rho, alpha, epsa, epsr = (arrays[at + name] for name in ("psi", "rho", "alpha", "epsa", "epsr"))
        eps = arrays[at + "eps"][np.arange(psi.size) % c.leak_groups]
        strength = arrays[at + "strength"] * c.temporal_trace
        arrays[at + "epsa"] = adaptive_eligibility(epsa, eps, self.fall * epsr, psi, strength, rho)
        if self.fall:
            arrays[at + "epsr"] = reset_eligibility(epsr, eps, strength[:, None] * epsa, psi, self.fall, alpha)
