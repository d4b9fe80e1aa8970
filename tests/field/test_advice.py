"""Every piece of advice in the package is run on the input that caused it, and wants success without loss."""

from __future__ import annotations

import ast
import io
import json
import re
import shlex
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import seqtool
from seqtool import errors
from seqtool.advice import Advice, Message
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, UsageError
from seqtool.files.manifest import shard_of
from seqtool.files.outputs import Destination
from seqtool.sequences.orders import first_order
from seqtool.sequences.ragged import StepArray
from tests.command import Place, succeeded
from tests.field.advising import Proposals, applied, lost_rows, places, split
from tests.parsed import parsed, paths
from tests.workbooks import reader, workbook

F4 = np.float32
NAN = float("nan")
NS = 1704067200123456789  # nanoseconds, which no float holds
DENSE = np.ones((2, 3, 2), F4)
ONE_LONG = np.ones((2, 6, 2), F4)
ROWS = "id,a,b\n1,2,3\n1,3,5\n2,1,7\n"
DAILY = "id,a,b\n1,2,2024-01-01\n1,3,2024-01-02\n"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def proposals(monkeypatch: pytest.MonkeyPatch) -> Proposals:
    return Proposals(monkeypatch)


TIMED = seqtool.Ragged(
    np.ones((3, 1)), np.array([0, 3]), per_step={"order": StepArray(np.array([1, 2, 8]), 0)}
)
CATEGORIES = seqtool.Ragged(
    np.empty((3, 0)),
    np.array([0, 3]),
    per_step={"c": StepArray(np.array([[3], [4], [3]]), 0)},
    names={"categories": np.array(["item"]), "vocabulary_0": np.array(["a", "b"])},
)
TEN = str([[i, 2 * i] for i in range(10)])


def npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def ours(*sequences: Any, **options: Any) -> seqtool.Padded:
    return seqtool.pad([np.array(one, F4) for one in sequences], padding="post", **options)


@dataclass(frozen=True)
class Case:
    """A call on some files that draws advice, made at a `place` in the package.

    `fill` holds what stands for words in capitals; `loses` says that the advice itself speaks of rows that go;
    `code` is how the call ends.
    """

    place: str
    call: str
    files: dict[str, Any]
    fill: dict[str, str] = field(default_factory=dict)
    loses: bool = False
    code: int | None = None

    def __str__(self) -> str:
        return self.place


def written(folder: Place, files: dict[str, Any]) -> None:
    for name, content in files.items():
        path = folder.folder / name
        path.parent.mkdir(exist_ok=True)
        if isinstance(content, (seqtool.Padded, seqtool.Ragged)):
            seqtool.save(path, content)
        elif isinstance(content, pa.Table):
            pq.write_table(content, path)
        else:
            folder.write(name, content)


WIDE = "id,t0,t1,t2\n1,2,3,5\n2,3,5,7\n"
TWO_LISTS = pa.table({"a": [[1, 2], [3]], "b": [[1], [2, 3]]})
TEN_STEPS = "k,a\n" + "1,1\n" * 9 + "2,1\n"
ODD = {"x": np.ones((2, 3)), "lengths": np.array([1, 2])}
MASK = {"NAME": "mask"}
FIRST = np.array([[True, True, False], [True, False, False]])
JOINED_RECIPE = json.dumps(
    {
        "format": "seqtool recipe",
        "version": 1,
        "steps": [
            {
                "command": "group",
                "arguments": {"key": ["id"], "features": ["a"], "static": ["l.csv:x"], "ragged": True},
            }
        ],
        "features": ["a"],
        "tables": {"static_features": ["x"]},
    }
)
GAPS = np.array([[True, False, True], [True, True, True]])
TWO_LABELS = "id,a,y,z\n1,2,0.5,16777217\n2,3,0.25,3\n"
LONG = 'id,a\n"' + "x\n" * 2_500_000 + '",1\n'
DAYS = "d,a\n20240126,1\n20240201,2\n20240220,3\n"
MONTHS = "year,a,b,c,d\n2001,1,2,3,4\n2002,5,6,7,8\n"
SAME_C = "id,a,b,c\n1,2,3,5\n1,3,5,5\n2,1,7,6\n"
SINGLE = "row,id,a\n" + "".join(f"{i},{i % 2},{i * i}\n" for i in range(9))
LABELLED = "id,a,y\n1,2,0\n1,2,1\n2,3,1\n"
WORDS_BETWEEN = "id,a,b\n1,2,3\n1,?,5\n2,1,7\n2,1,7\n"
HIDDEN = np.array([[5, 1, 0, 0], [7, 8, 9, 0], [1, 0, 0, 0], [2, 2, 0, 0]], F4)
PADDED_FIRST = np.array([[0, 0, 5, 1], [0, 7, 8, 3]], F4)

LABELLED_SERIES = seqtool.Ragged(
    np.arange(4.0)[:, None],
    np.array([0, 4]),
    per_sequence={"y": np.array([0.5])},
    per_step={"step_y": StepArray(np.arange(4), -100)},
)
ORDERED = pa.table(
    {
        "id": [1, 1],
        "a": [2, 3],
        "s": pa.DictionaryArray.from_arrays(pa.array([1, 0]), pa.array(["low", "high"]), ordered=True),
    }
)

CLASHING = {"a.npz": ours([1, 2]).replace(keys=np.array([7])), "b.npz": ours([3]).replace(keys=np.array([7]))}
UNLIKE = {"a.npz": ours([1, 2], value=-1), "b.npz": seqtool.pad([[3]])}

