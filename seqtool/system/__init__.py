"""What the machine offers: memory and its limits, signals, threads that work ahead.

The room imports `advice`, `errors` and `words` alone. Begin with `memory`, which defines `--max-memory`;
`platform` holds all that differs between Linux, macOS and Windows.
"""
