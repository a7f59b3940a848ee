"""What tests share: small agents, scripted streams, machines, environments that make trouble."""