LEFT_OUT = seqtool.split(
    seqtool.group(pa.table({"k": [1, 1, 1], "x": [5, 6, 7]}), key="k", keep_row_index=True, ragged=True),
    last=1,
)
# As a file was before rows of y were kept.
OF_UNKNOWN_ROWS = LEFT_OUT.replace(
    per_sequence={name: array for name, array in LEFT_OUT.per_sequence.items() if name != "y_row_index"}
)
CASES = [
    Case("operations.filter.Filter.__post_init__", "filter t.npy", {"t.npy": DENSE}, {"N": "1"}),
    Case(
        "operations.filter.Filter.__post_init__#2", "filter t.npy", {"t.npy": DENSE}, {"EXPR": "length > 1"}
    ),
    Case("operations.filter.Filter.__post_init__#3", "filter t.npy", {"t.npy": DENSE}, {"N": "2"}),
    Case("operations.filter.Filter.__post_init__#4", "filter t.npy --first 2 --sample 2", {"t.npy": DENSE}),
    Case(
        "operations.filter.Filter.__post_init__#5",
        "filter t.npy --min-len 1 --seed 1",
        {"t.npy": DENSE},
        {"N": "2"},
    ),
    Case("operations.filter.Filter.apply", "filter t.npy --min-len 9", {"t.npy": DENSE}, loses=True),
    Case(
        "operations.window.Window.__post_init__",
        "window t.npy --size 2 --lead 1",
        {"t.npy": ONE_LONG},
        {"H": "1"},
        loses=True,
    ),
    Case(
        "operations.window.Window.__post_init__#2",
        "window t.npy --size 2 --target 0",
        {"t.npy": ONE_LONG},
        {"H": "1"},
        loses=True,
    ),
    Case(
        "operations.window.Window.__post_init__#3",
        "window t.npy --size 2 --target 0",
        {"t.npy": ONE_LONG},
        loses=True,
    ),
    Case(
        "operations.window._refuse",
        "window t.npy --size 2 --last --horizon 1",
        {"t.npy": ONE_LONG},
        loses=True,
    ),
    Case("operations.window._refuse", "window t.npz --size 2 --horizon 1", {"t.npz": LABELLED_SERIES}),
    Case("operations.window._refuse", "window t.npz --size 2 --next", {"t.npz": LABELLED_SERIES}),
    Case("operations.window.Window._none_left", "window t.npy --size 7", {"t.npy": ONE_LONG}),
    Case("operations.window.Window._none_left", "window t.npy --size 9 --min-size 8", {"t.npy": ONE_LONG}),
    Case(
        "operations.truncate.Truncate.__post_init__",
        "truncate t.npy",
        {"t.npy": DENSE},
        {"N": "2"},
        loses=True,
    ),
    Case(
        "operations.truncate.Truncate.__post_init__#2",
        "truncate t.npy",
        {"t.npy": DENSE},
        {"K": "-2"},
        loses=True,
    ),
    Case(
        "operations.truncate.Truncate.__post_init__#3",
        "truncate t.npz --maxlen 2 --within 3",
        {"t.npz": TIMED},
        code=2,
        loses=True,
    ),
    Case(
        "operations.truncate.Truncate.__post_init__#4",
        "truncate t.npy --from 1 --truncating post",
        {"t.npy": DENSE},
        loses=True,
    ),
    Case(
        "operations.truncate.Truncate.__post_init__#5",
        "truncate t.npy --maxlen 2 --of end",
        {"t.npy": DENSE},
        code=2,
        loses=True,
    ),
    *(
        Case(f"operations.clashes._duplicate{number}", "concat a.npz b.npz", CLASHING, loses=True)
        for number in ("", "#2", "#3")
    ),
    Case("commands.concat.concat", "concat a.npz b.npz", UNLIKE),
    # What typer, or a name, shows.
    Case("commands._peers.unknown_option#2", "pad t.npy --padding post", {"t.npy": DENSE}),
    Case("commands._peers.unknown_option#2", "pad t.npy --window 2", {"t.npy": DENSE}, loses=True),
    Case(
        "commands._peers.unknown_option#3",
        "pad t.npy --window 2",
        {"t.npy": DENSE},
        fill={"FILE": "t.npy"},
    ),
    Case("commands._peers.unknown_option#2", "window t.npy --window-size 2", {"t.npy": DENSE}),
    Case("commands._peers.unknown_option", "info t.npy --time-major", {"t.npy": DENSE}, code=2),
    Case("commands._peers.unknown_option", "group --time-major t.npy", {"t.npy": DENSE}, code=2),
    Case("commands._peers.unknown_option#2", "pad t.npy --padding=pre", {"t.npy": DENSE}),
    Case("commands._peers.unknown_option#2", "group t.csv --group-by id", {"t.csv": ROWS}),
    Case("commands._peers.unknown_option#2", "group t.csv --key id --colums a", {"t.csv": ROWS}),
    Case(
        "commands._columns.refuse_columns_as_sources", "group t.csv --key id --columns a b", {"t.csv": ROWS}
    ),
    Case("tables.candidates.key_advice", "group t.csv", {"t.csv": ROWS}, code=2),
    Case("tables.candidates.key_advice", "plan t.csv", {"t.csv": ROWS}),
    Case("tables.candidates.key_advice", "group t.csv", {"t.csv": "5,4,0.5\n5,3,0.5\n6,1,0.25\n"}, code=2),
    Case(
        "tables.json_lines.batches",
        "group t.jsonl --key id",
        {"t.jsonl": '{"id": 1, "a": 2}\n' * 1000 + '{"id": 1, "a": 3, "b": 4}\n'},
        {"COLUMN": "a"},
    ),
    Case(
        "grouping.advising.for_list",
        "group t.jsonl --key id",
        {"t.jsonl": '{"id": 1, "e": [1, 2], "v": 3}\n{"id": 2, "e": [1], "v": 4}\n'},
    ),
    Case("grouping.advising.for_marks", "group t.csv --key id", {"t.csv": 'id,a,b\n1,"1,000",3\n1,7,4\n'}),
    Case("grouping.advising.for_marks", "group t.csv --key id", {"t.csv": "id;a\n1;2.334,01\n1;7,5\n"}),
    Case("grouping.advising.for_marks", "group t.csv --key id", {"t.csv": "id;a\n1;4\n1;2\n1;0,5\n1;6\n"}),
    Case("sources.text_lines._as_marked", "pad t.txt", {"t.txt": "1,5 2,5\n3 4,25\n"}),
    Case(
        "operations.using.as_fitted",
        "scale x.npz --using r.npz --method minmax",
        {
            "x.npz": seqtool.pad([[1.0], [2.0, 5.0]]),
            "r.npz": seqtool.scale(seqtool.pad([[1.0], [2.0, 5.0]]), method="robust"),
        },
    ),
    Case("sources.text_lines._as_words", "pad t.txt", {"t.txt": "the cat\nthe dog\n"}),
    Case("sources.foreign._check_numbers", "pad w.npy", {"w.npy": np.array([["a", "b"]])}),
    Case("sources.word_arrays.WordArray.ids", "pad n.npy --category w", {"n.npy": np.ones((1, 2))}),
    Case("sources.tokens.only_name", "pad t.txt --category a,b", {"t.txt": "the cat\n"}),
    Case("sources.tokens.read_words", "pad t.txt --category a", {"t.txt": "the,cat sat\n"}),
    Case("sources.records._as_names", "pad t.json", {"t.json": '[["a", "b"], ["b"]]'}),
    Case("sources.records._as_names", "pad t.jsonl", {"t.jsonl": '{"w": ["a", "b"], "n": 1}\n'}),
    Case(
        "sources.row_steps.TypedLists.lists", "pad t.parquet", {"t.parquet": pa.table({"w": [["a"], ["b"]]})}
    ),
    Case(
        "sources.row_steps._as_categories", "pad t.csv --steps 'w{1..3}'", {"t.csv": "n,w1,w2,w3\n1,a,b,c\n"}
    ),
    Case(
        "sources.aligned.static_of",
        "pad t.jsonl --static age,city",
        {"t.jsonl": '{"x": [1, 2], "city": "Oslo", "age": 3}\n{"x": [3], "city": "Rome", "age": 4}\n'},
    ),
    Case(
        "sources.row_steps._as_categories",
        "pad t.csv --steps 'w{1..3}' --category w1",
        {"t.csv": "n,w1,w2,w3\n1,a,b,c\n"},
    ),
    Case("sources.row_steps.NumberCells._as_names", "pad t.csv --array w", {"t.csv": "n,w\n1,[a]\n2,[b]\n"}),
    Case(
        "tables.cells.label_doubts.category_doubts",
        "pad t.txt --category w",
        {"t.txt": "the NA\n"},
    ),
    Case(
        "grouping.advising.for_cell#2",
        "group t.csv --key id --static c",
        {"t.csv": "id,a,c\n1,2,Oslo\n2,3,Rome\n"},
    ),
    Case(
        "sources.text_lines._Firsts.warnings", "pad t.txt", {"t.txt": "1 2.5 7\n1 3.5 8\n2 4.5 9\n2 0.5 1\n"}
    ),
    Case("sources.text_lines._Firsts.warnings", "pad t.tsv", {"t.tsv": "1\t2.5\t7\n1\t3.5\t8\n" * 2}),
    Case("commands._source.unquoted_steps", "pad t.csv --steps t0 t1 t2 --key id", {"t.csv": WIDE}, code=2),
    Case("commands._source.unquoted_steps", "pad --steps t0 t1 t2 t.csv", {"t.csv": WIDE}, code=2),
    Case("grouping.advising.for_days", "group t.csv --no-key --order-by d --gap 7", {"t.csv": DAYS}),
    Case("grouping.advising.for_days", "group t.csv --no-key --order-by d --gap 7d", {"t.csv": DAYS}),
    Case("tables.candidates.steps_advice#2", "group t.csv", {"t.csv": MONTHS}, {"A,B": "a,b"}, code=2),
    Case("sources.text_lines._as_marked", "pad t.txt", {"t.txt": "1,5;2,5\n3\n"}),
    Case(
        "tables.number_marks.misread_error",
        "group t.csv --key id --decimal ,",
        {"t.csv": "id;a\n1;0,5\n1;2.334\n"},
    ),
    Case("tables.named_columns._meant", "group t.csv --key ID", {"t.csv": ROWS}),
    Case(
        "tables.named_columns._meant",
        "group t.csv --key id --columns a,bb",
        {"t.csv": ROWS.replace("b", "bbb")},
    ),
    Case("tables.named_columns._meant", "group t.csv --key id --drop aa", {"t.csv": ROWS}),
    Case(
        "tables.named_columns._meant",
        "group t.csv --key id --label lb",
        {"t.csv": "id,a,lab\n1,2,x\n2,3,y\n"},
    ),
    Case(
        "tables.named_columns._meant",
        "group t.csv --key id --order-by dya:desc",
        {"t.csv": "id,a,day\n1,2,1\n2,3,2\n"},
    ),
    Case(
        "recipes.others.took_elsewhere",
        "apply rec.json t.csv",
        {"t.csv": ROWS, "l.csv": "id,x\n1,2\n2,4\n", "rec.json": JOINED_RECIPE},
    ),
    Case(
        "grouping.joining._with",
        "group t.csv --key id --label l.csv:y",
        {"t.csv": ROWS, "l.csv": "id,y\n1,a\n"},
        loses=True,
    ),
    Case(
        "grouping.joining._with#2",
        "group t.csv --key id --label l.csv:y",
        {"t.csv": ROWS, "l.csv": "id,y\n1,a\n"},
    ),
    Case(
        "grouping.elsewhere.Elsewhere.with_static",
        "group t.csv --key id --static l.csv:x,y",
        {"t.csv": ROWS, "l.csv": "id,x,y\n1,2,3\n2,4,old\n"},
    ),
    Case(
        "grouping.elsewhere.companions",
        "group t.csv --label l.csv:y --no-key",
        {"t.csv": ROWS, "l.csv": "id,y\n1,a\n2,b\n"},
        {"COLUMN": "id"},
        code=2,
    ),
    Case(
        "grouping.pivoting.Pivot.warnings",
        "group t.csv --key k --order-by t --pivot i=v",
        {"t.csv": "k,t,i,v\na,1,u,2\na,1,u,3\n"},
    ),
    Case(
        "grouping.folding._checked",
        "group t.csv --key k --order-by t --pivot i=v",
        {"t.csv": "k,t,i,v\na,1,u,3\na,2,w,16777217\n"},
    ),
    Case(
        "grouping.folding._checked#2",
        "group t.csv --key k --order-by t --pivot i=v --dtype int64",
        {"t.csv": "k,t,i,v\na,1,u,3\na,2,w,5\n"},
    ),
    Case(
        "grouping.folding._check_fits",
        "group t.csv --key k --order-by t --pivot i=v --pivot-agg mean --dtype int64",
        {"t.csv": "k,t,i,v\na,1,u,3\na,1,u,4\n"},
        loses=True,
    ),
    Case(
        "grouping.folding._check_sums",
        "group t.csv --key k --order-by t --pivot i=v --pivot-agg sum",
        {"t.csv": "k,t,i,v\na,1,u,9000000000000000000\na,1,u,9000000000000000000\n"},
        loses=True,
    ),
    Case(
        "grouping.reading._check_items",
        "group t.csv --key k --order-by t --pivot i=v",
        {"t.csv": "k,t,i,v\na,1,u,2\na,1,,3\na,1,w,3\n"},
        loses=True,
    ),
    Case(
        "grouping.spec.GroupSpec._check_pivot",
        "group t.csv --key k --order-by t --pivot-agg mean",
        {"t.csv": "k,t,i,v\na,1,u,2\na,2,u,3\n"},
        {"ITEM=VALUE": "i=v"},
    ),
    Case(
        "errors.refuse_without_subject",
        "group t.csv --key k --order-by t --pivot-agg mean --columns v",
        {"t.csv": "k,t,i,v\na,1,u,2\na,2,u,3\n"},
    ),
    Case("errors.refuse_without_subject", "group t.csv --key id --label-as class", {"t.csv": LABELLED}),
    Case("errors.refuse_without_subject", "group t.csv --key id --label-value 0", {"t.csv": LABELLED}),
    Case("errors.refuse_without_subject", "group t.csv --key id --empty-label drop", {"t.csv": LABELLED}),
    Case("errors.refuse_without_subject", "plan t.csv --key id --empty-label drop", {"t.csv": LABELLED}),
    Case("errors.refuse_without_subject", "group t.csv --no-key --empty-key drop", {"t.csv": LABELLED}),
    Case("errors.refuse_without_subject", "group t.csv --no-key --keep-key", {"t.csv": LABELLED}),
    Case("errors.refuse_without_subject", "group t.csv --no-key --drop-key", {"t.csv": LABELLED}),
    Case("errors.refuse_without_subject", "pad t.npy --strip-side pre", {"t.npy": DENSE}),
    Case("errors.refuse_without_subject", "pad t.jsonl --label-value 0", {"t.jsonl": "[1]\n"}),
    Case("errors.refuse_without_subject", "pad t.jsonl --trailing-missing keep", {"t.jsonl": "[1]\n"}),
    Case(
        "grouping.spec_checks.check_subjects",
        "group t.csv --key id --label-value 0",
        {"t.csv": ROWS},
        {"COLUMN": "b"},
        code=2,
    ),
    Case(
        "grouping.spec_checks.check_subjects",
        "group t.csv --key id --label-as class",
        {"t.csv": ROWS},
        {"COLUMN": "b"},
        code=2,
    ),
    Case(
        "grouping.spec_checks.check_subjects#2",
        "group t.csv --key id --empty-label drop",
        {"t.csv": SAME_C},
        {"COLUMN": "c"},
        code=2,
    ),
    Case(
        "grouping.spec_checks.check_subjects#3",
        "group t.csv --key id --keep-order",
        {"t.csv": ROWS},
        {"COLUMN": "b"},
        code=2,
    ),
    Case(
        "grouping.order_values.order_column",
        "group t.parquet --key id --order-by s --keep-order",
        {"t.parquet": ORDERED},
    ),
    Case(
        "grouping.order_values._ticks",
        "group t.csv --key id --order-by t --keep-order",
        {"t.csv": "id,t,a\n1,1970-01-01T00:00:00.000000001,2\n1,3000-01-01,3\n"},
    ),
    Case(
        "grouping.order_values._check_as_float",
        "group t.csv --key id --order-by t,u --keep-order",
        {"t.csv": f"id,t,u,a\n1,{2**53 + 1},0.5,2\n1,3,1.5,3\n"},
    ),
    Case(
        "grouping.spec_checks.check_subjects#4",
        "group t.csv --key id --delta b",
        {"t.csv": ROWS},
        code=2,
    ),
    Case(
        "grouping.spec_checks.check_subjects#5",
        "group t.csv --key id --order-by b --time-unit h",
        {"t.csv": DAILY},
        {"COLUMN": "b"},
        code=2,
    ),
    Case(
        "grouping.spec_checks.with_time",
        "group t.csv --key id --order-by a --delta b",
        {"t.csv": ROWS},
        code=2,
    ),
    Case(
        "grouping.spec_checks.with_time#2",
        "group t.csv --key id --order-by s:text --columns a --keep-order",
        {"t.csv": "id,a,s\n1,2,x\n1,3,y\n"},
        code=2,
    ),
    Case(
        "grouping.step_features.computed_names",
        "group t.csv --key id --position",
        {"t.csv": "id,a,position\n1,2,3\n1,3,5\n"},
    ),
    Case(
        "grouping.step_features._times",
        "group t.csv --key id --order-by b --delta b --time-unit h",
        {"t.csv": ROWS},
    ),
    Case(
        "grouping.step_features._Survey._refuse",
        "group t.csv --key id --order-by b --delta b --dtype int64",
        {"t.csv": "id,b,a\n1,0.5,2\n1,1,3\n"},
    ),
    Case(
        "grouping.step_features._Survey._refuse#2",
        "group t.csv --key id --order-by b --delta b",
        {"t.csv": "id,b,a\n1,0,0.5\n1,16777217,3\n"},
    ),
    Case(
        "grouping.spec_checks.check_subjects#6",
        "group t.csv --key id --order-by b --agg sum",
        {"t.csv": ROWS},
        {"SIZE": "1"},
        code=2,
    ),
    Case(
        "grouping.spec_checks.check_every",
        "group t.csv --key id --every 1",
        {"t.csv": ROWS},
        {"COLUMN": "b"},
        code=2,
    ),
    Case(
        "grouping.spec_checks.check_every#2",
        "group t.csv --key id --order-by b --every 1 --keep-row-index",
        {"t.csv": ROWS},
        code=2,
    ),
    Case(
        "grouping.spec_checks.with_time#3",
        "group t.csv --key id --order-by b:desc --every 1",
        {"t.csv": ROWS},
        code=2,
    ),
    Case(
        "grouping.grid.Grid._check",
        "group t.csv --key id --order-by b --every 1e-12",
        {"t.csv": ROWS},
        {"SIZE": "1"},
    ),
    Case(
        "grouping.grid.Grid._check#2",
        "group t.csv --key id --order-by b --every 1e-12",
        {"t.csv": ROWS},
        {"SIZE": "0"},
    ),
    Case("commands.pad._operations", "pad t.npy --strip-side pre", {"t.npy": DENSE}, {"V": "0"}, code=2),
    Case(
        "sources.read._checked",
        "pad t.jsonl --array a --label-value 0",
        {"t.jsonl": '{"a": [1, 2], "b": [1, 2]}\n{"a": [3], "b": [1]}\n'},
        {"NAME": "b"},
        code=2,
    ),
    Case(
        "grouping.spec.GroupSpec._check_pivot#2",
        "group t.csv --key k --pivot i=v",
        {"t.csv": "k,t,i,v\na,1,u,2\na,2,u,3\n"},
        {"COLUMN": "t"},
        code=2,
    ),
    Case(
        "grouping.spec.GroupSpec._check_pivot#3",
        "group t.csv --key k --order-by t --pivot i=v --drop t",
        {"t.csv": "k,t,i,v\na,1,u,2\na,2,u,3\n"},
        code=2,
    ),
    Case(
        "grouping.spec.GroupSpec._resolved",
        "group t.csv --key k --order-by t:text --pivot i=v",
        {"t.csv": "k,t,i,v\na,1,u,2\na,2,u,3\n"},
        code=2,
    ),
    Case(
        "grouping.spec.GroupSpec._resolved#2",
        "group t.csv --key k --order-by t:text --pivot i=v",
        {"t.csv": "k,t,i,v\na,1.2.2024,u,2\na,2.2.2024,u,3\n"},
        {"t:FORMAT": "t:%d.%m.%Y"},
        code=2,
    ),
    Case("tables.roles._nothing_left", "group t.csv --key id --order-by t", {"t.csv": "id,t\n1,2\n1,3\n"}),
    Case("tables.roles._nothing_left#2", "group t.csv --key id --drop a,b", {"t.csv": ROWS}),
    Case(
        "grouping.spec.GroupSpec.__post_init__",
        "group t.csv --key id --columns a --drop b",
        {"t.csv": ROWS},
    ),
    Case(
        "grouping.spec.GroupSpec.__post_init__#2",
        "group t.csv --key id --columns a --drop b",
        {"t.csv": ROWS},
    ),
    # Files that are not what they seem.
    Case("files.refusals.no_such_file", "group tt.csv --key id", {"t.csv": ROWS}),
    Case("files.refusals.no_such_file", "group 'd/*.cvs' --key id", {"d/t.csv": ROWS}),
    Case("files.refusals.is_a_folder", "pad d/", {"d/a.npy": DENSE}),
    Case("files.refusals.is_a_folder#2", "group d --key id", {"d/a.csv": ROWS, "d/b.csv": ROWS}),
    Case("files.refusals.is_a_folder#3", "group d --key id", {"d/a.csv": ROWS, "d/b.csv": ROWS}),
    Case("files.refusals.is_a_folder#3", "pad d", {"d/a.npy": DENSE[0], "d/b.npy": DENSE[1]}),
    Case("commands._source.each_file", "pad 'd/*.npy'", {"d/a.npy": DENSE[0], "d/b.npy": DENSE[1]}),
    Case(
        "commands._source.each_file",
        "truncate '*/*.npy' --maxlen 2",
        {"d/a.npy": DENSE[0], "e/b.npy": DENSE[1]},
        loses=True,
    ),
    Case("commands._source.each_file", "group 'd/*.csv'", {"d/a.csv": "a\n1\n2\n", "d/b.csv": "a\n3\n4\n"}),
    Case(
        "commands._source.unquoted", "pad d/a.npy d/b.npy", {"d/a.npy": DENSE[0], "d/b.npy": DENSE[1]}, code=2
    ),
    Case(
        "commands._source.unquoted",
        "pad d/a.npy d/b.npy --key-from 'd/{key}.npy' --post",
        {"d/a.npy": DENSE[0], "d/b.npy": DENSE[1]},
    ),
    # Paths that say what the key is.
    Case(
        "commands._columns._blank_lines", "group t.txt --no-header", {"t.txt": "1\t2\n2\t0\n\n3\t1\n"}, code=2
    ),
    Case("commands._columns.require_key", "group t.csv", {"t.csv": "a\n1\n2\n"}, code=2),
    Case(
        "grouping.static_columns.changing#2",
        "group '*/*.csv' --key-from '{label}/{key}.csv'",
        {"d/a.csv": ROWS, "e/a.csv": ROWS},
    ),
    Case(
        "grouping.static_columns.changing#2",
        "group '*/*.csv' --key-from '{dose}/{key}.csv'",
        {"1/a.csv": ROWS, "2/a.csv": ROWS},
    ),
    Case(
        "grouping.cautions.of_steps",
        "group t.csv --no-key --order-by t --gap 1",
        {"t.csv": "t,a\n" + "".join(f"{9 * i},{i % 3}\n" for i in range(9))},
        {"SIZE": "10"},
    ),
    Case(
        "tables.file_columns.refuse_part",
        "group 'd/*.csv' --key-from 'd/{who}_{key}.csv'",
        {"d/a_1.csv": ROWS, "d/b_2.csv": ROWS},
    ),
    Case(
        "tables.file_columns.refuse_part",
        "pad 'd/*.npy' --key-from 'd/{who}_{key}.npy'",
        {"d/a_1.npy": DENSE[0], "d/b_2.npy": DENSE[1]},
    ),
    Case(
        "sources.array_files._array",
        "pad 'd/*.csv' --key-from 'd/{key}.csv'",
        {"d/a.csv": ROWS, "d/b.csv": ROWS},
    ),
    Case(
        "sources.read._with_keys_once",
        "pad '*/*.npy' --key-from '*/{key}.npy'",
        {"d/a.npy": DENSE[0], "e/a.npy": DENSE[1]},
    ),
    Case(
        "grouping.static_columns.no_longer_static#2",
        "group 'd/*.csv' --key-from 'd/{key}_{dose}.csv'",
        {"d/a_4.csv": ROWS, "d/b_4.csv": ROWS},
    ),
    Case("grouping.spec.GroupSpec._check_key", "group t.csv --key id --no-key", {"t.csv": ROWS}),
    Case("grouping.spec.GroupSpec._check_key#2", "group t.csv --key id --no-key", {"t.csv": ROWS}),
    Case(
        "grouping.spec.GroupSpec._check_key#2",
        "group 'd/*.csv' --no-key --key-from 'd/{key}.csv'",
        {"d/a.csv": ROWS, "d/b.csv": ROWS},
    ),
    Case(
        "grouping.spec.GroupSpec._check_blank_lines",
        "group t.csv --key id --key-blank-lines",
        {"t.csv": ROWS},
    ),
    Case(
        "grouping.spec.GroupSpec._check_blank_lines#2",
        "group t.csv --no-key --key-blank-lines",
        {"t.csv": ROWS},
    ),
    Case(
        "grouping.advising._counter_alone",
        "group t.txt --key-blank-lines --no-header --step-label 1",
        {"t.txt": "a\tB\nb\tI\n\nc\tO\n"},
    ),
    Case(
        "grouping.advising.for_times", "group t.csv --key id", {"t.csv": "id,t,a\n1,2024-01-01,x\n1,NA,y\n"}
    ),
    Case(
        "grouping.advising.for_times",
        "group t.csv --key id --columns t,u,a",
        {"t.csv": "id,t,u,a\n1,2024-01-01T10:00Z,x,2\n"},
    ),
    Case(
        "grouping.cautions.of_times",
        "group t.csv --key id --order-by t --time-as days -o o.npz",
        {"t.csv": "id,t,a\n1,2024-01-01,3\n"},
        code=0,
    ),
    Case(
        "grouping.cautions.of_times#2",
        "group t.csv --key id --time-as days -o o.npz",
        {"t.csv": ROWS},
        code=0,
    ),
    Case(
        "grouping.advising.for_times",
        "group t.csv --key id --static t",
        {"t.csv": "id,t,a\n1,2024-01-01,3\n"},
    ),
    Case("grouping.spec.GroupSpec._check_key#3", "group 'd/*.csv' --key-from 'd/{x}.csv'", {"d/1.csv": ROWS}),
    Case(
        "grouping.spec.GroupSpec._check_key#4",
        "group 'd/*.csv' --key id --key-from 'd/{key}.csv'",
        {"d/a.csv": ROWS, "d/b.csv": ROWS},
    ),
    Case(
        "grouping.spec.GroupSpec._check_key#5",
        "group t.csv --key id --gap 2",
        {"t.csv": ROWS},
        {"COLUMN": "a"},
    ),
    Case(
        "grouping.reading._check_size",
        "group t.csv --no-key --order-by d --gap 2",
        {"t.csv": "d,a\n2024-01-01,1\n"},
    ),
    Case(
        "grouping.reading._check_size#2",
        "group t.csv --no-key --order-by d --gap 2h",
        {"t.csv": "d,a\n1,1\n9,1\n"},
    ),
    Case("commands._source.only", "pad 'd/*.npy'", {"d/a.npy": DENSE, "d/b.npy": DENSE}),
    Case("commands._source.only", "check '?.npy'", {"a.npy": DENSE, "b.npy": DENSE}),
    Case("commands._source.only_arrays", "info t.csv", {"t.csv": ROWS}),
    Case("commands._source.only_arrays#2", "check t.txt", {"t.txt": "1 2\n3\n"}),
    Case("commands._source.read", "pad t.csv", {"t.csv": ROWS}),
    Case(
        "commands._source.read", "pad t.parquet", {"t.parquet": pa.table({"id": [1, 1, 2], "a": [1, 2, 3]})}
    ),
    Case(
        "files.npy.checked_dtype", "pad o.npy", {"o.npy": np.array([[1], [2, 3]], object)}, {"FILE": "o.npy"}
    ),
    Case("inspecting.describe.known_sequences", "info t.npy --sequence 0", {"t.npy": DENSE}),
    Case(
        "sources.masks.may_tell_lengths",
        "pad a.npz",
        {"a.npz": npz(x=np.ones((2, 3, 1)), seq_len=np.array([1, 3]))},
        loses=True,
    ),
    Case("sources.chosen_arrays._chosen", "pad a.npz", {"a.npz": npz(one=DENSE, two=DENSE)}),
    Case("sources.chosen_arrays._chosen", "pad a.npz --array tset", {"a.npz": npz(train=DENSE, test=DENSE)}),
    Case("sources.row_steps._only_list", "pad t.parquet", {"t.parquet": TWO_LISTS}),
    Case("sources.records._only_list#2", "pad t.jsonl", {"t.jsonl": '{"a": [1], "b": [2], "c": 3}\n'}),
    Case("sources.records._only_list", "pad t.json", {"t.json": '{"a": [1], "b": [2]}'}),
    Case("sources.read._refuse_text_options", "pad t.jsonl --delimiter ;", {"t.jsonl": "[1]\n"}),
    Case("sources.read._read_rows", "pad t.csv --steps t0,t1 --keys-from-names", {"t.csv": WIDE}),
    Case("sources.row_steps.steps_of", "pad t.csv --steps t0,t1 --array t0", {"t.csv": WIDE}),
    Case("sources.cells.settled_dtype", "pad t.csv --steps t0,t1", {"t.csv": "t0,t1\n16777217,0.5\n"}),
    Case(
        "sources.beside.without_beside",
        "pad t.txt --label y.txt,z.txt",
        {"t.txt": "1\n2 3\n", "y.txt": "a\nb\n", "z.txt": "c\nd\n"},
    ),
    Case("sources.cells.settled_dtype", "pad t.ts", {"t.ts": "@data\n16777217,0.5\n"}),
    Case("tables.opening._array", "group t.npy --key 0", {"t.npy": DENSE}),
    Case("tables.opening._open", "group t.ts --key 0", {"t.ts": "@data\n1,2\n"}),
    Case("tables.candidates.steps_advice#2", "pad t.csv", {"t.csv": WIDE}),
    Case("tables.candidates.steps_advice", "pad t.csv", {"t.csv": 'u,c,y\nu1,"[1, 2]",yes\nu2,[],no\n'}),
    Case("sources.options.ForeignSpec.without", "pad t.npy --steps t0", {"t.npy": DENSE}),
    Case(
        "sources.options.ForeignSpec.without",
        "pad t.npz --keys-from-names --key a",
        {"t.npz": npz(a=[1], b=[2])},
    ),
    Case("sources.options.ForeignSpec.without", "pad t.txt --static a", {"t.txt": "1 2\n"}),
    Case("sources.foreign._each_a_sequence", "pad a.npz", {"a.npz": npz(arr_0=DENSE, arr_1=np.ones(3))}),
    Case("sources.companions.companions", "pad a.npz", {"a.npz": npz(x=DENSE, y=np.ones(7))}),
    Case("sources.companions.companions", "pad a.npz --label z", {"a.npz": npz(x=DENSE, z=np.ones(7))}),
    Case(
        "sources.chosen_arrays.choose",
        "pad a.npz --key k --label k",
        {"a.npz": npz(x=DENSE, k=np.array([1, 2]))},
    ),
    Case(
        "sources.foreign.dense",
        "pad a.npz --input-padding pre",
        {"a.npz": npz(x=DENSE, n=np.array([3, 2]))},
        {"NAME": "n"},
    ),
    Case("sources.foreign.dense#2", "pad a.npy --input-padding pre", {"a.npy": DENSE}),
    Case("sources.foreign.dense#3", "pad a.npz", {"a.npz": npz(x=DENSE, lengths=[2, 1, 1])}),
    Case(
        "sources.foreign._each_array",
        "pad a.npz",
        {"a.npz": npz(arr_0=DENSE, arr_1=DENSE)},
        loses=True,
        code=0,
    ),
    Case("sources.options.ForeignSpec.without", "pad t.txt --time-major", {"t.txt": "1 2\n3\n"}),
    Case(
        "sources.masks.check_mask_order",
        "pad a.npz --time-major",
        {"a.npz": npz(x=DENSE[:, :2], mask=FIRST[:, :2], n=[2, 1])},
        {"NAME": "n"},
    ),
    Case("codegen.tasks._inputs", "info t.npz --code keras", {"t.npz": seqtool.pad([np.ones((2, 3, 3))])}),
    Case(
        "codegen.targets._checked_numbers",
        "info t.npz --code torch",
        {"t.npz": seqtool.pad([np.ones((2, 3))]).replace(per_sequence={"y": np.zeros((1, 0), np.int64)})},
    ),
    Case(
        "operations.truncate.Truncate.apply",
        "truncate t.json --from 2 -o t.npz",
        {"t.json": "[[1, 2, 3], [4]]"},
        {"FILE": "t.npz"},
    ),
    Case("sources.chosen_arrays.refuse_options", "pad t.npz --lengths n", {"t.npz": ours([1], [2, 3])}),
    Case("sources.options.ForeignSpec.without", "pad t.txt --lengths n", {"t.txt": "1 2\n3\n"}),
    Case("sources.options.ForeignSpec.without", "pad t.txt --key n", {"t.txt": "1 2\n3\n"}),
    Case("sources.options.ForeignSpec.without", "pad a.npy --array n", {"a.npy": DENSE}),
    Case(
        "sources.options.ForeignSpec.without",
        "pad a.npz --lengths n",
        {"a.npz": npz(arr_0=[1], arr_1=[2, 3])},
    ),
    Case("sources.options.ForeignSpec.without", "pad a.jsonl --label y", {"a.jsonl": "[1]\n[2, 3]\n"}),
    Case("sources.options.ForeignSpec.without", "plan t.csv --key id --lengths n", {"t.csv": ROWS}),
    Case("commands.plan.plan", "plan a.npz --key k --lengths n", {"a.npz": npz(x=DENSE, n=[3, 2], k=[1, 2])}),
    Case(
        "sources.read._with_keys_once#2",
        "pad a.jsonl --key k",
        {"a.jsonl": '{"k": 1, "s": [1]}\n{"k": 1, "s": [2]}\n'},
    ),
    Case(
        "sources.read._with_keys_once#3",
        "pad a.npz",
        {"a.npz": npz(x=DENSE, keys=np.array([4, 4]))},
        {"NAME": "x"},
    ),
    Case(
        "sources.numpy_files._check_lengths_of", "pad a.npz", {"a.npz": npz(x=PADDED_FIRST, lengths=[2, 3])}
    ),
    Case(
        "sources.numpy_files._check_lengths_of#2", "pad a.npz", {"a.npz": npz(x=PADDED_FIRST, lengths=[2, 3])}
    ),
    Case(
        "sources.labels.are_of_steps",
        "pad a.npz",
        {"a.npz": npz(x=np.ones((2, 3)), y=np.ones((2, 3)) / 2)},
    ),
    Case(
        "sources.labels.are_of_steps#2",
        "pad a.npz",
        {"a.npz": npz(x=np.ones((2, 3)), y=np.ones((2, 3)) / 2)},
    ),
    Case(
        "sources.foreign._known_lengths",
        "pad a.npz",
        {"a.npz": npz(x=DENSE, mask=GAPS, n=[3, 2])},
        {"NAME": "n"},
    ),
    Case("sources.foreign._known_lengths#2", "pad a.npz", {"a.npz": npz(x=DENSE, mask=GAPS)}),
    Case("sources.masks.with_side", "pad a.npz --input-padding pre", {"a.npz": npz(x=DENSE, mask=FIRST)}),
    Case(
        "sources.masks.check_same",
        "pad a.npz",
        {"a.npz": npz(x=DENSE, mask=FIRST, lengths=[3, 3])},
        {"NAME": "mask"},
    ),
    # How text is read.
    Case("tables.csv_dialect.sniff", "group t.csv --key id --delimiter ab", {"t.csv": ROWS}),
    Case("tables.csv_dialect.is_header", "group t.csv --key 0", {"t.csv": "id,2020\n1,5\n1,6\n"}),
    Case("tables.csv_dialect.is_header#2", "group t.csv --key 0", {"t.csv": "id,2020\n1,5\n1,6\n"}),
    Case(
        "tables.csv_dialect.check_encoded",
        "group t.csv --key id",
        {"t.csv": "id,a\nM\xfcller,1\n".encode("latin-1")},
    ),
    Case(
        "tables.csv_dialect.not_text_in", "group t.csv --key id --encoding utf-16", {"t.csv": "id,a\nb,1\n"}
    ),
    Case("tables.csv_dialect.check_encoding", "group t.csv --key id --encoding klingon", {"t.csv": ROWS}),
    # Cells.
    Case("grouping.advising.for_cell", "group t.csv --key id", {"t.csv": WORDS_BETWEEN}),
    Case(
        "grouping.advising.for_cell",
        "group t.csv --key id",
        {"t.csv": WORDS_BETWEEN.replace("2,1,7\n", "2,-,7\n", 1)},
    ),
    Case(
        "grouping.advising.for_cell",
        "group t.csv --key id --static b",
        {"t.csv": "id,a,b\n1,2,3\n1,1,3\n2,1,?\n3,1,4\n"},
    ),
    Case(
        "grouping.advising.without_features",
        "group t.csv --key id --columns a,b",
        {"t.csv": ROWS.replace("2,3", "2,x")},
    ),
    Case(
        "grouping.advising.without_features#2",
        "group t.csv --key id",
        {"t.csv": ROWS.replace("2,3", '2,"1,000"')},
    ),
    Case(
        "grouping.advising.without_features#2",
        "group t.csv --key id",
        {"t.csv": "id,a,b\n1,x,3\n1,y,5\n2,z,7\n"},
    ),
    Case(
        "grouping.advising.without_features#2",
        "group t.csv --key id --keep-key",
        {"t.csv": "id,a\nx,3\ny,5\n"},
    ),
    Case(
        "grouping.static_columns.no_longer_static#2",
        "group t.csv --key id --static sex",
        {"t.csv": "id,a,sex\n1,3,f\n2,5,m\n"},
    ),
    Case(
        "grouping.static_columns.no_longer_static#2",
        "group t.csv --key id --columns a --static s",
        {"t.csv": "id,a,s\n1,3,f\n2,5,m\n"},
    ),
    Case(
        "grouping.static_columns.no_longer_static",
        "group t.csv --key id --static s,r",
        {"t.csv": f"id,a,s,r\n1,3,{NS},0.5\n"},
    ),
    Case(
        "grouping.advising.for_order",
        "group t.csv --key id --order-by d",
        {"t.csv": "id,a,d\n1,3,Jan 1 2000\n1,4,Mar 2 2000\n"},
    ),
    Case(
        "grouping.advising.for_order",
        "group t.csv --key id --order-by d",
        {"t.csv": "id,a,d\n1,3,b\n1,4,c\n"},
    ),
    Case("grouping.static_columns.changing", "group t.csv --key id --label b", {"t.csv": ROWS}),
    Case(
        "grouping.static_columns.no_longer_static#2",
        "group t.csv --key id --static b",
        {"t.csv": ROWS},
    ),
    Case(
        "grouping.static_columns.no_longer_static",
        "group t.csv --key id --static c,b",
        {"t.csv": SAME_C},
    ),
    Case("grouping.static_columns.changing", "group t.csv --key id --label c,b", {"t.csv": SAME_C}),
    Case("tables.named_columns._meant", "group t.csv --key iid,a", {"t.csv": ROWS}),
    Case("grouping.reading._check_keys", "group t.csv --key id", {"t.csv": "id,a\n1,2\n,3\n"}, loses=True),
    Case("grouping.reading._check_keys#2", "group t.csv --key id", {"t.csv": "id,a\n1,2\n,3\n"}),
    Case(
        "grouping.reading._check_labels",
        "group t.csv --key id --label y",
        {"t.csv": "id,a,y\n1,2,0\n2,3,NA\n"},
        loses=True,
    ),
    Case(
        "grouping.reading._check_labels#2",
        "group t.csv --key id --label y",
        {"t.csv": "id,a,y\n1,2,0\n2,3,NA\n"},
    ),
    Case("grouping.cautions._of_keys", "group t.csv --key id", {"t.csv": "id,a\nNA,2\nb,3\n"}, loses=True),
    Case(
        "grouping.cautions._of_order",
        "group t.csv --key id --order-by d:text",
        {"t.csv": "id,a,d\n1,3,Jan 1 2000\n1,4,Apr 2 2000\n"},
    ),
    Case(
        "grouping.cautions._of_disorder",
        "group t.csv --key id --order-by d:text",
        {"t.csv": "id,a,d\n1,3,10:30\n1,4,9:15\n"},
    ),
    Case(
        "grouping.cautions._of_disorder",
        "group t.csv --key id --order-by d:text:desc",
        {"t.csv": "id,a,d\n1,3,10\n1,4,9\n"},
    ),
    Case(
        "grouping.cautions._of_labels.as_missing",
        "group t.csv --key id --label y",
        {"t.csv": "id,a,y\n1,2,cat\n2,3,NA\n"},
    ),
    Case(
        "grouping.cautions._of_labels.as_missing",
        "group t.csv --key id --label y",
        {"t.csv": "id,a,y\n1,2,0.5\n2,3,0.25\n3,3,?\n"},
    ),
    Case(
        "tables.cells.label_meaning._label_numbers",
        "group t.csv --key id --label y --label-as number",
        {"t.csv": "id,a,y\n1,2,0.5\n2,3,b\n"},
    ),
    Case(
        "tables.cells.label_meaning._label_numbers#2",
        "group t.csv --key id --label y",
        {"t.csv": "id,a,y\n1,2,0.5\n2,3,16777217\n"},
    ),
    Case(
        "grouping.cautions.of_steps#2",
        "group t.csv --key row",
        {"t.csv": SINGLE},
        {"COLUMN": "id"},
    ),
    Case(
        "grouping.static_columns.no_longer_static#2",
        "group t.csv --key id --label y --static y --columns a",
        {"t.csv": "id,a,y\n1,2,0\n2,3,1\n"},
    ),
    Case(
        "sequences.labels.padded_class",
        "group t.csv --key id --step-label y --label-value 0",
        {"t.csv": LABELLED},
    ),
    *(
        Case(
            "sequences.labels._padded_number",
            "group t.csv --key id --step-label y --label-value 0.5",
            {"t.csv": f"id,a,y\n1,2,0.5\n1,3,{other}\n2,4,1.5\n"},
        )
        for other in (2.5, -100)
    ),
    # Numbers that a type cannot hold.
    Case("grouping.advising.for_features", "group t.csv --key id", {"t.csv": "id,a,b\n1,16777217,0.5\n"}),
    Case("grouping.advising.for_features", "group t.csv --key id --dtype int64", {"t.csv": "id,a\n1,0.5\n"}),
    Case(
        "grouping.advising.for_features",
        "group t.csv --key id --dtype int64",
        {"t.csv": "id,a,b\n1,0.5,16777217\n"},
    ),
    Case("grouping.advising.for_features", "group t.csv --key id --dtype int8", {"t.csv": "id,a\n1,300\n"}),
    Case(
        "grouping.advising.for_features",
        "group t.csv --key id --dtype float32",
        {"t.csv": "id,a\n1,16777217\n"},
    ),
    Case(
        "grouping.advising.for_features#2",
        "group t.parquet --key id",
        {"t.parquet": pa.table({"id": [1, 1], "a": pa.array([2**64 - 1, 1], pa.uint64())})},
    ),
    Case("grouping.advising.for_features#3", "group t.csv --key id", {"t.csv": f"id,a\n1,{NS}\n1,0.5\n"}),
    *(
        Case(
            f"grouping.advising.for_features#{number}",
            f"group t.csv --key id{dtype}",
            {"t.csv": f"id,t,v\n1,{NS},0.5\n1,{NS + 9},{more}\n"},
        )
        for number in (4, 5)
        for dtype in ("", " --dtype int64", " --dtype float32")
        for more in ("0.5", "16777217")
    ),
    Case(
        "commands._grouped._warn_of_numbers",
        "group t.csv --key id",
        {"t.csv": "id,a\n1,16777216.5\n1,20000000\n"},
    ),
    Case(
        "operations.cast.wide_enough", "pad u.npy --dtype int8", {"u.npy": np.array([[2**64 - 1]], np.uint64)}
    ),
    Case(
        "sources.records._rounded",
        "pad a.jsonl",
        {"a.jsonl": "[9007199254740993, 0.5]\n[18446744073709551616]\n"},
    ),
    Case("operations.cast.wide_enough#2", "pad a.npy --dtype int8", {"a.npy": np.array([[0.5]])}),
    Case("operations.cast.wide_enough#2", "pad a.npy --dtype int8", {"a.npy": np.array([[300]])}),
    Case("operations.cast.wide_enough#2", "pad a.jsonl", {"a.jsonl": "[0.5]\n[16777217]\n"}),
    Case("operations.cast.rounding_warnings", "pad a.npy --dtype float32", {"a.npy": np.array([[16777217]])}),
    Case(
        "operations.cast.rounding_warnings",
        "pad a.npy --dtype float32 --ragged",
        {"a.npy": np.array([[16777217]])},
    ),
    Case("sources.text_lines._way_out", "pad t.txt --dtype int8", {"t.txt": "1 300\n"}),
    Case("sources.text_lines._way_out#2", "pad t.txt", {"t.txt": "0.5 16777217\n"}),
    Case("sources.text_lines._way_out#2", "pad t.txt --dtype int8", {"t.txt": "0.5 1\n"}),
    Case("sequences.padding_values.check_value", "pad a.npy --value nan", {"a.npy": np.array([[3]])}),
    Case("sequences.padding_values.check_value#2", "pad a.npy --value nan", {"a.npy": np.array([[3]])}),
    Case(
        "operations.mask_value.free_value",
        "pad a.npy --value auto",
        {"a.npy": np.array([[0, 255, 254, 253]], np.uint8)},
    ),
    Case(
        "operations.mask_value.free_value#2",
        "pad a.npy --value auto",
        {"a.npy": np.array([[0, 255, 254, 253]], np.uint8)},
        {"V": "7"},
    ),
    Case(
        "commands._deliver._Draft.describe_end",
        "pad t.npy --dry-run",
        {"t.npy": DENSE, "t.pad.npz": "mine"},
    ),
    Case("tables.cells.labels.several_meanings", "group t.csv --key id --label y,z", {"t.csv": TWO_LABELS}),
    Case(
        "tables.csv_dialect.csv_rows",
        "group t.csv --key id --max-memory 256M",
        {"t.csv": LONG},
        {"SIZE": "1G"},
    ),
    Case(
        "commands.check.check",
        "check a.npz --shared-keys",
        {"a.npz": ours([1]), "b.npz": ours([2])},
        {"OTHER": "b.npz"},
    ),
    # Outputs.
    Case("files.outputs.choose", "pad t.npy", {"t.npy": DENSE, "t.pad.npz": "mine"}),
    Case("files.outputs.choose#2", "pad t.npy", {"t.npy": DENSE, "t.pad.npz": "mine"}, {"FILE": "new.npz"}),
    Case("files.outputs.check_not_an_input", "pad t.npz -o t.npz", {"t.npz": ours([1])}, {"FILE": "new.npz"}),
    Case("files.writers.Writer.check", "pad t.npy --mask -o o.npy", {"t.npy": DENSE}),
    Case("files.writers.Writer.check", "pad t.npy --compress fast -o o.npy", {"t.npy": DENSE}),
    Case("commands._deliver._Draft.describe_end#2", "pad t.npy", {"t.npy": DENSE}),
    Case("commands._row_output.write_rows", "unpad t.npy", {"t.npy": DENSE}),
    Case(
        "commands.unpad._rows",
        "unpad l.npz --raw --add p=p.npy --rows t.csv --delimiter , -o o.csv",
        {"l.npz": OF_UNKNOWN_ROWS, "p.npy": np.zeros(2), "t.csv": "k,x\n1,5\n1,6\n1,7\n"},
    ),
    Case(
        "commands.unpad._with_predictions",
        "unpad l.npz --add p=p.npy -o o.csv",
        {"l.npz": LEFT_OUT, "p.npy": np.zeros(2)},
    ),
    Case(
        "commands._options.PaddingOptions.refuse",
        "pad t.npy --ragged --value 0 --post --mask",
        {"t.npy": DENSE},
    ),
    Case(
        "commands._options.PaddingOptions.refuse",
        "group t.csv --key id --ragged --maxlen 2 --truncating post",
        {"t.csv": ROWS},
    ),
    Case("commands.pad.pad", "pad t.npy --ragged --multiple-of 8", {"t.npy": DENSE}),
    Case("commands.pad._mention_strip", "pad t.npy", {"t.npy": HIDDEN}, loses=True),
    Case("commands.info.info", "info t.npz --code numpy --json", {"t.npz": ours([1])}),
    Case("commands.info.info", "info t.npz --code numpy --sequence 0", {"t.npz": ours([1])}),
    Case("commands.info.info#2", "info t.npz --recipe --sequence 0", {"t.npz": ours([1])}),
    Case("commands.plan._refuse_table_options", "plan t.csv --drop b", {"t.csv": ROWS}, {"COLUMN": "id"}),
    Case(
        "inspecting.measure.of_tables",
        "plan a.jsonl --key k",
        {"a.jsonl": '{"k": 1, "s": [5]}\n{"k": 2, "s": [6]}\n'},
        {"NAME": "s"},
        code=0,
    ),
    Case(
        "inspecting.measure.of_sequences",
        "plan 'd/*.csv'",
        {"d/a.csv": ROWS, "d/b.csv": ROWS},
        {"COLUMN": "id"},
    ),
    Case("inspecting.measure.of_sequences#2", "plan t.npy", {"t.npy": HIDDEN}, {"FILE": "t.npy"}, loses=True),
    Case(
        "operations.scaling.check_features",
        "scale t.json",
        {"t.json": "[[[1, null], [2, null]]]"},
        {"A,B": "0"},
    ),
    Case(
        "grouping.reading._check_cells",
        "group t.csv --key id",
        {"t.csv": "id,a,town\n1,2,x\n1,3,y\n2,4,x\n"},
    ),
    Case(
        "tables.cells.label_doubts.category_doubts",
        "group t.csv --key id --category town",
        {"t.csv": "id,a,town\n1,2,NA\n1,3,y\n2,4,x\n"},
    ),
    Case(
        "operations.pad.pad_stream",
        "group t.csv --key id --category town --value 7",
        {"t.csv": "id,town\n1,z\n1,y\n2,x\n"},
    ),
    Case("operations.fill.Fill.apply", "fill t.json --method forward", {"t.json": "[[null, 1, null]]"}),
    Case(
        "operations.fill.Fill._constant",
        "fill t.json --method forward,mean",
        {"t.json": "[[[1, null], [2, null]]]"},
    ),
    Case(
        "sequences.features.steps_of_features",
        "split t.npz --last 1",
        {"t.npz": CATEGORIES},
        code=1,
        loses=True,
    ),
    Case("commands.concat._read_all", "concat t.csv u.csv -o x.npz", {"t.csv": ROWS, "u.csv": ROWS}, code=1),
    Case("operations.split.Split.__post_init__", "split t.json", {"t.json": TEN}, code=2),
    Case(
        "operations.split.Split._check_companions",
        "split t.json --last 1 --seed 3",
        {"t.json": "[[1, 2, 3, 4], [4, 5, 6]]"},
        code=2,
        loses=True,
    ),
    Case(
        "operations.split.Split._check_companions#2",
        "split t.json --test 0.2 --stable --stratify",
        {"t.json": TEN},
        code=2,
    ),
    Case("commands._destination._check_fold_name", "split t.json --folds 3", {"t.json": TEN}, code=2),
    Case(
        "commands._destination._check_fold_name#2",
        "split t.json --folds 3 -o all.npz",
        {"t.json": TEN},
        code=2,
        loses=True,
    ),
    Case(
        "commands._destination._check_fold_name#3",
        "pad t.json -o {fold}.npz",
        {"t.json": TEN},
        {"FILE": "t.npz"},
        code=2,
    ),
    Case("system.memory._named", "pad t.npy --max-memory 1M", {"t.npy": DENSE}),
    Case("codegen.tasks.task_of", "group t.csv --key id", {"t.csv": "id,a,y\n1,2,0\n2,3,1\n"}, {"C": "y"}),
    Case(
        "codegen.targets._target_step_y",
        "group t.csv --key id --step-label y --empty-label keep --label-value 2",
        {"t.csv": "id,a,y\n1,2,\n1,3,r\n2,3,b\n2,2,r\n"},
    ),
    Case(
        "codegen.tasks._check_ids",
        "info t.npz --code torch",
        {"t.npz": seqtool.pad([np.array([-3, 2, 5])])},
        {"FILE": "t.npz"},
    ),
    Case(
        "codegen.tasks._check_ids#2",
        "info t.npz --code torch",
        {"t.npz": seqtool.pad([np.array([3, 2**24])])},
        {"FILE": "t.npz"},
    ),
    Case(
        "operations.order_counts._check",
        "group t.csv --key id --order-by t:desc --keep-order",
        {"t.csv": "id,t,a\n1,2,1\n1,3,1\n1,9,2\n"},
    ),
]
FIRST_FAILS = {  # after the call, before the advice
    "codegen.tasks.task_of": "info t.group.npz --code torch",
    "codegen.targets._target_step_y": "info t.group.npz --code torch",
    "operations.order_counts._check": "truncate t.group.npz --within 1",
}


