"""Measurements: speed and memory, learning over seeds, gradients against exact ones, long lives."""
