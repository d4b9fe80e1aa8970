"""Benchmarks: `python -m tests.benchmarks` measures seqtool beside what a user would otherwise run."""
