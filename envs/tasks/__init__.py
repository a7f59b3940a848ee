"""Environments: tasks of memory and credit, a world to live in, and probes with known values."""
