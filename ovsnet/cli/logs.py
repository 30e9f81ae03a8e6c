"""What a log line looks like, and how many there may be.

A terminal has a person in front of it; the journal wants a priority before each line (sd-daemon(3)); everything else
that collects stderr handles JSON best.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TextIO

from ovsnet.texts import for_json, for_log, for_terminal

BURST = 20
REFILL = 1.0
"""Lines at once, and seconds until one more. A node that flaps logs that a few times, and does not fill a disk."""

PRIORITIES = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}
"""Levels in syslog's numbers."""


def set_up(wanted: str, environ: Mapping[str, str]) -> None:
    """Log to stderr, as ``wanted`` says: ``auto``, ``human``, ``json`` or ``journal``."""
    logging.basicConfig(handlers=[handler(wanted, environ, sys.stderr)], level=logging.INFO)


def handler(wanted: str, environ: Mapping[str, str], stream: TextIO) -> logging.Handler:
    """What writes to ``stream`` as ``wanted`` says."""
    made = logging.StreamHandler(stream)
    made.setFormatter(FORMATS[_resolve(wanted, environ, stream)]())
    made.addFilter(RateLimit(time.monotonic))
    return made


def _resolve(wanted: str, environ: Mapping[str, str], stream: TextIO) -> str:
    if wanted != "auto":
        return wanted
    if _is_journal(environ, stream):
        return "journal"
    return "human" if stream.isatty() else "json"


def _is_journal(environ: Mapping[str, str], stream: TextIO) -> bool:
    """``JOURNAL_STREAM`` names device and inode of what the manager connected (systemd.exec(5)); a pipe that was
    made since then has others."""
    try:
        status = os.fstat(stream.fileno())
    except OSError:
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


class Human(logging.Formatter):
    """Time, level, sentence."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Without the traceback, which has lines of its own."""
        record.message = for_log(record.message)
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        return for_terminal(super().format(record))


class Journal(logging.Formatter):
    """The journal adds the time; each line of a traceback is an entry, and needs its own priority."""

    def format(self, record: logging.LogRecord) -> str:
        priority = PRIORITIES.get(record.levelno, 6)
        lines = super().format(record).split("\n")
        return "\n".join(f"<{priority}>{for_log(line)}" for line in lines)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Without the traceback, which has lines of its own."""
        return for_log(super().formatMessage(record))


class Json(logging.Formatter):
    """One object a line. The ``fields`` of a record become keys beside its message."""

    def format(self, record: logging.LogRecord) -> str:
        found: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            found["exception"] = self.formatException(record.exc_info)
        return for_json(json.dumps(found, ensure_ascii=False, default=str))


FORMATS: dict[str, Callable[[], logging.Formatter]] = {"human": Human, "json": Json, "journal": Journal}


class RateLimit(logging.Filter):
    """A bucket of ``BURST`` lines for each logger, and one for its errors: a logger that repeats itself holds back no
    line of another."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._buckets: dict[tuple[str, bool], _Bucket] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        kind = (record.name, record.levelno >= logging.ERROR)
        return self._buckets.setdefault(kind, _Bucket(self._clock)).takes(record)


class _Bucket:
    """``BURST`` lines. The first line after some were held back says how many."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left = float(BURST)
        self._at = clock()
        self._held_back = 0

    def takes(self, record: logging.LogRecord) -> bool:
        """Whether it is to be logged."""
        now = self._clock()
        self._left = min(self._left + (now - self._at) / REFILL, float(BURST))
        self._at = now
        if self._left < 1.0:
            self._held_back += 1
            return False
        self._left -= 1.0
        if self._held_back:
            record.msg = f"{record.getMessage()} ({self._held_back} lines before this one were held back)"
            record.args = ()
            self._held_back = 0
        return True
