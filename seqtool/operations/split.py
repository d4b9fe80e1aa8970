"""`split`: say which sequences are for training, validation and test, as an array that goes with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

from seqtool.advice import Advice
from seqtool.dataclass import dataclass
from seqtool.errors import UsageError
from seqtool.operations.operation import Argument, Operation, Outcome, as_function, written
from seqtool.option_names import option_of

if TYPE_CHECKING:
    from seqtool.arrays.spool import Spool
    from seqtool.sequences.ragged import Ragged


@dataclass(frozen=True)
class Split(Operation):
    """Say which sequences are for training, validation and test.

    They are split by key, never by step. The names train, val and test stand in the array split, which later commands
    keep: scale, fill and encode learn from train alone, and -o '{split}.npz' writes a file for each name. Which
    sequences go where follows from a hash of seed and key, never from their order. Shares are exact, unless --stable
    is given: a key then stays where it is when others come in. Exact shares hold 24 bytes for each sequence in memory.

    Example: seqtool split train.npz --val 0.1 --test 0.1 -o '{split}.npz'

    >>> import seqtool as st
    >>> halves = st.split({"a": [1], "b": [2, 3], "c": [4], "d": [5]}, test=0.5)
    >>> sorted(halves.per_sequence["split"].tolist()), halves.keys.tolist()
    (['test', 'test', 'train', 'train'], ['a', 'b', 'c', 'd'])
    """

    val: Annotated[
        float | None, Argument("Share of the sequences for validation, such as 0.1.", "X", least=0)
    ] = None
    test: Annotated[float | None, Argument("Share of the sequences for the test.", "X", least=0)] = None
    seed: Annotated[int, Argument("Random seed.", "N", least=0)] = 0
    stable: Annotated[
        bool, Argument("Shares that hold on average: for a table that grows, where no key may move.")
    ] = False
    stratify: Annotated[
        bool, Argument("Give each class its share of each split; with --by as nearly as whole groups can.")
    ] = False
    by: Annotated[
        str | None,
        Argument("Keep sequences together that have the same C, a part of the key or a static.", "C"),
    ] = None
    by_value: Annotated[
        str | None, Argument("Take train, val and test from C, a part of the key or a label.", "C")
    ] = None
    folds: Annotated[
        int | None,
        Argument(
            "Cross-validation: K equal parts, of which each is val once: -o '{fold}.npz' writes a file each.",
            "K",
            least=2,
        ),
    ] = None
    fold: Annotated[
        int | None, Argument("One fold of --folds alone: the part that is val, from 0 to K-1.", "I", least=0)
    ] = None
    at: Annotated[
        str | None,
        Argument("Split by time: steps before T are train, the others test; T1,T2 has val between.", "T"),
    ] = None
    context: Annotated[
        bool, Argument("With --at, give test and val the steps before them too, with weight 0.")
    ] = False
    last: Annotated[
        int | None,
        Argument("Leave the last K steps out, 1 or 2: y is the step after x, in each split.", "K", least=1),
    ] = None
    target: Annotated[tuple[str, ...], Argument("With --last, the features that y holds.", "A,B")] = ()

    def __post_init__(self) -> None:
        if isinstance(self.at, (list, tuple)):
            object.__setattr__(self, "at", ",".join(str(written(moment)) for moment in self.at))
        super().__post_init__()
        ways = {name: bool(getattr(self, name)) for name in ("by_value", "folds", "at", "last")}
        ways |= {"val": bool(self.val), "test": bool(self.test) and self.folds is None}
        named = [name for name, is_named in ways.items() if is_named]
        if not named and not self.test:
            raise UsageError("nothing to split off; name shares: ", Advice("--val", "0.1", "--test", "0.1"))
        if len(named) > 1 and set(named) != {"val", "test"}:
            raise UsageError(f"{_options(named, 'and')} are two ways to split; choose one")
        held_out = (self.val or 0) + (self.test or 0)
        if held_out >= 1:
            shares = [name for name in ("val", "test") if getattr(self, name)]
            verb = "make" if len(shares) > 1 else "is"
            raise UsageError(f"{_options(shares, 'and')} {verb} {held_out:g}; less than 1 was expected")
        self._check_companions()
        if self.folds is not None and self.fold is not None and self.fold >= self.folds:
            self._refuse_fold(self.fold)
        if self.last is not None and self.last > 2:
            raise UsageError(
                f"--last is {self.last}; 1 (train and test) or 2 (train, val and test) was expected"
            )

    def _check_companions(self) -> None:
        """Raise UsageError for an argument that says something of another way to split, or contradicts another."""
        drawn = ("val", "test", "folds")
        companions = {
            "seed": drawn,
            "stable": ("val", "test"),
            "stratify": drawn,
            "by": drawn,
            "fold": ("folds",),
            "context": ("at",),
            "target": ("last",),
        }
        for name, of in companions.items():
            is_set = getattr(self, name) not in (None, False, 0, ()) or (name == "fold" and self.fold == 0)
            if is_set and not any(getattr(self, other) for other in of):
                option = option_of(name)
                raise UsageError(f"{option} goes with {_options(of, 'or')}: ", Advice(without=[option]))
        for one, other in (("stratify", "stable"), ("stable", "folds")):
            if getattr(self, one) and getattr(self, other):
                raise UsageError(
                    f"{_options((one, other), 'and')} do not go together: ", Advice(without=[option_of(one)])
                )

    def _refuse_fold(self, found: object) -> NoReturn:
        raise UsageError(f"--fold is {found}; a part from 0 to {(self.folds or 0) - 1} was expected")

    def of_folds(self) -> Sequence[Operation]:
        """The split of each fold, where none is named."""
        if self.folds is None or self.fold is not None:
            return ()
        return [replace(self, fold=fold) for fold in range(self.folds)]

    def apply(self, ragged: Ragged, state: Any, *, spool: Spool) -> Outcome:
        """The same sequences with `split`; in parts where they are split by time or leave their last steps out."""
        from seqtool.operations import split_whole

        if self.of_folds():  # each has an outcome of its own
            self._refuse_fold("missing")
        warnings = split_whole.check_unsplit(ragged)
        outcome = self._split(ragged, spool)
        return replace(outcome, warnings=[*warnings, *outcome.warnings])

    def _split(self, ragged: Ragged, spool: Spool) -> Outcome:
        from seqtool.operations import split_steps, split_whole

        if self.at is not None:
            return split_steps.at_time(ragged, self.at, context=self.context, spool=spool)
        if self.last is not None:
            return split_steps.leave_last(ragged, self.last, self.target, spool=spool)
        if self.by_value is not None:
            return split_whole.by_value(ragged, self.by_value, spool=spool)
        return split_whole.drawn(
            ragged,
            split_whole.Shares(self.val or 0, self.test or 0, self.folds, self.fold),
            seed=self.seed,
            by=self.by,
            stable=self.stable,
            stratify=self.stratify,
            spool=spool,
        )


def _options(names: Sequence[str], last: str) -> str:
    """Options in words, with `last` before the last of them."""
    *others, end = map(option_of, names)
    return f"{', '.join(others)} {last} {end}" if others else end


split = as_function(Split)
