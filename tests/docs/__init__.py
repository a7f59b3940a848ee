"""Tests of the documentation: what it says to type and to write is run, and it is built as a site."""
