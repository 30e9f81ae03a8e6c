"""Files that are no logs of a daemon: pods, settings, dumps, and what nobody here knows. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ovsnet.archives.streams import HEAD
from ovsnet.explain.clock import Zone, first_in
from ovsnet.explain.dumps import told
from ovsnet.explain.event import Event
from ovsnet.explain.pods import is_pods, pods
from ovsnet.explain.saved import Saved
from ovsnet.explain.verdicts import Note
from ovsnet.report.contents import ROOT

TOLD = 20
"""As many sentences as are passed on of files that have no time."""
NAMED = 2
"""As many files that were not recognised as are named: a sosreport has thousands."""
BEGINNING = 200
"""Bytes in which a log has its first time."""
DMESG = re.compile(rb"(?:<\d+>)?\[ *\d+\.\d+\] ")
"""Seconds since the kernel began (kernel/printk/printk.c, ``print_time``)."""


class Beside:
    """Takes each such file once. ``known`` says whether any of them was of a kind that is read here."""

    def __init__(self, zone: Zone) -> None:
        self.known = False
        self._zone = zone
        self._saved = Saved()
        self._notes: list[Note] = []
        self._unknown: list[str] = []

    def database(self, name: str, content: bytes) -> None:
        """A file of a database."""
        self.known = self._saved.take(name, content) or self.known

    def take(self, name: str, content: bytes) -> list[Event]:
        """Any other text; the events are those that have a time."""
        text = content.decode(errors="replace")
        if is_pods(content[:HEAD]):
            events, words = pods(name, text, self._zone.of_file(name))
            self._add(name, words, named=True)
            if events or words:
                return events
        words_of_dump = told(text)
        if words_of_dump is not None:
            self._add(name, words_of_dump)
        if self._saved.take(name, content) or words_of_dump is not None:
            self.known = True
        elif content.strip() and not self._is_known(name, content):
            self._unknown.append(name)
        return []

    def _is_known(self, name: str, content: bytes) -> bool:
        """Whether it is a log of which no line counts, or an object of Kubernetes, or part of a report."""
        beginning = content[:BEGINNING]
        return (
            is_pods(content[:HEAD])
            or f"{ROOT}/" in name
            or first_in(beginning, self._zone) is not None
            or bool(DMESG.match(beginning))
        )

    def undated(self, name: str, lines: Sequence[str]) -> None:
        """What the kernel says of daemons, by the seconds since it began, as dmesg(1) prints it."""
        if lines:
            words = f"Messages without a date, which `dmesg -T` prints: {len(lines)}, the last of them: {lines[-1]}"
            self._add(name, [words])

    def _add(self, name: str, words: list[str], *, named: bool = False) -> None:
        self.known = self.known or bool(words)
        self._notes += [Note(each, "" if named else name) for each in words[: max(TOLD - len(self._notes), 0)]]

    def notes(self) -> Iterator[Note]:
        """What they say, and which of them nobody here knows."""
        yield from self._notes
        yield from self._saved.notes()
        if self._unknown:
            more = len(self._unknown) - NAMED
            names = ", ".join(self._unknown[:NAMED])
            rest = f" and {more} more {'file' if more == 1 else 'files'}" if more > 0 else ""
            yield Note(f"Not recognised: {names}{rest}.")
