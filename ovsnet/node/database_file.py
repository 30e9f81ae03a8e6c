"""Whether a database file can be loaded, as far as its beginning shows.

A power cut or a full disk may leave one that is empty or cut off in its first record, which holds the schema or the
cluster's identity. Then ovsdb-server ends at every start, before it says anything on a socket. A record that is cut off
further behind costs that change alone: the server leaves it out (ovsdb/log.c, ``ovsdb_log_read``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from ovsnet.files import head, open_regular, read_bytes
from ovsnet.node.layouts import LAYOUTS, Layout
from ovsnet.node.rundir import Rundir

LONGEST_HEADER = 128
"""Bytes (ovsdb/log.c, ``ovsdb_log_read``)."""

MOST_READ = 64 << 20
"""Bytes of a file that is read whole: half a second."""

HEADER = re.compile(rb"OVSDB (?:JSON|CLUSTER) (\d{1,20}) ([0-9a-f]{40})\n")
"""Of a record: magic, length and SHA-1 (ovsdb/log.c, ``parse_header``)."""


def damage(path: Path | str) -> str:
    """What is wrong with it, to be said behind its name; empty when nothing is, and when it may not be read."""
    try:
        descriptor = open_regular(path)
    except OSError:
        return ""
    try:
        return judge(head(descriptor, LONGEST_HEADER), os.fstat(descriptor).st_size)
    except OSError:
        return ""
    finally:
        os.close(descriptor)


def may_be_read(path: Path | str) -> bool:
    """False of a file that is there and is kept from us: nothing can be said of it."""
    try:
        os.close(open_regular(path))
    except PermissionError:
        return False
    except OSError:
        return True
    return True


def judge(beginning: bytes, size: int) -> str:
    """The same of a file's first bytes and its size. Pure."""
    if not size:
        return "is empty"
    header = HEADER.match(beginning)
    if header is None:
        return "does not begin as a database does"
    return "is cut off in its first record" if size < header.end() + int(header[1]) else ""


def lost(path: Path | str) -> int:
    """How many bytes at its end the server would leave out, because a record before them is cut off or garbled; 0 when
    none are known to be. Only of a file that nobody writes.

    The server says so in its log, starts with what is before, and writes over the rest (ovsdb/file.c, ovsdb/raft.c).
    """
    try:
        data = read_bytes(path, MOST_READ)
    except OSError:
        return 0
    return len(data) - _sound(data)


def _sound(data: bytes) -> int:
    """How many bytes hold sound records."""
    import hashlib  # OpenSSL takes 10 ms, and hardly ever is a file looked at

    end = 0
    while (header := HEADER.match(data, end)) is not None:
        body = data[header.end() : header.end() + int(header[1])]
        if len(body) < int(header[1]) or hashlib.sha1(body, usedforsecurity=False).hexdigest().encode() != header[2]:
            break
        end = header.end() + len(body)
    return end


def damaged(known: Iterable[str], rundir: Rundir, layouts: Sequence[Layout] = LAYOUTS) -> tuple[str, str] | None:
    """The first database file that is damaged, and how; None when none is known to be.

    ``known`` are those that the server had open. Without any, it is the usual one of such a run directory.
    """
    usual = dict.fromkeys(each.database for each in layouts if Path(each.ovs) == rundir.ovs)
    found = ((path, damage(path)) for path in tuple(known) or usual)
    return next(((path, what) for path, what in found if what), None)
