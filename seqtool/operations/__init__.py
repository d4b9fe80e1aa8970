"""What is done to sequences: one file for each operation, a pure function from Ragged to Ragged.

The room imports `sequences` and what is below; it knows neither files nor screens. Begin with `operation`, which
defines what an operation is, and `truncate`, an example. A new operation is a file here and its name in `OPERATIONS`:
the subcommand, its options and help, the Python function and the receipt follow from it.
"""

OPERATIONS = (
    "encode",
    "fill",
    "filter",
    "scale",
    "split",
    "truncate",
    "window",
)
"""The modules of this room whose operation is a subcommand and a Python function of the same name."""
