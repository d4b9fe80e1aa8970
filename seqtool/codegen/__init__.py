"""Short programs that load one file and train an LSTM that fits it for one step, each written for one framework.

The room imports `sequences`, `operations` and what is below. Begin with `programs`; `tasks` and `targets` decide what
is learnt, and `for_torch` and its like write the program.
"""

from seqtool.codegen.programs import CODES, Program, program, program_for

__all__ = ["CODES", "Program", "program", "program_for"]
