"""How the observations and actions of a Gymnasium space map to the vectors the kernels work on."""

from .action import ActionSpec
from .observation import ObservationSpec
from .reward import as_reward

__all__ = ["ActionSpec", "ObservationSpec", "as_reward"]
