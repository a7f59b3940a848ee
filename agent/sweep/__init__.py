"""Many runs: seeds, sweeps and searches, on the processes of one machine or on a Ray cluster."""
