"""Tests of what an agent does, in numbers."""
