"""Arrays that may be larger than memory: lazy ones, text, files, spools, and when a number may change its type.

The room imports `system` and what is below. Begin with `lazy`: `Lazy`, an array of which only chunks are read, and
`chunks`.
"""
