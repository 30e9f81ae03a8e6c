"""Whether a database server compacts its log, as its file shows.

ovsdb-server adds each change to its file, and at times it writes the file again with what is left of them: once it has
grown by 100 records, to more than 10 MiB, and to more than twice what it was then, though not before 10 to 20 minutes
are over since the last time or since its start (ovsdb/storage.c, ``ovsdb_storage_should_snapshot``; ovsdb/log.c,
``ovsdb_log_grew_lots``). A leader hands its leadership over first (ovsdb/raft.c,
``raft_notify_snapshot_recommended``).

When it cannot, for want of room for the second file or of the right to make it, its log alone says so, and it adds to
the file as before. Since when the file has been that large is written in it: each change bears its date.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec

from ovsnet.errors import raise_own_limit
from ovsnet.files import open_regular
from ovsnet.node.database_file import HEADER, LONGEST_HEADER
from ovsnet.node.storage import databases, room

LEAST = 10 << 20
RECORDS = 100

DATED_WITHIN = 1 << 20
"""Bytes behind some place of the file in which a date is looked for: few changes are longer."""

CLUSTERED = b"OVSDB CLUSTER "
_DATE = re.compile(rb'"_date":(\d{1,15})[,}]')
"""Milliseconds since 1970 (ovsdb/file.c, ``ovsdb_file_txn_annotate``). Inside a value its quotes were escaped."""


class Log(msgspec.Struct, frozen=True):
    """The file of one database. ``compacted`` bytes of it were written when that was done last, ``free`` are left on
    its file system for the server. ``due_since`` is when the file had grown so far that it is to be compacted, in
    seconds since 1970; None while it has not."""

    path: str
    size: int
    compacted: int
    free: int
    due_since: float | None


def logs(pid: int, proc: Path = Path("/proc")) -> list[Log]:
    """Those of each database that the process may write, the one that has been due for longest in front.

    Empty when none can be seen: it serves none from a file, or is another user's. Raises OwnLimit.
    """
    process = proc / str(pid)
    try:
        found = [log_of(entry, name, process) for entry, name in databases(process / "fd")]
    except OSError as error:
        raise_own_limit(error)
        return []
    return sorted(found, key=lambda each: math.inf if each.due_since is None else each.due_since)


def log_of(entry: Path, name: str, process: Path) -> Log:
    """That of one file, by the descriptor that the process has of it. Raises OSError."""
    descriptor = open_regular(entry)
    try:
        size = os.fstat(descriptor).st_size
        compacted, due_since = _grown(descriptor, size)
        return Log(name, size, compacted, room(os.fstatvfs(descriptor), process), due_since)
    finally:
        os.close(descriptor)


def _grown(descriptor: int, size: int) -> tuple[int, float | None]:
    """What a compaction wrote, and since when another one is due.

    That is one record in a cluster, and two elsewhere: the schema, and all rows (ovsdb/raft.c,
    ``raft_write_snapshot``; ovsdb/storage.c, ``ovsdb_storage_read``).
    """
    first = 1 if os.pread(descriptor, len(CLUSTERED), 0) == CLUSTERED else 2
    ends = list(islice(_ends(descriptor), first + (RECORDS if size > LEAST else 0)))
    compacted = ends[first - 1] if len(ends) >= first else size
    limit = max(LEAST, 2 * compacted)
    if size <= limit or len(ends) < first + RECORDS:
        return compacted, None
    return compacted, _date_behind(descriptor, max(limit, ends[-1]))


def _ends(descriptor: int) -> Iterator[int]:
    """Where each record ends."""
    end = 0
    while (header := HEADER.match(os.pread(descriptor, LONGEST_HEADER, end))) is not None:
        end += header.end() + int(header[1])
        yield end


def _date_behind(descriptor: int, place: int) -> float | None:
    found = _DATE.search(os.pread(descriptor, DATED_WITHIN, place))
    return None if found is None else int(found[1]) / 1000
