"""Files, directories, archives and standard input as streams of blocks. What a file is, its first bytes say.

Nothing is unpacked to disk and nothing is read whole unless the caller asks for it, with a bound. What cannot be read
ends its own stream with a sentence, and no other. A file that has several names is read once.
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
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Self, cast

import msgspec

from ovsnet.errors import UsageError
from ovsnet.files import open_regular

BLOCK = 1 << 17
"""Bytes that are read at once: what is made of them stays within a core's cache."""
HEAD = 512
"""Bytes that say what a file is: a block of a tar."""
DEEPEST = 8
"""Tars and what packs them, within each other: a sosreport.tar.xz with a must-gather.tar.gz of rotated logs is five."""

CONTINUING = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)
LONGEST_HEADER = 1 << 18
"""Bytes of a header that continues another. One of a megabyte that lists the parts of a sparse file took 45 of them."""
LONGEST_MAP = 1 << 18
"""Bytes of the list of a sparse file's parts that precedes its data (tar(5), GNU.sparse.major=1)."""
MOST_SPARSE = 1 << 30
"""Bytes of a sparse file: its holes take nothing in the archive, and every claim of them would have to be read."""
EXTENDED = 482
"""The byte of a sparse file's header that says whether the map goes on in blocks after it (tar(5), isextended)."""

PACKED = ((b"\x1f\x8b", ".gz", gzip.open), (b"\xfd7zXZ\x00", ".xz", lzma.open), (b"BZh", ".bz2", bz2.open))
ZSTD, ZIP = b"\x28\xb5\x2f\xfd", b"PK\x03\x04"
BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, tarfile.TarError, ValueError)
"""All that the libraries raise for bytes that are not what they began as."""


class Stream(msgspec.Struct, frozen=True):
    """One file's blocks, under the name it is told by. ``within`` is its name inside of what was asked for, "" where
    that is the file itself; ``head`` are its first bytes; ``size`` is what is read from disk, 0 where unknown."""

    name: str
    within: str
    head: bytes
    blocks: Iterator[bytes]
    size: int = 0

    def whole(self, most: int) -> bytes | None:
        """All of it, or up to where it breaks off; None where it has more than ``most`` bytes."""
        parts: list[bytes] = []
        left = most
        for block in self.blocks:
            left -= len(block)
            if left < 0:
                return None
            parts.append(block)
        return b"".join(parts)


Tell = Callable[[str, str], None]
"""Takes a name and a sentence on why it was not read, or not to its end."""


def streams(paths: Iterable[str], standard_input: IO[bytes], tell: Tell) -> Iterator[Stream]:
    """Every file that ``paths`` lead to; ``-`` is the standard input. Raises UsageError for one that is not there."""
    seen: set[tuple[int, int]] = set()
    for path in paths:
        if path == "-":
            yield from _opened("standard input", "", standard_input, 0, tell, 0)
            continue
        found = Path(path)
        try:
            listed = [*_walk(found, tell)] if stat.S_ISDIR(found.stat().st_mode) else [found]
        except FileNotFoundError as error:
            raise UsageError(f"There is no {path}.", remedy="Name files, directories or archives.") from error
        except (OSError, ValueError) as error:
            tell(path, f"cannot be read: {_said(error)}.")
            continue
        for each in listed:
            yield from _file(each, str(each.relative_to(found)) if each is not found else "", seen, tell)


def _walk(directory: Path, tell: Tell) -> Iterator[Path]:
    """The files below it in the order of their names, and after them those that are links."""
    links: list[Path] = []

    def unread(error: OSError) -> None:
        tell(str(error.filename), f"cannot be read: {_said(error)}.")

    for here, directories, names in os.walk(directory, onerror=unread):
        directories.sort()
        for path in (Path(here) / name for name in sorted(names)):
            if path.is_symlink():
                links.append(path)
            else:
                yield path
    yield from (path for path in links if path.exists())


def _file(path: Path, within: str, seen: set[tuple[int, int]], tell: Tell) -> Iterator[Stream]:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or (status.st_dev, status.st_ino) in seen:
            return
        seen.add((status.st_dev, status.st_ino))
        with os.fdopen(open_regular(path), "rb") as file:
            yield from _opened(str(path), within, file, status.st_size, tell, 0)
    except OSError as error:
        tell(str(path), f"cannot be read: {_said(error)}.")


