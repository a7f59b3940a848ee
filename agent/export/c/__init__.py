"""An agent as C99 source that goes on learning."""
