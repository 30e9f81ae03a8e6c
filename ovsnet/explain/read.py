"""From paths to the answer: opens, streams, and passes on. Memory is bounded by the events that are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import IO

from msgspec.structs import replace

from ovsnet.archives.streams import Stream, Tell, streams
from ovsnet.errors import UnfitEnvironment, UsageError
from ovsnet.explain.answer import Answer, answer
from ovsnet.explain.beside import Beside
from ovsnet.explain.carriers import unread as unread_form
from ovsnet.explain.clock import Zone, is_named
from ovsnet.explain.daemons import daemon_by_path
from ovsnet.explain.event import UNKNOWN, Event, Source
from ovsnet.explain.host_kinds import FROM_OUTSIDE, daemons_of
from ovsnet.explain.nodes import guess
from ovsnet.explain.order import NEWEST, begun, newest_first, turned, without_labels
from ovsnet.explain.reader import Reader
from ovsnet.explain.saved import DATABASES
from ovsnet.explain.verdicts import Note

EVENTS = 50_000
"""As many events as are kept of all streams together: the widest of them take some 150 MB."""
TOLD = 20
"""As many files that could not be read as are named."""
DATABASE, TEXT = 16 << 20, 4 << 20
"""Bytes of a database, and of another text, that are looked at for settings."""
Progress = Callable[[str, int], None]
"""Takes the stream's name and how many bytes of it came just now."""


def explain(paths: Iterable[str], standard_input: IO[bytes], zone: Zone, progress: Progress) -> Answer:
    """Read everything that ``paths`` name, and explain it. Raises OvsnetError when no daemon's line is in there, or
    when ``zone`` names what is not there."""
    found = _Found(zone, progress)
    for stream in streams(dict.fromkeys(paths), standard_input, found.tell):
        found.take(stream)
    return found.answer()


class _Found:
    """What was found in all streams so far."""

    def __init__(self, zone: Zone, progress: Progress) -> None:
        self._zone = zone
        self._progress = progress
        self._events: list[Event] = []
        self._sources: list[Source] = []
        self._beside = Beside(zone)
        self._notes: list[Note] = []
        self._unread = 0
        self._names: set[str] = set()
        """Of hosts, files and directories."""

    def tell(self, name: str, words: str) -> None:
        """A stream could not be read, or not to its end."""
        self._unread += 1
        if self._unread <= TOLD:
            self._notes.append(Note(f"{name} {words}"))

    def take(self, stream: Stream) -> None:
        """Read one stream to its end."""
        self._names.update(stream.name.split("/"))
        if stream.head.startswith(DATABASES):
            self._take_database(stream)
        elif words := unread_form(stream.head):
            self.tell(stream.name, words)
        elif b"\0" in stream.head:
            self.tell(stream.name, "is binary, not a log.")
        else:
            self._take_text(stream)

    @property
    def _left(self) -> int:
        """How many events more are kept."""
        return EVENTS - len(self._events)

    def _take_database(self, stream: Stream) -> None:
        content = stream.whole(DATABASE)
        if content is None:
            self.tell(stream.name, "is a large database: `ovsnet tune lint --from` reads it.")
        else:
            self._beside.database(stream.name, content)

    def _take_text(self, stream: Stream) -> None:
        """A log, or else a text that may hold settings, or what others say of the daemons."""
        reader = Reader(stream.name, self._zone.of_file(stream.name), limit=self._left)
        kept: list[bytes] = []
        size = 0
        for block in _in_order(stream, reader, self.tell):
            reader.feed(block)
            self._progress(stream.name, len(block))
            size += len(block)
            kept = [*kept, block] if size <= TEXT and not reader.sources else []
        reader.end()
        self._sources += [source for source in reader.sources.values() if source.first is not None]
        self._events += reader.events
        self._beside.undated(stream.name, reader.timeless)
        if not reader.sources and not reader.timeless and kept:
            self._events += self._beside.take(stream.name, b"".join(kept))[: self._left]

    def answer(self) -> Answer:
        """Explain what was found. Raises OvsnetError."""
        _refuse_strange(self._zone, self._names | {source.host for source in self._sources})
        notes = [*self._notes, *self._beside.notes()]
        if not (_has_logs(self._sources, self._events) or guess(self._events)):
            if not self._beside.known:
                raise _nothing(notes)
            notes.append(Note("No log of a daemon is among these files, so starts and outages are not known."))
        if self._left <= 0:
            notes.append(Note(f"Only the first {EVENTS} lines that count were kept: explain a shorter time."))
        if self._unread > TOLD:
            notes.append(Note(f"{self._unread - TOLD} more files could not be read, or not to their end."))
        return answer(self._events, self._sources, notes)


def _nothing(notes: Sequence[Note]) -> UnfitEnvironment:
    said = "; ".join(note.words for note in notes[:3])
    return UnfitEnvironment(
        "No line of an Open vSwitch or OVN daemon is in there." + (f" {said}" if said else ""),
        remedy="Name logs such as /var/log/openvswitch and /var/log/ovn, or an archive of them.",
    )


def _in_order(stream: Stream, reader: Reader, tell: Tell) -> Iterator[bytes]:
    """Its blocks as ``reader`` takes them: oldest first, and without labels."""
    first, blocks = begun(stream.blocks)
    blocks = without_labels(first, blocks)
    if not newest_first(first):
        yield from blocks
        return
    text = replace(stream, blocks=blocks).whole(NEWEST)
    if text is None:
        tell(stream.name, "is large and newest first: give what `tac` makes of it.")
        return
    yield turned(text)
    for event in reader.events:
        event.line = reader.lines + 1 - event.line


def _has_logs(sources: Iterable[Source], events: Iterable[Event]) -> bool:
    return any(daemon_by_path(source.daemon, source.name) != UNKNOWN for source in sources) or any(
        map(_of_a_daemon, events)
    )


def _of_a_daemon(event: Event) -> bool:
    """Disks fail on hosts without Open vSwitch, too."""
    return event.kind in FROM_OUTSIDE and bool(daemons_of(event.subject))


def _refuse_strange(zone: Zone, known: Iterable[str]) -> None:
    """Times that are hours wrong would make another story of it."""
    for name in zone.named:
        if not any(is_named(each, name) for each in known):
            raise UsageError(
                f"A time zone was given for {name}, but no host, file or directory has this name.",
                remedy="Use --zone NAME=ZONE with the name of a host in the lines, or of a file or directory.",
            )


def zones(east: Mapping[str, int | tzinfo], now: float) -> Zone:
    """``zone``, and those of hosts, files and directories by their names; that of all others is ""."""
    named = {name: zone(each, now) for name, each in east.items() if name}
    return replace(zone(east.get("", 0), now), named=named)


def zone(east: int | tzinfo, now: float) -> Zone:
    """What is taken for granted of times that do not say; ``east`` in seconds, or a place's summer and winter."""
    year = datetime.fromtimestamp(now, UTC).year
    if isinstance(east, int):
        return Zone(east, year, now)

    def place(clock: float) -> float:  # an hour that comes twice is taken for the first of the two
        shown = datetime(1970, 1, 1, tzinfo=east) + timedelta(seconds=clock)
        return (shown.utcoffset() or timedelta()).total_seconds()

    return Zone(0, year, now, place)