@pytest.mark.thinned
@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_proposed_works_on_what_caused_it(case: Case, place: Place, proposals: Proposals) -> None:
    written(place, case.files)
    call = split(case.call)
    stdin = ROWS.encode() if call[1:2] == ["-"] else None
    done = place.run(*call, stdin=stdin)
    if case.place in FIRST_FAILS:
        done = place.run(*split(FIRST_FAILS[case.place]))
    advice = proposals.at(case.place)
    assert str(advice) in done.err + done.out.decode("utf-8", "replace")
    assert case.code is None or done.code == case.code
    before = {*place.files()}
    words = applied(call, advice, case.fill)
    again = place.run(*words, stdin=stdin)
    assert again.code == 0, f"{words}: {again.err}"
    assert case.loses or lost_rows(place, before) == 0


# What `check` proposes, which the file that its cure makes passes.

FLOATS = np.array([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [0.0, 0.0]]], F4)
HOLDS_0 = ours([[0, 0], [1, 2]], [[3, 4]])
CHECKS = [
    ("checking.contracts._hidden_padding#2", "--for torch", HIDDEN[..., None]),
    ("checking.contracts._free_value_advice", "--for keras", HOLDS_0),
    ("checking.contracts._zero_id", "--for keras", seqtool.pad([np.array([1, 2]), np.array([3])], value=9)),
    (
        "checking.contracts._end_padding",
        "--for torch",
        seqtool.pad([np.array([[1.0]], F4), np.ones((2, 1), F4)]),
    ),
    (
        "checking.contracts._no_empty",
        "--for torch",
        seqtool.pad([np.ones((0, 1), F4), np.ones((2, 1), F4)], padding="post"),
    ),
    ("checking.contracts._reader_dtype", "--for torch", seqtool.pad([np.array([[1], [2]])])),
    ("checking.contracts._reader_dtype", "--for dynamic-rnn", seqtool.pad([np.array([[1], [2]])])),
    ("checking.contracts._finite_value", "--for dynamic-rnn", ours([[1]], [[2], [3]], value=NAN)),
    ("checking.contracts._int64_lengths", "--for torch", npz(x=FLOATS, lengths=np.array([2, 1], np.int32))),
    ("checking.findings.Subject.cure", "--for torch", npz(x=FLOATS, lengths=np.array([2, 1], np.int32))),
    ("checking.invariants.lengths#3", "", npz(x=PADDED_FIRST, lengths=[2, 3])),
    ("checking.invariants._lengths_unknown#2", "", HIDDEN),
    ("checking.invariants.padding_cells#2", "--for keras", npz(x=FLOATS + 1, lengths=[2, 1])),
    ("checking.invariants.dtype", "", seqtool.pad([np.array([[0.5]])])),
]


