"""TODO sequences."""
