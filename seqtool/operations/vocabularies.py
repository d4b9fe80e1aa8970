"""Vocabularies of categories: which names get ids of their own, in which order, and new ids for old ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, chunks
from seqtool.arrays.many_texts import ManyTexts
from seqtool.arrays.spool import Spool
from seqtool.arrays.text import Text, in_order, joined_text
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, UsageError
from seqtool.sequences.categories import FIRST, UNKNOWN, Category, all_categories, ids_of, with_new_ids
from seqtool.sequences.features import order_of
from seqtool.sequences.key_hash import key_hashes
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.take import taken_rows
from seqtool.words import count, in_short, listed


@dataclass(frozen=True, eq=False)
class Vocabularies:
    """What `encode` learned: the names of each category that have ids of their own, in the order of their ids.

    The last `buckets` of them stand for all others, which are told apart by a hash.
    """

    categories: tuple[str, ...]
    names: tuple[AnyArray | Text, ...]
    buckets: int = 0

    def facts(self) -> dict[str, Any]:
        """How many names each category has; the names themselves stand in the file."""
        buckets = {"buckets": self.buckets} if self.buckets else {}
        return {"categories": [*self.categories], "names": [*map(len, self.names)], **buckets}

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any], ragged: Ragged) -> Vocabularies:
        """The inverse of `facts`; raises DataError where the vocabularies of the sequences are others by now."""
        titles = (*map(str, facts["categories"]),)
        found = {one.name: one.vocabulary for one in all_categories(ragged)}
        sizes = dict(zip(titles, facts["names"], strict=True))
        if {name: len(names) for name, names in found.items()} != sizes:
            raise DataError(
                "the vocabularies are no longer those that were encoded: take a file that encode made"
            )
        return cls(titles, tuple(found[title] for title in titles), int(facts.get("buckets", 0)))

    def ordered_for(self, ragged: Ragged) -> Vocabularies:
        """The same with the categories in the order that sequences have them in."""
        order = order_of(self.categories, [one.name for one in all_categories(ragged)])
        categories = tuple(self.categories[i] for i in order)
        return replace(self, categories=categories, names=tuple(self.names[i] for i in order))

    def finder(self, place: int, spool: Spool) -> Callable[[Sequence[str]], Array]:
        """What gives the places of names, (n,) int64, among those of the category at a place; -1 for unknown ones."""
        few = self._few[place]
        if few is not None:
            return lambda some: np.array([few.get(name, -1) for name in some], np.int64)
        many = ManyTexts(spool)
        for _, some in _pieces(self.names[place]):
            many.add(some)
        return many.find

    @cached_property
    def _few(self) -> list[Mapping[str, int] | None]:
        """The place of each name by category, None where they are not in memory; kept from call to call."""
        return [
            {name: i for i, name in enumerate(names.tolist())} if isinstance(names, np.ndarray) else None
            for names in self.names
        ]

    def with_buckets(self, count: int, spool: Spool) -> Vocabularies:
        """The same with further names, each of which stands for a share of all others."""
        if not count:
            return self
        more = np.array([f"[other {i}]" for i in range(count)])
        return replace(
            self, names=tuple(joined_text([names, more], spool) for names in self.names), buckets=count
        )


def categories_in(ragged: Ragged) -> list[Category]:
    """The categories of sequences; raises DataError where there are none."""
    found = all_categories(ragged)
    if not found:
        raise DataError("the sequences have no categories; group and pad make them of names with --category")
    return found


def counted(ragged: Ragged, category: Category) -> Array:
    """How many steps, or sequences, have each id, (V + 3,) int64; raises DataError for an id that is none."""
    counts = np.zeros(category.rows, np.int64)
    for _, part in chunks(ids_of(ragged, category)):
        if len(part) and not 0 <= int(part.min()) <= int(part.max()) < category.rows:
            wrong = int(part.max()) if part.max() >= category.rows else int(part.min())
            raise DataError(
                f"category {category.name!r} has id {wrong}; 0 to {category.rows - 1:,} were expected"
            )
        counts += np.bincount(part.astype(np.int64, copy=False), minlength=category.rows)
    return counts


def learned(ragged: Ragged, least: int, most: int | None, share: Sequence[str], spool: Spool) -> Vocabularies:
    """The names that at least `least` steps have, `most` at most, by their number of steps, then by name.

    Categories that `share` names have one vocabulary, and count together. Raises UsageError for other names there.
    """
    categories = categories_in(ragged)
    titles = [one.name for one in categories]
    strange = [name for name in share if name not in titles]
    if strange:
        raise UsageError(f"--share: no category {in_short(strange[0])}; there are {listed(titles)}")
    together = [one for one in categories if one.name in share]
    found = {
        one.name: _of_group(ragged, [one], least, most, spool) for one in categories if one not in together
    }
    if together:
        found |= dict.fromkeys(
            [one.name for one in together], _of_group(ragged, together, least, most, spool)
        )
    return Vocabularies((*titles,), tuple(found[title] for title in titles))


def _of_group(
    ragged: Ragged, group: Sequence[Category], least: int, most: int | None, spool: Spool
) -> AnyArray | Text:
    known, total = ManyTexts(spool), np.zeros(0, np.int64)
    for category in group:
        counts = counted(ragged, category)[FIRST:]
        for begin, names in _pieces(category.vocabulary):
            places = known.find(names)
            new = np.flatnonzero(places < 0)
            places[new] = len(known) + np.arange(len(new))
            known.add([names[i] for i in new.tolist()])
            total = np.concatenate([total, np.zeros(len(known) - len(total), np.int64)])
            total[places] += counts[begin : begin + len(names)]
    ordered, _ = in_order(known.text(), np.flatnonzero(total >= least), spool)
    by_count = ordered[np.argsort(-total[ordered], kind="stable")]
    return _names(known.text(), by_count if most is None else by_count[:most], spool)


def _pieces(vocabulary: AnyArray | Text) -> Iterator[tuple[int, list[str]]]:
    for begin, part in chunks(vocabulary):  # type: ignore[arg-type] # text of variable width has pieces of its own
        yield begin, [str(name) for name in np.asarray(part).tolist()]


def _names(text: Text, places: Array, spool: Spool) -> AnyArray | Text:
    """Some cells of text, as an array where they are few."""
    taken = taken_rows(text, places, spool)
    if len(places) > _IN_FIXED_WIDTH or not isinstance(taken, Text):
        return taken
    return np.array(taken.cells(0, len(taken)), dtype=str)


_IN_FIXED_WIDTH = 1 << 16


# New ids


def encoded(
    ragged: Ragged, by: Vocabularies, *, strict: bool, spool: Spool
) -> tuple[Ragged, dict[str, tuple[int, int]]]:
    """The same sequences with ids by other vocabularies; names that these lack become unknown.

    Of each category it also gives how many steps and names are unknown. With `strict` it raises DataError for one that
    is, naming it.
    """
    categories = categories_in(ragged)
    titles = (*(one.name for one in categories),)
    if titles != by.categories:
        raise DataError(
            f"the categories are {listed(titles)}, but encode was fitted on {listed(by.categories)}; the same were "
            "expected"
        )
    maps, lost = list[Array](), dict[str, tuple[int, int]]()
    for place, category in enumerate(categories):
        counts = counted(ragged, category)
        new = _new_ids(category, by, place, spool)
        unknown = np.flatnonzero((new == UNKNOWN) & (counts > 0))
        if strict and len(unknown):
            raise _unknown(category, unknown, counts)
        lost[category.name] = int(counts[unknown].sum()), int((unknown >= FIRST).sum())
        maps.append(new)
    tables = {one.table: names for one, names in zip(categories, by.names, strict=True)}
    return _renumbered(ragged, maps, tables), lost


def decoded(ragged: Ragged, spool: Spool) -> Ragged:
    """The same sequences with ids in the order of their names; unknown ones stay unknown."""
    maps, tables = list[Array](), dict[str, AnyArray | Text]()
    for category in categories_in(ragged):
        known = ManyTexts(spool)
        for _, names in _pieces(category.vocabulary):
            known.add(names)
        order, _ = in_order(known.text(), np.arange(len(known)), spool)
        new = np.arange(category.rows)
        new[FIRST + order] = np.arange(FIRST, category.rows)
        maps.append(new)
        tables[category.table] = _names(known.text(), order, spool)
    return _renumbered(ragged, maps, tables)


def _new_ids(category: Category, by: Vocabularies, place: int, spool: Spool) -> Array:
    """The new id for each old one, (V + 3,) int64; names without one share the last ids, or are unknown."""
    find, buckets, size = by.finder(place, spool), by.buckets, len(by.names[place])
    new = np.full(category.rows, UNKNOWN, np.int64)
    new[:FIRST] = np.arange(FIRST)
    for begin, some in _pieces(category.vocabulary):
        places = find(some)
        ids = np.where(places < 0, UNKNOWN, places + FIRST)
        others = np.flatnonzero(places < 0)
        if buckets and len(others):
            hashes = np.asarray(key_hashes(np.array([some[i] for i in others.tolist()]), None, 0))
            ids[others] = FIRST + size - buckets + (hashes % np.uint64(buckets)).astype(np.int64)
        new[FIRST + begin : FIRST + begin + len(some)] = ids
    return new


def _unknown(category: Category, unknown: Array, counts: Array) -> DataError:
    first, name = int(unknown[0]), "an unknown name"
    if first >= FIRST:
        name = repr(str(category.vocabulary[first - FIRST : first - FIRST + 1][0]))
    holders = count(int(counts[first]), "sequence" if category.of_sequences else "step")
    return DataError(
        f"category {category.name!r} holds {name} in {holders}, which is not among the names "
        "of the training sequences that have ids"
    )


def _renumbered(ragged: Ragged, maps: Sequence[Array], tables: Mapping[str, AnyArray | Text]) -> Ragged:
    changes = {table: new.__getitem__ for table, new in zip(tables, maps, strict=True)}
    return with_new_ids(ragged, changes, np.int64).replace(names={**ragged.names, **tables})
