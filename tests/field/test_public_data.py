"""What public data sets showed: files as they are met, and what a new user is told of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import Place, succeeded


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_the_key_of_sequences_longer_than_the_first_rows_is_found(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqtool.tables.candidates._ROWS", 6)
    rows = [f"{origin},v1,{hour},{hour / 7}\n" for origin in "ab" for hour in range(8)]
    place.write("weather.csv", "origin,version,hour,temp\n" + "".join(rows))
    done = place.run("group", "weather.csv")
    assert (done.code, "columns whose cells repeat are 'origin'; such as --key origin;" in done.err) == (
        2,
        True,
    )


def test_one_series_is_told_of_beside_the_columns_that_repeat(place: Place) -> None:
    place.write("air.csv", "month,passengers\n1949-01,112\n1949-02,118\n1949-03,112\n")
    done = place.run("group", "air.csv")
    assert (done.code, "if all rows are one sequence: --no-key" in done.err) == (2, True), done.err


@pytest.mark.parametrize(
    ("cells", "time_format"),
    [
        (["1949-01", "1949-12", "1950-01"], "%Y-%m"),
        (["1991 Jul", "1991 Aug", "1992 Apr"], "%Y %b"),
        (["1991 July", "1991 August", "1992 April"], "%Y %B"),
        (["2001-Apr-05", "2001-May-07"], "%Y-%b-%d"),
    ],
)
def test_months_are_read_by_the_format_that_is_proposed(
    cells: list[str], time_format: str, place: Place
) -> None:
    place.write("t.csv", "when,v\n" + "".join(f"{cell},{i}\n" for i, cell in reversed([*enumerate(cells)])))
    done = place.run("group", "t.csv", "--no-key", "--order-by", "when")
    assert (done.code, f"when:{time_format}" in done.err, ":text" in done.err) == (1, True, False), done.err
    out = place.outputs("group", ["t.csv", "--no-key", "--order-by", f"when:{time_format}"])[0]
    assert out["x"][0, :, 0].tolist() == [*range(len(cells))]


def test_names_of_months_are_never_said_to_sort_as_text(place: Place) -> None:
    place.write("t.csv", "when,v\nJul of 91,1\nAug of 91,2\n")
    done = place.run("group", "t.csv", "--no-key", "--order-by", "when")
    assert (done.code, "names of months do not sort as text" in done.err, ":text" in done.err) == (
        1,
        True,
        False,
    )
    place.write("t.csv", "when,v\n1991 Jul,1\n1991 Apr,2\n")
    done = succeeded(place.run("group", "t.csv", "--no-key", "--order-by", "when:text"))
    assert "is sorted as text, but looks like dates ('1991 Jul')" in done.err


def test_gaps_in_days_that_are_written_as_numbers(place: Place) -> None:
    place.write("co2.csv", "date,co2\n19580329,1\n19580405,2\n19580412,3\n19580601,4\n")
    done = succeeded(place.run("group", "co2.csv", "--no-key", "--order-by", "date", "--gap", "7"))
    assert "if they are days, each new month is a jump of 70 or more: --order-by date:%Y%m%d" in done.err
    call = ["co2.csv", "--no-key", "--order-by", "date:%Y%m%d", "--gap", "7d"]
    assert place.outputs("group", call)[0]["lengths"].tolist() == [3, 1]
    place.write("t.csv", "t,v\n19581399,1\n19581400,2\n")
    assert (
        "days" not in succeeded(place.run("group", "t.csv", "--no-key", "--order-by", "t", "--gap", "7")).err
    )


def test_labels_in_front_of_lines_of_numbers_are_told(place: Place) -> None:
    place.write("ucr.tsv", "".join(f"{i % 3}\t{i / 16}\t0.5\t{i}\n" for i in range(1, 9)))
    done = succeeded(place.run("pad", "ucr.tsv"))
    assert "the first number of each line is one of 3 whole numbers, before fractions" in done.err
    out = place.outputs("pad", ["ucr.tsv", "--steps", "{1..3}", "--label", "0"])[0]
    assert (out["x"].shape, out["y"].tolist()) == ((8, 3), [1, 2, 0, 1, 2, 0, 1, 2])


@pytest.mark.parametrize(
    "text",
    [
        "1 2 3\n1 2 4\n2 4 1\n2 1 5\n",  # whole numbers all of them
        "0.5 1.5\n0.5 2.5\n0.5 1.5\n0.5 2.5\n",
        "1 2.5 3\n2 3.5 4\n3 4.5 5\n",  # a number for each line
        "1 2.5 3\n1 3.5\n2 3.5\n2 0.5\n",  # which no table is
        "7\n7\n7\n",
        "\n\n",
    ],
)
def test_other_lines_of_numbers_are_not_said_to_begin_with_labels(text: str, place: Place) -> None:
    place.write("t.txt", text)
    assert "label" not in succeeded(place.run("pad", "t.txt")).err


def test_a_line_that_is_read_in_pieces_has_one_first_number(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqtool.sources.text_lines._CELLS", 2)
    monkeypatch.setattr("seqtool.sources.text_lines._PIECE", 8)
    place.write("t.txt", "1 2.5 3.5 1 0.5\n1 3.5 2 0.5 1\n2 4.5 1 1 7\n2 0.5 2 1 7\n")
    assert "is one of 2 whole numbers" in succeeded(place.run("pad", "t.txt")).err


def test_a_file_of_the_monash_archive_is_named(place: Place) -> None:
    place.write("m1.tsf", "# Dataset Information\n@relation m1\n@data\nT1:1972:3600,7700\n")
    done = place.run("pad", "m1.tsf")
    assert (done.code, "m1.tsf: a file of the Monash archive, which seqtool does not read" in done.err) == (
        1,
        True,
    )
