"""`scale`: bring features to a common range, by numbers of the training sequences alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from seqtool.dataclass import dataclass
from seqtool.errors import UsageError
from seqtool.operations.operation import Argument, Operation, Outcome, as_function
from seqtool.words import count, listed

if TYPE_CHECKING:
    from seqtool.arrays.spool import Spool
    from seqtool.operations.scaling import Scaling
    from seqtool.sequences.ragged import Ragged


@dataclass(frozen=True)
class Scale(Operation):
    """Scale features by numbers of the training sequences alone.

    Only real steps count; NaN stays NaN, and padding stays padding. Features of 0 and 1 alone are left as they are,
    unless they are named, and one of a single number becomes 0. Whole numbers become float32. The numbers are kept in
    the file: with --using it scales others by them, and with --inverse takes all back, in float32 to within 1.2e-7 of
    a number and of its distance from the center.

    standard: mean 0, standard deviation 1 (ddof 0); minmax: 0 to 1; robust: median 0, interquartile range 1; maxabs:
    -1 to 1, and 0 stays 0.

    Example: seqtool scale split.npz --method standard -o scaled.npz

    >>> import seqtool as st
    >>> [round(number, 3) for number in st.scale([[1, 2, 3], [5.0]], method="standard").values.tolist()]
    [-1.183, -0.507, 0.169, 1.521]
    """

    method: Annotated[
        Literal["standard", "minmax", "robust", "maxabs"] | None,
        Argument("By mean and deviation, range, quartiles, or the largest number. [default: standard]"),
    ] = None
    features: Annotated[
        tuple[str, ...],
        Argument(
            "Scale these alone, by name or position. [default: all but those of 0 and 1]", metavar="A,B"
        ),
    ] = ()
    per_sequence: Annotated[
        bool, Argument("Each sequence by its own numbers: nothing is learned, and nothing can be undone.")
    ] = False
    log1p: Annotated[
        tuple[str, ...], Argument("Take log(1 + x) of these features first.", metavar="A,B")
    ] = ()
    inverse: Annotated[bool, Argument("Take back what scale did, as the receipt says.")] = False

    undoes: ClassVar[str | None] = "inverse"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.inverse:
            object.__setattr__(self, "method", self.method or "standard")
            return
        others = {
            "--method": self.method,
            "--features": self.features,
            "--per-sequence": self.per_sequence,
            "--log1p": self.log1p,
        }
        named = next((option for option, value in others.items() if value), None)
        if named is not None:
            raise UsageError(
                f"--inverse and {named} do not go together: what is taken back stands in the receipt"
            )

    def fits(self) -> bool:
        """Whether it learns: not where each sequence has its own numbers."""
        return not self.per_sequence

    def fit(self, ragged: Ragged, *, spool: Spool) -> Scaling:
        """What each feature of these sequences is to be shifted and divided by."""
        from seqtool.operations import scaling

        return scaling.fit(ragged, self.method or "standard", self.features, self.log1p, spool)

    def state_from(self, facts: Mapping[str, Any], ragged: Ragged) -> Scaling:
        """The scaling as the receipt has it."""
        from seqtool.operations.scaling import Scaling

        return Scaling.of_facts(facts)

    def apply(self, ragged: Ragged, state: Scaling | None, *, spool: Spool) -> Outcome:
        """The same sequences with scaled values, computed as they are read."""
        from seqtool.operations import scaling

        if state is None:
            state = scaling.fit_each(ragged, self.method or "standard", self.features, self.log1p, spool)
        else:
            scaling.check_features(ragged, state)
        apart = _apart(ragged, "is not taken back" if self.inverse else "is not scaled")
        if self.inverse:
            line = ("unscaled", f"{count(len(state.chosen), 'feature')}: {state.named(state.chosen)}")
            return Outcome(scaling.scaled(ragged, state, inverse=True), lines=[line], warnings=apart)
        scaling.check_logarithms(ragged, state.log1p)
        none = [] if state.chosen else ["no feature was scaled"]
        return Outcome(
            scaling.scaled(ragged, state),
            lines=_lines(self, state),
            warnings=[*none, *_scaled_twice(ragged, state), *apart],
        )


def _apart(ragged: Ragged, what: str) -> list[str]:
    """A warning where labels hold steps, which stay as they are."""
    from seqtool.sequences.categories import labels_of_numbers

    labels = " and ".join(labels_of_numbers(ragged))
    return (
        [f"what follows the steps, in {labels}, {what}: scale before steps become labels"] if labels else []
    )


def _scaled_twice(ragged: Ragged, state: Scaling) -> list[str]:
    """A warning of features that are scaled already, as the receipt says."""
    scaled: set[str] = set()
    for entry in ragged.receipt:
        if entry.get("command") == "scale":
            facts = entry.get("state") or {}
            names = {str(name) for name in facts.get("chosen", ())}
            scaled = scaled - names if entry["arguments"].get("inverse") else scaled | names
    again = [state.features[i] for i in state.chosen if state.features[i] in scaled]
    return [f"scaled a second time: {listed(again)}"] if again else []


def _lines(operation: Scale, state: Scaling) -> list[tuple[str, str]]:
    """The lines of the summary: the features of each kind."""
    each = ", each sequence by its own numbers" if operation.per_sequence else ""
    how = f"{count(len(state.chosen), 'feature')} by {operation.method}{each}"
    lines = [("scaled", f"{how}: {state.named(state.chosen)}")] if state.chosen else []
    if state.log1p:
        lines.append(("log1p", state.named(state.log1p)))
    if state.binary:
        lines.append(("left as is", f"{state.named(state.binary)}: 0 and 1 alone"))
    if state.constant:
        lines.append(("constant", f"{state.named(state.constant)}: one number alone, which becomes 0"))
    return lines


scale = as_function(Scale)
