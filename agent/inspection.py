"""How an agent is looked at: what it is made of, what it thinks of its last observation, what its neurons do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .arena.arena import Arena
from .arena.placement import NET_NAMES
from .arena.size import size_of
from .arena.summary import summary, synapses
from .config import Config
from .kernels.normalize import COUNT, reward_scale
from .spaces import ActionSpec, ObservationSpec

if TYPE_CHECKING:
    from .probes import Probe
    from .probes.sources import Retention


class Inspection:
    """What `Agent` has for whoever looks at it; nothing here changes what it does or learns."""

    arena: Arena
    config: Config
    observation: ObservationSpec
    action: ActionSpec
    _advance: Callable[..., Any]

    @property
    def rare(self) -> bool:
        """Whether the agent needs the step with all parts of the rule, see `compile`."""
        return bool(self.arena.sizes.rare)

    @property
    def nbytes(self) -> int:
        """Bytes of the agent's whole state; the same after any number of steps."""
        return self.arena.nbytes

    @property
    def ticks(self) -> int:
        """Environment steps seen, learned from or not."""
        return int(self.arena.clock.tick)

    @property
    def episodes(self) -> int:
        """Episodes begun."""
        return int(self.arena.clock.episode)

    @property
    def running(self) -> bool:
        """Whether an episode is running, so that `step` and `end` may be called."""
        return bool(self.arena.clock.phase)

    @property
    def td_error(self) -> float:
        """The last TD error, in units of the normalized reward."""
        return float(self.arena.running.delta)

    @property
    def value(self) -> float:
        """Value of the last observation, in units of the normalized reward."""
        return float(self.arena.running.value_tm1)

    @property
    def expected_return(self) -> float:
        """Value of the last observation, in units of the environment's reward: the discounted sum still expected.

        `value` divided by what a reward is multiplied by at present. Before the first reward is learned from, and
        without ``config.normalize_rewards``, that is 1; while all rewards were 0, the expectation is next to 0. What an
        entropy bonus adds is in it.
        """
        returns = self.arena.views["returns"]
        if not self.config.normalize_rewards or returns[COUNT] == 0.0:
            return self.value
        return self.value / reward_scale(returns)

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Probabilities at the last observation: of each category, discrete factor after factor; a copy, (n,)."""
        return self.arena.views["probabilities"].copy()

    @property
    def means(self) -> NDArray[np.float64]:
        """Mean of each continuous dimension at the last observation, within its bounds; a copy, (n,)."""
        views, first = self.arena.views, sum(self.action.choices)
        drawn = views["actor/output"][first : first + self.action.controls].astype(np.float64)
        drawn = np.minimum(np.maximum(drawn, views["control_low"]), views["control_high"])
        means: NDArray[np.float64] = views["control_center"] + views["control_scale"] * drawn
        return means

    @property
    def stds(self) -> NDArray[np.float64]:
        """Standard deviation of each continuous dimension of the last action before clipping; a copy, (n,)."""
        stds: NDArray[np.float64] = self.arena.views["control_scale"] * self.arena.views["stds"]
        return stds

    @property
    def spike_rates(self) -> dict[str, list[float]]:
        """Running share of neurons that spike in a tick, for each layer of actor and critic, memory first."""
        rates = self.arena.views["spike_rates"]
        return {name: [float(rate) for rate in rates[net]] for net, name in enumerate(NET_NAMES)}

    def __repr__(self) -> str:
        """Return what the agent is made of, in one line."""
        memory = f"memory {self.config.memory}, " if self.config.memory else ""
        return (
            f"<Agent: {self.observation.size} inputs, {memory}layers {list(self.config.layers)}, "
            f"{synapses(self.arena):,} synapses, {self.nbytes:,} bytes, tick {self.ticks:,}>"
        )

    def summary(self) -> str:
        """Return a table of layers, neurons, synapses and spikes, and what the bytes are for.

        Examples
        --------
        >>> from gymnasium.spaces import Box, Discrete
        >>> from synaptick import Agent, Config
        >>> print(Agent(Config(layers=(8,), memory=0), Box(-1.0, 1.0, (3,)), Discrete(2)).summary())
        network  layer       neurons  inputs  synapses  spikes
        actor    layers[0]         8      12        96    0.00
        actor    readout           2       9        18
        critic   layers[0]         8      12        96    0.00
        critic   readout           1       9         9
        219 synapses; 10,176 bytes: layers[0] 4,608, sizes, settings and statistics 4,544, the readout 1,024
        """
        return summary(self.arena, size_of(self.config, self.observation, self.action))

    def probe(
        self,
        where: str,
        quantities: Iterable[str],
        neurons: Iterable[int] | None = None,
        every: int = 1,
        capacity: int = 10_000,
    ) -> Probe:
        """Record what neurons do in every tick from now on, in buffers that are allocated here and never grow.

        A probe is outside the agent's state: its bytes are the same with it and without, and it is not in a copy, a
        pickle, a snapshot or a file. Steps of a compiled loop pass it by. While there is none, a tick costs nothing.

        Parameters
        ----------
        where : str
            A layer, "actor/0" the lowest of the actor, memory first; or a network, "actor" or "critic".
        quantities : str or iterable of str
            Of a layer: spike, v, a, psi, rate, current, signal, weight, credit, eligibility and, of memory neurons,
            retention. Of a network: value, td_error, output, gradient. `Probe.units` and `Probe.axes` say more.
        neurons : iterable of int, optional
            Their numbers in the layer, from 0, in the order wanted; all of them by default. Not for a network.
        every : int, optional
            Record after every so many calls of `start`, `step` and `end`, at least 1.
        capacity : int, optional
            Rows to keep, at least 1; then the oldest are overwritten.

        Raises
        ------
        ProbeError
            If there is no such layer, quantity or neuron, or no memory for the buffers.

        Notes
        -----
        States are copied as the call leaves them. "eligibility" is e_ij of the tick, NaN where none was formed: where
        nothing was learned, at the end of an episode, and in layers that do not learn. "signal" sums up the signals of
        all hops; with `depth_filter: tensor` it is that of the readout alone.

        Examples
        --------
        >>> from gymnasium.spaces import Box, Discrete
        >>> from synaptick import Agent, Config
        >>> agent = Agent(Config(layers=(8,), memory=0), Box(-1.0, 1.0, (3,)), Discrete(2))
        >>> with agent.probe("actor/0", ["spike", "psi"], neurons=[3, 7]) as probe:
        ...     action = agent.start([0.0, 0.5, -0.5])
        ...     action = agent.step(1.0, [0.1, 0.4, -0.4])
        >>> probe.raster().shape, probe.ticks, probe.units["psi"]
        ((2, 2), array([0, 1]), '1/v_th')
        """
        from .probes import Probe
        from .probes.recorder import Recorder

        probe = Probe(self.arena, where, quantities, neurons, every, capacity)
        if not isinstance(self._advance, Recorder):
            self._advance = Recorder(self._advance, self._use)
        self._advance.add(probe)
        return probe

    def weights(self, layer: str) -> dict[str, Any]:
        """Return copies of the weights of a layer, such as "actor/0", by what they come from, without padding.

        Returns
        -------
        dict
            "below" (neurons, neurons below), "observation" (neurons, inputs), "recurrent" (neurons, neurons) and "bias"
            (neurons,), where the layer has them. Of memory neurons, two such dicts, "C" and "G", which may have
            "earlier observation" too, and C a "threshold" (neurons,).

        Raises
        ------
        ProbeError
            If there is no such layer.
        """
        from .probes.sources import weights_by_source

        return weights_by_source(self.arena, layer)

    def retention(self, network: str = "actor") -> Retention:
        """Return what each memory neuron kept in the last tick: the share 1 - g, and its time constant in ticks.

        Raises
        ------
        ProbeError
            If there is no such network, or it has no memory neurons.
        """
        from .probes.sources import retention

        return retention(self.arena, network)

    def _use(self, step: Callable[..., Any]) -> None:
        self._advance = step

    def _exchange(self, step: Callable[..., Any]) -> None:
        """Take another step, around which probes stay."""
        from .probes.recorder import Recorder

        if isinstance(self._advance, Recorder):
            self._advance.step = step
        else:
            self._use(step)
