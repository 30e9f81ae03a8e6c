"""Readings of a file, of a directory or of an archive: a sosreport, a must-gather. The only part of this package that
opens files."""

from __future__ import annotations

import sys

import msgspec

from ovsnet.archives.streams import Stream, streams
from ovsnet.errors import ConfigError, UnfitEnvironment
from ovsnet.tune.readers import recognise, refused
from ovsnet.tune.readers.reading import Reading
from ovsnet.tune.readers.variables import VARIABLES

LARGEST = 256 * 2**20
"""Bytes of one file. A southbound of a large cluster has 100 MB."""

LONGEST_OF_MANY = 64 * 2**20
"""Bytes of one file among many, where a log may be of any size."""

PLAIN_NAMES = tuple(name for name in VARIABLES if len(name) > 14)


class Found(msgspec.Struct, frozen=True):
    """What one file held: a Reading, or why there is none. ``damaged``: it is of a known form and cannot be read.
    ``mentions``: it has the name of a knob in it, and gives it no value."""

    name: str
    reading: Reading | None
    why: str = ""
    damaged: bool = False
    mentions: bool = False


def read_path(path: str) -> list[Found]:
    """One file, where ``-`` is the standard input, or all files of a directory or archive. Raises ConfigError for what
    cannot be opened, and for one file that is not recognised."""
    told: dict[str, str] = {}
    found: list[Found] = []
    for stream in streams([path], sys.stdin.buffer, told.__setitem__):
        if not stream.within:
            return [_only(stream, told)]
        found.append(_of_many(stream, told))
    found += [Found(name, None, words, damaged=name.endswith(KNOWN_NAMES)) for name, words in told.items()]
    if not any(each.reading and _holds_something(each.reading) for each in found):
        if report := next((each.reading for each in found if each.reading and "a report" in each.reading.form), None):
            why = f" {report.notes[0]}" if report.notes else ""
            raise UnfitEnvironment(f"The report holds no database, so nothing can be judged.{why}")
        raise refused(f"{_nothing_in(path, len(found))}{_first(told)}")
    return found


KNOWN_NAMES = (".db", ".gz", ".xz", ".bz2", ".zst", ".zip", ".tar")
"""What bears one of these names may hold settings though it could not be read."""


def _nothing_in(path: str, files: int) -> str:
    if not files:
        return f"{path} is empty."
    return f"None of the {files} files of {path} holds settings in a form that ovsnet reads."


def _first(told: dict[str, str]) -> str:
    return next((f" {name} {words}" for name, words in told.items()), "")


def _only(stream: Stream, told: dict[str, str]) -> Found:
    content = stream.whole(LARGEST)
    if content is None:
        raise ConfigError(f"{stream.name} has more than {LARGEST // 2**20} MB.", remedy="Give the part with settings.")
    if (words := told.get(stream.name)) is not None:
        raise ConfigError(f"{stream.name} {words}", remedy="Give it whole.")
    reading = recognise(_text(content))
    if reading is None or not _holds_something(reading):
        raise refused(
            f"This is {reading.form}." if reading else "This text holds no settings in a form that ovsnet reads."
        )
    return Found(stream.name, reading)


def _of_many(stream: Stream, told: dict[str, str]) -> Found:
    content = stream.whole(LONGEST_OF_MANY)
    if content is None:
        return Found(stream.within, None, "it is too large", damaged=stream.within.endswith(".db"))
    if (words := told.pop(stream.name, None)) is not None:
        return Found(stream.within, None, f"it {words}", damaged=True)
    try:
        text = _text(content)
        reading = recognise(text)
    except ConfigError as error:
        return Found(stream.within, None, str(error), damaged=True)
    if reading is not None:
        return Found(stream.within, reading)
    return Found(stream.within, None, "no form that is known", mentions=any(each in text for each in PLAIN_NAMES))


def _holds_something(reading: Reading) -> bool:
    return bool(reading.tables or reading.values or reading.unread or reading.unresolved)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape").removeprefix("\ufeff").replace("\r\n", "\n")
