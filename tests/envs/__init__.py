"""Tests of environments and wrappers."""
