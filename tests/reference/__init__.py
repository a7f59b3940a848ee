"""The twin: the same algorithm in plain numpy and float64, one function an equation.

Each file has the name of the file of kernels that it mirrors, but for `spaces`, which mirrors that folder, and `agent`,
which holds the state. Files call each other as `neuron.fire`, by the file's name, so that a test that puts a mutant in
the place of a function puts it there for all.
"""
