"""From rows to sequences: `encoder` turns columns into numbers, `kernel` sorts and merges rows within the memory.

The room imports `tables` and what is below. Begin with `group`, the one road from a table to sequences.
"""
