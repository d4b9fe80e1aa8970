"""`filter`: keep some sequences, by their length, their key, a condition, or by chance."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from seqtool.advice import Advice
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, UsageError, refuse_without_subject
from seqtool.operations.operation import Argument, Operation, Outcome, as_function
from seqtool.words import count

if TYPE_CHECKING:
    from seqtool.arrays.dtypes import Array
    from seqtool.arrays.lazy import AnyArray
    from seqtool.arrays.spool import Spool
    from seqtool.operations.key_list import GivenKeys, KeyList
    from seqtool.sequences.conditions import Condition
    from seqtool.sequences.ragged import Ragged


@dataclass(frozen=True)
class Filter(Operation):
    """Keep some sequences, by length, key, condition or chance.

    They keep their order, their steps and all that belongs to them; what is left out is counted by its reason. A
    condition, in the language of group, names length, key or the columns of the key, y or the columns of labels
    (their classes by name), static columns, part and split. A file of keys has one in each line, as they are written;
    the columns of one are parted by tabs or commas; in Python keys may be a list or an array of them. A sample
    depends on seed and keys alone, never on their order.

    Example: seqtool filter train.npz --where "y == 3 and length > 10"

    >>> import seqtool as st
    >>> st.filter({"a": [1], "b": [2, 3], "c": [4, 5, 6]}, where="length > 1 and key != c").keys.tolist()
    ['b']
    """

    min_len: Annotated[int | None, Argument("Drop sequences of fewer steps.", metavar="N", least=0)] = None
    max_len: Annotated[int | None, Argument("Drop sequences of more steps.", metavar="N", least=0)] = None
    keys: Annotated[str | None, Argument("Keep the keys in the lines of FILE.", metavar="FILE")] = None
    where: Annotated[
        str | None, Argument("Keep sequences of which this is true, such as 'y == 3'.", metavar="EXPR")
    ] = None
    first: Annotated[int | None, Argument("Keep the first N that are left.", metavar="N", least=1)] = None
    sample: Annotated[int | None, Argument("Draw N of those that are left.", metavar="N", least=1)] = None
    seed: Annotated[int, Argument("Random seed.", metavar="N", least=0)] = 0
    allow_empty: Annotated[bool, Argument("Do not fail where no sequence is left.")] = False

    def __post_init__(self) -> None:
        keys = _file_or_keys(self.keys)
        object.__setattr__(self, "keys", keys if isinstance(keys, str) else None)
        super().__post_init__()
        object.__setattr__(self, "keys", keys)  # keys themselves, too, which no option can hold
        named = (self.min_len, self.max_len, self.keys, self.where, self.first, self.sample)
        if all(one is None for one in named):
            ways = Advice("--min-len", "N"), ", ", Advice("--where", "EXPR"), " or ", Advice("--sample", "N")
            raise UsageError("nothing to filter by; name what to keep: ", *ways)
        if self.min_len is not None and self.max_len is not None and self.min_len > self.max_len:
            raise UsageError(
                f"--max-len is {self.max_len}; it must be at least {self.min_len}, the least length"
            )
        if self.first is not None and self.sample is not None:
            raise UsageError("--first and --sample are two ways to choose: ", Advice(without=["--first"]))
        if self.seed and self.sample is None:
            refuse_without_subject("--seed", "--sample", Advice("--sample", "N"))
        if self.where is not None:
            from seqtool.where import parse

            parse(self.where)

    def arguments(self) -> dict[str, Any]:
        """Its arguments by name; of a file of keys its base name, of many keys their number and hash."""
        keys: Any = self.keys
        shown = Path(keys).name if isinstance(keys, str) else keys and keys.described()
        return {**super().arguments(), "keys": shown}

    def apply(self, ragged: Ragged, state: Any, *, spool: Spool) -> Outcome:
        """The sequences that are kept; the steps of all others are counted as dropped, by reason."""
        import numpy as np

        from seqtool.arrays.lazy import chunks, span
        from seqtool.arrays.spool import GrowingArray
        from seqtool.sequences.take import take

        rules = self._rules(ragged)
        places, left = GrowingArray(spool, np.dtype(np.int64)), _LeftOut()
        for begin, lengths in chunks(ragged.lengths, _TOGETHER):
            kept = np.ones(len(lengths), bool)
            for reason, fails in rules.failing(begin, lengths):
                left.add(reason, lengths[kept & fails])
                kept &= ~fails
            places.add(np.flatnonzero(kept) + begin)
        which = self._chosen(ragged, places.done(), spool)
        found = ragged if len(which) == len(ragged) else take(ragged, which, spool=spool)
        if len(which) < len(places):
            how = (
                f"not among the first {self.first}"
                if self.sample is None
                else f"not in the sample of {self.sample}"
            )
            others = span(ragged.lengths).total - left.total - span(found.lengths).total
            left.add_all(how, len(places) - len(which), others)
        if len(ragged) and not len(which) and not self.allow_empty:
            raise DataError(f"no sequence is left ({left}); to allow that: ", Advice("--allow-empty"))
        few = self.sample is not None and len(places) < self.sample
        only = [f"a sample of {self.sample} was asked for, but {count(len(places), 'sequence')} are left"]
        return Outcome(
            found,
            dropped=left.steps,
            lines=[("kept", f"{len(which):,} of {count(len(ragged), 'sequence')}"), *left.lines()],
            warnings=[*rules.warnings(), *(only if few else [])],
        )

    def _rules(self, ragged: Ragged) -> _Rules:
        from seqtool.operations.key_list import KeyList
        from seqtool.sequences.conditions import Condition

        listed = None if self.keys is None else KeyList.of(self.keys, ragged.keys)
        condition = None if self.where is None else Condition(self.where, ragged)
        return _Rules(self.min_len, self.max_len, listed, condition)

    def _chosen(self, ragged: Ragged, places: AnyArray, spool: Spool) -> AnyArray:
        """Of the places of sequences the first ones, or a sample, in their order."""
        if self.sample is None:
            return places if self.first is None else places[: self.first]
        from seqtool.sequences.key_hash import least_hashes

        return (
            places
            if len(places) <= self.sample
            else least_hashes(ragged, places, self.seed, self.sample, spool=spool)
        )


def _file_or_keys(keys: Any) -> str | GivenKeys | None:
    """The name of a file of keys, or keys themselves."""
    from seqtool.operations.key_list import GivenKeys

    if keys is None:
        return None
    return str(keys) if isinstance(keys, (str, os.PathLike)) else GivenKeys.of(keys)


_TOGETHER = 1 << 19  # bytes of lengths whose sequences are judged together


@dataclass(frozen=True)
class _Rules:
    """What sequences are judged by, one after another: a sequence is left out for the first rule that it fails."""

    min_len: int | None
    max_len: int | None
    keys: KeyList | None
    condition: Condition | None

    def failing(self, begin: int, lengths: Array) -> Iterator[tuple[str, Array]]:
        """Each reason with the sequences that fail by it, of those from number `begin` on, which have these lengths."""
        if self.min_len is not None:
            yield f"sequence under {self.min_len} steps", lengths < self.min_len
        if self.max_len is not None:
            yield f"sequence over {self.max_len} steps", lengths > self.max_len
        if self.keys is not None:
            yield self.keys.reason, ~self.keys.holds(begin, begin + len(lengths))
        if self.condition is not None:
            selected, missing = self.condition.selected(begin, begin + len(lengths))
            yield "left out by where, for a cell is missing", missing
            yield "left out by where", ~selected

    def warnings(self) -> list[str]:
        """What is odd about the rules, once all sequences were judged."""
        return [] if self.keys is None else self.keys.warnings()


@dataclass
class _LeftOut:
    """How many sequences, and steps of them, were left out for each reason."""

    sequences: dict[str, int] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All steps that were left out."""
        return sum(self.steps.values())

    def add(self, reason: str, lengths: Array) -> None:
        """Count the sequences of these lengths."""
        self.add_all(reason, len(lengths), int(lengths.sum()))

    def add_all(self, reason: str, sequences: int, steps: int) -> None:
        """Count so many sequences of so many steps in all."""
        self.sequences[reason] = self.sequences.get(reason, 0) + sequences
        self.steps[reason] = self.steps.get(reason, 0) + steps

    def lines(self) -> list[tuple[str, str]]:
        """A line of the summary for each reason."""
        return [
            ("dropped", f"{count(number, 'sequence')}, {count(self.steps[reason], 'step')}: {reason}")
            for reason, number in self.sequences.items()
            if number
        ]

    def __str__(self) -> str:
        return ", ".join(f"{reason}: {number:,}" for reason, number in self.sequences.items() if number)


filter = as_function(Filter)
