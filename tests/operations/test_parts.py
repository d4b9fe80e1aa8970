from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqtool as sq
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError
from seqtool.operations.pad import carry_out, pad_stream
from seqtool.operations.parts import parts_of
from seqtool.sequences.ragged import Ragged
from tests import oracles


@given(oracles.raggeds(riders=True), st.data())
def test_every_sequence_is_in_the_part_that_its_split_names(ragged: Ragged, data: st.DataObject) -> None:
    names: list[Any] = [data.draw(st.sampled_from(["train", "val", "fold"])) for _ in range(len(ragged))]
    split = ragged.replace(per_sequence={**ragged.per_sequence, "split": np.array(names, dtype=str)})
    whole = oracles.sequences_of(split)
    with Spool() as spool:
        parts = {name: part.in_memory() for name, part in parts_of(split, spool).items()}
    assert list(parts) == [name for name in ("train", "val", "fold") if name in names]
    for name, part in parts.items():
        expected = [sequence for sequence, of in zip(whole, names, strict=True) if of == name]
        assert oracles.text_of(oracles.sequences_of(part)) == oracles.text_of(expected)


def test_parts_of_a_padded_block_are_padded_alike() -> None:
    split = {"split": np.array(["val", "train"])}
    ragged = Ragged(np.array([1, 2, 3]), np.array([0, 1, 3]), per_sequence=split)
    with Spool() as spool:
        parts = parts_of(pad_stream(ragged, padding="post", maxlen=1, value=-1), spool)
        assert {name: carry_out(part).x.tolist() for name, part in parts.items()} == {
            "train": [[3]],
            "val": [[1]],
        }
        assert [(part.lines != (), part.padding, part.value) for part in parts.values()] == [
            (True, "post", -1),
            (False, "post", -1),
        ]
        with pytest.raises(DataError, match="no array split"):
            parts_of(sq.unpad(sq.pad([[1]])), spool)
