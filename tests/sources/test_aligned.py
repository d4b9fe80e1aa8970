"""What belongs to sequences that are read record by record."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from seqtool.errors import DataError
from seqtool.sequences.ragged import Ragged
from seqtool.sources.aligned import Aligned, LabelColumn, with_aligned
from seqtool.sources.options import RowSpec, Sequences, SourceOptions

RAGGED = Ragged(np.arange(3), np.array([0, 1, 3]))


def joined(found: Aligned, spec: RowSpec | None = None) -> tuple[Sequences, list[str]]:
    warnings: list[str] = []
    return with_aligned("in", RAGGED, found, spec or RowSpec(), 3, warnings), warnings


def test_static_numbers_take_the_type_that_holds_them() -> None:
    found, _ = joined(Aligned(static={"a": pa.array(["1", "2"]), "b": [3, 4]}))
    assert found.ragged.per_sequence["static"].tolist() == [[1, 3], [2, 4]]
    assert found.ragged.per_sequence["static"].dtype == np.int64
    found, warnings = joined(Aligned(static={"a": [16777217, None], "b": [0.5, 1]}))
    assert found.ragged.per_sequence["static"].dtype == np.float64
    assert warnings == ["1 missing value of 'a' became NaN"]
    with pytest.raises(DataError, match="sequence 1: 'a' is 'x'; a static number was expected"):
        joined(Aligned(static={"a": ["1", "x"]}))


def test_every_step_has_a_label_and_padding_another_value() -> None:
    labels = LabelColumn("in", "tags", SourceOptions(), holder="step")
    found = Aligned(step_labels=labels)
    labels.add(pa.array(["b", "a", "b"]))
    read, _ = joined(found, RowSpec(label_value=-1))
    assert np.asarray(read.ragged.per_step["step_y"].data).tolist() == [1, 0, 1]
    assert read.ragged.per_step["step_y"].value == -1
    with pytest.raises(DataError, match="label-value"):
        joined(found, RowSpec(label_value=0.5))
    labels.add(pa.array(["b", "", "b"]))
    with pytest.raises(DataError, match="in: 1 step has no label 'tags', the first at step 4"):
        joined(found)
