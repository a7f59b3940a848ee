"""Tests of the project itself: its shape, its documents, its installation."""
