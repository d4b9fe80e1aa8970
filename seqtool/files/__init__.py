"""Bytes in and out: `.npz`, `.npy`, zips, inputs by what they hold, outputs that appear whole or not at all.

The room imports `sequences` and what is below. Begin with `npz`, whose docstring is the format, and
`writers`, which has a line for each of the others; `archives` opens them all as the arrays of an `.npz`.
"""
