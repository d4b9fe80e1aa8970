"""What the text of an option says: numbers, names, and a call without some of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import isinf
from typing import TYPE_CHECKING, Literal

from seqtool.commands._call import Call
from seqtool.errors import UsageError
from seqtool.words import join_names, split_names

if TYPE_CHECKING:
    from seqtool.grouping.spec import GroupSpec
    from seqtool.sequences.padding_values import Value


def call_without(call: Call, spec: GroupSpec, columns: Sequence[str]) -> Call | None:
    """The same call of group without these columns among its features; None where no feature is left."""
    keys = [name for name in columns if spec.keep_key and name in map(str, spec.key)]
    if keys:  # --keep-key would bring it back
        call, columns = call.changed(keep_key=None), [name for name in columns if name not in keys]
    if not columns:
        return call
    if spec.columns is None:
        return call.changed(drop=[*(call.options["drop"] or ()), join_names(columns)])
    kept = [str(name) for name in spec.columns if name not in columns]
    return call.changed(columns=[join_names(kept)]) if kept else None


def names_in(options: list[str] | str | None) -> list[str]:
    """The names of an option, or of one that may be repeated: each may hold several, as in `A,B`.

    >>> names_in(["a,b", "c"])
    ['a', 'b', 'c']
    """
    texts = [options] if isinstance(options, str) else options or ()
    return [name for names in texts for name in split_names(names)]


def orders_in(options: list[str] | None) -> list[str]:
    """The same for order columns; a strptime format may hold commas, so it ends with its option.

    >>> orders_in(["user,date:%b %d, %Y", "a:desc,b"])
    ['user', 'date:%b %d, %Y', 'a:desc', 'b']
    """
    found: list[str] = []
    for text in options or ():
        colon = text.rfind(":", 0, max(0, text.find("%")))
        if colon < 0 or text[:colon].count('"') % 2:  # no format, or one within the quotes of a name
            found += split_names(text)
        else:
            *before, last = split_names(text[:colon]) or [""]
            found += [*before, last + text[colon:]]
    return found


def one_or_all(names: Sequence[str]) -> str | list[str] | None:
    """What a receipt holds of an option of several names: one as it is, none as None."""
    return list(names) if len(names) > 1 else next(iter(names), None)


def padding_value(text: str | None) -> Value | Literal["auto"] | None:
    """What `--value` says: a number, one for each feature, or auto, which `seqtool.operations.pad.plan` chooses."""
    return "auto" if text == "auto" else parse_value(text)


def parse_value(text: str | None, option: str = "--value") -> float | tuple[float, ...] | None:
    """The number, or the numbers, that an option names; whole numbers stay whole.

    >>> parse_value("0,0.5,-1")
    (0, 0.5, -1)
    """
    if text is None:
        return None
    numbers = tuple(_number(part, option) for part in text.split(","))
    return numbers[0] if len(numbers) == 1 else numbers


def _number(text: str, option: str) -> float:
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        if "_" not in text and not (kind is float and isinf(number) and "inf" not in text.lower()):
            return number
    raise UsageError(
        f"{option}: {text!r} is not a number; a number, nan, or one number per feature was expected"
    )
