"""Which rows are meant, in words: `value > 0 and site in ('a', b)`. Text becomes an expression, and that a mask.

The language, whose words may be in small or capital letters:

    condition   = all ("or" all)*
    all         = one ("and" one)*
    one         = "not" one | "(" condition ")" | column compared
    compared    = ("==" | "!=" | "<" | "<=" | ">" | ">=") value | ["not"] "in" "(" value ("," value)* ")"
    column      = a bare word, or any name in `backticks` or "double quotes"
    value       = a number, or text: in 'single' or "double quotes", or a bare word

Nothing of it is ever run as code. A cell that holds nothing compares false, whatever it is compared with, and so it
does under `not`: neither `v > 0` nor `not v > 0` means a row whose v is missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from seqtool.errors import UsageError

_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`)
    | (?P<sign>==|!=|<>|<=|>=|<|>|=|\(|\)|,)
    | (?P<word>[^\s'"`=!<>(),]+)
    | (?P<end>$) | (?P<odd>.))""",
    re.VERBOSE | re.DOTALL,
)
_SIGNS = ("==", "!=", "<", "<=", ">", ">=")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_COLUMN, _VALUE, _COMPARED = "the name of a column", "a number or text", "==, !=, <, <=, >, >= or in"


@dataclass(frozen=True)
class Value:
    """What cells are compared with: text, or a number, which `number` tells; `bare` is text without quotes."""

    text: str
    number: float | int | None = None
    bare: bool = False


@dataclass(frozen=True)
class Comparison:
    """Cells of a column compared with a value, or with each of several: `sign` is that of the comparison, or `in`."""

    column: str
    sign: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Not:
    """What does not hold."""

    part: Expression


@dataclass(frozen=True)
class Both:
    """Several parts, all of which hold, or `any_of` them."""

    parts: tuple[Expression, ...]
    any_of: bool


Expression = Comparison | Not | Both
Compare = Callable[[Comparison], Any]
"""Tells of each row whether a comparison holds: Arrow booleans, null where the cell holds nothing."""


def parse(text: str, option: str = "--where") -> Expression:
    """The expression that is written; raises UsageError that shows the place and says what was expected there.

    >>> parse("split == train")
    Comparison(column='split', sign='==', values=(Value(text='train', number=None, bare=True),))
    >>> parse("v >")
    Traceback (most recent call last):
    seqtool.errors.UsageError: --where: 'v >' ends after 'v >'; a number or text was expected
    """
    return _Parser(text, option).parsed()


def comparisons(expression: Expression) -> Iterator[Comparison]:
    """The comparisons in an expression, from left to right.

    >>> [one.column for one in comparisons(parse("a == 1 or not (b < 2 and a > 3)"))]
    ['a', 'b', 'a']
    """
    if isinstance(expression, Comparison):
        yield expression
    else:
        for part in [expression.part] if isinstance(expression, Not) else expression.parts:
            yield from comparisons(part)


def mask(expression: Expression, compare: Compare) -> Any:
    """Which rows are meant, as Arrow booleans; null where that hangs on a cell that holds nothing.

    >>> import pyarrow as pa
    >>> cells = {"a": pa.array([1, 2, None])}
    >>> mask(parse("not a == 1"), lambda one: pa.compute.equal(cells[one.column], 1)).to_pylist()
    [False, True, None]
    """
    import pyarrow.compute as pc

    if isinstance(expression, Comparison):
        return compare(expression)
    if isinstance(expression, Not):
        return pc.invert(mask(expression.part, compare))
    found, *others = (mask(part, compare) for part in expression.parts)
    for other in others:
        found = pc.or_kleene(found, other) if expression.any_of else pc.and_kleene(found, other)
    return found


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    begin: int
    end: int


