"""The two types of sequences, Ragged and Padded, with their invariants, labels, keys and receipts.

The room imports `arrays` and what is below. Begin with `ragged`; `stream` is a Padded that is made block by block.
"""
