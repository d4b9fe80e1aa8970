"""Where rows come from: CSV, JSON lines, Parquet, Arrow, workbooks, arrays and DataFrames, all as one `Table`.

The room imports `files` and what is below. Begin with `table` and `opening`; `cells` turns cells into numbers.
"""
