"""What columns of every kind share: a state that grows with each batch, or is final."""

from __future__ import annotations

from typing import Generic, Protocol, Self, TypeVar

from seqtool.tables.cells.cells import UnseenError


class _State(Protocol):
    def merge(self, other: Self) -> Self: ...


S = TypeVar("S", bound=_State)


class Column(Generic[S]):
    """A column that is encoded batch by batch, by what is known of it.

    `state` grows with each batch. A `final` one does not: all batches come out as its one type, and what it has not
    seen is refused.
    """

    def __init__(self, state: S, *, final: bool) -> None:
        self.state = state
        self._final = final

    def _learn(self, found: S, *, unseen: str = "") -> None:
        """Add what a batch adds to the state; `unseen` describes what a final state knows nothing of, if anything.

        Raises UnseenError for that, where the state is final.
        """
        if not self._final:
            self.state = self.state.merge(found)
        elif unseen:
            raise UnseenError(unseen)
