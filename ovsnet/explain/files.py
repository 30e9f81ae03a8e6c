"""Files, directories, archives and standard input as streams of blocks. What a file is, its first bytes say.

Nothing is unpacked to disk and nothing is read whole. What cannot be read ends its own stream with a sentence, and no
other.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import stat
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from ovsnet.errors import UsageError

BLOCK = 1 << 20
DEEPEST = 4
"""Archives within archives: a sosreport may hold a must-gather that holds rotated logs."""

PACKED = ((b"\x1f\x8b", ".gz", gzip.open), (b"\xfd7zXZ\x00", ".xz", lzma.open), (b"BZh", ".bz2", bz2.open))
ZSTD, ZIP = b"\x28\xb5\x2f\xfd", b"PK\x03\x04"
DATABASES = (b"OVSDB JSON", b"OVSDB CLUSTER")
BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, tarfile.TarError, ValueError)
"""All that the libraries raise for bytes that are not what they began as."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One file's blocks, under the name it is told by; ``size`` is what is read from disk, 0 where unknown."""

    name: str
    blocks: Iterator[bytes]
    size: int = 0


Tell = Callable[[str, str], None]
"""Takes a name and a sentence on why it was not read, or not to its end."""


def streams(path: str, standard_input: IO[bytes], tell: Tell) -> Iterator[Stream]:
    """Every file that ``path`` leads to. Raises UsageError for one that is not there."""
    if path == "-":
        yield from _opened("standard input", standard_input, 0, tell, 0)
        return
    found = Path(path)
    if not found.exists():
        raise UsageError(f"There is no {path}.", remedy="Name log files, directories or archives.")
    for each in _walk(found) if found.is_dir() else [found]:
        yield from _file(each, tell)


def _walk(directory: Path) -> Iterator[Path]:
    for here, directories, names in os.walk(directory):
        directories.sort()
        yield from (Path(here) / name for name in sorted(names))


def _file(path: Path, tell: Tell) -> Iterator[Stream]:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return
        with path.open("rb") as file:
            yield from _opened(str(path), file, status.st_size, tell, 0)
    except OSError as error:
        tell(str(path), f"cannot be read: {error.strerror or error}.")


def _opened(name: str, file: IO[bytes], size: int, tell: Tell, depth: int) -> Iterator[Stream]:
    """What ``file`` holds, by its first bytes."""
    reader = io.BufferedReader(cast(io.RawIOBase, _Counted(file)), BLOCK)
    if depth > DEEPEST:
        tell(name, "lies too deep in archives.")
        return
    try:
        head = reader.peek(512)[:512]
    except BROKEN as error:
        tell(name, f"ends early or is damaged: {_said(error)}.")
        return
    if not head:
        return
    for mark, suffix, opener in PACKED:
        if head.startswith(mark):
            with opener(reader) as inside:
                yield from _opened(name.removesuffix(suffix), cast(IO[bytes], inside), size, tell, depth + 1)
            return
    if head[257:262] == b"ustar":
        yield from _members(name, reader, tell, depth)
    elif head.startswith((ZSTD, ZIP)):
        tell(name, "is compressed in a way that is not read here: unpack it first.")
    elif head.startswith(DATABASES):
        tell(name, "is a database, not a log.")
    elif b"\0" in head:
        tell(name, "is binary, not a log.")
    else:
        yield Stream(name, _blocks(name, reader, tell), size)


def _members(name: str, file: IO[bytes], tell: Tell, depth: int) -> Iterator[Stream]:
    """The files of an archive, in the order they lie in it: so it can come through a pipe."""
    try:
        with tarfile.open(fileobj=file, mode="r|") as archive:
            for member in archive:
                if member.isfile() and (inner := archive.extractfile(member)) is not None:
                    yield from _opened(f"{name}/{member.name.lstrip('./')}", inner, member.size, tell, depth + 1)
    except BROKEN as error:
        tell(name, f"ends early or is damaged: {_said(error)}.")


def _blocks(name: str, file: io.BufferedReader[io.RawIOBase], tell: Tell) -> Iterator[bytes]:
    try:
        while block := file.read1(BLOCK):
            yield block
    except BROKEN as error:
        tell(name, f"ends early or is damaged: {_said(error)}.")


def _said(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error or type(error).__name__).rstrip(".")


class _Counted(io.RawIOBase):
    """Any file as a raw one, so that ``peek`` works on a member of an archive, and a broken one raises nothing else
    than what ``BROKEN`` names."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        take = getattr(self._file, "read1", self._file.read)  # a stream that breaks off gives all that came before
        block: bytes = take(len(view))
        view[: len(block)] = block
        return len(block)
