"""The command line: finds the commands, and holds the one handler of errors and signals."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from seqtool import commands
from seqtool.advice import Advice, Message, advice_in
from seqtool.errors import DataError, NoInputError, SeqtoolError, why
from seqtool.operations import OPERATIONS
from seqtool.system import signals
from seqtool.system.platform import address_space, broken_pipe_code, ending_signals
from seqtool.words import human, printable

if TYPE_CHECKING:
    from seqtool.commands._raw_call import RawCall

_SUMMARY = """Turn tables of variable-length sequences into tensors for recurrent networks.

Example: seqtool group events.csv --key user --order-by time -o train.npz
"""


_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"seqtool {version('seqtool')}")
        raise typer.Exit


class _Commands(Mapping[str, Any]):
    """The commands by name, each built when it is asked for: a call needs one of them."""

    def __getitem__(self, name: str) -> Any:
        if name not in _names():
            raise KeyError(name)
        return _command(name)

    def __iter__(self) -> Iterator[str]:
        return iter(_names())

    def __len__(self) -> int:
        return len(_names())


@cache
def _names() -> list[str]:
    modules = (module.name for module in pkgutil.iter_modules(commands.__path__))
    return sorted(
        [*OPERATIONS, *(name for name in modules if not name.startswith("_"))]
    )  # _: what they share


class _Root(TyperGroup):
    """The group of all commands; its help has the first line of their docstrings, and loads none of them."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names."""
        return [*self.commands]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write a line for each command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _summary(name)) for name in self.list_commands(ctx)])


def _summary(name: str) -> str:
    """The first line of the docstring of a command, from its source: to load them all takes longer than the help."""
    module, first = _home(name)
    spec = importlib.util.find_spec(module)
    source = getattr(spec.loader, "get_source", lambda _: None)(module) if spec else None
    definition = (source or "").partition(f"\n{first}(")[2]
    return definition.partition('"""')[2].partition("\n")[0]


def _home(name: str) -> tuple[str, str]:
    """The module of a command, and how the definition of its function, or of its operation, begins there."""
    if name in OPERATIONS:
        return f"seqtool.operations.{name}", f"class {name.title()}"
    return f"{commands.__name__}.{name}", f"def {name}"


@cache
def _command(name: str) -> Any:
    from seqtool.commands._command import Command
    from seqtool.commands._groups import takes_groups

    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    app.command(name, cls=Command, context_settings=_CONTEXT)(takes_groups(_function(name)))
    return typer.main.get_command(app)


def _function(name: str) -> Callable[..., None]:
    module, definition = _home(name)
    found = getattr(importlib.import_module(module), definition.split()[1])
    if name not in OPERATIONS:
        return found  # type: ignore[no-any-return]
    from seqtool.commands._transform import command_of

    return command_of(found)


@cache
def build() -> Any:
    """The command line: one command for each module in `seqtool.commands`, and for each operation."""
    app = typer.Typer(
        cls=_Root,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=_CONTEXT,
    )

    @app.callback(help=_SUMMARY)
    def root(
        version: Annotated[
            bool,
            typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit."),
        ] = False,
    ) -> None:
        pass

    group: Any = typer.main.get_command(app)
    group.commands = _Commands()
    return group


def run(arguments: list[str]) -> int:
    """Run one call and return its exit code; every error becomes one line, or one JSON object, on standard error.

    It leaves the process as it was, and may be called again.
    """
    with signals.recorded_outputs():
        try:
            code = _call(arguments)
            if signals.received() is not None:  # somebody below took it for an error of their own
                raise signals.Ended
            return code
        except BaseException as error:
            number = signals.received()
            if number is not None:
                return fail(*ending(number), arguments)
            # Typer makes a SystemExit of it.
            if isinstance(error, BrokenPipeError) or isinstance(error.__context__, BrokenPipeError):
                return (
                    broken_pipe_code()
                )  # the reader of the pipe has gone: end quietly, as `cat | head` does
            if "--traceback" in arguments or not isinstance(error, Exception):
                raise
            message, code = _explain(error, arguments)
            return fail(message, code, arguments, advice_in(error, message))