def _opened(name: str, within: str, file: IO[bytes], size: int, tell: Tell, depth: int) -> Iterator[Stream]:
    """What ``file`` holds, by its first bytes."""
    if depth > DEEPEST:
        tell(name, "is nested too deep in archives.")
        return
    raw = _Whole(file)
    head = raw.head
    if raw.broken is not None:
        tell(name, f"ends early or is damaged: {_said(raw.broken)}.")
    if not head:
        return
    reader = io.BufferedReader(raw, BLOCK)
    for mark, suffix, opener in PACKED:
        if head.startswith(mark):
            with opener(reader) as inside:
                shorter, shorter_within = name.removesuffix(suffix), within.removesuffix(suffix)
                yield from _opened(shorter, shorter_within, cast(IO[bytes], inside), size, tell, depth + 1)
            return
    if head[257:262] == b"ustar":
        yield from _members(name, within, reader, tell, depth)
    elif head.startswith((ZSTD, ZIP)):
        tell(name, "is compressed in a way that is not read here: unpack it first.")
    else:
        yield Stream(name, within, head, _blocks(name, reader, tell), size)


def _members(name: str, within: str, file: IO[bytes], tell: Tell, depth: int) -> Iterator[Stream]:
    """The files of an archive, in the order they lie in it: so it can come through a pipe."""
    try:
        with tarfile.open(fileobj=file, mode="r|", tarinfo=_Header) as archive:
            while (member := archive.next()) is not None:
                cast(Any, archive).members.clear()  # the library keeps all that it has seen
                archive.pax_headers = {}
                if member.issparse() and member.size > MOST_SPARSE:
                    tell(f"{name}/{member.name}", f"is a sparse file of {member.size} bytes, which are not read.")
                elif member.isfile() and (inner := archive.extractfile(member)) is not None:
                    own = member.name.lstrip("./")
                    place = f"{within}/{own}" if within else own
                    yield from _opened(f"{name}/{own}", place, inner, member.size, tell, depth + 1)
    except RecursionError:
        tell(name, "ends early or is damaged: header follows upon header, and no file.")
    except BROKEN as error:
        why = "a header is garbled" if type(error) is ValueError else _said(error)
        tell(name, f"ends early or is damaged: {why}.")


class _Header(tarfile.TarInfo):
    """A member's header. The library reads one that continues another (long names, pax) whole, and the map of a sparse
    file to its end: an archive of 5 MB took 2 GB."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        found = super().frombuf(buf, encoding, errors)
        if found.type in CONTINUING and found.size > LONGEST_HEADER:
            raise tarfile.ReadError(f"a header claims {found.size} bytes")
        if found.type == tarfile.GNUTYPE_SPARSE and buf[EXTENDED]:
            raise tarfile.ReadError("a sparse file has too many parts")
        return found

    def _proc_gnusparse_10(self, next: Self, pax_headers: dict[str, str], archive: tarfile.TarFile) -> None:
        """The library's, which looks for the end of the map as far as the archive goes."""
        whole = archive.fileobj
        archive.fileobj = cast(Any, _Map(cast(Any, whole)))
        try:
            super()._proc_gnusparse_10(next, pax_headers, archive)  # type: ignore[misc]
        finally:
            archive.fileobj = whole


class _Map:
    """What a tar is read from, for as long as the map of a sparse file may be."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left = LONGEST_MAP

    def read(self, size: int) -> bytes:
        self._left -= size
        if self._left < 0:
            raise tarfile.ReadError("a sparse file has too many parts")
        return self._file.read(size)

    def tell(self) -> int:
        return self._file.tell()


def _blocks(name: str, file: io.BufferedReader[_Whole], tell: Tell) -> Iterator[bytes]:
    try:
        while block := file.read1(BLOCK):
            yield block
    except BROKEN as error:
        tell(name, f"ends early or is damaged: {_said(error)}.")


def _said(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error or type(error).__name__).rstrip(".")


class _Whole(io.RawIOBase):
    """Any file as a raw one whose first bytes are known, so that a member of an archive, a pipe and a file are read
    alike. A stream that breaks off gives what came before: ``broken`` is what it then raised, among its first bytes.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._take: Callable[[int], bytes] = getattr(file, "read1", file.read)
        self._over = False
        self.broken: BaseException | None = None
        self.head = self._first()
        self._left = self.head

    def _first(self) -> bytes:
        found = b""
        try:
            while len(found) < HEAD and (block := self._take(HEAD - len(found))):
                found += block
        except BROKEN as error:
            self.broken = error
            self._over = True
        return found

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        block = self._left[: len(view)] or (b"" if self._over else self._take(len(view)))
        self._left = self._left[len(block) :]
        view[: len(block)] = block
        return len(block)
