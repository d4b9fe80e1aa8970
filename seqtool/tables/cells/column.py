"""The base class of all kinds of columns: a state that grows with each batch, or is final."""

from __future__ import annotations

from typing import Generic, Protocol, Self, TypeVar

from seqtool.tables.cells.cells import UnseenError


class _State(Protocol):
    def merge(self, other: Self) -> Self: ...


S = TypeVar("S", bound=_State)


class Column(Generic[S]):
    """A column that is encoded batch by batch.

    `state` is what is known of the column, and grows with each batch. A `final` state does not change: all batches are
    encoded as one type, and a batch that does not fit the state is refused.
    """

    def __init__(self, state: S, *, final: bool) -> None:
        self.state = state
        self._final = final

    def _learn(self, state_of_batch: S, *, unseen: str = "") -> None:
        """Merge the state of a batch into that of the column, unless it is final.

        `unseen` describes what in the batch does not fit the state, if anything: then a final state raises UnseenError.
        """
        if not self._final:
            self.state = self.state.merge(state_of_batch)
        elif unseen:
            raise UnseenError(unseen)
