"""Long measurements behind the tables of docs/results; none of them runs in the test suite."""
