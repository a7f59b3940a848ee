"""The actor of an agent as a NIR graph, for acting without learning."""
