"""From sequences back to flat rows, one for each step: what `unpad` writes and `to_frame` gives.

Begin with `rows`, which puts the columns of `columns` and of `predictions` together, in the order of the sequences or,
by `sorting`, in that of the file that they were grouped from. `undoing` takes operations back, `parting` and `landing`
find the rows that windows and predictions are of, `beside` puts them beside the original rows, `writing` writes them.
"""
