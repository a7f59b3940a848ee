"""Compiled arithmetic: one idea a file, arrays in, arrays changed in place."""
