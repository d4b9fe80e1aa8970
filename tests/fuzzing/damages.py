"""Damages to the bytes of a file, and to what is packed in it."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
import zlib
from random import Random
from typing import Any

import numpy as np

_ODD = [
    b"\x00",
    b"\xff",
    b"\n",
    b"\r",
    b'"',
    b",",
    b"\xed\xa0\x80",
    b"9" * 400,
    b"[",
    b"{",
    b"\xef\xbb\xbf",
    b"NaN",
    b"-",
    b"\\u",
]
_NUMBERS = [0, 1, -1, 127, 255, 1 << 15, 1 << 31, (1 << 31) - 1, 1 << 40, (1 << 63) - 1]


def damaged(rng: Random, name: str, data: bytes) -> bytes:
    """The bytes of a file with one damage: to them, or to what is packed in them."""
    return rng.choice(_DAMAGES)(rng, data) if rng.random() < 0.4 else _within(rng, name, data)


def _flip(rng: Random, data: bytes) -> bytes:
    place = rng.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + data[place + 1 :]


def _cut(rng: Random, data: bytes) -> bytes:
    return data[: rng.randint(1, len(data))]


def _insert(rng: Random, data: bytes) -> bytes:
    place = rng.randint(0, len(data))
    return data[:place] + rng.choice(_ODD) + data[place:]


def _overwrite(rng: Random, data: bytes) -> bytes:
    """An odd number in the place of four or eight bytes."""
    size = rng.choice([2, 4, 8])
    number = rng.choice(_NUMBERS) % (1 << 8 * size)
    place = rng.randrange(len(data)) // size * size
    return (
        data[:place] + number.to_bytes(size, rng.choice(["little", "little", "big"])) + data[place + size :]
    )


def _repeat(rng: Random, data: bytes) -> bytes:
    begin, end = sorted(rng.randint(0, len(data)) for _ in range(2))
    return data[:end] + data[begin:]


def _remove(rng: Random, data: bytes) -> bytes:
    begin = rng.randrange(len(data))
    return data[:begin] + data[begin + rng.choice([1, 1, 4, 20]) :] or b"\n"


def _swap(rng: Random, data: bytes) -> bytes:
    size = rng.choice([1, 4, 8])
    a, b = (rng.randrange(max(1, len(data) - size)) for _ in range(2))
    a, b = min(a, b), max(a, b, min(a, b) + size)
    return data[:a] + data[b : b + size] + data[a + size : b] + data[a : a + size] + data[b + size :]


def _within(rng: Random, name: str, data: bytes) -> bytes:
    """Damage to what is packed in a file, whose sizes and checksums are right afterwards."""
    damage = rng.choice(_DAMAGES)
    try:
        if name.endswith(".gz"):
            return gzip.compress(damage(rng, gzip.decompress(data)), mtime=0)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {member: archive.read(member) for member in archive.namelist()}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error, NotImplementedError):
        return damage(rng, data)  # no such file, or damaged already
    chosen = rng.choice([*members])
    if chosen == "meta.npy" and rng.random() < 0.8:
        members[chosen] = _other_meta(rng, members[chosen])
    elif rng.random() < 0.2:
        members[rng.choice([*members, "z.npy", "keys_offsets.npy", "classes_shape.npy"])] = members.pop(
            chosen
        )
    else:
        members[chosen] = damage(rng, members[chosen])
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
        for member, content in members.items():
            archive.writestr(zipfile.ZipInfo(member), content)
    return file.getvalue()


_VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    float("inf"),
    2**64,
    "",
    "nan",
    "x",
    [],
    {},
    [[]],
    {"a": 1},
    [None],
    "\ud800",
    "\0",
]


def _other_meta(rng: Random, member: bytes) -> bytes:
    """The description with another value somewhere, or none."""
    try:
        meta = json.loads(str(np.load(io.BytesIO(member))))
    except Exception:  # noqa: BLE001 - readers raise many kinds
        return member
    holder: Any = meta
    place: Any = None
    while isinstance(holder, (dict, list)) and holder:
        inside, place = holder, rng.choice([*holder] if isinstance(holder, dict) else range(len(holder)))
        holder = inside[place]
        if rng.random() < 0.4:
            break
    if place is None or rng.random() < 0.2:
        meta[rng.choice(["version", "receipt", "kind", "more"])] = rng.choice(_VALUES)
    elif rng.random() < 0.2:
        del inside[place]
    else:
        inside[place] = rng.choice(_VALUES)
    file = io.BytesIO()
    np.save(file, np.array(json.dumps(meta)))
    return file.getvalue()


_DAMAGES = [_flip, _flip, _cut, _insert, _overwrite, _overwrite, _repeat, _remove, _swap]
