"""What tells a file beside the sequences from the name of a column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seqtool.errors import UsageError
from seqtool.sources.beside import files_beside, is_beside, without_beside
from seqtool.sources.options import ForeignSpec, RowSpec


def test_a_file_is_one_that_is_there(tmp_path: Path) -> None:
    np.save(tmp_path / "y.npy", np.ones(2))
    (tmp_path / "y").write_text("a\n")
    assert is_beside(str(tmp_path / "y.npy"))
    assert not is_beside(str(tmp_path / "z.npy"))
    assert not is_beside(str(tmp_path / "y"))
    assert files_beside(["label", str(tmp_path / "y.npy")]) == [tmp_path / "y.npy"]


def test_names_of_columns_stay(tmp_path: Path) -> None:
    np.save(tmp_path / "y.npy", np.ones(2))
    file = str(tmp_path / "y.npy")
    spec = ForeignSpec(labels=(file,), rows=RowSpec(static=("age",)))
    assert without_beside(spec) == ForeignSpec(rows=RowSpec(static=("age",)))
    with pytest.raises(UsageError, match="--label takes one file"):
        without_beside(ForeignSpec(labels=(file, "y")))
