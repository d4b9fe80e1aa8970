import pytest

from seqtool.sequences.receipts import Made, Rows


def test_rows_that_add_up_pass() -> None:
    Rows(came=10, kept=5, cut=2, dropped={"empty key": 2, "short": 1}).check()


@pytest.mark.parametrize("kept", [0, 4, 6])
def test_rows_that_do_not_add_up_stop_the_command(kept: int) -> None:
    with pytest.raises(AssertionError, match=f"10 rows came in, but {kept + 5} are accounted for"):
        Rows(came=10, kept=kept, cut=2, dropped={"empty key": 3}).check()


def test_an_entry_checks_its_rows() -> None:
    with pytest.raises(AssertionError, match="no output was written"):
        Made("pad", ["in.npy"], {}, Rows(came=1, kept=0)).entry(cut=0)


def test_an_entry_leaves_out_what_was_not_given_and_reasons_that_dropped_nothing() -> None:
    rows = Rows(came=4, kept=3, dropped={"empty key": 1, "short": 0})
    made = Made("group", ["a.csv", "b.csv"], {"key": ["2"], "maxlen": None, "value": 0}, rows)
    assert made.entry(cut=2) == {
        "command": "group",
        "inputs": ["a.csv", "b.csv"],
        "arguments": {"key": ["2"], "value": 0},
        "rows": {"in": 4, "kept": 1, "cut": 2, "dropped": {"empty key": 1}},
    }
