"""What one would otherwise write: one plain script per contender, run as `python SCRIPT IN OUT`."""
