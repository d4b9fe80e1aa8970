"""Work ahead: the next items are made in other threads while the last one is used."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

T = TypeVar("T")
R = TypeVar("R")
_QUEUED = 2  # items that may wait, enough to keep two threads busy


def prefetched(items: Iterable[T]) -> Iterator[T]:
    """The same items, made in a thread of their own; an error is raised in the place of its item.

    >>> list(prefetched(range(3)))
    [0, 1, 2]
    """
    waiting: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(_QUEUED)
    stopped = threading.Event()

    def put(item: T | None, error: BaseException | None) -> None:
        while not stopped.is_set():
            try:
                waiting.put((item, error), timeout=0.1)
            except queue.Full:
                continue
            return

    def produce() -> None:
        try:
            for item in items:
                put(item, None)
                if stopped.is_set():
                    return
            put(None, StopIteration())
        except BaseException as error:  # noqa: BLE001 - raised again by the consumer
            put(None, error)

    thread = threading.Thread(target=produce, daemon=True)
    thread.start()
    try:
        while True:
            item, error = waiting.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item  # type: ignore[misc]
    finally:
        stopped.set()
        thread.join()


def ordered_map(
    function: Callable[[T], R], items: Iterable[T], pool: Executor, *, waiting: int
) -> Generator[R, None, None]:
    """The result of `function` for each item, in the order of the items, at most `waiting` of them ahead.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with ThreadPoolExecutor(2) as pool:
    ...     list(ordered_map(abs, [-1, 2, -3], pool, waiting=2))
    [1, 2, 3]
    """
    running: deque[Future[R]] = deque()
    try:
        for item in items:
            running.append(pool.submit(function, item))
            if len(running) > waiting:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    finally:
        for future in running:
            future.cancel()
