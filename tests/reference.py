"""Slow, readable twin of the compiled agent: plain numpy, float64, one function an equation.

Written from docs/equations.md, not from the kernels, and importing nothing compiled. `ReferenceAgent` strings the equations
together into whole ticks; its arrays carry the names of the views of the arena.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TINY = 1e-30
PSI_MEAN_RATE = 0.05
NETS = ("actor", "critic")


def next_uint32(words: list[int]) -> int:
    """xoshiro128++: result = rotl(s0 + s3, 7) + s0 mod 2^32; the four words are advanced in place."""
    s0, s1, s2, s3 = words
    words[0] = s0 ^ s1 ^ s3
    words[1] = s0 ^ s1 ^ s2
    words[2] = s0 ^ s2 ^ (s1 << 9) % 2**32
    words[3] = _rotated(s1 ^ s3, 11)
    return (_rotated((s0 + s3) % 2**32, 7) + s0) % 2**32


def _rotated(word: int, by: int) -> int:
    return (word << by) % 2**32 | word >> (32 - by)


def uniform(words: list[int]) -> float:
    """(a 2^26 + b) / 2^53, a the upper 27 bits of one draw, b the upper 26 bits of the next."""
    a, b = next_uint32(words) >> 5, next_uint32(words) >> 6
    return (a * 2**26 + b) / 2**53


def welford(count: float, mean: Array, m2: Array, sample: Array) -> tuple[Array, Array]:
    """mean' = mean + (x - mean)/n, m2' = m2 + (x - mean)(x - mean'), n counting this sample."""
    new = mean + (sample - mean) / count
    return new, m2 + (sample - mean) * (sample - new)


def variance(count: float, m2: Array) -> Array:
    """m2 / (n - 1); 1 before the second sample."""
    return m2 / (count - 1) if count >= 2 else np.ones_like(m2)


def standardise(count: float, mean: Array, m2: Array, clip: float, sample: Array) -> Array:
    """clip((x - mean) / sqrt(var + 1e-8), -clip, clip)."""
    return np.clip((sample - mean) / np.sqrt(variance(count, m2) + 1e-8), -clip, clip)


def reward_scale(count: float, m2: float) -> float:
    """1 / sqrt(var(G) + 1e-8), G the discounted sum of rewards."""
    return float(1 / np.sqrt(variance(count, np.float64(m2)) + 1e-8))


def input_vector(size: int, below: Array | None, x: Array | None, own: Array | None) -> Array:
    """u = [z of the layer below; x; own z one tick ago; 1; zero padding], None for an absent part."""
    parts = [part for part in (below, x, own) if part is not None]
    u = np.concatenate([*parts, [1.0]])
    return np.pad(u, (0, size - u.size))


def normalised_current(w: Array, u: Array, gain: float) -> tuple[Array, float]:
    """I = W u; slope = gain / sqrt(var(I) + 1e-5); returns slope (I - mean(I)) and slope."""
    current = w @ u
    slope = gain / np.sqrt(np.mean((current - current.mean()) ** 2) + 1e-5)
    return slope * (current - current.mean()), float(slope)


def neuron(
    current: Array, alpha: Array, rho: Array, strength: Array, v_th: float, dampening: float, v: Array, a: Array, z: Array
) -> tuple[Array, Array, Array, Array]:
    """v' = alpha v + I - v_th z; a' = rho a + z; A = v_th + strength a'; returns v', a', 1[v' > A], psi.

    psi = dampening/v_th max(0, 1 - |v' - A|/v_th); strength 0 is a LIF neuron.
    """
    v = alpha * v + current - v_th * z
    a = rho * a + z
    excess = v - (v_th + strength * a)
    return v, a, (excess > 0).astype(float), dampening / v_th * np.maximum(0, 1 - np.abs(excess) / v_th)


def flushed(x: Array) -> Array:
    """0 where |x| <= 1e-30, else x."""
    return np.where(np.abs(x) <= TINY, 0.0, x)


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
    shifted = np.exp(preferences - preferences.max())
    return shifted / shifted.sum()


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
    """m' = max(decay m, |delta credit|); returns lr delta credit / (m' + 1e-12) and m'."""
    peak = np.maximum(decay * peak, np.abs(delta * credit))
    return lr * delta * credit / (peak + 1e-12), peak


class ReferenceAgent:
    """The agent in plain numpy, tick by tick.

    Parameters
    ----------
    config : Config
        Or anything with its fields.
    views : mapping of str to array
        Views of a built arena; weights and time constants are copied, and whatever else is there.
    words : four int
        State of the random numbers.
    box : bool
        Whether observations are real vectors (else integers from 0, encoded one-hot).
    scalars : mapping, optional
        Values for the entries of `scalars`, to take over in the middle of a run.
    """

    def __init__(
        self,
        config: Any,
        views: Mapping[str, NDArray[Any]],
        words: Iterable[int],
        box: bool = True,
        scalars: Mapping[str, float] | None = None,
    ):
        self.config, self.box, self.words = config, box, [int(word) for word in words]
        self.layers = range(len(config.layers))
        self.arrays: dict[str, Any] = {name: np.array(view, np.float64) for name, view in views.items()}
        for prefix in (f"{net}/{index}" for net in NETS for index in self.layers):
            stored, full = self.arrays[f"{prefix}/epsa"], np.zeros_like(self.arrays[f"{prefix}/w"])
            full[: len(stored)] = stored
            self.arrays[f"{prefix}/epsa"] = full
        names = ("observation_count", "reward_count", "reward_mean", "reward_m2", "reward_sum")
        self.scalars = dict.fromkeys((*names, "value_tm1", "log_probability_tm1", "delta", "stale"), 0.0)
        self.scalars.update(scalars or {})

    def start(self, observation: Any, learn: bool = True) -> int:
        """An episode begins: clear traces and neurons, then act; no reward is due."""
        if not self.config.keep_state:
            self.clear(("v", "a", "z", "psi"))
            self.clear_traces()
        return self.tick(None, observation, learn, discount=self.config.discount)

    def step(self, reward: float, observation: Any, learn: bool = True) -> int:
        """Learn from the reward of the action before, then act."""
        return self.tick(reward, observation, learn, discount=self.config.discount)

    def end(self, reward: float, observation: Any = None, learn: bool = True) -> None:
        """Terminated (no bootstrap), or, given an observation, truncated (bootstraps)."""
        discount = 0.0 if observation is None else self.config.discount
        self.tick(reward, observation, learn, discount, last=True)
        self.scalars["reward_sum"] = 0.0

    def tick(self, reward: float | None, observation: Any, learn: bool, discount: float, last: bool = False) -> int:
        """delta = r + discount value - value_tm1; W by delta and old credit; then this tick's credit."""
        s = self.scalars
        if learn and s["stale"]:
            self.clear_traces()
        value = 0.0
        if observation is not None:
            x = self.observe(observation, learn)
            for net in NETS:
                self.forward(net, x, learn)
            value = float(self.arrays["critic/output"][0])
        delta = 0.0
        if learn and reward is not None:
            surprise = -s["log_probability_tm1"]
            delta = self.scaled_reward(reward) + self.config.entropy_bonus * surprise + discount * value - s["value_tm1"]
            s["delta"] = delta
        if not last:
            self.arrays["probabilities"] = softmax(self.arrays["actor/output"])
            action = sample(self.arrays["probabilities"], self.words)
            gradients = (log_probability_gradient(self.arrays["probabilities"], action), np.ones(1))
        for number, net in enumerate(NETS if learn else ()):
            found = None if last else self.signals(net, gradients[number])
            self.change_weights(net, delta)
            if observation is not None:
                self.advance_traces(net)
            if found is not None:
                self.advance_credit(net, gradients[number], found)
        if not learn:
            s["stale"] = 1.0
        if last:
            return 0
        s["value_tm1"], s["log_probability_tm1"] = value, float(np.log(self.arrays["probabilities"][action]))
        return action

    def clear(self, names: Iterable[str]) -> None:
        for net in NETS:
            for name in names:
                for path in (f"{net}/{name}", *(f"{net}/{index}/{name}" for index in self.layers)):
                    if path in self.arrays:
                        self.arrays[path] = np.zeros_like(self.arrays[path])

    def clear_traces(self) -> None:
        """Forget credit and eligibility, and the sum of rewards that began before the gap."""
        self.clear(("credit", "eps", "epsa", "cascade", "psi_mean"))
        self.scalars["reward_sum"] = self.scalars["stale"] = 0.0

    def observe(self, observation: Any, learn: bool) -> Array:
        """The encoded observation, standardised if it is a real vector; only learning changes the statistics."""
        arrays, s, size = self.arrays, self.scalars, self.arrays["input"].size
        x = np.ravel(observation).astype(float) if self.box else np.eye(size)[observation]
        if not (self.box and self.config.normalize_observations):
            return x
        mean, m2 = arrays["observation_mean"], arrays["observation_m2"]
        if learn:
            s["observation_count"] += 1
            mean, m2 = welford(s["observation_count"], mean, m2, x)
            arrays["observation_mean"], arrays["observation_m2"] = mean, m2
        return standardise(s["observation_count"], mean, m2, self.config.observation_clip, x)

    def scaled_reward(self, reward: float) -> float:
        """G <- discount G + r; r divided by the deviation of G."""
        s = self.scalars
        if not self.config.normalize_rewards:
            return reward
        s["reward_sum"] = self.config.discount * s["reward_sum"] + reward
        s["reward_count"] += 1
        mean, m2 = welford(s["reward_count"], *(np.float64(s[k]) for k in ("reward_mean", "reward_m2", "reward_sum")))
        s["reward_mean"], s["reward_m2"] = float(mean), float(m2)
        return reward * reward_scale(s["reward_count"], s["reward_m2"])

    def forward(self, net: str, x: Array, learn: bool) -> None:
        """Spikes up through the layers; output = W_out [spikes read out; 1]."""
        c, arrays = self.config, self.arrays
        below, read = None, []
        for index in self.layers:
            get = {name: arrays[f"{net}/{index}/{name}"] for name in ("w", "alpha", "rho", "strength", "v", "a", "z")}
            seen = x if index == 0 or c.observation_skip else None
            u = input_vector(get["w"].shape[1], below, seen, get["z"] if c.recurrent else None)
            current, slope = normalised_current(get["w"], u, c.gain)
            constants = get["alpha"], get["rho"], get["strength"], c.v_th, c.dampening
            state = neuron(current, *constants, get["v"], get["a"], get["z"])
            arrays.update({f"{net}/{index}/{name}": new for name, new in zip("vaz", state[:3], strict=True)})
            arrays[f"{net}/{index}/psi"] = state[3]
            if learn:
                arrays[f"{net}/slope"][index] = slope
                eps, alphas = arrays[f"{net}/{index}/eps"], arrays[f"{net}/{index}/alphas"]
                arrays[f"{net}/{index}/eps"] = membrane_eligibility(eps, alphas, slope, u)
                mean = arrays[f"{net}/{index}/psi_mean"]
                arrays[f"{net}/{index}/psi_mean"] = (1 - PSI_MEAN_RATE) * mean + PSI_MEAN_RATE * state[3]
            below = state[2]
            if c.readout == "all" or index == self.layers[-1]:
                read.append(below)
        w = arrays[f"{net}/w"]
        arrays[f"{net}/features"] = input_vector(w.shape[1], np.concatenate(read), None, None)
        arrays[f"{net}/output"] = w @ arrays[f"{net}/features"]

    def signals(self, net: str, gradient: Array) -> list[list[Array]]:
        """S_m^l of all layers, from W_out^T g."""
        feedback, direct, column = self.arrays[f"{net}/w"].T @ gradient, [], 0
        for index, n in enumerate(self.config.layers):
            is_read = self.config.readout == "all" or index == self.layers[-1]
            direct.append(feedback[column : column + n] if is_read else np.zeros(n))
            column += n if is_read else 0
        columns = ([self.arrays[f"{net}/{index}/{name}"] for index in self.layers] for name in ("w", "psi", "psi_mean"))
        return signals(direct, *columns)

    def change_weights(self, net: str, delta: float) -> None:
        """W <- W + step(delta, credit) credit, with the credit of the tick before."""
        c, arrays = self.config, self.arrays
        lr, kappa = (c.lr_policy, c.kappa_policy) if net == "actor" else (c.lr_value, c.kappa_value)
        prefixes = [net, *(f"{net}/{index}" for index in self.layers)]
        norm = sum(np.abs(arrays[f"{prefix}/credit"]).sum() for prefix in prefixes)
        for prefix in prefixes:
            w, credit = arrays[f"{prefix}/w"], arrays[f"{prefix}/credit"]
            if c.step_rule == "coordinate":
                change, arrays[f"{prefix}/peak"] = coordinate_change(credit, arrays[f"{prefix}/peak"], lr, delta, c.peak_decay)
            else:
                change = bounded_step(lr, kappa, delta, norm) * delta * credit
            arrays[f"{prefix}/w"] = w + change

    def advance_traces(self, net: str) -> None:
        """e, the cascade and the adaptive eligibility of the next tick, from this tick's spikes; e is kept as "e"."""
        arrays = self.arrays
        leaks = np.array([arrays[f"{net}/{index}/alpha"].mean() * self.config.depth_filter for index in self.layers])
        for index in self.layers:
            prefix = f"{net}/{index}"
            psi, strength, epsa = (arrays[f"{prefix}/{name}"] for name in ("psi", "strength", "epsa"))
            eps = arrays[f"{prefix}/eps"][np.arange(psi.size) % self.config.leak_groups]
            e = arrays[f"{prefix}/e"] = eligibility(epsa, eps, psi, strength)
            arrays[f"{prefix}/epsa"] = adaptive_eligibility(epsa, eps, psi, strength, arrays[f"{prefix}/rho"])
            above = slice(index + 1, None)
            traces, slopes = arrays[f"{prefix}/cascade"], arrays[f"{net}/slope"][above]
            arrays[f"{prefix}/cascade"] = cascade(traces, e, leaks[above], slopes)

    def advance_credit(self, net: str, gradient: Array, found: list[list[Array]]) -> None:
        """credit <- discount lambda credit + sum_m S_m R_m; of the readout: + g features."""
        arrays, decay = self.arrays, self.config.discount * self.config.trace_lambda
        fresh = {net: np.outer(gradient, arrays[f"{net}/features"])}
        for index in self.layers:
            traces = [arrays[f"{net}/{index}/e"], *arrays[f"{net}/{index}/cascade"]]
            fresh[f"{net}/{index}"] = sum(s[:, None] * r for s, r in zip(found[index], traces, strict=True))
        for prefix, new in fresh.items():
            arrays[f"{prefix}/credit"] = flushed(decay * arrays[f"{prefix}/credit"] + new)
