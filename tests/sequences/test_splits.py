import numpy as np

from seqtool.arrays.spool import Spool
from seqtool.arrays.text import Text
from seqtool.sequences.splits import counts_of, places_of


def test_splits_are_found_in_fixed_text_and_in_text_of_any_width() -> None:
    names = ["test", "b", "train", "a", "test"]
    text = "".join(names).encode()
    ends = np.cumsum([0, *map(len, names)])
    for split in (np.array(names), Text(np.frombuffer(text, np.uint8), ends, (5,), widest=5)):
        assert list(counts_of(split).items()) == [("train", 1), ("test", 2), ("a", 1), ("b", 1)]  # type: ignore[arg-type]
        assert np.asarray(places_of(split, "test", Spool())).tolist() == [0, 4]  # type: ignore[arg-type]
    assert counts_of(np.array([], dtype="<U5")) == {}
