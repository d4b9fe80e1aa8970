"""pandas, hidden from pyarrow, which would load it, 0.2 s, to see if it was handed a DataFrame: never in a command."""

from __future__ import annotations

import sys


class _WithoutPandas:
    """A finder that finds no pandas."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def hide_pandas() -> None:
    """From now on `import pandas` fails, until somebody needs it."""
    sys.meta_path.insert(0, _WithoutPandas())


def need_pandas() -> None:
    """From now on `import pandas` works again: say this before it."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _WithoutPandas)]