class _Parser:
    """Reads the text from left to right, one word ahead."""

    def __init__(self, text: str, option: str) -> None:
        self._text, self._option = text, option
        self._at, self._depth = 0, 0
        self._token = self._read()

    def parsed(self) -> Expression:
        found = self._any()
        if self._token.kind != "end":
            self._fail("and, or, or the end")
        return found

    def _read(self) -> _Token:
        match = _TOKEN.match(self._text, self._at)
        assert match is not None  # for it takes any letter
        kind = str(match.lastgroup)
        return _Token(kind, match[kind], match.start(kind), match.end())

    def _take(self) -> _Token:
        token = self._token
        self._at = token.end
        self._token = self._read()
        return token

    def _is(self, *texts: str) -> bool:
        token = self._token
        return token.kind in ("sign", "word") and token.text.lower() in texts

    def _expect(self, text: str, expected: str = "") -> None:
        if not self._is(text):
            self._fail(expected or text)
        self._take()

    def _any(self) -> Expression:
        return self._joined("or", lambda: self._joined("and", self._one, any_of=False), any_of=True)

    def _joined(self, word: str, part: Callable[[], Expression], *, any_of: bool) -> Expression:
        parts = [part()]
        while self._is(word):
            self._take()
            parts.append(part())
        return parts[0] if len(parts) == 1 else Both(tuple(parts), any_of)

    def _one(self) -> Expression:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise UsageError(f"{self._option}: more than {_DEEPEST} parentheses and nots within each other")
        if self._is("not"):
            self._take()
            found: Expression = Not(self._one())
        elif self._is("("):
            self._take()
            found = self._any()
            self._expect(")")
        else:
            found = self._comparison()
        self._depth -= 1
        return found

    def _comparison(self) -> Expression:
        column = self._take() if self._names_column() else self._fail(_COLUMN)
        name = _unquoted(column)
        negated = self._is("not")
        if negated:
            self._take()
        if self._is("in"):
            self._take()
            found = Comparison(name, "in", self._values())
            return Not(found) if negated else found
        if negated:
            self._fail("in")
        if self._is("="):
            self._fail("==")
        sign = "!=" if self._is("<>") else self._token.text
        if sign not in _SIGNS or self._token.kind != "sign":
            self._fail(_COMPARED)
        self._take()
        return Comparison(name, sign, (self._value(),))

    def _names_column(self) -> bool:
        quoted = self._token.kind == "quoted" and self._token.text[0] != "'"
        return quoted or (self._token.kind == "word" and not self._is("and", "or", "in"))

    def _values(self) -> tuple[Value, ...]:
        self._expect("(")
        found = [self._value()]
        while self._is(","):
            self._take()
            found.append(self._value())
        self._expect(")", "a comma or )")
        return tuple(found)

    def _value(self) -> Value:
        token = self._token
        if token.kind == "quoted" and token.text[0] != "`":
            return Value(_unquoted(self._take()))
        if token.kind != "word" or self._is("and", "or", "not", "in"):
            self._fail(_VALUE)
        text = self._take().text
        if _NUMBER.fullmatch(text) is None:
            return Value(text, bare=True)
        whole = text.lstrip("+-").isdecimal() and len(text) < _DIGITS
        return Value(text, int(text) if whole else float(text))

    def _fail(self, expected: str) -> NoReturn:
        token, before = self._token, self._text[: self._token.begin].rstrip()
        where = f"{self._text!r} "
        if token.kind == "end":
            where += f"ends after {before[-_SHOWN:]!r}" if before else "is empty"
        else:
            after = f" after {before[-_SHOWN:]!r}" if before else ""
            where += f"has {token.text!r} at letter {token.begin + 1}{after}"
        raise UsageError(f"{self._option}: {where}; {expected} was expected")


_DEEPEST, _SHOWN, _DIGITS = 50, 20, 19


def _unquoted(token: _Token) -> str:
    if token.kind != "quoted":
        return token.text
    quote = token.text[0]
    return token.text[1:-1].replace(quote * 2, quote)
