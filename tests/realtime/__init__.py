"""Tests of control loops."""
