"""What logrotate(8) made of a log: its older files, and their last lines."""

from __future__ import annotations

import io
import os
import re
from collections import deque
from pathlib import Path

from ovsnet.archives.streams import streams

_SUFFIX = re.compile(r"[.-](?:\d[\d.T-]*)(?:\.(?:gz|xz|bz2))?")
"""``.1``, ``-20261125.gz`` (logrotate's dateext)."""


def older(log: Path) -> list[Path]:
    """The files that ``log`` was before, the latest first."""
    try:
        with os.scandir(log.parent) as entries:
            found = [
                (entry.stat().st_mtime, log.parent / entry.name)
                for entry in entries
                if (entry.name.startswith(log.name) and _SUFFIX.fullmatch(entry.name[len(log.name) :]))
                or _dated(log, entry.name)
            ]
    except OSError:
        return []
    return [path for _, path in sorted(found, reverse=True)]


def _dated(log: Path, name: str) -> bool:
    """``ovs-vswitchd-20261125.log.gz``: with logrotate's ``extension``. Unpacked it is a log of its own."""
    stem, _, rest = name.partition(".log")
    return bool(
        stem.startswith(log.stem) and _SUFFIX.fullmatch(stem[len(log.stem) :]) and rest in (".gz", ".xz", ".bz2")
    )


def last_of(path: Path, most: int) -> bytes:
    """The last ``most`` bytes of what ``path`` holds, unpacked, from a whole line on; nothing where it is damaged."""
    kept: deque[bytes] = deque()
    size = 0
    for stream in streams([str(path)], io.BytesIO(), lambda name, words: None):
        for block in stream.blocks:
            kept.append(block)
            size += len(block)
            while size - len(kept[0]) >= most:
                size -= len(kept.popleft())
    text = b"".join(kept)
    return text if len(text) <= most else text[-most:].partition(b"\n")[2]
