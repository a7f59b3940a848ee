"""How the observations and actions of a Gymnasium space map to the vectors the kernels work on."""

from .action import ActionSpec
from .observation import ObservationSpec

__all__ = ["ActionSpec", "ObservationSpec"]
