"""The command line: finds the commands, and holds the one handler of errors and signals."""

from __future__ import annotations

import contextlib
import importlib
import os
import pkgutil
import signal
import sys
from typing import Annotated

import typer

from seqtool import commands
from seqtool.commands._options import takes_groups
from seqtool.errors import DataError, NoInputError, SeqtoolError, why
from seqtool.system import signals
from seqtool.words import printable

_SUMMARY = """Turn tables of variable-length sequences into tensors for recurrent networks.

Example: seqtool group events.csv --key user --order-by time -o train.npz
"""


class _WithoutPandas:
    """Hides pandas from pyarrow, which would load it, 0.2 s, to see if it was handed a DataFrame: never here."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"seqtool {version('seqtool')}")
        raise typer.Exit


def build() -> typer.Typer:
    """The application, with one command for each module in `seqtool.commands`."""
    app = typer.Typer(
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )

    @app.callback(help=_SUMMARY)
    def root(
        version: Annotated[
            bool,
            typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit."),
        ] = False,
    ) -> None:
        pass

    for module in pkgutil.iter_modules(commands.__path__):
        if module.name.startswith("_"):  # what commands share
            continue
        function = getattr(importlib.import_module(f"{commands.__name__}.{module.name}"), module.name)
        app.command(module.name)(takes_groups(function))
    return app


def run(arguments: list[str]) -> int:
    """Run one call and return its exit code; every error becomes one line on standard error."""
    signals.record_outputs()
    sys.meta_path.insert(0, _WithoutPandas())
    if sys.stdout is not None and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(
            errors="backslashreplace"
        )  # names from data on a terminal that lacks the letters
    try:
        code = _call(arguments)
        if signals.received() is not None:  # somebody below took it for an error of their own
            raise signals.Ended
        return code
    except BaseException as error:
        number = signals.received()
        if number is not None:
            return _fail(f"{signals.ENDING[signal.Signals(number)]}; {signals.outcome()}", 128 + number)
        # Typer makes a SystemExit of it.
        if isinstance(error, BrokenPipeError) or isinstance(error.__context__, BrokenPipeError):
            return _reader_gone()
        if "--traceback" in arguments or not isinstance(error, Exception):
            raise
        return _fail(*_explain(error, arguments))


def _call(arguments: list[str]) -> int:
    app = build()
    if sys.stdout is None and {"-h", "--help", "--version"} & {*arguments}:
        raise DataError("standard output is closed")
    if not arguments and "_SEQTOOL_COMPLETE" not in os.environ:  # a shell asks for completions without words
        with contextlib.redirect_stdout(sys.stderr):
            app(["--help"], prog_name="seqtool", standalone_mode=False)
        return 2
    result = app(arguments, prog_name="seqtool", standalone_mode=False)
    if sys.stdout is not None:
        sys.stdout.flush()
    return result if isinstance(result, int) else 0


def _explain(error: Exception, arguments: list[str]) -> tuple[str, int]:
    """What to say about an error, and the exit code."""
    if isinstance(error, NoInputError):
        command = next((word for word in arguments if not word.startswith("-")), "")
        return f"{error}\nUsage: seqtool {command} SOURCE [OPTIONS]; more with: seqtool {command} --help", 2
    if isinstance(error, SeqtoolError):
        return printable(str(error)), error.exit_code
    if isinstance(error, typer.TyperException):
        return printable(error.format_message()), error.exit_code or 2
    if isinstance(error, MemoryError):
        return "not enough memory; see --dry-run for what the output takes", 1
    if isinstance(error, OSError) and error.errno is not None:
        where = f"{error.filename}: " if error.filename else ""
        return f"{printable(f'{where}{why(error)}')}; {signals.outcome()}", 1
    kind = type(error).__name__
    return f"unexpected {kind}: {' '.join(str(error).split())} (a bug in seqtool; --traceback shows where)", 1


def _fail(message: str, code: int) -> int:
    if sys.stderr is not None:
        print(f"seqtool: error: {message}", file=sys.stderr)
    return code


def _reader_gone() -> int:
    """The command behind the pipe has closed it: end quietly, as `cat | head` does."""
    # What is still in Python's buffer must not be written at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 128 + signal.SIGPIPE
