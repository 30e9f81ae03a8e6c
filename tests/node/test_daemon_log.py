"""What a process wrote to the log that it has open."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ovsnet.node.daemon_log import TAIL, last_said

LINE = "2026-11-25T23:12:{:02}.123Z|00042|ovsdb_cs|INFO|tcp:192.0.2.1:6642: {}\n"


def test_last_line_with_the_phrase_counts(tmp_path: Path) -> None:
    log = tmp_path / "daemon.log"
    log.write_text("".join(LINE.format(second, "stale data") for second in (1, 2)) + LINE.format(3, "connected"))
    with log.open("a"):
        assert last_said(os.getpid(), "stale") == (1795648322.0, LINE.format(2, "stale data").rstrip())
        assert last_said(os.getpid(), "nobody says this") is None
        log.write_text(LINE.format(4, "stale data") + "x" * TAIL)
        assert last_said(os.getpid(), "stale") is None, "it said that long ago"
    assert last_said(os.getpid(), "stale") is None, "it has the log open no more"


@pytest.mark.parametrize("line", ["12:00:00 stale data", "2026-11-25T23:12:01.123Z stale data"])
def test_line_of_another_pattern_tells_no_time(tmp_path: Path, line: str) -> None:
    log = tmp_path / "daemon.log"
    log.write_text(line)
    with log.open():
        assert last_said(os.getpid(), "stale") is None


def test_what_is_no_process_and_no_file_says_nothing(tmp_path: Path) -> None:
    assert last_said(0, "stale", tmp_path) is None
    os.mkfifo(tmp_path / "pipe.log")
    descriptor = os.open(tmp_path / "pipe.log", os.O_RDWR)
    assert last_said(os.getpid(), "stale") is None
    os.close(descriptor)
