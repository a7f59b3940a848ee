"""``python -m synaptick``."""

from .cli.main import command

command()
