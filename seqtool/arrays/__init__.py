"""Arrays that may be larger than memory: lazy arrays, text, files, spools; and the casts that lose nothing.

The room imports `system` and what is below. Begin with `lazy`: `Lazy` is an array that is read in chunks, and
`chunks` reads any array that way.
"""
