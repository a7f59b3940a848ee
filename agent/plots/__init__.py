"""Figures of runs, and a page that tells one; matplotlib (extra: ``plot``) is loaded only when something is drawn."""
