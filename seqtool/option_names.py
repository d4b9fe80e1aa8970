"""Options of the command line, and the arguments of Python functions that do the same."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection

from seqtool.words import split_names

# An option with its value, if a value follows and not the next word of the sentence. Whole commands, and names of
# columns in quotes, match too, so that they stay as they are.
_OPTION = r"""\bseqtool\ [a-z]+\ [^;]* | (?<!\w)'[^']*'(?!\w) | (?<!\w)"[^"]*"(?!\w)
    | (?<![\w'"-])--(?P<option>[a-z][a-z0-9]*(?:-[a-z0-9]+)*)
      (?:\ (?!(?:and|or|if|is|are|which|names|out|keeps|leaves|make|makes|takes|reads|says|does|parts|
             (?<!--on-clash\ )both)\b)
         (?P<value>'[^']*'(?:"'"'[^']*')*|[\w.+-](?:[^\s;,:()'"]|[:,](?=[^\s'"]))*))?"""
# Options that become an argument together with their value.
_VALUE_OPTIONS = {
    "columns",
    "compress",
    "delimiter",
    "category",
    "delta",
    "drop",
    "dtype",
    "empty-key",
    "empty-label",
    "encoding",
    "features",
    "from",
    "agg",
    "every",
    "gap",
    "horizon",
    "key",
    "key-from",
    "label",
    "label-as",
    "label-value",
    "log1p",
    "maxlen",
    "method",
    "min-len",
    "min-size",
    "missing",
    "on-clash",
    "order-by",
    "padding",
    "pivot",
    "pivot-agg",
    "sample",
    "sheet",
    "size",
    "static",
    "step-label",
    "test",
    "time-as",
    "time-unit",
    "truncating",
    "val",
    "value",
    "where",
}
# Options whose values are numbers.
_NUMBER_OPTIONS = {
    "from",
    "horizon",
    "label-value",
    "maxlen",
    "min-len",
    "min-size",
    "sample",
    "size",
    "test",
    "val",
    "value",
}
_NAME_OPTIONS = {
    "category",
    "columns",
    "drop",
    "features",
    "key",
    "label",
    "log1p",
    "static",
}  # options whose values are names, joined by commas
_FLAG_OPTIONS = {
    "allow-empty": ("allow_empty", "allow_empty=True"),
    "header": ("header", "header=True"),
    "no-header": ("header", "header=False"),
    "no-key": ("no_key", "no_key=True"),
    "key-blank-lines": ("key_blank_lines", "key_blank_lines=True"),
    "keep-key": ("keep_key", "keep_key=True"),
    "drop-key": ("keep_key", "keep_key=False"),
    "keep-row-index": ("keep_row_index", "keep_row_index=True"),
    "keep-order": ("keep_order", "keep_order=True"),
    "position": ("position", "position=True"),
    "since-observed": ("since_observed", "since_observed=True"),
    "ragged": ("ragged", "ragged=True"),
    "mask": ("mask", "mask=True"),
    "post": ("padding", 'padding="post"'),
    "pre": ("padding", 'padding="pre"'),
}
_RENAMED = {"from": "start"}  # options that are words of Python's own
# What to do instead where a function has no such argument.
_INSTEAD = {
    "ragged": "a Ragged",
    "max-memory": "--max-memory on the command line",
    "temp-dir": "TMPDIR in the environment",
    "allow-pickle": "np.load(..., allow_pickle=True)",
}


def option_of(name: str) -> str:
    """The option of the command line for an argument.

    >>> option_of("order_by")
    '--order-by'
    """
    return "--" + name.replace("_", "-")


def as_arguments(text: str, known: Collection[str] | None = None) -> str:
    """Reword a message that names options of the command line for the caller of a Python function.

    `known` are the arguments of the function, None for any. An option without such an argument keeps its name, or
    gives way to what does the same.

    >>> as_arguments("choose --dtype float64, or a wider --dtype; see --header")
    'choose dtype="float64", or a wider dtype; see header=True'
    >>> as_arguments("--drop a,b leaves them out")
    'drop=["a", "b"] leaves them out'
    """

    def argument(found: re.Match[str]) -> str:
        option, value = found["option"], found["value"]
        if option is None:
            return found[0]
        name, flag = _FLAG_OPTIONS.get(option, (_RENAMED.get(option, option.replace("-", "_")), None))
        if known is not None and name not in known:
            if option == "max-memory" and value is not None and re.fullmatch(r"\d+M", value):
                return f"SEQTOOL_MAX_MEMORY={value} in the environment"
            return _INSTEAD.get(option, found[0]) if value in (None, "DIR") else found[0]
        if option not in _VALUE_OPTIONS or value is None:
            return (flag or name) + (f" {value}" if value is not None else "")
        word = shlex.split(value)[0]
        if option in _NUMBER_OPTIONS:
            return f"{name}={word}"
        names = [*map(_quoted, split_names(word) if option in _NAME_OPTIONS else [word])]
        literal = names[0] if len(names) == 1 else f"[{', '.join(names)}]"
        return f"{name}={literal}"

    return re.sub(_OPTION, argument, text, flags=re.VERBOSE)


def _quoted(name: str) -> str:
    """Text as Python code, in double quotes where it can be."""
    return repr(name) if '"' in name or "\\" in name else f'"{name}"'
