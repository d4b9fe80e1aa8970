"""`encode`: ids of categories by how often their names stand in the training sequences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from seqtool.dataclass import dataclass
from seqtool.errors import UsageError
from seqtool.operations.operation import Argument, Operation, Outcome, as_function
from seqtool.words import count

if TYPE_CHECKING:
    from seqtool.arrays.spool import Spool
    from seqtool.operations.vocabularies import Vocabularies
    from seqtool.sequences.ragged import Ragged


@dataclass(frozen=True)
class Encode(Operation):
    """Number the names of categories by their count on train.

    Id 0 is padding, 1 a missing and 2 an unknown name; from 3 on come the names of train, the most frequent first, and
    names of one count by their code points. Others become unknown. An Embedding needs a row for each id, which the
    summary tells. group --category makes the categories.

    Example: seqtool encode split.npz --min-count 2 -o encoded.npz

    >>> import numpy as np, seqtool as st
    >>> names = {"categories": np.array(["city"]), "vocabulary_0": np.array(["a", "b", "c"])}
    >>> cities = st.Ragged(np.array([4, 3, 4, 1]), np.array([0, 4]), names=names)
    >>> encoded = st.encode(cities)  # b, a, b, missing
    >>> encoded.values.tolist(), encoded.names["vocabulary_0"].tolist()
    ([3, 4, 3, 1], ['b', 'a'])
    """

    min_count: Annotated[
        int, Argument("Names of fewer steps of train are unknown.", metavar="N", least=1)
    ] = 1
    max_tokens: Annotated[
        int | None,
        Argument(
            "Rows of the Embedding at most: 0, 1, 2, and the most frequent names.", metavar="N", least=4
        ),
    ] = None
    oov_buckets: Annotated[
        int,
        Argument("Hash buckets for names without an id of their own, instead of id 2.", metavar="B", least=0),
    ] = 0
    unknown: Annotated[
        Literal["oov", "error"], Argument("Whether names that have no id become id 2, or are an error.")
    ] = "oov"
    share: Annotated[
        tuple[str, ...], Argument("Categories that have one vocabulary, and count together.", metavar="A,B")
    ] = ()
    decode: Annotated[
        bool, Argument("Number the names by their code points again; unknown ones stay unknown.")
    ] = False

    undoes: ClassVar[str | None] = "decode"

    def __post_init__(self) -> None:
        super().__post_init__()
        named = {
            "--min-count": self.min_count > 1,
            "--max-tokens": self.max_tokens,
            "--oov-buckets": self.oov_buckets,
            "--unknown": self.unknown != "oov",
            "--share": self.share,
        }
        other = next((option for option, value in named.items() if value), None)
        if self.decode and other is not None:
            raise UsageError(
                f"--decode and {other} do not go together: nothing is counted where it is undone"
            )
        if self.oov_buckets and self.unknown == "error":
            raise UsageError("--oov-buckets and --unknown error do not go together: choose one")
        if self.max_tokens is not None and self.max_tokens < self.oov_buckets + 4:
            raise UsageError(
                f"--max-tokens is {self.max_tokens}; with {self.oov_buckets} buckets it must be at least "
                f"{self.oov_buckets + 4}"
            )
        if len(self.share) == 1:
            raise UsageError(f"--share names one category, {self.share[0]}; two or more were expected")

    def fit(self, ragged: Ragged, *, spool: Spool) -> Vocabularies:
        """The names that have ids of their own."""
        from seqtool.operations.vocabularies import learned
        from seqtool.sequences.categories import FIRST

        most = None if self.max_tokens is None else self.max_tokens - FIRST - self.oov_buckets
        found = learned(ragged, self.min_count, most, self.share, spool)
        return found.with_buckets(self.oov_buckets, spool)

    def state_from(self, facts: Mapping[str, Any], ragged: Ragged) -> Vocabularies:
        """The names as the file has them that was encoded."""
        from seqtool.operations.vocabularies import Vocabularies

        return Vocabularies.of_facts(facts, ragged)

    def apply(self, ragged: Ragged, state: Vocabularies, *, spool: Spool) -> Outcome:
        """The same sequences with new ids, looked up as they are read."""
        from seqtool.operations import vocabularies
        from seqtool.sequences.categories import UNKNOWN

        if self.decode:
            return Outcome(
                vocabularies.decoded(ragged, spool), lines=[("decoded", ", ".join(state.categories))]
            )
        encoded, lost = vocabularies.encoded(ragged, state, strict=self.unknown == "error", spool=spool)
        lines = []
        for name, names in zip(state.categories, state.names, strict=True):
            steps, others = lost[name]
            unknown = (
                f"; {count(steps, 'step')} of {count(others, 'other name')}: id {UNKNOWN}" if steps else ""
            )
            own = count(len(names) - state.buckets, "name")
            shared = f"; all others share {count(state.buckets, 'id')}" if state.buckets else ""
            lines.append(("encoded", f"{name}: {own} by count{shared}{unknown}"))
        empty = [name for name, names in zip(state.categories, state.names, strict=True) if not len(names)]
        warnings = [f"category {name}: no name has an id of its own" for name in empty if len(ragged.values)]
        return Outcome(encoded, lines=lines, warnings=warnings)


encode = as_function(Encode)
