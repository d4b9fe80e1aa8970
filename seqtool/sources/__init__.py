"""Where sequences come from: NumPy files of ours and of others, `.ts` files, JSON, list columns, lines of numbers.

The room imports `grouping`, `tables` and what is below. Begin with `read`, which finds the reader of an input.
"""
