"""A shard that is much larger than the others: found before any row moves, with the key that makes it so."""

import json

import numpy as np
import pytest

from seqtool.files.manifest import shard_of
from seqtool.sharding.skew import Frequent, caution
from tests.command import Place, succeeded


def sampled(keys: np.ndarray) -> Frequent:
    found = Frequent()
    for part in np.array_split(keys, 40):
        found = found.merge(Frequent.of([part]))
    return found


def test_a_hot_key_is_found_among_many() -> None:
    random = np.random.default_rng(0)
    keys = random.integers(0, 10**6, 2_000_000)
    keys[random.random(len(keys)) < 0.1] = 7
    found = sampled(keys)
    assert len(found.counts) <= 64
    assert max(found.counts, key=lambda key: found.counts[key]) == ("7",)
    assert found.counts["7",] / found.sampled == pytest.approx(0.1, abs=1 / 65 + 0.01)


def test_keys_that_come_in_turn_are_no_hot_keys() -> None:
    found = sampled(np.tile(np.arange(256), 8000))
    assert max(found.counts.values(), default=0) < 0.02 * found.sampled


def test_nothing_is_said_of_shards_that_are_like_others_or_fit_into_memory() -> None:
    even = np.full(16, 10**8)
    assert caution(even, Frequent(), fits=10**6, row_bytes=10) is None
    even[3] *= 5
    assert caution(even, Frequent(), fits=10**9, row_bytes=10) is None
    assert caution(even, Frequent(), fits=10**6, row_bytes=10) is not None


def test_a_hot_key_is_named_with_its_cost() -> None:
    shard = shard_of(["bot"], 16)
    rows = np.full(16, 10**6)
    rows[shard] = 10**7
    said = caution(rows, Frequent({("bot",): 36, ("x",): 1}, 100), fits=10**6, row_bytes=20)
    assert said is not None
    assert f"shard {shard} gets 10,000,000 of 25,000,000 rows (40%), 6.4 times the mean" in said
    assert "sorts 200.0 MB" in said
    assert "about 36% of all rows have the key 'bot'" in said
    assert "--shards" not in said


def test_more_shards_are_proposed_where_no_key_is_the_reason() -> None:
    rows = np.full(16, 10**6)
    rows[5] = 10**7
    said = caution(rows, Frequent({("x",): 1}, 100), fits=10**6, row_bytes=20)
    assert said is not None
    assert "more shards divide them: --shards 128" in said


def test_a_dry_run_says_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqtool.sharding.group.SORTING", 10**9)  # bytes a row, so that nothing fits
    rows = "".join(f"{0 if i % 2 else i},{i * i}\n" for i in range(2000))
    place.write("a.csv", f"k,a\n{rows}")
    call = ["group", "a.csv", "--key", "k", "--shards", "32", "-o", "out/"]
    summary = json.loads(succeeded(place.run(*call, "--dry-run", "--json")).err)
    (warning,) = summary["warnings"]
    assert warning.startswith(f"shard {shard_of([0], 32)} gets 1,0")
    assert "have the key '0'" in warning
    assert succeeded(place.run(*call, "--dry-run")).err.count("warning: shard") == 1
    assert "warning: shard" not in succeeded(place.run(*call)).err  # all shards are sorted in one process


def test_a_key_of_several_columns_is_told_by_all_of_them() -> None:
    found = Frequent.of([np.array([5] * 900 + [6] * 100), np.array([1] * 1000)])
    assert max(found.counts, key=lambda key: found.counts[key]) == ("5", "1")
