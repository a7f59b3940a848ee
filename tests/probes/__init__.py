"""Tests of `synaptick.probes`."""
