"""Tests of runs in Gymnasium environments."""