@pytest.mark.parametrize(("where", "options", "content"), CHECKS)
def test_the_cure_of_a_finding_cures_it(
    where: str, options: str, content: Any, place: Place, proposals: Proposals
) -> None:
    name = "f.npy" if isinstance(content, np.ndarray) else "f.npz"
    written(place, {name: content})
    facts = json.loads(place.run("check", name, *split(options), "--json").out)
    advice = proposals.at(where)
    wrong = [one for one in facts["findings"] if one["cure"] and all(w in one["cure"] for w in advice.words)]
    assert wrong
    succeeded(place.run(*split(wrong[0]["cure"])[1:], "-o", "cured.npz"))
    cured = json.loads(place.run("check", "cured.npz", *split(options), "--json").out)
    assert [one["name"] for one in cured["findings"] if one["verdict"] != "ok"] == []


IN_FINDINGS = [  # options of check itself, and commands, that stand in the words of a finding
    (
        "checking.contracts._hidden_padding",
        "--for torch",
        npz(x=HIDDEN[..., None], n=[2, 3, 1, 2]),
        {"NAME": "n"},
    ),
    ("checking.invariants.lengths", "", npz(x=PADDED_FIRST, lengths=[2, 3]), {}),
    ("checking.invariants.lengths#2", "", npz(x=PADDED_FIRST, lengths=[2, 3]), {}),
    ("checking.invariants._lengths_unknown", "", npz(x=DENSE, n=[3, 2]), {"NAME": "n"}),
    ("checking.invariants.padding_cells", "", npz(x=FLOATS * 0 - 5, lengths=[1, 1]), {}),
    ("checking.invariants.lengths#4", "", npz(x=HIDDEN, lengths=[4, 4, 4, 4]), {}),
    ("checking.contracts._remedy_for_numbers", "--for torch", seqtool.pad([np.array([[1], [16777217]])]), {}),
]


