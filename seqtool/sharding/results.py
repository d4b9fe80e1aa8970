"""The results of grouping the shards as the result of grouping all rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from seqtool.grouping.folding import Folded
from seqtool.grouping.group import GroupResult
from seqtool.grouping.options import COMBINED, EMPTY, GroupOptions
from seqtool.sequences.receipts import Rows
from seqtool.words import count


def merged(results: Sequence[GroupResult], options: GroupOptions) -> GroupResult:
    """One result of those of all shards, without their sequences; what is said of columns is the same in each."""
    first = results[0]
    rows = Rows(
        sum(one.rows.rows_in for one in results),
        sum(one.rows.kept for one in results),
        sum(one.rows.cut for one in results),
        _sums([one.rows.dropped for one in results]),
        _sums([one.rows.added for one in results]),
    )
    by_steps = options.every is not None or options.pivot is not None
    of_features = _sums([{name: one.missing.get(name, 0) for name in one.features} for one in results])
    missing = {**first.missing, **{name: n for name, n in of_features.items() if n}}
    return replace(
        first,
        rows=rows,
        missing=missing if by_steps else first.missing,
        ties=sum(one.ties for one in results),
        warnings=_warnings(results),
        pivoted=_pivoted(results),
        grid=None if options.every is None else _grid(rows, options),
        valueless=[name for name in first.valueless if all(name in one.valueless for one in results)],
    )


def _sums(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(total)


def _warnings(results: Sequence[GroupResult]) -> list[str]:
    """The warnings of all shards: each once, with the shards that say the same of other numbers."""
    alike: dict[str, list[str]] = {}
    for one in results:
        for text in one.warnings:
            alike.setdefault(re.sub(r"[\d,.]+", "0", text), []).append(text)
    found = []
    for texts in alike.values():
        others = len(texts) - 1 if len({*texts}) > 1 else 0
        found.append(
            f"in one shard: {texts[0]} (and so, with other numbers, in {count(others, 'other')})"
            if others
            else texts[0]
        )
    return found


def _pivoted(results: Sequence[GroupResult]) -> Folded | None:
    """What became of the rows of a long table in all shards."""
    parts = [one.pivoted for one in results if one.pivoted is not None]
    if not parts:
        return None
    return Folded(
        parts[0].features,
        sum(part.steps for part in parts),
        sum(part.rows for part in parts),
        sum(part.repeated for part in parts),
        _sums([part.missing for part in parts]),
        sum(part.empty for part in parts),
    )


def _grid(rows: Rows, options: GroupOptions) -> str:
    from seqtool.grouping.stepping import grid_line

    steps = rows.rows_in - rows.dropped.get(COMBINED, 0)
    return grid_line(options, rows.rows_in, steps, rows.added.get(EMPTY, 0))
