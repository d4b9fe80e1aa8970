from typing import Any

import numpy as np
import pytest

from seqtool.commands._table_options import ColumnOptions, TableOptions
from seqtool.errors import UsageError
from seqtool.grouping.spec import GroupSpec
from seqtool.tables.in_memory import from_array
from seqtool.tables.roles import resolve
from seqtool.tables.table import Table

NAMED = Table(
    "the table", ("id", "t", "a", "y", None, "b", "s"), True, lambda *_: iter(()), lambda row: f"row {row}"
)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"key": []}, "no key"),
        ({"columns": ["a"], "drop": ["b"]}, "--columns and --drop"),
        ({"label_as": "klass"}, "--label-as is 'klass'; class or number was expected"),
        ({"empty_key": "keeep"}, "--empty-key is 'keeep'"),
        ({"min_len": -1}, "min_len is -1; 0 or more was expected"),
        ({"maxlen": 0}, "maxlen is 0; it must be at least 1"),
        ({"padding": "left"}, "padding is 'left'; pre or post was expected"),
        ({"truncating": "left"}, "truncating is 'left'"),
        ({"dtype": "float33"}, "dtype is 'float33'"),
        ({"ragged": True, "maxlen": 3}, "ragged sequences are not padded"),
    ],
)
def test_calls_that_cannot_be_are_refused_when_they_are_made(arguments: dict[str, Any], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        GroupSpec(**{"key": ["id"], **arguments})


def test_the_options_of_a_call_may_name_several_columns_at_once() -> None:
    def roles(**options: Any) -> Any:
        return ColumnOptions(key=["id"], **options).spec(TableOptions()).roles(NAMED)

    assert roles() == resolve(NAMED, key=["id"])
    assert roles(drop=["a,b", "y"]).features == (1, 6)
    assert roles(columns=["a,b", "y"]).features == (2, 5, 3)


def test_what_a_receipt_tells_of_a_call_are_names_not_positions() -> None:
    spec = GroupSpec(key=[0], order_by=["t:text"], label="y", static=[6], min_len=2)
    arguments = spec.resolved(NAMED, spec.roles(NAMED), ["a", "b"])
    assert arguments["key"] == ["id"]
    assert arguments["order_by"] == ["t:text"]
    assert (arguments["label"], arguments["static"], arguments["features"]) == ("y", ["s"], ["a", "b"])
    assert arguments["min_len"] == 2
    bare = from_array(np.zeros((1, 3)))
    assert GroupSpec(key=[2]).resolved(bare, GroupSpec(key=[2]).roles(bare), ["0", "1"])["key"] == ["2"]
