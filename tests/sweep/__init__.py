"""Tests of many runs."""
