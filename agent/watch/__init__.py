"""Watching an agent act: its environment, its spikes and what it expects, as a film or in a window."""
