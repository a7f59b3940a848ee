"""Wrappers that change a world while an agent lives in it, by schedules."""
