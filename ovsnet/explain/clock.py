"""The times that stand before log lines, as seconds of UTC since the epoch. Pure.

OVS and OVN write UTC with a Z (lib/vlog.c, the default pattern). What carries their lines, syslog, the journal or a
container's runtime, has times of its own: some without a zone, and some without a year.
"""

from __future__ import annotations

import calendar
import functools
import re
from collections.abc import Callable, Mapping

import msgspec
from msgspec.structs import replace

ISO = re.compile(
    rb"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?",
)
SYSLOG = re.compile(
    rb"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?"
)
KLOG = re.compile(rb"(?:^|\s)[IWEF](\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{1,9})\s")
"""As the kubelet writes its own log (k8s.io/klog, ``formatHeader``): month and day, without a year."""
CTIME = re.compile(rb"\w{3} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +(\d{1,2}) (\d\d):(\d\d):(\d\d) (\d{4})")
"""ctime(3), as ``dmesg -T`` prints it."""
UNIX = re.compile(rb"^(\d{9,10})\.(\d{6}) ")
"""Seconds since the epoch, as ``journalctl -o short-unix`` prints them."""
MONTHS = {name: number for number, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}


class Zone(msgspec.Struct, frozen=True):
    """What is taken for granted where a time does not say: how many seconds east of UTC it is, or ``place``, which
    knows that of what a clock there shows, in summer and in winter; and the year. What would lie a day after ``now`` is
    of the year before. ``named`` are those of hosts, and of files and directories, that have one of their own."""

    offset: int = 0
    year: int = 1970
    now: float = float("inf")
    place: Callable[[float], float] | None = None
    named: Mapping[str, Zone] = msgspec.field(default_factory=dict)

    def utc(self, clock: float) -> float:
        """The moment at which a clock there shows so many seconds since 1970."""
        return clock - (self.offset if self.place is None else self.place(clock))

    def of_file(self, path: str) -> Zone:
        """That of a file's lines; lines that name a host may have another one."""
        parts = path.split("/")
        for name, own in self.named.items():
            if any(is_named(part, name) for part in parts):
                return replace(own, named=self.named)
        return self

    def of_host(self, host: bytes) -> Zone:
        """That of a line in which a carrier names ``host``."""
        if not self.named or not host:
            return self
        text = host.decode(errors="replace")
        return next((zone for name, zone in self.named.items() if is_named(text, name)), self)


def is_named(part: str, name: str) -> bool:
    """Whether a host, or a part of a path, is ``name``, or has it before a dot: ``n1.example.org``, ``n1.tar.xz``."""
    return part == name or part.startswith(f"{name}.")


class Moment(msgspec.Struct, frozen=True):
    """A time as found: ``sure`` when it named its zone and its year itself."""

    at: float
    sure: bool


@functools.lru_cache(maxsize=64)
def _midnight(year: int, month: int, day: int) -> int:
    return calendar.timegm((year, month, day, 0, 0, 0))


def _fraction(digits: bytes | None) -> float:
    return int(digits) / 10 ** len(digits) if digits else 0.0


def _offset(zone: bytes) -> int:
    if zone == b"Z":
        return 0
    seconds = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
    return -seconds if zone[:1] == b"-" else seconds


def iso(found: re.Match[bytes], zone: Zone) -> Moment | None:
    """The moment that a match of ``ISO`` names; None when there is no such day or hour."""
    year, month, day, hour, minute, second = (int(each) for each in found.groups()[:6])
    if not (1970 <= year < 2200 and 1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 61):
        return None
    at = _midnight(year, month, day) + hour * 3600 + minute * 60 + second + _fraction(found[7])
    if found[8] is None:
        return Moment(zone.utc(at), sure=False)
    return Moment(at - _offset(found[8]), sure=True)


def syslog(found: re.Match[bytes], zone: Zone) -> Moment | None:
    """The moment that a match of ``SYSLOG`` names, in the year of ``zone``."""
    return _yearless(MONTHS[found[1]], found, zone)


def klog(found: re.Match[bytes], zone: Zone) -> Moment | None:
    """The moment that a match of ``KLOG`` names, in the year of ``zone``."""
    return _yearless(int(found[1]), found, zone)


def _yearless(month: int, found: re.Match[bytes], zone: Zone) -> Moment | None:
    day, hour, minute, second = (int(found[each]) for each in (2, 3, 4, 5))
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 61):
        return None
    clock = hour * 3600 + minute * 60 + second + _fraction(found[6])
    at = zone.utc(_midnight(zone.year, month, day) + clock)
    if at > zone.now + 86400:
        at = zone.utc(_midnight(zone.year - 1, month, day) + clock)
    return Moment(at, sure=False)


def ctime(found: re.Match[bytes], zone: Zone) -> Moment | None:
    """The moment that a match of ``CTIME`` names."""
    day, hour, minute, second, year = (int(found[each]) for each in (2, 3, 4, 5, 6))
    if not (1970 <= year < 2200 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 61):
        return None
    clock = hour * 3600 + minute * 60 + second
    return Moment(zone.utc(_midnight(year, MONTHS[found[1]], day) + clock), sure=False)


def stamp(at: float, *, milliseconds: bool = True) -> str:
    """A moment as the daemons write it: ``2026-11-25T23:30:02.114Z``."""
    milli = round(at * 1000) if milliseconds else int(at) * 1000
    days, rest = divmod(milli, 86_400_000)
    year, month, day = _civil(days)
    minutes, rest = divmod(rest, 60_000)
    second = f"{rest // 1000:02}.{rest % 1000:03}" if milliseconds else f"{rest // 1000:02}"
    return f"{year:04}-{month:02}-{day:02}T{minutes // 60:02}:{minutes % 60:02}:{second}Z"


def _civil(days: int) -> tuple[int, int, int]:
    """Year, month and day, so many days after 1970-01-01; years are counted from March on, so leap days come last."""
    era, day = divmod(days + 719_468, 146_097)
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5 - 1
    month += 3 if month < 10 else -9
    return year + era * 400 + (month <= 2), month, day


def first_in(text: bytes, zone: Zone) -> Moment | None:
    """The first time in ``text``, which is what precedes a message."""
    if found := ISO.search(text):
        return iso(found, zone)
    if found := CTIME.search(text):
        return ctime(found, zone)
    if found := SYSLOG.search(text):
        return syslog(found, zone)
    if found := KLOG.search(text):
        return klog(found, zone)
    if found := UNIX.search(text):
        return Moment(int(found[1]) + _fraction(found[2]), sure=True)
    return None


def last_in(text: bytes, zone: Zone) -> Moment | None:
    """The last ISO time in ``text``: the daemon's own, where a carrier put its own before it."""
    found = list(ISO.finditer(text))
    return iso(found[-1], zone) if found else first_in(text, zone)