def _call(arguments: list[str]) -> int:
    command_line = build()
    if "_SEQTOOL_COMPLETE" in os.environ:
        from seqtool.commands._completion import join_words

        join_words()
    if sys.stdout is None and {"-h", "--help", "--version"} & {*arguments}:
        raise DataError("standard output is closed")
    if not arguments and "_SEQTOOL_COMPLETE" not in os.environ:  # a shell asks for completions without words
        with contextlib.redirect_stdout(sys.stderr):
            command_line.main(["--help"], prog_name="seqtool", standalone_mode=False)
        return 2
    if not {"-h", "--help", "--version"} & {*arguments}:  # which load no library
        from seqtool.system.memory import check_address_space

        check_address_space(arrow=False)
    result = command_line.main(arguments, prog_name="seqtool", standalone_mode=False)
    if sys.stdout is not None:
        sys.stdout.flush()
    return result if isinstance(result, int) else 0


def _explain(error: Exception, arguments: list[str]) -> tuple[str, int]:
    """What to say about an error, and the exit code."""
    if isinstance(error, NoInputError):
        command = next((word for word in arguments if not word.startswith("-")), "")
        more = Advice("seqtool", command, "--help")
        return Message(error, f"\nUsage: seqtool {command} SOURCE [OPTIONS]; more with: ", more), 2
    if isinstance(error, SeqtoolError):
        return printable(str(error)), error.exit_code
    meant = _meant(error, arguments)
    if meant is not None:
        return meant, 2
    if isinstance(error, typer.TyperException):
        return printable(_VALID.sub("is not a number", error.format_message())), error.exit_code or 2
    if isinstance(error, MemoryError) or any(words in str(error) for words in _NO_MEMORY):
        space = address_space()
        limited = (
            f" in the {human(space)} of address space that this process may have (ulimit -v)" if space else ""
        )
        dry = Advice("--dry-run")
        return Message(f"not enough memory{limited}; see what the output takes with ", dry), 1
    if isinstance(error, OSError) and error.errno is not None:
        where = f"{error.filename}: " if error.filename else ""
        return f"{printable(f'{where}{why(error)}')}; {signals.outcome()}", 1
    kind = type(error).__name__
    return f"unexpected {kind}: {' '.join(str(error).split())} (a bug in seqtool; --traceback shows where)", 1


_VALID = re.compile(r"is not a valid (float|integer)( range)?(?=\.)")

# What libraries say where the system gives them none.
_NO_MEMORY = (
    "can't start new thread",
    "Failed to launch worker thread",
    "failed to map segment from shared object",
    "Cannot allocate memory",
)


def _meant(error: Any, arguments: list[str]) -> Message | None:
    """What to say of an option that is known from elsewhere, or misspelled, and of more files than were expected."""
    if "unexpected extra argument" in str(getattr(error, "message", "")) and error.ctx is not None:
        from seqtool.commands._source import unquoted, unquoted_steps

        if (of_steps := unquoted_steps(arguments)) is not None:
            return of_steps
        names = [
            word
            for word in arguments[1:]
            if word in str(error.message) or word == error.ctx.params.get("source")
        ]
        return unquoted(error.ctx.info_name, names, error.ctx.params.get("key_from"))
    if type(error).__name__ != "NoSuchOption" or error.ctx is None:  # typer does not export the class
        return None
    from seqtool.commands._peers import unknown_option

    known = [name for option in error.ctx.command.params for name in (*option.opts, *option.secondary_opts)]
    return unknown_option(error.option_name, arguments, known)


def ending(number: int) -> tuple[str, int]:
    """What to say of the signal that ended a call, and the exit code.

    >>> ending(15)
    ('terminated; nothing was written', 143)
    """
    return f"{ending_signals()[number]}; {signals.outcome()}", 128 + number


def fail(message: str, code: int, arguments: list[str], advice: Sequence[Advice] = ()) -> int:
    """Write the error that ends a call to standard error, as JSON where the call asks for it, and return `code`."""
    if sys.stderr is None:
        return code
    asked = _asked(arguments)
    if asked is not None and "--json" in asked.options:
        import json

        from seqtool.terminal.report import SCHEMA

        known = {} if asked.command is None else {"command": asked.command}
        error = {
            "schema": SCHEMA,
            **known,
            "error": message,
            "advice": [*map(str, advice)],
            "exit_code": code,
        }
        print(json.dumps(error), file=sys.stderr)
    else:
        print(f"seqtool: error: {message}", file=sys.stderr)
    return code


def _asked(arguments: list[str]) -> RawCall | None:
    """The command and the options of a call; None, without a look at them, where none of them can be --json."""
    if not any(word.startswith("--json") for word in arguments):
        return None
    from seqtool.commands._raw_call import RawCall, raw_call

    try:
        return raw_call(arguments, build())
    except Exception:  # noqa: BLE001 - the error to be reported may be that the commands cannot be loaded
        return RawCall(None, frozenset(arguments))
