"""Fixtures of the tests on real frameworks."""

from pathlib import Path

import pytest

from tests.frameworks.files import write


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the same sequences in every kind of file."""
    folder = tmp_path_factory.mktemp("files")
    write(folder)
    return folder