@pytest.mark.parametrize(("where", "options", "content", "fill"), IN_FINDINGS)
def test_what_a_finding_says_works(
    where: str, options: str, content: Any, fill: dict[str, str], place: Place, proposals: Proposals
) -> None:
    written(place, {"f.npz": content})
    arrays = ["--array", "x"] if "NAME" in fill else []
    call = ["check", "f.npz", *arrays, *split(options)]
    out = place.run(*call, "--json").out.decode()
    advice = proposals.at(where)
    assert str(advice) in out
    again = place.run(*applied(call, advice, fill))
    assert again.code == 0, (again.err, again.out)


def test_features_with_nan_are_left_out_when_rows_are_grouped(place: Place, proposals: Proposals) -> None:
    place.write("t.csv", "id,a,b\n1,2,\n1,3,0.5\n")
    succeeded(place.run("group", "t.csv", "--key", "id"))
    assert place.run("check", "t.group.npz", "--for", "torch").code == 1
    advice = proposals.at("checking.findings.remedy_for_missing")
    succeeded(place.run(*applied(["group", "t.csv", "--key", "id"], advice, {})))
    succeeded(place.run("check", "t.group.npz", "--for", "torch"))


def test_features_with_nan_are_filled(place: Place, proposals: Proposals) -> None:
    place.write("t.csv", "id,b\n1,\n1,0.5\n")
    succeeded(place.run("group", "t.csv", "--key", "id"))
    assert place.run("check", "t.group.npz", "--for", "torch").code == 1
    advice = proposals.at("checking.findings.remedy_for_missing#2")
    succeeded(place.run(*applied([], advice, {}), "-o", "filled.npz"))
    succeeded(place.run("check", "filled.npz", "--for", "torch"))


