"""What a data set may be written to."""

from pathlib import Path

import pytest

from seqtool.errors import DataError
from seqtool.files.manifest import Manifest, Shard
from seqtool.files.stores import store_at
from seqtool.sharding.target import OutputFolder
from tests.command import Place


def target(folder: Path, *, force: bool = False) -> OutputFolder:
    return OutputFolder(store_at(str(folder)), force=force)


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
    for path, why in (
        (tmp_path / "file", "there is a file of this name"),
        (tmp_path / "a" / "b", "does not exist"),
    ):
        with pytest.raises(DataError, match=why), target(path).filled():
            pass


def test_what_a_job_that_was_killed_has_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "shard-00001-of-00002-abc.npz").write_text("old")
    (tmp_path / ".seqtool-run-x.tmp").write_text("half")
    fill(tmp_path, "shard-00000-of-00002-new.npz")
    assert names_in(tmp_path) == ["manifest.json", "shard-00000-of-00002-new.npz"]


def interrupted(folder: Path, *, after_manifest: bool) -> None:
    """A new data set, whose job is interrupted."""
    to, name = target(folder, force=True), "shard-00000-of-00002-b.npz"
    with to.filled():
        (folder / name).write_text("new")
        if after_manifest:
            to.finish(manifest(name))
        raise KeyboardInterrupt


@pytest.mark.parametrize(("after", "left"), [(True, "b"), (False, "a")])
def test_one_data_set_is_left_whole_whenever_a_job_is_interrupted(
    after: bool, left: str, tmp_path: Path
) -> None:
    fill(tmp_path, "shard-00000-of-00002-a.npz")
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path, after_manifest=after)
    assert names_in(tmp_path) == ["manifest.json", f"shard-00000-of-00002-{left}.npz"]


def test_shards_without_a_manifest_are_called_what_they_are(place: Place) -> None:
    (place.folder / "out").mkdir()
    (place.folder / "out" / "shard-00000-of-00002-abc.npz").write_bytes(b"")
    for call in (["info", "out/"], ["pad", "out", "-o", "x.npz"]):
        done = place.run(*call)
        assert done.code == 1
        assert "shards without manifest.json, so no data set yet: wait for the job that writes it" in done.err
