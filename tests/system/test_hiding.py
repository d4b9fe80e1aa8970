"""pandas is hidden until somebody needs it."""

import subprocess
import sys

_PROGRAM = """
from seqtool.system.hiding import hide_pandas, need_pandas

hide_pandas()
try:
    import pandas
except ModuleNotFoundError as error:
    print(error)
need_pandas()
need_pandas()  # to need it again is no matter
import pandas
print(pandas.DataFrame({"a": [1]}).shape)
"""


def test_pandas_is_there_again_once_it_is_needed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("pandas\n(1, 1)\n", "")


def test_what_was_not_hidden_needs_no_finding() -> None:
    program = "from seqtool.system.hiding import need_pandas; import sys; before = [*sys.meta_path]; need_pandas(); "
    done = subprocess.run(
        [sys.executable, "-c", f"{program}print(sys.meta_path == before)"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("True\n", "")
