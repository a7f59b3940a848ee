"""Tests of agent/watch."""
