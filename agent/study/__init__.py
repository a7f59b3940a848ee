"""What the learning rule is worth: exact gradients to compare it with, forms of it that do not ship, and ablations."""
