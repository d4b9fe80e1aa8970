"""The language of `--where`, such as `value > 0 and site in ('a', b)`: text to an expression, and that to a mask.

The grammar, whose words may be in small or capital letters:

    condition   = conjunction ("or" conjunction)*
    conjunction = term ("and" term)*
    term        = "not" term | "(" condition ")" | column compared
    compared    = ("==" | "!=" | "<" | "<=" | ">" | ">=") value | ["not"] "in" "(" value ("," value)* ")"
    column      = a bare word, or any name in `backticks` or "double quotes"
    value       = a number, or text: in 'single' or "double quotes", or a bare word

Nothing of it is ever run as code. A missing cell fails every comparison, also under `not`: neither `v > 0` nor
`not v > 0` selects a row whose v is missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any, NoReturn

from seqtool.dataclass import dataclass
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
class Operand:
    """What cells are compared with: text, or a `number` where the text spells one; `bare` is text without quotes."""

    text: str
    number: float | None = None
    bare: bool = False


@dataclass(frozen=True)
class Comparison:
    """Cells of a column compared with a value, or with several: `sign` is one of ==, !=, <, <=, >, >=, or `in`."""

    column: str
    sign: str
    values: tuple[Operand, ...]


@dataclass(frozen=True)
class Not:
    """True where its part is false."""

    part: Expression


@dataclass(frozen=True)
class Combination:
    """True where all of its parts are, or `any_of` them."""

    parts: tuple[Expression, ...]
    any_of: bool


Expression = Comparison | Not | Combination
Compare = Callable[[Comparison], Any]
"""Evaluates a comparison for each row: Arrow booleans, null where the cell is missing."""


def parse(text: str, option: str = "--where") -> Expression:
    """Parse an expression; raises UsageError that shows the place and says what was expected there.

    >>> parse("split == train")
    Comparison(column='split', sign='==', values=(Operand(text='train', number=None, bare=True),))
    >>> parse("v >")
    Traceback (most recent call last):
    seqtool.errors.UsageError: --where: 'v >' ends after 'v >'; a number or text was expected
    """
    return _Parser(text, option).parsed()


def comparisons(expression: Expression) -> Iterator[Comparison]:
    """The comparisons in an expression, from left to right.

    >>> [comparison.column for comparison in comparisons(parse("a == 1 or not (b < 2 and a > 3)"))]
    ['a', 'b', 'a']
    """
    if isinstance(expression, Comparison):
        yield expression
    else:
        for part in [expression.part] if isinstance(expression, Not) else expression.parts:
            yield from comparisons(part)


def mask(expression: Expression, compare: Compare) -> Any:
    """Which rows are selected, as Arrow booleans; null where a missing cell decides.

    >>> import pyarrow as pa
    >>> cells = {"a": pa.array([1, 2, None])}
    >>> mask(parse("not a == 1"), lambda comparison: pa.compute.equal(cells[comparison.column], 1)).to_pylist()
    [False, True, None]
    """
    import pyarrow.compute as pc

    if isinstance(expression, Comparison):
        return compare(expression)
    if isinstance(expression, Not):
        return pc.invert(mask(expression.part, compare))
    combine = pc.or_kleene if expression.any_of else pc.and_kleene
    return reduce(combine, (mask(part, compare) for part in expression.parts))


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    begin: int
    end: int


class _Parser:
    """A recursive descent parser, one token ahead; each rule of the grammar is a method."""

    def __init__(self, text: str, option: str) -> None:
        self._text, self._option = text, option
        self._at, self._depth = 0, 0
        self._token = self._read()

    def parsed(self) -> Expression:
        expression = self._condition()
        if self._token.kind != "end":
            self._fail("and, or, or the end")
        return expression

    def _read(self) -> _Token:
        match = _TOKEN.match(self._text, self._at)
        assert match is not None  # it has an alternative for any letter
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

    def _condition(self) -> Expression:
        return self._combination("or", self._conjunction, any_of=True)

    def _conjunction(self) -> Expression:
        return self._combination("and", self._term, any_of=False)

    def _combination(self, word: str, part: Callable[[], Expression], *, any_of: bool) -> Expression:
        parts = [part()]
        while self._is(word):
            self._take()
            parts.append(part())
        return parts[0] if len(parts) == 1 else Combination(tuple(parts), any_of)

    def _term(self) -> Expression:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise UsageError(f"{self._option}: more than {_DEEPEST} parentheses and nots within each other")
        if self._is("not"):
            self._take()
            term: Expression = Not(self._term())
        elif self._is("("):
            self._take()
            term = self._condition()
            self._expect(")")
        else:
            term = self._comparison()
        self._depth -= 1
        return term

    def _comparison(self) -> Expression:
        column = self._take() if self._names_column() else self._fail(_COLUMN)
        name = _unquoted(column)
        negated = self._is("not")
        if negated:
            self._take()
        if self._is("in"):
            self._take()
            comparison = Comparison(name, "in", self._values())
            return Not(comparison) if negated else comparison
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

    def _values(self) -> tuple[Operand, ...]:
        self._expect("(")
        values = [self._value()]
        while self._is(","):
            self._take()
            values.append(self._value())
        self._expect(")", "a comma or )")
        return tuple(values)

    def _value(self) -> Operand:
        token = self._token
        if token.kind == "quoted" and token.text[0] != "`":
            return Operand(_unquoted(self._take()))
        if token.kind != "word" or self._is("and", "or", "not", "in"):
            self._fail(_VALUE)
        text = self._take().text
        if _NUMBER.fullmatch(text) is None:
            return Operand(text, bare=True)
        whole = text.lstrip("+-").isdecimal() and len(text) <= _MOST_DIGITS
        return Operand(text, int(text) if whole else float(text))

    def _fail(self, expected: str) -> NoReturn:
        token, before = self._token, self._text[: self._token.begin].rstrip()
        where = f"{self._text!r} "
        if token.kind == "end":
            where += f"ends after {before[-_SHOWN:]!r}" if before else "is empty"
        else:
            after = f" after {before[-_SHOWN:]!r}" if before else ""
            where += f"has {token.text!r} at letter {token.begin + 1}{after}"
        raise UsageError(f"{self._option}: {where}; {expected} was expected")


_DEEPEST, _SHOWN = 50, 20
_MOST_DIGITS = 300  # float64 holds a number of so many


def _unquoted(token: _Token) -> str:
    if token.kind != "quoted":
        return token.text
    quote = token.text[0]
    return token.text[1:-1].replace(quote * 2, quote)
