"""Tests of the compiled arithmetic."""
