import math

import pytest

from seqtool.sequences.receipts import Entry, Rows


def test_rows_that_add_up_pass() -> None:
    Rows(rows_in=10, kept=5, cut=2, dropped={"empty key": 2, "short": 1}).check()
    Rows(rows_in=10, kept=15, cut=1, added={"windows overlap": 6}).check()


@pytest.mark.parametrize("kept", [0, 4, 6])
def test_rows_that_do_not_add_up_stop_the_command(kept: int) -> None:
    with pytest.raises(AssertionError, match=f"10 rows were read or added, but {kept + 5} are accounted for"):
        Rows(rows_in=10, kept=kept, cut=2, dropped={"empty key": 3}).check()
    with pytest.raises(AssertionError, match=f"12 rows were read or added, but {kept + 5} are accounted for"):
        Rows(rows_in=10, kept=kept, cut=2, dropped={"empty key": 3}, added={"filled": 2}).check()


def test_an_entry_checks_its_rows() -> None:
    with pytest.raises(AssertionError, match="no output was written"):
        Entry("pad", ["in.npy"], {}, Rows(rows_in=1, kept=0)).as_json()


def test_an_entry_leaves_out_what_was_not_given_and_reasons_that_dropped_nothing() -> None:
    rows = Rows(rows_in=4, kept=1, cut=2, dropped={"empty key": 1, "short": 0})
    arguments = {"key": ["2"], "maxlen": None, "value": 0, "ragged": False, "drop": (), "fill": math.nan}
    assert Entry("group", ["a.csv", "b.csv"], arguments, rows).as_json() == {
        "command": "group",
        "inputs": ["a.csv", "b.csv"],
        "arguments": {"key": ["2"], "value": 0, "fill": "nan"},
        "rows": {"in": 4, "kept": 1, "cut": 2, "dropped": {"empty key": 1}},
    }


def test_an_entry_tells_of_rows_that_were_added() -> None:
    rows = Rows(rows_in=4, kept=6, added={"repeated": 2, "filled": 0})
    assert Entry("window", [], {}, rows).as_json()["rows"]["added"] == {"repeated": 2}
