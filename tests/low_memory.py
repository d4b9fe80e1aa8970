"""The command with a lower least limit of memory, under which a quarter of a gigabyte is more than it may hold.

What the interpreter, its libraries and the data on their way take is the same under each limit: the rest is what rows
are kept and sorted in, which is little here.
"""

import sys

LEAST = 128 * 10**6  # bytes
LIMIT = "128M"
COMMAND = (sys.executable, "-P", __file__)

if __name__ == "__main__":
    from seqtool.__main__ import main
    from seqtool.system import memory

    memory.LEAST, memory._LEAST_IN_FLIGHT = LEAST, 0
    main()
