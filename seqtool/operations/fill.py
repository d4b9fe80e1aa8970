"""`fill`: replace missing numbers, by other steps of their sequence or by numbers of the training sequences."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any

from seqtool.advice import Advice, Message
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, UsageError
from seqtool.operations.operation import Argument, Operation, Outcome, as_function
from seqtool.words import count, in_short, listed

if TYPE_CHECKING:
    from seqtool.arrays.dtypes import Array
    from seqtool.arrays.spool import Spool
    from seqtool.operations.filling import Averages
    from seqtool.sequences.ragged import Ragged, StepArray

_BY_STEPS = ("forward", "linear")
_AVERAGES = ("mean", "median")
_EXPECTED = "forward, linear, mean, median, zero or a number"


@dataclass(frozen=True)
class Fill(Operation):
    """Fill missing numbers (NaN) within each sequence, never across.

    Methods in a row are tried one after another: forward takes the last number of the feature in its sequence; linear
    lies between that and the next one, so that it looks ahead, which is warned of; mean and median are those of the
    training sequences; zero, or a number, fills all that is left. What is missing all the same is counted.

    Example: seqtool fill split.npz --method forward,mean --indicator -o filled.npz

    >>> import seqtool as st
    >>> nan = float("nan")
    >>> st.fill([[nan, 2, nan], [nan]], method=["forward", "mean"]).values.tolist()
    [2.0, 2.0, 2.0, 2.0]
    """

    method: Annotated[
        tuple[str, ...],
        Argument(
            "forward, linear, mean, median, zero or a number, or several: forward,mean. Needed without --using.",
            metavar="A,B",
        ),
    ]
    limit: Annotated[
        int | None,
        Argument("Fill forward and linear this many steps behind a number at most.", metavar="K", least=1),
    ] = None
    indicator: Annotated[
        bool, Argument("Add the array observed: true where a number was there, and not filled.")
    ] = False
    features: Annotated[
        tuple[str, ...], Argument("Fill these alone, by name or position. [default: all]", metavar="A,B")
    ] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for i, method in enumerate(self.method):
            if method not in (*_BY_STEPS, *_AVERAGES) and _number(method) is None:
                several = f"; several are a list, {method.split(',')}" if "," in method else ""
                raise UsageError(f"--method: {in_short(method)} is none; {_EXPECTED} was expected{several}")
            if method in self.method[:i]:
                raise UsageError(f"--method: {method} stands there twice")
            if method not in _BY_STEPS and i < len(self.method) - 1:
                raise UsageError(
                    f"--method: {method} fills all there is, so that {self.method[i + 1]} behind it has no use"
                )
        if not self.method:
            raise UsageError(f"--method: no method; {_EXPECTED} was expected")
        if self.limit is not None and not {*self.method} & {*_BY_STEPS}:
            raise UsageError(f"--limit and --method {self.method[0]}: forward and linear alone reach so far")

    def fits(self) -> bool:
        """Whether it learns: where means or medians are filled in."""
        return self.method[-1] in _AVERAGES

    def fit(self, ragged: Ragged, *, spool: Spool) -> Averages:
        """The means or medians of the features."""
        from seqtool.operations.filling import averages
        from seqtool.sequences.features import features_named

        chosen = features_named(ragged, self.features, "--features")
        return averages(ragged, self.method[-1], chosen, spool)

    def state_from(self, facts: Mapping[str, Any], ragged: Ragged) -> Averages:
        """The means or medians as the receipt has them."""
        from seqtool.operations.filling import Averages

        return Averages.of_facts(facts)

    def apply(self, ragged: Ragged, state: Averages | None, *, spool: Spool) -> Outcome:
        """The same sequences with filled values, computed as they are read."""
        import numpy as np

        from seqtool.operations.filling import Filled
        from seqtool.sequences.features import feature_titles, features_named, width_of

        changes: dict[str, Any] = {}
        if self.indicator:
            changes["per_step"] = {**ragged.per_step, "observed": _observed(ragged)}
        chosen = features_named(ragged, self.features, "--features")
        constant = self._constant(ragged, state, chosen)
        warnings = [*([_LOOKS_AHEAD] if "linear" in self.method else []), *_of_labels(ragged)]
        if ragged.values.dtype.kind != "f":
            line = ("filled", f"nothing: {ragged.values.dtype} has no missing numbers")
            return Outcome(ragged.replace(**changes), lines=[line])
        by_steps = [method for method in self.method if method in _BY_STEPS]
        filled = Filled(
            ragged,
            by_steps,
            self.limit,
            _of_cells(np.isin(np.arange(width_of(ragged.values)), chosen), ragged),
            None if constant is None else _of_cells(constant, ragged),
            spool,
        )
        left = filled.still_missing()
        done = filled.missing - left
        titles = feature_titles(ragged)
        where = f" of {listed([titles[i] for i in chosen])}" if self.features else ""
        line = ("filled", f"{count(done, 'missing number')}{where} by {', '.join(self.method)}")
        if left:
            all_of_them = Advice("--method", ",".join([*by_steps, "mean"]), without=["--method"])
            warnings.append(Message(f"{count(left, 'number')} still missing; to fill all: ", all_of_them))
        return Outcome(ragged.replace(values=filled.whole(), **changes), lines=[line], warnings=warnings)

    def _constant(self, ragged: Ragged, state: Averages | None, chosen: list[int]) -> Array | None:
        """What each feature is filled with in the end, (F,), None for nothing; DataError where it cannot."""
        import numpy as np

        from seqtool.sequences.features import check_same_features, width_of

        last = self.method[-1]
        if last in _BY_STEPS:
            return None
        numbers = np.full(width_of(ragged.values), _number(last) or 0.0)
        if state is not None:
            check_same_features(ragged, state.features, "fill")
            numbers = state.numbers
            none = [i for i in chosen if np.isnan(numbers[i])]
            if none and len(ragged.values):
                raise DataError(
                    f"{listed([state.features[i] for i in none])}: no number in the sequences that fill is fitted on, "
                    f"so that there is no {last}; fill with a number: ",
                    Advice("--method", "zero", without=["--method"]),
                )
        if ragged.values.dtype.kind != "f":
            return numbers
        with np.errstate(over="ignore"):
            held = numbers.astype(ragged.values.dtype)
        if np.isinf(held).any():
            raise DataError(f"{last} is too large for {ragged.values.dtype}, the type of the features")
        return np.asarray(held)


_LOOKS_AHEAD = (
    "linear looks ahead: it fills from later steps, which are not known where a network is to predict them"
)


def _of_labels(ragged: Ragged) -> list[str]:
    """A warning where labels hold steps, and numbers are missing there, which stay so."""
    import numpy as np

    from seqtool.arrays.lazy import chunks
    from seqtool.sequences.categories import labels_of_numbers

    found = []
    for name in labels_of_numbers(ragged):
        array = ragged.per_sequence["y"] if name == "y" else ragged.per_step[name].data
        missing = (
            sum(int(np.isnan(part).sum()) for _, part in chunks(array)) if array.dtype.kind == "f" else 0
        )
        if missing:
            what = f"{count(missing, 'number')} of what follows the steps"
            found.append(f"{what}, in {name}, still missing: fill before steps become labels")
    return found


def _number(method: str) -> float | None:
    """The number that a method is; None where it is a word."""
    try:
        number = 0.0 if method == "zero" else float(method)
    except ValueError:
        return None
    return number if isfinite(number) else None


def _of_cells(by_feature: Array, ragged: Ragged) -> Array:
    """One for each feature, (F,), as one for each cell of a step, (W,)."""
    import numpy as np

    from seqtool.sequences.features import cells_a_step

    return np.tile(by_feature, cells_a_step(ragged.values))


def _observed(ragged: Ragged) -> StepArray:
    """Where numbers were there: not missing now, nor filled before."""
    import numpy as np

    from seqtool.arrays.lazy import lazy_map
    from seqtool.sequences.ragged import StepArray

    known = ragged.per_step.get("observed")
    if known is None:
        return StepArray(lazy_map(lambda rows: ~np.isnan(rows), ragged.values, dtype=bool), 0)
    both = lazy_map(lambda rows, before: ~np.isnan(rows) & before, ragged.values, known.data, dtype=bool)
    return StepArray(both, 0)


fill = as_function(Fill)
