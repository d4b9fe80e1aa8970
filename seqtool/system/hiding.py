"""Hide pandas from pyarrow, which would spend 0.2 s on importing it to ask whether it was handed a DataFrame."""

from __future__ import annotations

import sys


class _WithoutPandas:
    """A finder of modules that refuses pandas."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def hide_pandas() -> None:
    """Make `import pandas` fail from now on, until `need_pandas`."""
    sys.meta_path.insert(0, _WithoutPandas())


def need_pandas() -> None:
    """Make `import pandas` work again; call this before it."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _WithoutPandas)]
