"""What can be set: every setting with its text, unit and range, the kinds of values they take, and their errors."""

from .settings import RENAMED, Config, check_key

__all__ = ["RENAMED", "Config", "check_key"]