def test_keys_that_are_meant_to_be_shared(place: Place, proposals: Proposals) -> None:
    for name, number in (("a.npz", 1), ("b.npz", 2)):
        written(place, {name: ours([number]).replace(keys=np.array(["u"]))})
    call = ["check", "a.npz", "--against", "b.npz"]
    assert place.run(*call).code == 1
    succeeded(place.run(*applied(call, proposals.at("checking.against._keys"), {})))


def test_a_file_that_does_not_hold_is_looked_at_first(place: Place, proposals: Proposals) -> None:
    written(place, {"a.npz": ours([1]), "b.npz": npz(x=DENSE, lengths=[9, 9])})
    failed = place.run("check", "a.npz", "--against", "b.npz")
    advice = proposals.at("checking.check._opened_soundly")
    assert failed.err.endswith(f"see {advice}\n")
    assert b"a length is 9" in place.run(*applied([], advice, {})).out


# What no call of one file shows.


def test_a_zip_of_tables_is_unpacked_first(place: Place, proposals: Proposals) -> None:
    with zipfile.ZipFile(place.folder / "t.csv.zip", "w") as archive:
        archive.writestr("t.csv", ROWS)
        archive.writestr("u.csv", ROWS)
    for command in (["group", "--key", "id"], ["pad"], ["info"], ["plan"], ["check"]):
        assert place.run(command[0], "t.csv.zip", *command[1:]).code == 1
        advice = proposals.at("files.refusals._refuse_archive")
    assert place.shell(str(advice)).code == 0
    succeeded(place.run("group", "t.csv", "--key", "id"))


