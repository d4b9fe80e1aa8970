"""A seeded fuzzer: random tables and arrays against plain-Python oracles, and damaged files against trusted readers.

`python -m tests.fuzzing --seed 1 --count 10000` runs that many cases, a third of each mode; what fails is told with its
mode, seed and case, and `--mode tables --seed 1 --case 17` repeats it alone and keeps its files.
"""
