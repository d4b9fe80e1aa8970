"""What is in a file, and what lengths cost: `describe`, `planning`, and how a terminal shows both.

The room imports `sources`, `grouping`, `terminal` and what is below. Begin with `describe` and `planning`.
"""