def test_what_workbooks_and_other_tables_lack(place: Place, proposals: Proposals) -> None:
    reader()
    workbook(place.folder / "t.xlsx", {"Data": [["id", "a"], [1, 2]], "More": [["id"], [3]]})
    place.write("t.csv", ROWS)
    for call, where in (
        (["group", "t.xlsx", "--key", "id"], "tables.workbooks._sheet#2"),
        (["group", "t.xlsx", "--key", "id", "--sheet", "data"], "tables.workbooks._sheet"),
        (
            ["group", "t.xlsx", "--key", "id", "--sheet", "Data", "--comment", "#"],
            "tables.workbooks._refuse_text_options",
        ),
        (["group", "t.csv", "--key", "id", "--sheet", "Data"], "tables.opening._refuse_sheet"),
    ):
        assert place.run(*call).code in (1, 2)
        succeeded(place.run(*applied(call, proposals.at(where), {})))


def test_a_document_and_a_file_of_weka_are_called_what_they_are(place: Place) -> None:
    with zipfile.ZipFile(place.folder / "letter.docx", "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("word/document.xml", "<x/>")
    place.write("f.arff", "@relation a\n@data\n1,2,b\n")
    assert "no workbook; save the table" in place.run("group", "letter.docx", "--key", "a").err
    for command in (["group", "f.arff", "--key", "0"], ["pad", "f.arff"]):
        assert "a file of Weka" in place.run(*command).err


def test_the_disk_is_full(place: Place, proposals: Proposals, monkeypatch: pytest.MonkeyPatch) -> None:
    (place.folder / "roomy").mkdir()
    with pytest.raises(DataError, match="--temp-dir DIR, or allow more memory: --max-memory SIZE"):
        Spool(place.folder).check_room(10**18)
    with (
        pytest.raises(DataError, match="--temp-dir DIR, or allow more memory: --max-memory SIZE"),
        Spool()._explained(),
    ):
        raise OSError(28, "")
    place.write("t.npy", DENSE)
    call = ["pad", "t.npy", "-o", "o.npz"]
    for where in ("arrays.spool._more_room", "arrays.spool._more_room#2"):
        succeeded(place.run(*applied(call, proposals.at(where), {"DIR": "roomy", "SIZE": "1G"})))
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=0))
    assert "see --dry-run" in place.run(*call).err
    succeeded(place.run(*applied(call, proposals.at("commands._deliver._check_room"), {})))


def test_there_is_no_room_for_what_comes_in(
    place: Place, proposals: Proposals, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place.folder / "roomy").mkdir()

    def full(*_: object) -> None:
        raise OSError(28, "")

    with monkeypatch.context() as patch:
        patch.setattr("shutil.copyfileobj", full)
        assert place.run("pad", stdin=b"1 2\n").code == 1
    advice = proposals.at("files.temporary.spooled")
    succeeded(place.run(*applied(["pad"], advice, {"DIR": "roomy"}), stdin=b"1 2\n"))


