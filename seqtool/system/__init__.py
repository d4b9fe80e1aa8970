"""What the machine offers: memory and its limits, signals, threads that work ahead.

It imports nothing but errors and words. Begin with `memory`: what `--max-memory` means; `platform` is where Linux,
macOS and Windows differ.
"""
