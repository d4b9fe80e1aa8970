import threading
from collections.abc import Iterator

import pytest

from seqtool.system.prefetch import prefetched


@pytest.mark.parametrize("count", [0, 1, 2, 3, 100])
def test_the_items_are_the_same(count: int) -> None:
    assert list(prefetched(iter(range(count)))) == list(range(count))


def test_none_is_an_item_like_others() -> None:
    assert list(prefetched([None, 1, None])) == [None, 1, None]


def test_items_are_made_in_another_thread() -> None:
    def threads() -> Iterator[int]:
        yield threading.get_ident()

    assert next(prefetched(threads())) != threading.get_ident()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_comes_out_where_its_item_would_have(error: type[BaseException]) -> None:
    def broken() -> Iterator[int]:
        yield 1
        yield 2
        raise error("third")

    items = prefetched(broken())
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(error, match="third"):
        next(items)


def test_few_items_are_made_before_they_are_asked_for() -> None:
    output: list[int] = []

    def counted() -> Iterator[int]:
        for i in range(1000):
            output.append(i)
            yield i

    items = prefetched(counted())
    next(items)
    items.close()  # type: ignore[attr-defined]
    assert len(output) < 10


def test_leaving_early_ends_the_thread_and_closes_the_source() -> None:
    closed = threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            closed.set()

    before = threading.active_count()
    items = prefetched(endless())
    next(items)
    items.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
    assert closed.wait(10)


def test_an_error_of_the_consumer_ends_the_thread() -> None:
    before = threading.active_count()
    with pytest.raises(RuntimeError, match="mine"):
        consume_and_fail()
    assert threading.active_count() == before


def consume_and_fail() -> None:
    for _ in prefetched(iter(range(10_000))):
        raise RuntimeError("mine")
