"""The twin: the same algorithm in plain numpy, one synapse at a time, under the names of the kernels."""
