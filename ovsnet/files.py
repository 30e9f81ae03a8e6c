"""Reading files that others may have written, so that none holds us up or fills our memory; and writing files whole.

The agent reads on its event loop, and much that it reads lies where others may write. A FIFO would make it wait for a
writer, a device never ends, a sparse file is as large as it claims to be. So every file is opened without waiting, must
be a regular one, as those of /proc and /sys are, and is read up to a bound. ``tests/test_files.py`` holds that nothing
else in ovsnet opens one to read.
"""

from __future__ import annotations

import errno
import os
import stat
import zlib
from pathlib import Path

from ovsnet.errors import raise_own_limit

MOST = 16 << 20
"""Bytes of a file about which nothing is known: a table of the kernel's, of 100,000 lines."""

MOST_DOCUMENT = 1 << 20
"""Bytes of what people write: configuration, units, certificates, records."""

_AT_ONCE = 1 << 16

_RECORD = 1 << 12
"""Bytes: proc_pid_stat(5) has 52 numbers and a name."""


def open_regular(path: Path | str) -> int:
    """A descriptor to read from. Raises OSError, also when it is not a regular file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except ValueError as error:  # a NUL in its name
        raise OSError(errno.EINVAL, str(error), str(path)) from error
    try:
        kind = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(kind):
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def read_record(path: str) -> str:
    """A short file of /proc that is one record, which the kernel gives whole in one read (fs/seq_file.c,
    ``single_open``). Three of the five system calls of ``read_text``: dozens are read in a round of checks. One read
    waits for nobody and ends, whatever it is of. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, _RECORD).decode(errors="surrogateescape")
    finally:
        os.close(descriptor)


def names_in(directory: Path) -> list[str]:
    """What a directory holds; nothing where it cannot be read. Raises OwnLimit."""
    try:
        return os.listdir(directory)
    except (OSError, ValueError) as error:
        raise_own_limit(error)
        return []


def read_head(path: Path | str, most: int) -> bytes:
    """The first ``most`` bytes, or all there are. Raises OSError."""
    descriptor = open_regular(path)
    try:
        return head(descriptor, most)
    finally:
        os.close(descriptor)


def head(descriptor: int, most: int) -> bytes:
    """The same of an open file. One of /proc gives a page at a time (fs/seq_file.c)."""
    found = os.read(descriptor, min(most, _AT_ONCE))
    if not found or len(found) == most:
        return found
    parts, left = [found], most - len(found)
    while left and (part := os.read(descriptor, min(left, _AT_ONCE))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def read_bytes(path: Path | str, most: int = MOST) -> bytes:
    """All of it. Raises OSError, also when it has more than ``most`` bytes."""
    found = read_head(path, most + 1)
    if len(found) > most:
        raise OSError(errno.EFBIG, f"it has more than {most} bytes", str(path))
    return found


def read_tail(path: Path | str, most: int) -> bytes:
    """The last ``most`` bytes, or all there are. Raises OSError."""
    descriptor = open_regular(path)
    try:
        os.lseek(descriptor, max(os.fstat(descriptor).st_size - most, 0), os.SEEK_SET)
        return head(descriptor, most)
    finally:
        os.close(descriptor)


def signature(path: Path | str) -> tuple[int, ...] | None:
    """Device, inode, size and times of change: while they stay, it is the same file with the same rights. None where
    it cannot be found."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def read_text(path: Path | str, most: int = MOST, *, errors: str = "surrogateescape") -> str:
    """All of it as UTF-8. Raises OSError, and UnicodeDecodeError only with ``errors="strict"``."""
    return read_bytes(path, most).decode(errors=errors)


def require_document(path: Path | str) -> None:
    """Raise OSError unless it is a regular file of the size of a document: for what a library opens by its name."""
    descriptor = open_regular(path)
    try:
        if os.fstat(descriptor).st_size > MOST_DOCUMENT:
            raise OSError(errno.EFBIG, f"it has more than {MOST_DOCUMENT} bytes", str(path))
    finally:
        os.close(descriptor)


def replace(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write it whole or not at all, with this mode whatever the umask. What was there, be it a link, is replaced.
    Raises OSError, as for a device: root would put a file in the place of /dev/null."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            os.fchmod(descriptor, mode)
            stream.flush()
            os.fsync(descriptor)  # or a crash could leave the name without the content
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def unpacked(data: bytes, most: int = MOST) -> bytes:
    """What gzip has packed. Raises OSError when it is more than ``most`` bytes, zlib.error when it is damaged."""
    stream = zlib.decompressobj(wbits=31)
    found = stream.decompress(data, most)
    if stream.unconsumed_tail:
        raise OSError(errno.EFBIG, f"it unpacks to more than {most} bytes")
    if not stream.eof:
        raise EOFError("it is cut off")
    return found
