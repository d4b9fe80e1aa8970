"""Receipts read as instructions: what was done to sequences, done again to new data and never fitted anew.

Begin with `recipe`, which is read from a file of sequences or from JSON; `repeat` does it to a table or to sequences,
`columns` and `names` see that columns and classes are the same, and `transformer` is `seqtool.recipe` in Python.
"""
