"""Columns of labels: classes, or numbers."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, MutableSequence, Sequence
from dataclasses import field, replace
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array, first_loss
from seqtool.arrays.many_texts import ManyTexts
from seqtool.arrays.spool import Spool
from seqtool.arrays.text import Text, in_order
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.sequences.categories import FIRST, MISSING
from seqtool.sequences.padding_values import UNLABELLED
from seqtool.system.memory import Memory
from seqtool.tables.cells.cells import (
    BadCell,
    Row,
    UnseenError,
    added_counts,
    earliest,
    in_file,
    is_text,
    plain,
    reads_as_missing,
    row_of,
)
from seqtool.tables.cells.column import Column
from seqtool.tables.cells.keys import refuse_nul, spelled
from seqtool.tables.cells.label_meaning import are_numbers, label_number, meaning_of, meaning_of_many


@dataclass
class LabelState:
    """What is known of a label column: its distinct texts in the order of their first rows.

    `codes` numbers the texts from 0 in that order, and `rows` holds the first row of each, so that neither depends on
    the order in which parts of a table are merged. Three counts of rows by text: `absent` of texts that are no labels,
    for they are empty or were named as missing; `doubtful` of words for a missing value, which may also be the names of
    classes; `words` of the first one or two texts that are no numbers.

    The state grows in place; texts that are too many for memory move to a spool.
    """

    codes: Mapping[str, int] = field(default_factory=dict)
    rows: MutableSequence[Row] = field(default_factory=list)
    absent: dict[str, int] = field(default_factory=dict)
    doubtful: dict[str, int] = field(default_factory=dict)
    bad: BadCell | None = None
    words: dict[str, int] = field(default_factory=dict, compare=False, repr=False)

    def merge(self, other: LabelState) -> LabelState:
        """What is known of the rows of both.

        >>> LabelState({"b": 0}, [5]).merge(LabelState({"a": 0, "b": 1}, [2, 9])).codes
        {'a': 0, 'b': 1}
        """
        first: dict[str, Row] = dict(zip(self.codes, self.rows, strict=True))
        for text, row in zip(other.codes, other.rows, strict=True):
            first[text] = min(first.get(text, row), row)
        texts = sorted(first, key=first.__getitem__)
        return LabelState(
            {text: code for code, text in enumerate(texts)},
            [first[text] for text in texts],
            added_counts(self.absent, other.absent),
            added_counts(self.doubtful, other.doubtful),
            earliest(self.bad, other.bad),
            added_counts(self.words, other.words),
        )

    def in_file(self, file: int) -> LabelState:
        """The same, its rows as those of the file with this number."""
        return replace(self.copy(), rows=[(file, row) for row in self.rows], bad=in_file(self.bad, file))

    def copy(self) -> LabelState:
        """A copy that grows independently."""
        return LabelState(
            dict(self.codes),
            list(self.rows),
            dict(self.absent),
            dict(self.doubtful),
            self.bad,
            dict(self.words),
        )

    def text(self, code: int) -> str:
        """The label behind a code."""
        return next(iter(self.texts(code, code + 1)))

    def texts(self, begin: int, end: int) -> Iterable[str]:
        """The labels with the codes from `begin` to before `end`."""
        codes = self.codes
        return codes.between(begin, end) if isinstance(codes, ManyTexts) else islice(codes, begin, end)

    def row(self, text: str) -> Row:
        """The first row of a label."""
        return self.rows[self.codes[text]]

    def find(self, texts: Sequence[str]) -> Array:
        """The codes of some texts, (n,) int64; -1 for those that are unknown."""
        if isinstance(self.codes, ManyTexts):
            return self.codes.find(texts)
        return np.array([self.codes.get(text, -1) for text in texts], np.int64)

    def add(self, texts: Sequence[str], rows: Sequence[Row]) -> None:
        """Add new labels, each with its first row."""
        if isinstance(self.codes, ManyTexts):
            self.codes.add(texts)
        elif isinstance(self.codes, dict):
            self.codes.update({text: code for code, text in enumerate(texts, len(self.codes))})
        self.rows.extend(rows)

    def spooled(self, spool: Spool) -> ManyTexts:
        """Move the texts to a spool, unless they are there already; returns them."""
        if isinstance(self.codes, ManyTexts):
            return self.codes
        many = ManyTexts(spool)
        texts = [*self.codes]
        for begin in range(0, len(texts), _TOGETHER):
            many.add(texts[begin : begin + _TOGETHER])
        self.codes, self.rows = many, array("q", self.rows)
        return many

    @property
    def without(self) -> dict[str, int]:
        """The number of rows of each text that is no label; words for a missing value count if all others are numbers.

        >>> LabelState({"7": 0, "NA": 1}, [0, 1], doubtful={"NA": 4}).without
        {'NA': 4}
        """
        if not self.doubtful:
            return dict(self.absent)
        apart = self.absent.keys() | self.doubtful.keys()
        others = are_numbers(text for text in self.codes if text not in apart)
        return {**self.absent, **self.doubtful} if others else dict(self.absent)

    @property
    def missing(self) -> int:
        """The number of rows without a label."""
        return sum(self.without.values())

    @property
    def labelled(self) -> Array:
        """Which codes stand for a label, (codes,) bool."""
        present = np.ones(len(self.codes), dtype=bool)
        present[self.find([*self.without])] = False
        return present

    def vocabulary(self) -> tuple[Array, Array | Text]:
        """The id of each code as that of a category, (codes,) int64, and the names (V,), in code-point order.

        >>> ids, names = LabelState({"b": 0, "": 1, "a": 2}, [0, 1, 2], absent={"": 1}).vocabulary()
        >>> ids.tolist(), names.tolist()
        ([4, 1, 3], ['a', 'b'])
        """
        present = np.flatnonzero(self.labelled)
        names: Array | Text
        if isinstance(self.codes, ManyTexts):
            order, names = in_order(self.codes.text(), present, self.codes.spool)
        else:
            known = [*self.codes]
            order = np.array(sorted(present.tolist(), key=known.__getitem__), np.int64)
            names = np.array([known[code] for code in order.tolist()], dtype=str)
        ids = np.full(len(self.codes), MISSING, np.int64)
        ids[order] = np.arange(FIRST, FIRST + len(order))
        return ids, names

    def finish(self, how: str | None, *, keep: bool = False) -> tuple[Array, Array | Text | None]:
        """The value of each code, (codes,), and the names of the classes, (C,), None where the values are numbers.

        Text and whole numbers become class ids, 0 to C - 1 in sorted order; fractions stay numbers, as float32. `how`
        decides that: "class" or "number". With `keep`, missing labels become NaN among numbers and UNLABELLED among
        classes; without it their values mean nothing. Raises DataError for text that is to be a number, and for numbers
        that would change.
        """
        without = self.without
        present = self.labelled
        kept = keep and not present.all()
        if isinstance(self.codes, ManyTexts):
            values, classes = meaning_of_many(self.codes, present, how, with_nan=kept)
        else:
            chosen = [text for text in self.codes if text not in without]
            values, classes = meaning_of(chosen, how, with_nan=kept)
        missing = 0 if not kept else UNLABELLED if classes is not None else np.nan
        meaning = np.full(len(present), missing, dtype=values.dtype)
        meaning[present] = values
        return meaning, classes


def several_meanings(
    states: Mapping[str, LabelState], how: str | None, *, keep: bool = False
) -> tuple[list[Array], dict[str, Array | Text]]:
    """The values of the codes of several labels, all of one dtype, and tables that describe them.

    The tables are `label_names`, the (L,) names of the labels, and `classes_i`, the names of the classes of label i.
    Text becomes class ids and numbers stay numbers, unless `how` decides; the dtype is float32 if there are fractions,
    else int64. Raises DataError as `LabelState.finish` does, and for a whole number that float32 cannot hold.

    >>> meanings, tables = several_meanings({"time": LabelState({"7": 0}), "event": LabelState({"b": 0, "a": 1})}, None)
    >>> [meaning.tolist() for meaning in meanings], tables["classes_1"].tolist()
    ([[7], [1, 0]], ['a', 'b'])
    """
    meanings, tables = list[Array](), dict[str, Array | Text](label_names=np.array([*states], dtype=str))
    for i, state in enumerate(states.values()):
        meaning, classes = state.finish(how, keep=keep)
        if how is None and classes is not None and classes.dtype.kind == "i":
            meaning, classes = state.finish("number", keep=keep)
        if classes is not None:
            tables[f"classes_{i}"] = classes
        meanings.append(meaning)
    dtype = np.result_type(np.int64 if all(meaning.dtype.kind == "i" for meaning in meanings) else np.float32)
    for name, meaning in zip(states, meanings, strict=True):
        place = first_loss(meaning, dtype)
        if place is not None:
            raise DataError(
                f"label column {name!r} holds {meaning[place]}, which float32 cannot hold, and beside fractions labels "
                "are float32; use ",
                Advice("--label-as", "class"),
                ", or leave this label out",
            )
    return [meaning.astype(dtype, copy=False) for meaning in meanings], tables


def read_labels(array: Any) -> Any:
    """A batch of labels as dictionary-encoded Arrow text, the dictionary in the order of appearance; "" if missing.

    Raises BadCellError for a cell that cannot be a label.

    >>> read_labels(pa.array([3.0, 0.5, None, 3.0])).dictionary.to_pylist()
    ['3', '0.5', '']
    """
    array = spelled(plain(array))
    if not is_text(array):
        array = array.cast(pa.string())
    array = pc.fill_null(array, "")
    refuse_nul(array)
    return array.dictionary_encode()


def encode_labels(array: Any, state: LabelState, how: str | None = None) -> Array:
    """A batch as (n,) class ids or numbers: the values of its labels by a final state, see `LabelState.finish`.

    Raises UnseenError for a label that the state does not know, and what `finish` raises.

    >>> encode_labels(pa.array(["b", "a"]), LabelState({"b": 0, "a": 1, "c": 2}, [0, 1, 2]))
    array([1, 0])
    """
    meaning, _ = state.finish(how)
    return np.asarray(meaning[Labels(state=state, final=True).encode(array)])


_EACH_LABEL, _EACH_LETTER = 400, 17  # bytes of memory: measured
_SPOOLED = 8  # labels that take more than this fraction of memory, 1/8, move to a spool
_MOST_WORDS = 2  # to be counted: only one that is alone matters
_AS_MANY = 4  # times the texts of a batch: where more are known, each is looked up by itself
_TOGETHER = 1 << 12  # texts added to a spool at a time


class Labels(Column[LabelState]):
    """A column of labels: each distinct text gets a code in the order of appearance.

    The state grows in place, for it may hold many labels; its `finish` gives the codes their final meaning.
    """

    def __init__(
        self, missing: Sequence[str] = (), *, state: LabelState | None = None, final: bool = False
    ) -> None:
        # A class may be called none or NA: among text only empty cells, and the words named, are missing.
        self._words = frozenset({"", *map(str, missing)})
        self._texts: list[Any] = []  # those of the state in Arrow, in the order of their codes
        self.bytes = 0  # about the memory of the distinct labels, until they have their final values
        super().__init__(LabelState() if state is None else state if final else state.copy(), final=final)

    @property
    def missing(self) -> int:
        """The number of cells without a label so far."""
        return self.state.missing

    def encode(self, array: Any, first_row: int | Array = 0) -> Array:
        """The batch as (n,) int64 codes."""
        encoded = read_labels(array)
        texts, indices = encoded.dictionary, np.asarray(encoded.indices)
        codes = self._codes_of(texts)
        new = np.flatnonzero(codes < 0)
        added = texts.take(pa.array(new)) if len(new) else texts[:0]
        names = added.to_pylist()
        if names and self._final:
            raise UnseenError(f"label {names[0]!r} was not seen before")
        if names:
            # The dictionary is in the order of appearance, so each first index is higher than all before it.
            firsts = np.flatnonzero(np.diff(np.maximum.accumulate(indices), prepend=-1))[new]
            codes[new] = np.arange(len(new)) + len(self.state.codes)
            self.bytes += _EACH_LABEL * len(new) + _EACH_LETTER * sum(map(len, names))
            self.state.add(names, [row_of(first_row, place) for place in firsts.tolist()])
            self._texts.append(added)
        if not self._final:
            self._count_missing(dict(zip(new.tolist(), names, strict=True)), codes, indices)
        return np.asarray(codes[indices])

    def _codes_of(self, texts: Any) -> Array:
        """The codes of distinct Arrow texts, (n,) int64; -1 for those that are unknown."""
        known = self.state.codes
        if isinstance(known, ManyTexts) or len(known) > _AS_MANY * len(texts):
            return self.state.find(texts.to_pylist())
        same = all(held.type == texts.type for held in self._texts)
        if not same or sum(map(len, self._texts)) != len(known):  # others have added to the state
            self._texts = [pa.array([*known], texts.type)]
        held = pa.chunked_array(self._texts, texts.type)
        return np.asarray(pc.fill_null(pc.index_in(texts, value_set=held), -1)).astype(np.int64)

    def _count_missing(self, new: Mapping[int, str], codes: Array, indices: Array) -> None:
        """Count the rows of each text that is missing or may be, and of the first texts that are no numbers.

        `new` are the texts of a batch that were not known before it, by their places among its texts.
        """
        state, places = self.state, dict(new)
        counted = [*state.absent, *state.doubtful, *(state.words if len(state.words) < _MOST_WORDS else ())]
        for text, code in zip(counted, state.find(counted).tolist(), strict=True):
            places |= dict.fromkeys(np.flatnonzero(codes == code).tolist(), text)
        words = state.words
        for place, text in sorted(places.items()):
            named = text in self._words
            if named or reads_as_missing(text):
                counts = state.absent if named else state.doubtful
            elif len(words) < _MOST_WORDS and label_number(text) is None:
                counts = words
            else:
                continue
            counts[text] = counts.get(text, 0) + int((indices == place).sum())

    def bound(self, spool: Spool, memory: Memory, what: str, share: float = 1.0) -> None:
        """Move labels that take much memory to a spool; raises DataError as `ManyTexts.check_memory` does."""
        if _SPOOLED * self.bytes > memory.limit:
            self._texts = []
            self.state.spooled(spool).check_memory(memory, what, share)

    def text(self, code: int) -> str:
        """The label behind a code."""
        return self.state.text(code)

    def finish(self, how: str | None) -> tuple[Array, Array | Text | None]:
        """The value of each code, and the names of the classes: see `LabelState.finish`."""
        return self.state.finish(how)
