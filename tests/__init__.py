"""Tests of synaptick."""
