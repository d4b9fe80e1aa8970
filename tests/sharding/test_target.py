"""What a data set may be written to."""

from pathlib import Path

import pytest

from seqtool.errors import DataError
from seqtool.files.manifest import Manifest, Shard
from seqtool.files.stores import store_at
from seqtool.sharding.target import Target


def target(folder: Path, *, force: bool = False) -> Target:
    return Target(store_at(str(folder)), force=force)


def manifest(*names: str) -> Manifest:
    return Manifest(4, tuple(Shard(i, name, "", 0, 0, 0, 0, 0, {}) for i, name in enumerate(names)), {}, 1)


def fill(folder: Path, *names: str, force: bool = False) -> None:
    to = target(folder, force=force)
    with to.filled():
        for name in names:
            (folder / name).write_text(name)
        to.finish(manifest(*names))


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_else_stands_in_a_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for force in (False, True):
        with pytest.raises(DataError, match="holds files that seqtool did not write; name a new folder"):
            target(tmp_path, force=force)


def test_a_file_of_the_name_and_a_folder_that_is_not_there_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for path, why in ((tmp_path / "file", "there is a file of this name"), (tmp_path / "a" / "b", "does not exist")):
        with pytest.raises(DataError, match=why), target(path).filled():
            pass


def test_what_a_job_that_was_killed_has_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "shard-00001-of-00002-abc.npz").write_text("old")
    (tmp_path / ".seqtool-run-x.tmp").write_text("half")
    fill(tmp_path, "shard-00000-of-00002-new.npz")
    assert names_in(tmp_path) == ["manifest.json", "shard-00000-of-00002-new.npz"]


def test_what_fails_after_the_manifest_leaves_the_new_data_set(tmp_path: Path) -> None:
    fill(tmp_path, "shard-00000-of-00002-a.npz")
    to = target(tmp_path, force=True)
    with pytest.raises(KeyboardInterrupt), to.filled():
        (tmp_path / "shard-00000-of-00002-b.npz").write_text("new")
        to.finish(manifest("shard-00000-of-00002-b.npz"))
        raise KeyboardInterrupt
    assert names_in(tmp_path) == ["manifest.json", "shard-00000-of-00002-b.npz"]


def test_what_fails_before_it_leaves_the_old_one(tmp_path: Path) -> None:
    fill(tmp_path, "shard-00000-of-00002-a.npz")
    with pytest.raises(KeyboardInterrupt), target(tmp_path, force=True).filled():
        (tmp_path / "shard-00000-of-00002-b.npz").write_text("new")
        raise KeyboardInterrupt
    assert names_in(tmp_path) == ["manifest.json", "shard-00000-of-00002-a.npz"]
