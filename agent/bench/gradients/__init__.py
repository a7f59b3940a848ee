"""How close the traces come to the exact gradient, and what each form of them costs."""
