"""`dataclass`, whose methods are not compiled anew for each class.

The one of the standard library writes up to six methods of each class as text and compiles them, which takes half a
millisecond a class, and a short call loads about eighty. The methods here are the same for all classes and read the
fields. A subclass of such a class uses this decorator too.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, FrozenInstanceError
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # which type checkers know
else:

    def dataclass(cls=None, /, *, init=True, repr=True, eq=True, frozen=False, kw_only=False):
        """Make a class a dataclass as `dataclasses.dataclass` does; a method that the class itself defines stays.

        >>> @dataclass(frozen=True)
        ... class Point:
        ...     x: int
        ...     y: int = 0
        >>> Point(1), Point(x=1) == Point(1, 0), len({Point(1), Point(1)})
        (Point(x=1, y=0), True, 1)
        """

        def decorated(cls):
            own = {*vars(cls)}
            dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=kw_only)(cls)
            methods = {"__init__": _init(cls), "__signature__": _Signature()} if init else {}
            methods |= {"__repr__": _repr} if repr else {}
            methods |= {"__eq__": _eq, "__hash__": _hash if frozen else None} if eq else {}
            methods |= {"__setattr__": _refuse, "__delattr__": _refuse} if frozen else {}
            for name, method in methods.items():
                if name not in own:
                    setattr(cls, name, method)
            return cls

        return decorated if cls is None else decorated(cls)


def _init(cls: type) -> Any:
    """The method `__init__` of a class whose fields are known; it raises TypeError for arguments that do not fit."""
    fields = dataclasses.fields(cls)
    accepted = [f for f in fields if f.init]
    names = {f.name for f in accepted}
    positional = [f.name for f in accepted if not f.kw_only]
    factories = {f.name: f.default_factory for f in fields if f.default_factory is not MISSING}
    defaults = {
        f.name: None if f.default is MISSING else f.default for f in fields if f.init or f.name in factories
    }
    required = {f.name for f in accepted if f.default is MISSING and f.name not in factories}
    has_post_init = hasattr(cls, "__post_init__")

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        arguments = {**dict(zip(positional, args, strict=False)), **kwargs} if args else kwargs
        fits = required.issubset(arguments) and names.issuperset(arguments)
        if not fits or len(arguments) != len(args) + len(kwargs):
            raise TypeError(
                f"{cls.__name__} takes {', '.join(f.name for f in accepted)}; {len(args)} arguments by position, and "
                f"{', '.join(kwargs) or 'none'} by name were given"
            )
        # Not attribute by attribute, which a frozen class refuses. All in the order of the fields, as `defaults` are.
        values = self.__dict__
        values.update(defaults)
        values.update(arguments)
        for name, make in factories.items():
            if name not in arguments:
                values[name] = make()
        if has_post_init:
            self.__post_init__()

    return init


class _Signature:
    """The signature of a class, made when somebody asks for it, such as `help`."""

    def __get__(self, _: Any, cls: Any) -> Any:
        from inspect import Parameter, Signature

        def default(f: dataclasses.Field[Any]) -> Any:
            if f.default_factory is not MISSING:
                return f.default_factory()
            return Parameter.empty if f.default is MISSING else f.default

        parameters = [
            Parameter(
                f.name,
                Parameter.KEYWORD_ONLY if f.kw_only else Parameter.POSITIONAL_OR_KEYWORD,
                default=default(f),
                annotation=f.type,
            )
            for f in dataclasses.fields(cls)
            if f.init
        ]
        return Signature(sorted(parameters, key=lambda parameter: parameter.kind))


def _repr(self: Any) -> str:
    shown = (f"{f.name}={getattr(self, f.name)!r}" for f in dataclasses.fields(self) if f.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _compared(self: Any) -> tuple[Any, ...]:
    """The values of the fields by which two objects of a class are told apart."""
    return tuple(getattr(self, f.name) for f in dataclasses.fields(self) if f.compare)


def _eq(self: Any, other: object) -> bool:
    return _compared(self) == _compared(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _refuse(self: Any, name: str, *_: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r} of {type(self).__name__}")
