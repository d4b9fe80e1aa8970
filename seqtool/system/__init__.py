"""What the machine offers: memory and its limits, signals, threads that work ahead.

The room imports nothing but advice, errors and words. Begin with `memory`: what `--max-memory` means;
`platform` is where Linux, macOS and Windows differ.
"""
