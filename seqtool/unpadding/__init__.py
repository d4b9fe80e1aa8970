"""From sequences back to flat rows, one for each step: what `unpad` writes and `to_frame` gives.

Begin with `rows`, which puts the columns of `columns` and of `predictions` together, in the order of the sequences or,
by `order`, in that of the file that they were grouped from. `writing` writes rows as text or Parquet.
"""
