"""Whether the file of a cluster's member holds each change that was committed.

A member whose disk is full keeps in memory what it could not write (ovsdb/raft.c, ``raft_write_entry``), and once there
is room it writes on behind the gap. It serves everybody as before, and its next start fails: "record N advances commit
index to X but last log index is Y" (``raft_apply_record``). A compaction rewrites the file from memory, whole (tried
on OVS 3.1). So the records are read as that start would read them.
"""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path

import msgspec

from ovsnet.errors import raise_own_limit
from ovsnet.files import head, open_regular
from ovsnet.node.compaction import CLUSTERED
from ovsnet.node.daemon_log import last_said
from ovsnet.node.database_file import HEADER
from ovsnet.node.storage import databases

FAILED = ": write failed ("
"""What the server logs of the first change that it could not write (ovsdb/log.c, ``ovsdb_log_write``)."""

AT_ONCE = 8 << 20
"""Bytes. An entry that is longer is not judged, nor what is behind it: it would have to be held whole."""

AT_AN_END = 4 << 10
"""Bytes at either end of the first record, which holds all data of the last compaction between its other members."""

_PREV_INDEX = re.compile(rb'"prev_index":(\d{1,18})[,}]')
"""Within a value its quotes were escaped. A cluster that never compacted has none (``raft_header_to_json``)."""


class Record(msgspec.Struct, frozen=True):
    """What counts here of an entry, and of a note (ovsdb/raft-private.c, ``raft_record_to_json``)."""

    index: int = 0
    commit_index: int = 0


_RECORD = msgspec.json.Decoder(Record)


class MemberFile:
    """What was read of one file, which grows until it is rewritten."""

    def __init__(self) -> None:
        self.doubted = False
        """A change may be missing: the disk was full."""
        self.lacks: int | None = None
        """The index of the first change that is missing."""
        self._inode = 0
        self._end = 0
        self._last = 0
        self._being_read = threading.Lock()

    def look(self, file: Path) -> int | None:
        """What it lacks by now; reads what came since the last look. Raises OSError.

        A look that takes long, as on a file system whose server is gone, is not begun a second time.
        """
        if not self._being_read.acquire(blocking=False):
            return self.lacks
        try:
            return self._look(file)
        finally:
            self._being_read.release()

    def _look(self, file: Path) -> int | None:
        descriptor = open_regular(file)
        try:
            inode = os.fstat(descriptor).st_ino
            if inode != self._inode:
                self.lacks, self._inode = None, inode
                self._end, self._last = _first(descriptor)
            while self._end and self.lacks is None:
                os.lseek(descriptor, self._end, os.SEEK_SET)
                if not (read := self._read(head(descriptor, AT_ONCE))):
                    break
                self._end += read
        finally:
            os.close(descriptor)
        return self.lacks

    def _read(self, data: bytes) -> int:
        """Take the next bytes; how many of them were whole records."""
        at = 0
        while self.lacks is None and (header := HEADER.match(data, at)) is not None:
            end = header.end() + int(header[1])
            try:
                self._add(_RECORD.decode(data[header.end() : end]))
            except msgspec.MsgspecError:  # it is cut off
                break
            at = end
        return at

    def _add(self, record: Record) -> None:
        if max(record.index - 1, record.commit_index) > self._last:
            self.lacks = self._last + 1
        elif record.index:
            self._last = record.index


def _first(descriptor: int) -> tuple[int, int]:
    """Where the first record ends, and the index of the last change that is in it; 0 for both where this is no file of
    a member."""
    beginning = os.pread(descriptor, AT_AN_END, 0)
    if (header := HEADER.match(beginning)) is None or not beginning.startswith(CLUSTERED):
        return 0, 0
    end = header.end() + int(header[1])
    last_part = os.pread(descriptor, AT_AN_END, max(end - AT_AN_END, 0))[: min(end, AT_AN_END)]
    found = _PREV_INDEX.search(beginning[:end]) or _PREV_INDEX.search(last_part)
    return end, 0 if found is None else int(found[1])


def lacking(pid: int, known: MemberFile, proc: Path = Path("/proc")) -> tuple[str, int] | None:
    """The file of the member that this process is, and the index of the first change that it lacks; None where it lacks
    none, or cannot be read. Raises OwnLimit.

    It is read if there is a reason to: its disk was seen full, or its log says that a change could not be written.
    """
    known.doubted = known.doubted or last_said(pid, FAILED, proc) is not None
    if not known.doubted:
        return None
    try:
        for entry, name in databases(proc / str(pid) / "fd"):
            return None if (index := known.look(entry)) is None else (name, index)
    except OSError as error:
        raise_own_limit(error)
    return None
