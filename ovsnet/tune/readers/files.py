"""A file, a directory or a tar of files: a sosreport, a must-gather. The only part of this package that opens files."""

from __future__ import annotations

import gzip
import io
import lzma
import sys
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ovsnet.errors import ConfigError
from ovsnet.files import read_bytes, read_head
from ovsnet.tune.readers import recognise, refused
from ovsnet.tune.readers.reading import Reading
from ovsnet.tune.readers.variables import VARIABLES

LARGEST = 256 * 2**20
"""Bytes of one file. A southbound of a large cluster has 100 MB."""

LONGEST_OF_MANY = 64 * 2**20
"""Bytes of one file among many, where a log may be of any size."""

PLAIN_NAMES = tuple(name for name in VARIABLES if len(name) > 14)


@dataclass(frozen=True, slots=True)
class Found:
    """What one file held: a Reading, or why there is none. ``damaged``: it is of a known form and cannot be read.
    ``mentions``: it has the name of a knob in it, and gives it no value."""

    name: str
    reading: Reading | None
    why: str = ""
    damaged: bool = False
    mentions: bool = False


def read_path(path: str) -> list[Found]:
    """One file, where ``-`` is the standard input, or all files of a directory or tar. Raises ConfigError for what
    cannot be opened, and for one file that is not recognised."""
    if path != "-" and Path(path).is_dir():
        return _many(_in_directory(Path(path)), path)
    try:
        content = sys.stdin.buffer.read(LARGEST + 1) if path == "-" else read_head(path, LARGEST + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > LARGEST:
        raise ConfigError(f"{path} has more than {LARGEST // 2**20} MB.", remedy="Give the part that holds settings.")
    content = _unpacked(content, path)
    if _is_tar(content):
        return _many(_in_tar(content), path)
    reading = recognise(_text(content))
    if reading is None or not _holds_something(reading):
        shown = f"This is {reading.form}." if reading else "Nothing of what is read here is in this text."
        raise refused(shown)
    return [Found(path, reading)]


def _many(files: Iterator[tuple[str, bytes | None]], path: str) -> list[Found]:
    found = [_examined(name, content) for name, content in files]
    if not any(each.reading and _holds_something(each.reading) for each in found):
        raise refused(f"None of the {len(found)} files of {path} holds what is read here.")
    return found


def _examined(name: str, content: bytes | None) -> Found:
    if content is None:
        return Found(name, None, "it cannot be opened, or is too large", damaged=name.endswith((".db", ".gz", ".xz")))
    try:
        text = _text(_unpacked(content, name))
        reading = recognise(text)
    except ConfigError as error:
        return Found(name, None, str(error), damaged=True)
    if reading is not None:
        return Found(name, reading)
    return Found(name, None, "no form that is known", mentions=any(each in text for each in PLAIN_NAMES))


def _holds_something(reading: Reading) -> bool:
    return bool(reading.tables or reading.values or reading.unread or reading.unresolved)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape").removeprefix("\ufeff").replace("\r\n", "\n")


def _unpacked(content: bytes, name: str) -> bytes:
    """Without gzip or xz, whatever the file is called. Raises ConfigError."""
    try:
        if content.startswith(b"\x1f\x8b"):
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
                content = file.read(LARGEST + 1)
        elif content.startswith(b"\xfd7zXZ\x00"):
            with lzma.LZMAFile(io.BytesIO(content)) as file:
                content = file.read(LARGEST + 1)
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise ConfigError(f"{name} cannot be unpacked: {error}.", remedy="Give it whole.") from error
    if len(content) > LARGEST:
        raise ConfigError(f"{name} has more than {LARGEST // 2**20} MB unpacked.", remedy="Unpack it, give a part.")
    return content


def _is_tar(content: bytes) -> bool:
    return content[257:262] == b"ustar"


def _in_directory(path: Path) -> Iterator[tuple[str, bytes | None]]:
    for file in sorted(path.rglob("*")):
        if file.is_symlink() or not file.is_file():
            continue
        name = str(file.relative_to(path))
        try:
            yield name, read_bytes(file, LONGEST_OF_MANY)
        except OSError:
            yield name, None


def _in_tar(content: bytes) -> Iterator[tuple[str, bytes | None]]:
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            for member in archive:
                if not member.isfile():
                    continue
                file = archive.extractfile(member) if member.size <= LONGEST_OF_MANY else None
                yield member.name, file.read() if file else None
    except tarfile.TarError as error:
        raise ConfigError(f"The tar cannot be read: {error}.", remedy="Give it whole.") from error
