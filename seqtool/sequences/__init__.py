"""The two types that all else speaks, Ragged and Padded, with what must hold of them.

The room imports `arrays` and what is below. Begin with `ragged`; `stream` is a Padded that is made block by block.
"""
