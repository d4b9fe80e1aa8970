"""TODO grouping."""
