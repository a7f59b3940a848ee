"""What an agent does, in numbers: one row every so many steps, in bounded space, for runs and for control loops."""

from .readings import Readings, Row
from .table import METRICS_FILE, MetricsFile

__all__ = ["METRICS_FILE", "MetricsFile", "Readings", "Row"]
