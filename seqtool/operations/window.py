"""`window`: cut each sequence into windows, with what follows each of them as its target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from seqtool.advice import Advice
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, UsageError, refuse_without_subject
from seqtool.operations.operation import Argument, Operation, Outcome, as_function
from seqtool.words import count, listed

if TYPE_CHECKING:
    from seqtool.arrays.dtypes import Array
    from seqtool.arrays.lazy import AnyArray, Lazy
    from seqtool.arrays.spool import Spool
    from seqtool.operations.placing import Placing, Windows
    from seqtool.sequences.ragged import Ragged, StepArray


@dataclass(frozen=True)
class Window(Operation):
    """Cut each sequence into windows, with what follows each of them.

    No window crosses from one sequence to the next. Each has the key of its sequence, and in part its first step
    there; sequences without keys are numbered. Labels, static numbers and splits go along. What follows a window is
    its y with --horizon H: (N, H) of single numbers, of an only feature or of one --target, else (N, H, F). Where row
    numbers were kept, y_row_index (N, H) has those of y, and y_order its order values; with --next alone, (N, 1), those
    of the step behind the window.
    Horizon, lead and stride count steps of the sequence, also where --rate thins the window. Ragged sequences give
    ragged windows, a padded block one of W slots. Sequences that are too short are counted.

    With --index a file holds each step once, and where each window begins: it is about as large as its source, and not
    W times as large. Every command, the loaders of frameworks and st.load read it as any file of ragged windows.

    After a split at a moment with context, windows of val and test may begin in what came before; what follows them
    is theirs.

    Example: seqtool window train.npz --size 24 --horizon 1 --target load -o windows.npz

    >>> import seqtool as st
    >>> windows = st.window([[0, 1, 2, 3, 4, 5, 6]], size=3, stride=2, horizon=2)
    >>> [steps.tolist() for steps in windows], windows.per_sequence["y"].tolist()
    ([[0, 1, 2], [2, 3, 4]], [[3, 4], [5, 6]])
    """

    size: Annotated[int, Argument("Steps of a window.", metavar="W", least=1)]
    stride: Annotated[int, Argument("Steps from one window to the next.", metavar="S", least=1)] = 1
    horizon: Annotated[
        int | None, Argument("Let y be the H steps that follow each window.", metavar="H", least=1)
    ] = None
    lead: Annotated[int, Argument("Steps between a window and its y.", metavar="L", least=0)] = 0
    rate: Annotated[int, Argument("Take every R-th step within a window.", metavar="R", least=1)] = 1
    target: Annotated[
        tuple[str, ...], Argument("The features of y and step_y. [default: all]", metavar="A,B")
    ] = ()
    min_size: Annotated[
        int | None,
        Argument(
            "Let the last window of a sequence, or its only one, be shorter, from M steps on.",
            metavar="M",
            least=1,
        ),
    ] = None
    from_end: Annotated[bool, Argument("Lay windows out from the end of each sequence.")] = False
    last: Annotated[
        bool, Argument("The last window of each sequence alone: what to predict from, without y.")
    ] = False
    next: Annotated[bool, Argument("Let step_y be the step that follows each step.")] = False
    index: Annotated[
        bool, Argument("Write each step once, and where each window begins, instead of copies.")
    ] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_size is not None and self.min_size > self.size:
            raise UsageError(
                f"--min-size is {self.min_size}; it must be at most {self.size}, the size of a window"
            )
        following = {
            "--horizon": self.horizon,
            "--lead": self.lead,
            "--target": self.target,
            "--next": self.next,
            "--stride": self.stride > 1,
        }
        if self.last:
            _refuse(following, "--last takes the newest window, which nothing follows: ")
        if self.index:
            _refuse({"--rate": self.rate > 1}, "--index writes where windows of consecutive steps begin: ")
        if self.lead and not self.horizon:
            refuse_without_subject("--lead", "--horizon", Advice("--horizon", "H"))
        if self.target and not self.horizon and not self.next:
            refuse_without_subject(
                "--target", "what follows a window", Advice("--horizon", "H"), Advice("--next")
            )

    @property
    def shares_steps(self) -> bool:
        """With --index."""
        return self.index

    @property
    def placing(self) -> Placing:
        """Where windows stand."""
        from seqtool.operations.placing import Placing

        after = self.lead + self.horizon if self.horizon else int(self.next)
        return Placing(
            self.size, self.stride, self.rate, self.min_size, after, from_end=self.from_end, newest=self.last
        )

    def apply(self, ragged: Ragged, state: Any, *, spool: Spool) -> Outcome:
        """The windows of all sequences; repeated steps are counted as added, those in no window as cut or dropped."""
        from seqtool.operations.following import rows_of_targets, steps_from
        from seqtool.operations.histories import steps_in_whole
        from seqtool.operations.placing import place_windows
        from seqtool.sequences.features import steps_of_features
        from seqtool.sequences.take import take

        self._check_names(ragged)
        ragged, first, far = self._near_history(ragged, spool)
        targets = steps_of_features(ragged, self.target, "--target")
        windows = place_windows(self.placing, ragged.lengths, spool)
        if windows.without and not len(windows):
            raise self._none_left(windows)
        source = _with_keys(ragged)
        if self.next:
            source = source.replace(per_step={**ragged.per_step, "step_y": _following(targets)})
        taken = take(
            source,
            windows.which,
            windows.starts,
            windows.sizes,
            every=self.rate,
            once=self.index,
            spool=spool,
        )
        part = windows.starts if first is None else steps_in_whole(first, windows.which, windows.starts)
        per_sequence, names = {**taken.per_sequence, "part": part}, dict(taken.names)
        lines = [("windows", f"{len(windows):,} of {count(windows.sequences, 'sequence')}")]
        if self.horizon:
            behind = _behind(windows, ragged.offsets, self.lead, self.rate)
            y = steps_from(targets, behind, self.horizon)
            lines.append(("targets", f"y {y.shape}: {count(self.horizon, 'step')} behind each window"))
            per_sequence |= {"y": y, **rows_of_targets(ragged, behind, self.horizon)}
            if "classes" in names:  # those of step_y, which would be taken for those of y
                names["step_classes"] = names.pop("classes")
        elif self.next:
            per_sequence |= rows_of_targets(ragged, _behind(windows, ragged.offsets, 0, self.rate), 1)
        repeated = len(taken.values) - windows.taken
        if repeated:
            lines.append(("repeated", f"{count(repeated, 'step')} that several windows have"))
        if self.index:
            lines.append(("index", "each step is stored once, and where each window begins"))
        if windows.left + far:
            lines.append(("cut", f"{count(windows.left + far, 'step')} that no window has"))
        return Outcome(
            taken.replace(per_sequence=per_sequence, names=names),
            cut=windows.left + far,
            dropped={"too short for a window": windows.without_steps},
            added={"repeated in windows": repeated},
            slots=self.size,
            lines=lines,
            warnings=_warnings(windows, ragged),
        )

    def _near_history(self, ragged: Ragged, spool: Spool) -> tuple[Ragged, AnyArray | None, int]:
        """Parts of a split at a moment with the history that windows need, the first step of each, and steps left out.

        Sequences that are no parts stay as they are.
        """
        from seqtool.operations.histories import without_far_history

        if "part" not in ragged.per_sequence:
            return ragged, None, 0
        before_own = self.placing.needed - self.placing.after - (0 if self.horizon or self.next else 1)
        parts = without_far_history(ragged, before_own + self.lead, spool=spool)
        return parts.ragged, parts.first, len(ragged.values) - len(parts.ragged.values)

    def _check_names(self, ragged: Ragged) -> None:
        """Raise DataError where an array has the name of one that is made."""
        from seqtool.operations.histories import parted_at_moment

        if "part" in ragged.per_sequence and not parted_at_moment(ragged):
            raise DataError(
                "these sequences are parts of others already, as their array part says; cut windows of what they were "
                "made of"
            )
        if self.horizon and "y" in ragged.per_sequence:
            named = {"--horizon": True, "--lead": self.lead, "--target": self.target and not self.next}
            _refuse(
                named,
                "--horizon makes y of what follows, and sequences have labels in y: ",
                DataError,
            )
        if self.next and "step_y" in ragged.per_step:
            named = {"--next": True, "--target": self.target and not self.horizon}
            _refuse(
                named,
                "--next makes step_y of the next step, and steps have labels in step_y: ",
                DataError,
            )

    def _none_left(self, windows: Windows) -> DataError:
        """The error where no sequence is long enough, with the largest window that one would have."""
        placing, longest = self.placing, windows.longest
        largest = placing.largest(longest)
        smallest, option = (self.size, "--size") if self.min_size is None else (self.min_size, "--min-size")
        after = f", and {placing.after:,} behind it" if placing.after else ""
        rate = f" {self.rate:,} apart" if self.rate > 1 else ""
        needed = (
            f"a window takes {count(smallest, 'step')}{rate}{after}; the longest sequence has {longest:,}"
        )
        if not largest:
            return DataError(f"no window is left: {needed}")
        return DataError(f"no window is left: {needed}, which is enough for ", Advice(option, largest))


def _refuse(options: Mapping[str, Any], why: str, error: type[DataError | UsageError] = UsageError) -> None:
    """Raise an error that proposes to leave out those of the options that were given, if there are any."""
    named = [option for option, value in options.items() if value]
    if named:
        raise error(why, Advice(without=named))


def _warnings(windows: Windows, ragged: Ragged) -> list[str]:
    """A warning of sequences that are too short for a window."""
    from seqtool.sequences.keys import shown_key

    if not windows.without:
        return []
    keys = ragged.keys
    named = [f"sequence {i}" if keys is None else shown_key(keys, i) for i in windows.named]
    short, more = count(windows.without, "sequence"), ", ..." if windows.without > len(named) else ""
    steps = count(windows.without_steps, "step")
    return [f"too short for a window: {short} of {steps} in all: {listed(named, len(named))}{more}"]


def _with_keys(ragged: Ragged) -> Ragged:
    """The sequences with keys, and without the lengths that whole sequences had before a cut."""
    from seqtool.sequences.keys import numbers_as_keys

    per_sequence = {name: array for name, array in ragged.per_sequence.items() if name != "original_lengths"}
    keys = numbers_as_keys(len(ragged)) if ragged.keys is None else ragged.keys
    return ragged.replace(keys=keys, per_sequence=per_sequence)


def _behind(windows: Windows, offsets: AnyArray, lead: int, rate: int) -> Lazy:
    """The first step that follows each window and its lead, (M,), among all steps."""
    import numpy as np

    from seqtool.arrays.gather import gather
    from seqtool.arrays.lazy import Lazy

    def read(begin: int, end: int) -> Array:
        last = windows.starts[begin:end] + (windows.sizes[begin:end] - 1) * rate
        return np.asarray(gather(offsets, windows.which[begin:end]) + last + 1 + lead)

    return Lazy((len(windows),), np.dtype(np.int64), read)


def _following(targets: AnyArray) -> StepArray:
    """The step behind each step, as labels; behind the last of all, which no window has, that one again."""
    import numpy as np

    from seqtool.arrays.lazy import Lazy
    from seqtool.sequences.padding_values import UNLABELLED
    from seqtool.sequences.ragged import StepArray

    dtype = (
        np.dtype(np.int64) if targets.dtype.kind in "bu" else targets.dtype
    )  # they hold no label of padding

    def read(begin: int, end: int) -> Array:
        steps = targets[begin + 1 : end + 1]
        if len(steps) < end - begin:
            steps = np.concatenate([steps, targets[end - 1 : end]])
        if targets.dtype == np.uint64 and (steps > _MOST).any():
            raise DataError(
                f"a step is {steps.max()}, which step_y, int64 with {UNLABELLED} in padding, cannot hold"
            )
        return steps.astype(dtype)

    return StepArray(Lazy(targets.shape, dtype, read), UNLABELLED)


_MOST = (1 << 63) - 1  # that int64 holds


window = as_function(Window)
