"""Files that several modules group."""

import pytest

from tests.command import Place


@pytest.fixture
def two_files(place: Place) -> Place:
    place.write("a.csv", "k,x\n" + "".join(f"{i % 9},{i}\n" for i in range(40)))
    place.write("b.csv", "k,x\n" + "".join(f"{i % 5},{i}\n" for i in range(40)))
    return place
