"""What is done to sequences: one file an operation, a pure function from Ragged to Ragged.

The room imports `sequences` and what is below; it knows neither files nor screens. Begin with `operation`, which says
what an operation is, and `truncate`, which is one. A new operation is a file here and its name in `OPERATIONS`: the
subcommand, its options and help, the Python function and the receipt follow from it.
"""

OPERATIONS = ("truncate",)
"""The modules of this room that hold an operation which is a subcommand and a Python function, of the same name."""
