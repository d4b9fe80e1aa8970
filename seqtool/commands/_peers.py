"""Options of other tools, and what does the same here: for calls that are typed from memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import get_close_matches

from seqtool.advice import Advice, Message

_SAME = {
    "--key": ("group", "group-by", "groupby", "by", "id", "id-column", "id-col", "keys"),
    "--order-by": ("sort", "sort-by", "sort-values", "order", "time", "time-column", "timestamp"),
    "--columns": ("features", "cols", "usecols", "feature-columns", "column"),
    "--drop": ("exclude", "ignore", "drop-columns"),
    "--label": ("target", "y", "labels", "label-column", "class"),
    "--delimiter": ("sep", "separator", "delim"),
    "--missing": ("na", "na-values", "nan", "null"),
    "--maxlen": (
        "max-len",
        "max-length",
        "length",
        "seq-len",
        "seqlen",
        "timesteps",
        "window",
        "window-size",
    ),
    "--size": ("length", "seq-len", "seqlen", "sequence-length", "window", "window-size", "lookback"),
    "--stride": ("shift", "step", "sequence-stride", "stride-size"),
    "--rate": ("sampling-rate", "dilation"),
    "--horizon": ("pred-len", "prediction-length", "label-width", "steps-ahead"),
    "--min-len": ("minlen", "min-length", "minlength"),
    "--value": ("pad-value", "padding-value", "fill-value", "pad", "fill"),
    "--truncating": ("truncate", "truncation", "trunc"),
    "--dtype": ("type",),
    "--every": ("resample", "freq", "interval", "grid"),
    "--agg": ("aggfunc", "aggregate"),
    "--delta": ("diff", "time-delta", "dt"),
    "--keep-order": ("keep-time", "keep-times"),
    "--output": ("out", "outfile", "out-file", "output-file", "save"),
}
_SIDES = {"post": "--post", "right": "--post", "pre": "--pre", "left": "--pre"}

_WITHOUT_BLOCKS = {
    "group": "group gathers rows; pad a block of sequences",
    "info": "info shows arrays as they are stored; make a file of sequences of them",
}


def unknown_option(option: str, arguments: Sequence[str], known: Collection[str]) -> Message | None:
    """What to say of an option that a command has not; None where nobody can tell what was meant.

    >>> unknown_option("--pading", ["--pading=post"], ["--post", "--pre"])
    >>> print(unknown_option("--padding", ["--padding=post"], ["--post", "--pre"]))
    no such option: --padding; --post instead of --padding=post
    """
    if option == "--time-major" and arguments[0] in _WITHOUT_BLOCKS:
        file = next((word for word in arguments[1:] if not word.startswith("-")), "FILE")
        return Message(
            f"no such option: {option} is for arrays of sequences, and {_WITHOUT_BLOCKS[arguments[0]]}: ",
            Advice("seqtool", "pad", file, "--time-major"),
        )
    words_of_option, value = _words_and_value(option, arguments)
    name = option.replace("_", "-").lower()
    side = _SIDES.get(value or "") if name in ("--padding", "--padding-side", "--side") else None
    here = [option for option, names in _SAME.items() if name[2:] in names]
    meant = side or next((option for option in here if option in known), None)
    if meant not in known:
        near = get_close_matches(name, known, 1, 0.75)
        meant = near[0] if near else None
    if meant is None:
        return None
    words = [meant] if side or value is None else [meant, value]
    same: list[object] = [f"no such option: {option}; ", Advice(*words, without=words_of_option)]
    if meant == "--maxlen" and name.startswith("--window"):
        same += [f", which keeps the {value or 'last'} last steps of each sequence; windows of all steps: "]
        same += [Advice("seqtool", "window", "FILE", "--size", value or "W")]
    return Message(*same)


def _words_and_value(option: str, arguments: Sequence[str]) -> tuple[list[str], str | None]:
    """The words of a call that give an option, and its value, None where there is none."""
    for place, word in enumerate(arguments):
        if word.startswith(f"{option}="):
            return [word], word.partition("=")[2]
        if word == option:
            after = arguments[place + 1 : place + 2]
            value = after[0] if after and not after[0].startswith("-") else None
            return [word, *([value] if value is not None else [])], value
    return [option], None
