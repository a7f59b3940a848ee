"""Wrappers that hide, disturb, delay or rescale what an agent sees and gets."""