def test_an_empty_pipe_and_a_closed_or_shown_output(
    place: Place, proposals: Proposals, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write("t.txt", "1 2\n")
    assert place.run("pad", stdin=b"").code == 1
    first = " ".join(["seqtool", *applied(["pad", "t.txt"], proposals.at("files.inputs._empty"), {})])
    assert place.shell(f"{first} | seqtool pad > o.npz").code == 0
    with monkeypatch.context() as patch:
        patch.setattr("sys.stdout", None)
        with pytest.raises(DataError, match=r"closed; name a file: -o FILE$"), Destination(None).open():
            pass
    words = applied(["pad", "t.txt"], proposals.at("files.outputs._stdout_handle"), {"FILE": "o.npz"})
    assert place.shell(f"{shlex.join(['seqtool', *words])} >&-").code == 0


def test_out_of_memory_and_no_input(
    place: Place, proposals: Proposals, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write("t.npy", DENSE)
    assert place.run("pad").code == 2
    help_ = place.run(*applied([], proposals.at("cli._explain"), {}))
    assert b"Usage: seqtool pad" in succeeded(help_).out

    def full(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("seqtool.commands._source.one_source", full)
        assert place.run("pad", "t.npy").code == 1
    again = place.run(*applied(["pad", "t.npy"], proposals.at("cli._explain#2"), {}))
    assert "would write" in succeeded(again).err


def test_padding_would_take_many_times_the_memory(
    place: Place, proposals: Proposals, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write("t.txt", "1\n" * 99 + "1 " * 1000 + "\n")
    with monkeypatch.context() as patch:
        patch.setattr("seqtool.operations.pad.budget", lambda: 1000)
        assert place.run("pad", "t.txt").code == 1
        for where in (
            "operations.pad.check_blow_up",
            "operations.pad.check_blow_up#2",
            "operations.pad.check_blow_up#3",
        ):
            succeeded(place.run(*applied(["pad", "t.txt"], proposals.at(where), {})))


def test_the_size_of_memory_in_the_environment(place: Place, proposals: Proposals) -> None:
    place.write("t.npy", DENSE)
    assert place.run("pad", "t.npy", environment={"SEQTOOL_MAX_MEMORY": "1M"}).code == 2
    name, size = proposals.at("system.memory._named#2").words[0].split("=")
    succeeded(place.run("pad", "t.npy", environment={name: size}))


def test_parts_of_a_key(place: Place, proposals: Proposals) -> None:
    data = ours([1], [2, 3]).replace(keys=np.array(["a", "a"]))
    written(place, {"t.npz": data.replace(per_sequence={"part": np.array([0, 5])})})
    assert place.run("info", "t.npz", "--sequence", "a").code == 1
    succeeded(
        place.run(
            *applied(
                ["info", "t.npz", "--sequence", "a"], proposals.at("inspecting.describe._which_part"), {}
            )
        )
    )


def test_order_values_are_stored_by_grouping_again(place: Place, proposals: Proposals) -> None:
    place.write("t.csv", "id,t,a\n1,5,2\n1,4,3\n")
    call = ["group", "t.csv", "--key", "id", "--order-by", "t", "-o", "o.npz", "--ragged"]
    succeeded(place.run(*call))
    data = seqtool.load(place.folder / "o.npz")
    assert isinstance(data, seqtool.Ragged)
    with pytest.raises(DataError, match="group again with --keep-order"):
        first_order(data, "--at")
    succeeded(place.run(*applied(call, proposals.at("sequences.orders.order_columns"), {})))
    again = seqtool.load(place.folder / "o.npz")
    assert isinstance(again, seqtool.Ragged)
    assert first_order(again, "--at").values[:].tolist() == [4, 5]


def test_rows_are_numbered_when_they_are_grouped(place: Place, proposals: Proposals) -> None:
    place.write("t.csv", ROWS)
    place.write("p.npy", np.arange(2))
    call = ["group", "t.csv", "--key", "id", "-o", "g.npz"]
    succeeded(place.run(*call))
    beside = ["unpad", "g.npz", "--add", "p=p.npy", "--rows", "t.csv", "-o", "r.csv"]
    assert place.run(*beside).code == 1
    succeeded(place.run(*applied(call, proposals.at("unpadding.rows.check_row_index"), {})))
    succeeded(place.run(*beside))


def test_shards(place: Place, proposals: Proposals) -> None:
    place.write("t.csv", "id,t,a\n1,5,2\n1,4,3\n2,1,7\n")
    group = ["group", "t.csv", "--key", "id"]

    def works(call: list[str], where: str, *, code: int = 2, fill: dict[str, str] | None = None) -> None:
        assert place.run(*call).code == code
        succeeded(place.run(*applied(call, proposals.at(where), fill or {})))

    works([*group, "--shards", "2"], "commands._shards.ShardOptions._check_output", fill={"NAME/": "a/"})
    works(
        [*group, "--shards", "2", "-o", "b/", "--maxlen", "3", "--pre"],
        "commands._shards.ShardOptions._check_output#2",
    )
    place.write("died.csv", "id,died\n1,no\n2,yes\n")
    works(
        [*group, "--shards", "2", "-o", "c/", "--label", "died.csv:died"],
        "commands._shards.ShardOptions.refuse_other_tables",
    )
    works([*group, "--shards", "2", "-o", "a/"], "sharding.target.OutputFolder.__init__", code=1)
    with pytest.raises(DataError):
        seqtool.load(place.folder / "a", mmap=True)
    call = applied([], proposals.at("files.shards.ShardedArrays.map"), {})
    succeeded(place.run(*call, "-o", "one.npz"))
    blank = ["--key-blank-lines", "--no-header", "--delimiter", "tab", "--columns", "0"]
    for name in ("p.tsv", "q.tsv"):
        place.write(name, "1\tx\n2\ty\n\n3\tz\n")
    works(
        ["group", "p.tsv", "q.tsv", *blank, "--shards", "2", "-o", "d/"],
        "commands._shards.ShardOptions.refuse_counted_keys",
    )
    both = [*group, "-o", "e/", "--engine", "spark", "--master", "local", "--remote", "sc://h"]
    assert place.run(*both).code == 2
    assert proposals.at("commands._shards.ShardOptions.check").without == ("--master",)
    assert proposals.at("commands._shards.ShardOptions.check#2").without == ("--remote",)
    for option, engine, where in (
        ("--master", "spark", "commands._shards.ShardOptions.check#3"),
        ("--scheduler", "dask", "commands._shards.ShardOptions.check#4"),
    ):
        assert place.run(*group, "-o", "e/", option, "x").code == 2
        assert proposals.at(where).words == ("--engine", engine)
    piped = ["group", "--key", "id", "--engine", "dask", "-o", "f/"]
    rows = (place.folder / "t.csv").read_bytes()
    assert place.run(*piped, stdin=rows).code == 2
    succeeded(
        place.run(*applied(piped, proposals.at("commands._shards.ShardOptions.check#5"), {}), stdin=rows)
    )


def test_large_keys_that_fell_into_one_shard(
    place: Place, proposals: Proposals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "seqtool.sharding.group.SORTING", 10**9
    )  # bytes a row, so that nothing fits into memory
    keys = [key for key in range(100) if shard_of([key], 4) == 1][:6]
    place.write("t.csv", "id,a\n" + "".join(f"{key},{i}\n" for key in keys for i in range(50)))
    call = split("group t.csv --key id --shards 4 -o out/ --dry-run --json")
    before = json.loads(succeeded(place.run(*call)).err)
    assert "shard 1 gets" in before["warnings"][0]
    after = json.loads(succeeded(place.run(*applied(call, proposals.at("sharding.skew.caution"), {}))).err)
    assert max(after["of_shards"]) < max(before["of_shards"])


def test_all_of_a_large_file_is_read_when_asked(
    place: Place, proposals: Proposals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqtool.inspecting.describe._SMALL", 1)
    written(place, {"t.npz": seqtool.pad([np.array([1, 2])])})
    call = ["info", "t.npz"]
    assert b"were not looked at" in succeeded(place.run(*call)).out
    again = succeeded(place.run(*applied(call, proposals.at("inspecting.show_file._not_read"), {})))
    assert b"were not looked at" not in again.out


@pytest.mark.matplotlib
def test_pictures(place: Place, proposals: Proposals) -> None:
    written(place, {"t.npz": seqtool.pad([np.array([1, 2])])})
    assert place.run("plot", "t.npz", "--feature", "a").code == 1
    succeeded(
        place.run(
            *applied(["plot", "t.npz", "--feature", "a"], proposals.at("plotting.features.find_feature"), {})
        )
    )
    assert proposals.at("commands.plot.plot").words == ("-o", "-")
    written(place, {"f.npz": seqtool.pad([np.ones((2, 3, 3))])})
    assert place.run("plot", "f.npz", "--feature", "0").code == 1
    words = applied(["plot", "f.npz", "--feature", "0"], proposals.at("plotting.features.find_feature#2"), {})
    succeeded(place.run(*words))


def test_plan_proposes_what_group_does(place: Place) -> None:
    place.write("t.csv", "id,a,b,c\n1,2,x,3\n1,?,y,4\n2,5,z,6\n2,6,z,7\n")
    facts = json.loads(succeeded(place.run("plan", "t.csv", "--key", "id", "--json")).out)
    assert facts["command"] is None
    assert facts["warnings"][0].endswith("as a missing value: --missing '?'; without this column: --drop a")
    facts = json.loads(succeeded(place.run("plan", "t.csv", "--key", "id", "--missing", "?", "--json")).out)
    succeeded(place.run(*split(facts["command"])[1:]))


def test_a_float_type_that_is_asked_for_rounds_and_counts(place: Place) -> None:
    place.write("pop.csv", "id,pop\n1,1318683096\n1,31889923\n2,8425333\n")
    done = succeeded(place.run("group", "pop.csv", "--key", "id", "--dtype", "float32"))
    assert "warning: pop: 2 whole numbers were rounded to float32; choose --dtype int64" in done.err
    assert place.arrays("pop.group.npz")["x"].dtype == np.float32
    place.write("more.csv", "id,pop,life\n1,1318683096,0.5\n")
    assert place.run("group", "more.csv", "--key", "id").code == 1


def test_infinities_are_no_large_numbers(place: Place) -> None:
    place.write("t.csv", "id,a\n1,inf\n1,0.5\n2,-inf\n")
    assert "16,777,216" not in succeeded(place.run("group", "t.csv", "--key", "id")).err


# What Python alone shows.


def test_files_that_are_to_be_loaded(place: Place, proposals: Proposals) -> None:
    written(place, {"t.npy": DENSE, "t.csv": ROWS, "f.npz": npz(x=DENSE)})
    seqtool.save(place.folder / "c.npz", ours([1]), compress="fast")
    from seqtool.training.sequence_file import SequenceFile

    output = [
        ("training.sequence_file.SequenceFile.__init__", "t.csv"),
        ("training.sequence_file.SequenceFile.__init__#2", "t.npy"),
    ]
    for where, name in (*output, ("files.npz.read_meta", "f.npz")):
        with pytest.raises(DataError, match="seqtool"):
            SequenceFile(place.folder / name)
        words = applied([], proposals.at(where), {"FILE": name, "COLUMN": "id"})
        words = [Path(word).name if word.endswith(".npz") else word for word in words]
        succeeded(place.run(*words, "-o", "made.npz"))
        assert len(SequenceFile(place.folder / "made.npz"))
    with pytest.raises(DataError, match="compressed"):
        seqtool.load(place.folder / "c.npz", mmap=True)
    words = applied([], proposals.at("files.zip_reader.ZipReader.map"), {})
    succeeded(
        place.run(*[Path(word).name if word.endswith(".npz") else word for word in words], "-o", "plain.npz")
    )
    assert len(seqtool.load(place.folder / "plain.npz", mmap=True)) == 1
    pq.write_table(pa.table({"a": [[1, 2], [3]]}), place.folder / "lists.parquet")
    with pytest.raises(DataError, match="not written by seqtool"):
        seqtool.load(place.folder / "lists.parquet")
    succeeded(place.run(*applied([], proposals.at("files.archives.archive_at"), {}), "-o", "lists.npz"))
    assert len(seqtool.load(place.folder / "lists.npz")) == 2
    succeeded(place.run("convert", "c.npz", "-o", "c.parquet"))
    with pytest.raises(DataError, match="holds rows"):
        seqtool.load(place.folder / "c.parquet", mmap=True)
    words = applied([], proposals.at("files.stored.StoredArrays.map"), {})
    succeeded(place.run(*words, "-o", "arrays.npz"))
    assert len(seqtool.load(place.folder / "arrays.npz", mmap=True)) == 1


def test_columns_beside_sequences_that_are_no_table(proposals: Proposals) -> None:
    with pytest.raises(UsageError, match="leave key out"):
        seqtool.pad([[1]], key="id")
    assert proposals.at("sources.pad._refuse_columns") == Advice(without=["--key"])


def test_a_key_that_is_not_named(proposals: Proposals) -> None:
    frame = pd.DataFrame({"b": [1, 2, 3], "a": [1, 1, 2]})
    with pytest.raises(UsageError, match='such as key="a"') as refused:
        seqtool.group(frame, key=[])
    assert refused.value.advice == (proposals.at("api._refuse_no_key"),)
    assert len(seqtool.group(frame, key="a")) == 2
    with pytest.raises(UsageError, match='such as key="0"') as refused:
        seqtool.group(frame[["b"]], key=[])
    assert refused.value.advice == (proposals.at("grouping.spec.GroupSpec._check_key#3"),)
    assert len(seqtool.group(frame[["b"]], key="0", keep_key=True)) == 3


@pytest.mark.parametrize("call", ["group {} --key 0", "info {} --sequence 0", "check good.npz --against {}"])
@pytest.mark.parametrize("name", ["-a.npz", "-"])
def test_a_proposed_call_names_its_source_as_a_command_takes_it(call: str, name: str, place: Place) -> None:
    """A name that begins with a hyphen is no option, and standard input is -."""
    place.write("good.npz", npz(x=DENSE[..., None]))
    place.write("-a.npz", npz(x=DENSE[..., None], lengths=[99] * len(DENSE)))
    stdin = place.folder / "-a.npz" if name == "-" else None
    done = place.run(*call.format(f"./{name}" if name != "-" else name).split(), stdin=stdin)
    proposed = re.search(r"seqtool (pad|check) (\S+)", done.err)
    assert proposed is not None, done.err
    assert proposed[2] == ("-" if name == "-" else "./-a.npz")
    again = place.run(*proposed[0].split()[1:], stdin=stdin)
    assert (again.code == 2, "No such option" in again.err) == (False, False)


# The mechanism.

ELSEWHERE = {  # what needs a terminal or a framework, and the test that runs it
    "files.outputs._refuse_terminal": "test_an_empty_pipe_and_a_closed_or_shown_output",
    "codegen.programs.program_for": "test_ids_in_a_column_are_embedded",
    "grouping.encoder.Encoder.check_items": "test_too_many_items_are_refused in tests/shapes/test_pivot.py",
    "operations.run._fitted_on": "tests/operations/test_operation.py",
    "keras._padded_with": "tests/frameworks/test_keras.py",
    "torch.batch.to_packed": "tests/frameworks/test_torch.py",
}


def test_no_piece_of_advice_is_left_out() -> None:
    """Each place that makes one has a case, or is named in a test of this module."""
    found = {case.place for case in CASES} | {where for where, *_ in [*CHECKS, *IN_FINDINGS]} | {*ELSEWHERE}
    source = Path(__file__).read_text(encoding="utf-8")
    left = [place for place in places().values() if place not in found and f'"{place}"' not in source]
    assert left == []
    assert found <= {*places().values()}


def test_errors_and_summaries_carry_their_advice(place: Place) -> None:
    place.write("t.csv", "id,a,b\n1,16777217,0.5\n")
    failed = json.loads(place.run("group", "t.csv", "--key", "id", "--json").err)
    assert failed["advice"] == ["--dtype float64"]
    place.write("t.csv", "id,a\nNA,1\n")
    warned = json.loads(succeeded(place.run("group", "t.csv", "--key", "id", "--json")).err)
    assert warned["advice"] == ["--missing NA --empty-key drop"]


def test_a_sentence_carries_the_advice_of_its_parts() -> None:
    inner = DataError("no; ", Advice("--dtype", "int64"))
    with pytest.raises(DataError) as refused, errors.at("t.csv"):
        raise DataError(Message(inner, ", or "), Advice(without=["--mask"]))
    assert str(refused.value) == "t.csv: no; --dtype int64, or leave --mask out"
    assert refused.value.advice == (Advice("--dtype", "int64"), Advice(without=["--mask"]))


ONLY_NAMED = (  # where an option is spoken of, and not proposed
    "--traceback shows where",
    "; group and pad make them of names with --category",
    "--engine spark needs Java",
    "--engine spark without --remote starts Spark",
    " too small for --max-memory, which each task takes",
    ": a further column of the key does, and --where leaves it out",
    "without --compress: ",
    "--key groups the rows of tables: ",
    "as --order-by says",
    " in --order-by; ",
    "item not in --columns",
    " an item that --columns names",
    ", and --time-unit is of times: ",
    " are its features, which --columns chooses",
    " is no feature unless --columns names it",
    "(--dtype)",
    " match --key-from ",
    " matches --key-from ",
    " of --key-from is a static number",
    "; --key-from {} has no part ",
    " of --key-from both name the ",
    ", and --gap ",
    "; --gap is measured in numbers or times",
    " of which --key-from takes one a file",
    " and --order-by C:text sorts as text",
    " and --order-by C:desc descends",
    "\n\nExample: seqtool ",
)


def test_words_alone_propose_nothing() -> None:
    """An option that a message proposes stands in an Advice; a message may begin with those that were given."""
    found = []
    for path in paths():
        if path.name not in ("option_names.py", "_completion.py", "advice.py"):
            for text in messages(parsed(path)):
                message = re.sub(r"^(--[a-z-]+(, | and )?)+", "", text)
                if re.search(r"(?<=[ (:;])(--[a-z]|-o )", message) and not any(
                    one in text for one in ONLY_NAMED
                ):
                    found.append((path.name, text))
    assert found == []


def messages(tree: ast.AST) -> Iterator[str]:
    """The texts of a module that are neither documentation nor help."""
    pending = [*ast.iter_child_nodes(tree)]
    while pending:
        child = pending.pop()
        called = child.func if isinstance(child, ast.Call) else None
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name in ("Option", "Argument", "choice", "Advice") or (
            isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        ):
            continue
        if isinstance(child, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "{}" for part in child.values
            )
        elif isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value
        else:
            pending += ast.iter_child_nodes(child)
