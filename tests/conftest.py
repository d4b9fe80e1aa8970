"""Settings and fixtures that every test module shares."""

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("seqtool", derandomize=True, deadline=None, max_examples=100)
settings.load_profile("seqtool")


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all examples of a property may write over."""
    return tmp_path_factory.mktemp("scratch")
