"""Grouping into many files: each sequence goes to a shard by its key, on one machine or on a cluster.

`group` is the driver; `observing`, `encoding` and `writing` are what tasks do, which know no engine; `local`, `spark`
and `dask` run them and move the rows. Imports from `grouping` and below; begin with `group`.
"""
