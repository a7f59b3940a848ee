"""Tests of memory: its plan, its checks, its files."""
