"""An agent in a control loop that already exists, or in one that is made here; learning while the machine runs.

====================  ==================================================================================================
`Loop`                a loop of a fixed rate around an agent and a plant
`Guard`               the protected step, for a loop of your own; `Loop` is made of it
`Residual`            an agent that corrects what a controller asks for, within bounds that grow
`Watchdog`            what is looked for, and what is done about it
`Snapshots`           copies of the agent to go back to, and on their way to disk
`Telemetry`           rows of metrics, and calls of hooks, while the machine runs
`Plant`, `Clock`      what a loop needs of a machine, and of time
`Histogram`           durations in constant memory
`EventLog`, `Event`   what happened
`MonotonicClock`      the clock of the system
`Pacer`, `Quiet`      deadlines that do not drift; no garbage collection, a processor of one's own: to be used alone
====================  ==================================================================================================
"""

from ..metrics.histogram import Histogram
from .clock import Clock, MonotonicClock, Pacer
from .events import Event, EventLog
from .guard import Guard
from .loop import Loop, Plant
from .residual import Residual
from .snapshots import Snapshots
from .system import Quiet
from .telemetry import Telemetry
from .watchdog import Watchdog

__all__ = [
    "Clock",
    "Event",
    "EventLog",
    "Guard",
    "Histogram",
    "Loop",
    "MonotonicClock",
    "Pacer",
    "Plant",
    "Quiet",
    "Residual",
    "Snapshots",
    "Telemetry",
    "Watchdog",
]
