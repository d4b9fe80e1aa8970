"""What is done to sequences: one file an operation, a pure function from Ragged to Ragged.

The room imports `sequences` and what is below; it knows neither files nor screens. Begin with `pad` and `strip`.
"""
