"""Tests of figures and pages of runs."""
