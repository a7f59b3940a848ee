"""Long measurements behind the tables of the README; none of them runs in the test suite."""
