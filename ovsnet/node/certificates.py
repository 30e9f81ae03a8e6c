"""The certificates that ovsnet and the daemons of this host show and trust, and when they end."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from ovsnet.errors import UnfitEnvironment
from ovsnet.files import read_head
from ovsnet.node.host_files import Host
from ovsnet.node.process import command_line
from ovsnet.protocol.certificates import Validity, validities

MOST_BYTES = 1 << 20
"""Of a PEM file."""

SOON = 30 * 86400.0
"""Seconds before its end in which a certificate should be renewed."""

SOON_SHARE = 0.1
"""Of its whole life, if that is less: short ones are renewed late (by cert-manager after two thirds)."""

_OPTIONS = {
    "-c": False,
    "--certificate": False,
    "-C": True,
    "--ca-cert": True,
    "--bootstrap-ca-cert": True,
    "--peer-ca-cert": True,
}
"""Of every daemon of OVS and OVN (lib/stream-ssl.h), and whether the file holds CAs."""


class PemFile(msgspec.Struct, frozen=True):
    """A file that ``whose`` uses, by that one's name for it. ``pid`` is whose root the name counts in, None is ours.
    ``trusted``: it holds CAs, any of which may do."""

    path: str
    whose: str
    pid: int | None = None
    trusted: bool = False


class Dated(msgspec.Struct, frozen=True):
    """A file and the dates of what counts in it."""

    file: PemFile
    validity: Validity

    def left(self, now: float) -> float:
        """Seconds until it ends; negative afterwards."""
        return self.validity.ends - now

    def is_valid(self, now: float) -> bool:
        """Whether a peer takes it now."""
        return self.validity.begins <= now <= self.validity.ends

    def ends_soon(self, now: float) -> bool:
        """Whether it should have been renewed."""
        return self.left(now) < min(SOON, SOON_SHARE * (self.validity.ends - self.validity.begins))


def named_by(pid: int, whose: str, proc: Path = Path("/proc")) -> Iterator[PemFile]:
    """The files on a daemon's command line. ``db:…`` is not a file."""
    words = command_line(pid, proc)
    for word, following in itertools.zip_longest(words, words[1:], fillvalue=""):
        option, given, value = word.partition("=")
        path = value if given else following
        if option in _OPTIONS and path.startswith("/"):
            yield PemFile(path, whose, pid, _OPTIONS[option])


def dated(files: Iterable[PemFile], proc: Path = Path("/proc")) -> list[Dated]:
    """Those whose dates can be read. Raises nothing.

    Of a file of CAs the one that lasts longest counts: a bundle keeps old ones. Of another the first: it is our own,
    and the rest leads to its CA.
    """
    found = []
    for file in dict.fromkeys(files):
        dates = validities(_read(file, proc))
        if dates:
            found.append(Dated(file, max(dates, key=lambda each: each.ends) if file.trusted else dates[0]))
    return found


def _read(file: PemFile, proc: Path) -> bytes:
    host = Host("/" if file.pid is None else proc / str(file.pid) / "root")
    try:
        return read_head(host.locate(file.path), MOST_BYTES)
    except (OSError, ValueError, UnfitEnvironment):
        return b""
