"""Log lines for a terminal, for the journal and for whatever collects stderr."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from pathlib import Path
from typing import TextIO

from ovsnet.cli import logs


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def logged(wanted: str, stream: TextIO, environ: dict[str, str] | None = None) -> logging.Logger:
    """A logger of this test alone, after its first line."""
    logger = logging.Logger("ovsnet")
    logger.addHandler(logs.handler(wanted, environ or {}, stream))
    logger.warning("it %s", "broke", extra={"fields": {"code": "vswitchd-down"}})
    return logger


def test_terminal_gets_a_line_for_a_person() -> None:
    stream = Terminal()
    logged("auto", stream)
    assert stream.getvalue().endswith(" WARNING it broke\n")


def test_everything_else_gets_one_json_object_a_line_with_its_fields() -> None:
    stream = io.StringIO()
    logged("auto", stream)
    found = json.loads(stream.getvalue())
    assert found.pop("time").endswith("+00:00")
    assert found == {"level": "warning", "logger": "ovsnet", "message": "it broke", "code": "vswitchd-down"}


def test_journal_gets_a_priority_on_each_line(tmp_path: Path) -> None:
    with (tmp_path / "journal").open("w+") as stream:
        status = os.fstat(stream.fileno())
        logger = logged("auto", stream, {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
        try:
            raise ValueError("two\nlines")
        except ValueError:
            logger.exception("a bug")
        stream.seek(0)
        lines = stream.read().splitlines()
    assert lines[0] == "<4>it broke"
    assert len(lines) > 4
    assert all(line.startswith("<3>") for line in lines[1:])


def test_pipe_made_since_is_not_taken_for_the_journal(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w+") as stream:
        logged("auto", stream, {"JOURNAL_STREAM": "1:1"})
        stream.seek(0)
        assert json.loads(stream.read())["message"] == "it broke"


def test_exception_is_part_of_the_json_object() -> None:
    record = logging.LogRecord("ovsnet", logging.ERROR, "", 0, "a bug", (), None)
    try:
        raise ValueError("deep")
    except ValueError:
        record.exc_info = sys.exc_info()
    assert "ValueError: deep" in json.loads(logs.Json().format(record))["exception"]


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("ovsnet", logging.INFO, "", 0, text, (), None)


def test_flood_is_held_back_and_told_of_when_it_is_over() -> None:
    now = 0.0
    limit = logs.RateLimit(lambda: now)
    passed = [limit.filter(record("again")) for _ in range(logs.BURST + 7)]
    assert passed == [True] * logs.BURST + [False] * 7
    now += logs.REFILL
    last = record("news")
    assert limit.filter(last)
    assert last.getMessage() == "news (7 lines before this one were held back)"
    assert not limit.filter(record("again"))


def test_line_now_and_then_is_never_held_back() -> None:
    now = 0.0
    limit = logs.RateLimit(lambda: now)
    for _ in range(10 * logs.BURST):
        line = record("news")
        assert limit.filter(line)
        assert line.getMessage() == "news"
        now += logs.REFILL


def test_what_one_thing_says_on_and_on_holds_back_no_other_line() -> None:
    """Tracebacks of a fault of ours must not hide what is wrong with the node, nor the other way round."""
    limit = logs.RateLimit(lambda: 0.0)
    for number in range(100):
        limit.filter(logging.LogRecord("ovsnet.http", logging.ERROR, "", number, "a bug", (), None))
        limit.filter(logging.LogRecord("ovsnet", logging.INFO, "", number, "it flaps", (), None))
    assert limit.filter(logging.LogRecord("ovsnet", logging.ERROR, "", 0, "the old configuration stays", (), None))
    assert not limit.filter(logging.LogRecord("ovsnet", logging.INFO, "", 0, "it flaps", (), None))
