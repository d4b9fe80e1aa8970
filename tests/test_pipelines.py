"""Whole pipelines from a table to tensors, against the pandas that people write by hand."""

from __future__ import annotations

import runpy
import shutil
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest

from tests.command import SAMPLES, Place, succeeded
from tests.peers import peer

VOWELS = str(SAMPLES / "japanese_vowels.csv")
FEATURES = [f"lpc{i}" for i in range(1, 13)]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables that the samples draw."""
    folder = tmp_path_factory.mktemp("tables")
    with patch.object(sys, "argv", ["make_tables.py", str(folder)]):
        runpy.run_path(str(SAMPLES / "make_tables.py"), run_name="__main__")
    return folder


def vowels(place: Place) -> dict[str, Any]:
    """The three files of the first pipeline."""
    group = (
        f"group {VOWELS} --key utterance --order-by frame --label speaker --drop split --ragged -o all.npz"
    )
    for call in (
        group,
        "split all.npz --val 0.1 --test 0.1 --stratify -o split.npz",
        "scale split.npz --method standard -o scaled.npz",
        "pad scaled.npz --post -o {split}.npz",
    ):
        succeeded(place.run(*call.split(), "-q"))
    return {name: place.arrays(f"{name}.npz") for name in ("train", "val", "test")}


def by_hand(files: dict[str, Any]) -> dict[str, np.ndarray]:
    """x of each file by pandas: scaled by mean and deviation of the rows of train, and padded at the end."""
    rows = pd.read_csv(VOWELS).sort_values(["utterance", "frame"])
    known = rows[rows["utterance"].isin(files["train"]["keys"])][FEATURES].astype("float32").astype("float64")
    rows[FEATURES] = (rows[FEATURES].astype("float32") - known.mean()) / known.std(ddof=0)
    steps = {key: group.to_numpy() for key, group in rows.groupby("utterance")[FEATURES]}
    longest = max(map(len, steps.values()))
    blocks = {}
    for name, arrays in files.items():
        blocks[name] = np.zeros((len(arrays["keys"]), longest, len(FEATURES)))
        for i, key in enumerate(arrays["keys"]):
            blocks[name][i, : len(steps[key])] = steps[key]
    return blocks


def test_vowels_are_split_and_scaled_by_train_alone(place: Place) -> None:
    files = vowels(place)
    assert [len(arrays["keys"]) for arrays in files.values()] == [511, 66, 63]
    for name, block in by_hand(files).items():
        np.testing.assert_allclose(files[name]["x"], block[:, : files[name]["x"].shape[1]], atol=2e-6)
    speakers = pd.read_csv(VOWELS).groupby("utterance")["speaker"].first()
    for arrays in files.values():
        assert (arrays["classes"][arrays["y"]] == speakers[arrays["keys"]]).all()
    for name in files:
        succeeded(place.run("check", f"{name}.npz", "--for", "torch"))


def test_held_back_rows_become_what_they_were_to_the_bit(place: Place) -> None:
    test = vowels(place)["test"]
    rows = pd.read_csv(VOWELS, dtype=str)
    rows[rows["utterance"].astype(int).isin(test["keys"])].to_csv(place.folder / "held_back.csv", index=False)
    succeeded(place.run("apply", "train.npz", "held_back.csv", "-o", "again.npz"))
    again = place.arrays("again.npz")
    assert again["keys"].tolist() == test["keys"].tolist()
    for name in ("x", "lengths", "y", "classes"):
        assert again[name].tobytes() == test[name].tobytes(), name


@pytest.mark.peers
def test_scikit_learn_scales_the_real_steps_of_train_alike(place: Place) -> None:
    scaler = peer("sklearn.preprocessing").StandardScaler()
    files = vowels(place)
    rows = pd.read_csv(VOWELS)
    known = rows[rows["utterance"].isin(files["train"]["keys"])][FEATURES].to_numpy("float32")
    mask = np.arange(files["train"]["x"].shape[1]) < files["train"]["lengths"][:, None]
    found = np.sort(files["train"]["x"][mask], axis=0)
    np.testing.assert_allclose(found, np.sort(scaler.fit_transform(known), axis=0), atol=2e-5)


def test_prices_become_windows_of_which_none_looks_into_another_split(place: Place, tables: Path) -> None:
    shutil.copy(tables / "prices.csv", place.folder)
    for call in (
        "group prices.csv --key ticker --order-by date --keep-order --keep-row-index --ragged -o all.npz",
        "split all.npz --at 2025-09-01 --context -o split.npz",
        "fill split.npz --method forward,mean -o filled.npz",
        "scale filled.npz --method standard -o scaled.npz",
        "window scaled.npz --size 30 --horizon 5 --target close -o {split}.npz",
    ):
        succeeded(place.run(*call.split(), "-q"))
    train, test = place.arrays("train.npz"), place.arrays("test.npz")

    rows = pd.read_csv(place.folder / "prices.csv", dtype={"close": "float32"})
    features = ["close", "volume"]
    is_train = rows["date"] < "2025-09-01"
    rows[features] = rows.groupby("ticker")[features].ffill()
    rows[features] = rows[features].fillna(rows[is_train][features].mean())
    known = rows[is_train][features].astype("float64")
    rows[features] = (rows[features] - known.mean()) / known.std(ddof=0)
    expected: dict[str, list[Any]] = {"train": [], "test": []}
    for ticker, one in rows.groupby("ticker"):
        days = one.sort_values("date")
        steps, dates = days[features].to_numpy("float64"), days["date"].to_numpy()
        for first in range(len(days) - 34):
            ahead = dates[first + 30 : first + 35]
            whole = {"train": (ahead < "2025-09-01").all(), "test": (ahead >= "2025-09-01").all()}
            for name, fits in whole.items():
                if fits:
                    expected[name].append(
                        (ticker, first, steps[first : first + 30], steps[first + 30 : first + 35, 0])
                    )
    for name, arrays in (("train", train), ("test", test)):
        keys, first, x, y = zip(*expected[name], strict=True)
        assert (arrays["keys"].tolist(), arrays["part"].tolist()) == ([*keys], [*first])
        np.testing.assert_allclose(arrays["values"].reshape(len(keys), 30, 2), np.stack(x), atol=1e-4)
        np.testing.assert_allclose(arrays["y"], np.stack(y), atol=1e-4)

    place.write("forecast.npy", test["y"])
    call = "unpad test.npz --add forecast=forecast.npy --raw --rows prices.csv -o forecasts.csv"
    succeeded(place.run(*call.split()))
    found = pd.read_csv(place.folder / "forecasts.csv")
    closes = rows["close"].astype("float64") * known["close"].std(ddof=0) + known["close"].mean()
    days = rows.groupby("ticker")["date"].rank().astype(int) - 1
    before = (rows["date"] < "2025-09-01").groupby(rows["ticker"]).transform("sum")
    last = rows.groupby("ticker")["date"].transform("size")
    for ahead in range(5):  # the first test window begins so that all that follows it is of test
        is_for = (days >= before + ahead) & (days <= last - 5 + ahead)
        np.testing.assert_allclose(found[f"forecast_{ahead}"], closes.where(is_for), atol=1e-3)


CLICKS = (
    "group clicks.csv --key user --order-by time --category item --columns item --keep-row-index --ragged -o all.npz",
    "split all.npz --last 1 -o split.npz",
    "encode split.npz -o encoded.npz",
    "pad encoded.npz --post -o clicks-{split}.npz",
)


def clicks(place: Place, tables: Path) -> dict[str, Any]:
    """The two files of the second pipeline: what a user clicked, and the next item."""
    shutil.copy(tables / "clicks.csv", place.folder)
    for call in CLICKS:
        succeeded(place.run(*call.split(), "-q"))
    return {name: place.arrays(f"clicks-{name}.npz") for name in ("train", "test")}


def test_clicks_become_ids_by_count_on_train_and_the_next_item(place: Place, tables: Path) -> None:
    files = clicks(place, tables)
    rows = pd.read_csv(tables / "clicks.csv").sort_values("time", kind="stable")
    by_user = {user: items.tolist() for user, items in rows.groupby("user")["item"]}
    known = [item for items in by_user.values() for item in items[: -2 if len(items) > 2 else -1]]
    counts = pd.Series(known).value_counts()
    order = sorted(counts.index, key=lambda item: (-counts[item], item))
    assert files["train"]["vocabulary_0"].tolist() == order
    ids = {item: 3 + place for place, item in enumerate(order)}
    for name, arrays in files.items():
        held_out = {"train": 2, "test": 1}[name]
        expected = {}
        for user, items in by_user.items():
            if len(items) > 2 or (name == "train" and len(items) == 2):
                end = len(items) - (held_out if len(items) > 2 else 1)
                expected[user] = [ids.get(item, 2) for item in items[: end + 1]]
        assert arrays["keys"].tolist() == [*expected]
        for x, y, length, items in zip(
            arrays["x"], arrays["y"], arrays["lengths"], expected.values(), strict=True
        ):
            assert [*x[:length].tolist(), int(y)] == items
            assert not x[length:].any()


@pytest.mark.torch
def test_a_network_with_an_embedding_predicts_clicks_and_rows_get_the_predictions(
    place: Place, tables: Path
) -> None:
    import torch
    from torch.utils.data import DataLoader

    from seqtool.torch import LengthBatchSampler, SequenceDataset, collate, to_packed

    names = clicks(place, tables)["train"]["vocabulary_0"]
    train = SequenceDataset(place.folder / "clicks-train.npz")
    rows = train.file.categories["item"]
    assert rows == len(names) + 3
    torch.manual_seed(0)
    embedding, lstm = torch.nn.Embedding(rows, 16, padding_idx=0), torch.nn.LSTM(16, 32, batch_first=True)
    head = torch.nn.Linear(32, rows)
    optimizer = torch.optim.Adam([*embedding.parameters(), *lstm.parameters(), *head.parameters()], lr=0.01)

    def scores(batch: Any) -> Any:
        packed = to_packed(batch)
        _, (state, _) = lstm(packed._replace(data=embedding(packed.data)))
        return head(state[-1])

    batches = DataLoader(
        train, batch_sampler=LengthBatchSampler(train.lengths, batch_size=32), collate_fn=collate
    )
    for _ in range(30):
        for batch in batches:
            loss = torch.nn.functional.cross_entropy(scores(batch), batch.y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    test = SequenceDataset(place.folder / "clicks-test.npz")
    with torch.no_grad():
        guessed = scores(collate(test.__getitems__(range(len(test))))).argmax(dim=1).numpy()
    truth = place.arrays("clicks-test.npz")["y"]
    assert (guessed == truth).mean() > 3 / 40  # by chance 1 in 40

    np.save(place.folder / "guessed.npy", guessed)
    options = ["--add", "guess=guessed.npy", "--raw", "-o", "guessed.csv"]
    succeeded(place.run("unpad", "clicks-test.npz", *options))
    back = pd.read_csv(place.folder / "guessed.csv")
    placed = back[back["guess"].notna()].set_index("user")
    arrays = place.arrays("clicks-test.npz")
    assert placed["guess"].to_dict() == dict(zip(arrays["keys"], names[guessed - 3], strict=True))
    assert placed["step"].to_dict() == dict(zip(arrays["keys"], arrays["lengths"], strict=True))
    last = pd.read_csv(place.folder / "clicks.csv").sort_values("time").groupby("user")["item"].last()
    assert (placed["y"].dropna() == last[placed["y"].dropna().index]).all()
