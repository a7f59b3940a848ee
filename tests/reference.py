"""Slow, readable twin of the compiled agent: plain numpy, float64, one function an equation, and `ReferenceAgent`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Arrays = tuple[Array, ...]

PSI_MEAN_RATE = 0.05
NETS = ("actor", "critic")


def next_uint32(words: list[int]) -> int:
    """xoshiro128++: result = rotl(s0 + s3, 7) + s0 mod 2^32; the four words are advanced in place."""
    s0, s1, s2, s3 = words
    total, last = (s0 + s3) % 2**32, s1 ^ s3
    words[:] = s0 ^ s1 ^ s3, s0 ^ s1 ^ s2, s0 ^ s2 ^ ((s1 << 9) % 2**32), ((last << 11) | (last >> 21)) % 2**32
    return (((total << 7) | (total >> 25)) + s0) % 2**32


def uniform(words: list[int]) -> float:
    """(a 2^26 + b) / 2^53, a the upper 27 bits of one draw, b the upper 26 bits of the next."""
    a, b = next_uint32(words) >> 5, next_uint32(words) >> 6
    return (a * 2**26 + b) / 2**53


def welford(count: float, mean: Any, m2: Any, sample: Any) -> tuple[Any, Any]:
    """mean' = mean + (x - mean)/n, m2' = m2 + (x - mean)(x - mean'), n counting this sample."""
    new = mean + (sample - mean) / count
    return new, m2 + (sample - mean) * (sample - new)


def variance(count: float, m2: Any) -> Any:
    """m2 / (n - 1); 1 before the second sample."""
    return m2 / (count - 1) if count >= 2 else np.ones_like(m2)


def standardise(count: float, mean: Array, m2: Array, clip: float, sample: Array) -> Array:
    """clip((x - mean) / sqrt(var + 1e-8), -clip, clip)."""
    return np.clip((sample - mean) / np.sqrt(variance(count, m2) + 1e-8), -clip, clip)


def reward_scale(count: float, m2: float) -> float:
    """1 / sqrt(var(G) + 1e-8), G the discounted sum of rewards."""
    return float(1 / np.sqrt(variance(count, m2) + 1e-8))


def input_vector(size: int, below: Array | None, x: Array | None, own: Array | None) -> Array:
    """u = [z of the layer below; x; own z one tick ago; 1; zero padding], None for an absent part."""
    u = np.concatenate([*(part for part in (below, x, own) if part is not None), [1.0]])
    return np.pad(u, (0, size - u.size))


def normalised_current(w: Array, u: Array, gain: float) -> tuple[Array, float]:
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


def flushed(x: Array) -> Array:
    """0 where |x| <= 1e-30, else x."""
    return np.where(np.abs(x) <= 1e-30, 0.0, x)


def membrane_eligibility(eps: Array, alphas: Array, slope: float, u: Array) -> Array:
    """eps_gj' = alpha_g eps_gj + slope u_j, one row a leak group (Bellec eq. 22 with leak groups)."""
    return flushed(alphas[:, None] * eps + slope * u)


def adaptive_eligibility(epsa: Array, eps: Array, psi: Array, strength: Array, rho: Array) -> Array:
    """epsa_ij(t+1) = psi_i(t) eps_ij(t) + (rho_i - psi_i(t) strength_i) epsa_ij(t) (Bellec eq. 24)."""
    return flushed(psi[:, None] * eps + (rho - psi * strength)[:, None] * epsa)


def eligibility(epsa: Array, eps: Array, psi: Array, strength: Array) -> Array:
    """e_ij = psi_i (eps_ij - strength_i epsa_ij) (Bellec eqs. 23 and 25)."""
    return psi[:, None] * (eps - strength[:, None] * epsa)


def cascade(traces: Array, e: Array, leaks: Array, slopes: Array) -> Array:
    """R_0 = e, R_m' = leak_m R_m + slope_m R_{m-1}'; traces (k, n, m) holds R_1..R_k, layers above nearest first."""
    filtered, source = np.zeros_like(traces), e
    for m in range(len(traces)):
        source = filtered[m] = flushed(leaks[m] * traces[m] + slopes[m] * source)
    return filtered


def signals(direct: list[Array], weights: list[Array], psi: list[Array], psi_mean: list[Array]) -> list[list[Array]]:
    """S_0^l = direct_l; S_1^l = W_{l+1}^T (S_0^{l+1} psi^{l+1}); S_{m+1}^l = W_{l+1}^T (S_m^{l+1} psi_mean^{l+1})."""
    found = [[s] for s in direct]
    for index in range(len(direct) - 2, -1, -1):
        up = weights[index + 1][:, : direct[index].size].T
        for m, above in enumerate(found[index + 1]):
            found[index].append(up @ (above * (psi_mean if m else psi)[index + 1]))
    return found


def softmax(preferences: Array) -> Array:
    """pi_k = exp p_k / sum exp p."""
    return np.exp(preferences - preferences.max()) / np.exp(preferences - preferences.max()).sum()


def log_probability_gradient(probabilities: Array, action: int) -> Array:
    """d log pi(action) / d p_k = 1[k = action] - pi_k."""
    return np.eye(probabilities.size)[action] - probabilities


def sample(probabilities: Array, words: list[int]) -> int:
    """The first k with u < pi_0 + ... + pi_k, u uniform; the last possible k if rounding leaves none."""
    k = int(np.searchsorted(np.cumsum(probabilities), uniform(words), side="right"))
    return min(k, int(np.flatnonzero(probabilities)[-1]))


def bounded_step(lr: float, kappa: float, delta: float, norm: float) -> float:
    """lr / max(1, lr kappa max(|delta|, 1) ||credit||_1)."""
    return lr / max(1.0, lr * kappa * max(abs(delta), 1.0) * norm)


def coordinate_change(credit: Array, peak: Array, lr: float, delta: float, decay: float) -> tuple[Array, Array]:
    """m' = max(decay m, |delta credit|); returns lr delta credit / (m' + 1e-8) and m'."""
    peak = flushed(np.maximum(decay * peak, np.abs(delta * credit)))
    return lr * delta * credit / (peak + 1e-8), peak


class ReferenceAgent:
    """Whole ticks, from a copy of the views and random words of an arena; `box`: real, not one-hot observations."""

    def __init__(self, config: Any, views: Mapping[str, Any], words: Iterable[int], box: bool, **scalars: float):
        self.config, self.box, self.words = config, box, [int(word) for word in words]
        self.indices = range(len(config.layers))
        self.learning = range(config.frozen_layers, len(config.layers))
        self.read = [index for index in self.indices if config.readout == "all" or index == self.indices[-1]]
        self.arrays: dict[str, Any] = {name: np.array(view, np.float64) for name, view in views.items()}
        for path in (f"{net}/{index}" for net in NETS for index in self.indices):
            # LIF rows are carried along: strength 0 takes them out of e.
            missing = len(self.arrays[f"{path}/w"]) - len(self.arrays[f"{path}/epsa"])
            self.arrays[f"{path}/epsa"] = np.pad(self.arrays[f"{path}/epsa"], ((0, missing), (0, 0)))
        self.scalars: dict[str, float] = defaultdict(float, scalars)

    def start(self, observation: Any, learn: bool = True) -> int:
        """An episode begins: forget the last one, then act; no reward is due."""
        if not self.config.keep_state:
            self.clear(neurons=True)
        return self.tick(None, observation, learn, self.config.discount)

    def step(self, reward: float, observation: Any, learn: bool = True) -> int:
        """Learn from the reward of the action before, then act."""
        return self.tick(reward, observation, learn, self.config.discount)

    def end(self, reward: float, observation: Any = None, learn: bool = True) -> None:
        """Terminated (no bootstrap), or, given an observation, truncated (bootstraps)."""
        self.tick(reward, observation, learn, 0.0 if observation is None else self.config.discount, last=True)
        self.scalars["reward_sum"] = 0.0

    def tick(self, reward: float | None, observation: Any, learn: bool, discount: float, last: bool = False) -> int:
        """delta = r + discount value - value_tm1; then action; then learning."""
        s, arrays = self.scalars, self.arrays
        if learn and s["stale"]:
            self.clear()
        value, delta, action = 0.0, 0.0, 0
        gradients: Arrays = ()
        if observation is not None:
            x = self.observe(observation, learn)
            for net in NETS:
                self.forward(net, x, learn)
            value = float(arrays["critic/output"][0])
        if learn and reward is not None:
            reward = self.scaled(reward) - self.config.entropy_bonus * s["log_probability_tm1"]
            s["delta"] = delta = reward + discount * value - s["value_tm1"]
        if not last:
            arrays["probabilities"] = softmax(arrays["actor/output"])
            action = sample(arrays["probabilities"], self.words)
            gradients = log_probability_gradient(arrays["probabilities"], action), np.ones(1)
            s["value_tm1"], s["log_probability_tm1"] = value, float(np.log(arrays["probabilities"][action]))
        elif observation is not None and self.config.keep_state:
            gradients = np.zeros(arrays["actor/output"].size), np.zeros(1)  # credit and traces live on; nothing new
        s["stale"] = float(not learn)
        if learn:
            self.learn(delta, gradients, forwarded=observation is not None)
        return action

    def learn(self, delta: float, gradients: Arrays, forwarded: bool) -> None:
        """Signals of this tick's weights; weights by the credit of the tick before; then eligibility and credit."""
        for number, net in enumerate(NETS):
            found = self.signals(net, gradients[number]) if gradients else []
            self.change_weights(net, delta)
            if forwarded:
                self.advance_eligibility(net)
            if gradients:
                self.advance_credit(net, gradients[number], found)

    def clear(self, neurons: bool = False) -> None:
        """Forget credit, eligibility and the sum of rewards that began before the gap; maybe the neurons too."""
        names = ("credit", "eps", "epsa", "cascade") + ("v", "a", "z", "psi") * neurons
        self.arrays.update({k: np.zeros_like(x) for k, x in self.arrays.items() if k.split("/")[-1] in names})
        self.scalars["reward_sum"] = self.scalars["stale"] = 0.0

    def observe(self, observation: Any, learn: bool) -> Array:
        """The encoded observation, standardised if it is a real vector; only learning changes the statistics."""
        arrays, s = self.arrays, self.scalars
        x = np.ravel(observation).astype(float) if self.box else np.eye(arrays["input"].size)[observation]
        if not (self.box and self.config.normalize_observations):
            return x
        mean, m2 = arrays["observation_mean"], arrays["observation_m2"]
        if learn:
            s["observation_count"] += 1
            mean, m2 = welford(s["observation_count"], mean, m2, x)
            arrays.update(observation_mean=mean, observation_m2=m2)
        return standardise(s["observation_count"], mean, m2, self.config.observation_clip, x)

    def scaled(self, reward: float) -> float:
        """G <- discount G + r; r divided by the deviation of G."""
        s = self.scalars
        if not self.config.normalize_rewards:
            return reward
        s["reward_sum"] = self.config.discount * s["reward_sum"] + reward
        s["reward_count"] += 1
        s["reward_mean"], s["reward_m2"] = welford(*(s[f"reward_{name}"] for name in ("count", "mean", "m2", "sum")))
        return reward * reward_scale(s["reward_count"], s["reward_m2"])

    def forward(self, net: str, x: Array, learn: bool) -> None:
        """Spikes up through the layers, eps and the mean of psi; output = W_out [spikes read out; 1]."""
        c, arrays = self.config, self.arrays
        spikes: list[Array] = []
        for index in self.indices:
            at = f"{net}/{index}/"
            state = arrays[at + "v"], arrays[at + "a"], arrays[at + "z"]
            constants = arrays[at + "alpha"], arrays[at + "rho"], arrays[at + "strength"]
            below, seen = spikes[-1] if spikes else None, x if index == 0 or c.observation_skip else None
            u = input_vector(arrays[at + "w"].shape[1], below, seen, state[2] if c.recurrent else None)
            current, slope = normalised_current(arrays[at + "w"], u, c.gain)
            found = neuron(state, constants, current, c.v_th, c.reset_strength, c.dampening)
            arrays.update({at + name: new for name, new in zip(("v", "a", "z", "psi"), found, strict=True)})
            spikes.append(arrays[at + "z"])
            if learn:
                arrays[at + "slope"] = slope
                arrays[at + "eps"] = membrane_eligibility(arrays[at + "eps"], arrays[at + "alphas"], slope, u)
                arrays[at + "psi_mean"] += PSI_MEAN_RATE * (arrays[at + "psi"] - arrays[at + "psi_mean"])
        read = np.concatenate([spikes[index] for index in self.read])
        arrays[f"{net}/features"] = input_vector(arrays[f"{net}/w"].shape[1], read, None, None)
        arrays[f"{net}/output"] = arrays[f"{net}/w"] @ arrays[f"{net}/features"]

    def signals(self, net: str, gradient: Array) -> list[list[Array]]:
        """S_m^l of all layers, from S_0 = W_out^T g."""
        direct = [np.zeros(n) for n in self.config.layers]
        parts = np.split(self.arrays[f"{net}/w"].T @ gradient, np.cumsum([direct[index].size for index in self.read]))
        direct = [parts.pop(0) if index in self.read else part for index, part in enumerate(direct)]
        if not self.config.spatial_signal:
            return [[s] for s in direct]
        columns = [[self.arrays[f"{net}/{k}/{name}"] for k in self.indices] for name in ("w", "psi", "psi_mean")]
        return signals(direct, *columns)

    def change_weights(self, net: str, delta: float) -> None:
        """W <- W + step(delta, credit) credit; each block of weights has its share of the bound."""
        c, arrays = self.config, self.arrays
        lr, kappa = (c.lr_policy, c.kappa_policy) if net == "actor" else (c.lr_value, c.kappa_value)
        paths = [*(f"{net}/{index}" for index in self.indices), net]
        norms = [float(np.abs(arrays[f"{path}/credit"]).sum()) for path in paths]
        share = c.readout_share
        shares = [(1 - share) / len(c.layers)] * len(c.layers) + [share]
        if share == 0:
            norms, shares = [sum(norms)] * len(paths), [1.0] * len(paths)
        for path, norm, part in zip(paths, norms, shares, strict=True):
            credit, peak = arrays[f"{path}/credit"], arrays[f"{path}/peak"]
            if c.step_rule == "coordinate":
                change, arrays[f"{path}/peak"] = coordinate_change(credit, peak, lr, delta, c.peak_decay)
            else:
                change = bounded_step(lr, kappa / part, delta, norm) * delta * credit
            arrays[f"{path}/w"] = arrays[f"{path}/w"] + change

    def advance_eligibility(self, net: str) -> None:
        """e and the cascade of this tick, epsa of the next one."""
        arrays = self.arrays
        c = self.config
        leaks = np.array([arrays[f"{net}/{k}/alpha"].mean() * c.depth_filter * c.temporal_trace for k in self.indices])
        slopes = np.array([arrays[f"{net}/{k}/slope"] for k in self.indices])
        for index in self.learning:
            at = f"{net}/{index}/"
            psi, strength, rho, epsa = (arrays[at + name] for name in ("psi", "strength", "rho", "epsa"))
            eps = arrays[at + "eps"][np.arange(psi.size) % self.config.leak_groups]
            strength = strength * c.temporal_trace
            arrays[at + "e"] = eligibility(epsa, eps, psi, strength)
            arrays[at + "epsa"] = adaptive_eligibility(epsa, eps, psi, strength, rho)
            above = leaks[index + 1 :], slopes[index + 1 :]
            arrays[at + "cascade"] = cascade(arrays[at + "cascade"], arrays[at + "e"], *above)

    def advance_credit(self, net: str, gradient: Array, found: list[list[Array]]) -> None:
        """credit <- discount lambda credit + sum_m S_m R_m; in the readout + g features."""
        arrays, decay = self.arrays, self.config.discount * self.config.trace_lambda
        fresh = {f"{net}/": np.outer(gradient, arrays[f"{net}/features"])}
        for index in self.learning:
            at = f"{net}/{index}/"
            fresh[at] = np.einsum("mi,mij->ij", found[index], [arrays[at + "e"], *arrays[at + "cascade"]])
        arrays.update({at + "credit": flushed(decay * arrays[at + "credit"] + new) for at, new in fresh.items()})
