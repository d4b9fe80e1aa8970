"""pandas is hidden until somebody needs it."""

import subprocess
import sys
from pathlib import Path

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
print(pandas.__file__)
"""


def test_pandas_is_there_again_once_it_is_needed(tmp_path: Path) -> None:
    found = tmp_path / "pandas.py"
    found.touch()  # the real one takes a second to load
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == (f"pandas\n{found}\n", "")


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
