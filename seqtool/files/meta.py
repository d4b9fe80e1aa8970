"""What `meta`, the description in a file, says: JSON that may be made up, so nothing of it is believed unseen."""

from __future__ import annotations

import json
from math import isinf
from typing import Any, NoReturn

from seqtool.errors import DataError
from seqtool.files.schema import NEWEST

_DEEPEST = 32  # objects and lists within one another
_COUNTS = ("in", "kept", "cut")
_REASONS = ("dropped", "added")  # older receipts have none that was added


def parse_meta(text: str, name: str) -> dict[str, Any]:
    """The `meta` of the file of this name, its version and its receipt in the form that they have.

    Raises DataError for what is not strict JSON, has not the form, or is of a newer version.

    >>> parse_meta('{"format": "seqtool", "version": 1, "receipt": []}', "in.npz")["version"]
    1
    """
    try:
        meta = json.loads(text, parse_float=_finite, parse_constant=_no_number)
    except (ValueError, RecursionError):
        meta = None
    if not isinstance(meta, dict) or not _is_whole(meta.get("version")) or _is_deep(meta):
        raise DataError(f"{name}[meta]: damaged: not the JSON object that seqtool writes")
    if meta["version"] > NEWEST:
        raise DataError(
            f"{name}: format version {str(meta['version'])[:20]}, but this seqtool reads up to version {NEWEST}; "
            "update seqtool"
        )
    parse_receipt(meta.get("receipt"), name)
    return meta


def parse_receipt(receipt: Any, name: str) -> list[dict[str, Any]]:
    """A receipt of the file of this name; raises DataError where an entry has not the form that seqtool writes."""
    if not isinstance(receipt, list):
        raise DataError(f"{name}[meta]: damaged: the receipt is missing, or no list")
    for place, entry in enumerate(receipt):
        if not _is_entry(entry):
            raise DataError(f"{name}[meta]: damaged: receipt[{place}] is not an entry that seqtool writes")
    return receipt


def _finite(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise ValueError
    return number


def _no_number(_text: str) -> NoReturn:
    raise ValueError


def _is_whole(held: Any) -> bool:
    return isinstance(held, int) and not isinstance(held, bool)


def _is_deep(meta: Any) -> bool:
    """Whether it is nested deeper than Python, which may well have read it, can write."""
    level = [meta]
    for _ in range(_DEEPEST):
        lists = [held for held in level if isinstance(held, list)]
        lists += [list(held.values()) for held in level if isinstance(held, dict)]
        level = [part for held in lists for part in held if isinstance(part, (list, dict))]
    return bool(level)


def _is_entry(entry: Any) -> bool:
    """Whether each part of an entry of a receipt, as far as it is there, has its type."""
    if not isinstance(entry, dict):
        return False
    rows = entry.get("rows", dict.fromkeys(_COUNTS, 0))
    return (
        isinstance(entry.get("command", ""), str)
        and isinstance(entry.get("inputs", []), list)
        and isinstance(entry.get("arguments", {}), dict)
        and isinstance(entry.get("state", {}), dict)
        and isinstance(rows, dict)
        and all(_is_whole(rows.get(name)) for name in _COUNTS)
        and all(_is_counted(rows.get(name, {})) for name in _REASONS)
    )


def _is_counted(reasons: Any) -> bool:
    return isinstance(reasons, dict) and all(map(_is_whole, reasons.values()))
