"""What is known of a knob, and what a daemon makes of a value. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum, StrEnum

import msgspec

from ovsnet.node.version import Version, reached, shown


class Unit(StrEnum):
    """Of a knob's values."""

    MILLISECONDS = "ms"
    SECONDS = "s"
    KILOBYTES = "kB"
    PERCENT = "%"
    COUNT = ""
    FLAG = "true/false"


class Width(Enum):
    """The range of a number, by the function that reads it (OVS lib/smap.c, lib/util.c): outside of it the daemon
    takes its default."""

    INT = (-(2**31), 2**31 - 1)
    UINT = (0, 2**32 - 1)
    ULLONG = (0, 2**64 - 1)


class Product(StrEnum):
    """What a daemon is part of, and by whose version numbers it goes."""

    OVS = "Open vSwitch"
    OVN = "OVN"


READERS = {
    "ovs-vswitchd": Product.OVS,
    "ovsdb-server": Product.OVS,
    "ovn-controller": Product.OVN,
    "ovn-northd": Product.OVN,
}
"""The daemons that read knobs."""


class Evidence(StrEnum):
    """Why we believe that a knob acts or is dead: ``tests/tune/effects`` shows it on real daemons, or the
    source says so and no test can provoke it."""

    OBSERVED = "observed"
    SOURCE = "from source"


class Place(msgspec.Struct, frozen=True):
    """Where a knob is written. Without ``key`` it is the whole column."""

    database: str
    table: str
    column: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.table}.{self.column}" + (f":{self.key}" if self.key else "")


Takes = Callable[[int], int]
"""What a daemon makes of a number."""


def as_it_is(value: int) -> int:
    """No floor, no rounding."""
    return value


def at_least(floor: int) -> Takes:
    """Raised to ``floor``; 0 stays 0."""
    return lambda value: max(value, floor) if value else 0


def openflow_seconds(value: int) -> int:
    """Milliseconds cut to whole seconds, at least 5 (OVS lib/rconn.c, ``rconn_set_probe_interval``); 0 stays 0."""
    return max(value // 1000, 5) * 1000 if value else 0


def openflow_seconds_or_off(value: int) -> int:
    """The same, but below one second it is 0."""
    return openflow_seconds(value) if value >= 1000 else 0


class Knob(msgspec.Struct, frozen=True):
    """One setting that tunes OVS or OVN.

    ``reader`` is one of READERS. Its version decides: the knob acts from ``since`` until ``until``, the first version
    on which it does nothing. ``place`` is None for what cannot be set in a database. ``typical`` bounds what people
    mean: a number outside is likely in another unit. ``unset`` is the number that counts while nothing is set.
    ``bounds`` are what ``apply`` accepts beside 0, and ``zero`` says in a sentence what 0 does. ``agrees_with`` names
    knobs to set together, ``depends_on`` what a good value rests on. ``unless`` says where it has no effect,
    whatever the version. ``width`` is the range that its reader takes. ``gone`` says why nothing is lost where it is
    dead, and ``harm`` what a flag does that is left on.
    """

    name: str
    reader: str
    place: Place | None
    unit: Unit
    meaning: str
    default: str
    source: str
    takes: Takes = as_it_is
    bounds: tuple[int, int] = (1, 2**31 - 1)
    typical: tuple[int, int] | None = None
    unset: int | None = None
    flag_default: bool = False
    zero: str = ""
    zero_is_safe: bool = True
    since: Version | None = None
    until: Version | None = None
    consumed: bool = True
    replaced_by: Mapping[str, Callable[[int], int]] | None = None
    agrees_with: tuple[str, ...] = ()
    depends_on: str = ""
    note: str = ""
    unless: str = ""
    evidence: Evidence = Evidence.OBSERVED
    suffix_since: Version | None = None
    width: Width = Width.INT
    gone: str = ""
    harm: str = ""

    @property
    def product(self) -> Product:
        """Whose version numbers ``since`` and ``until`` are."""
        return READERS[self.reader]

    @property
    def is_flag(self) -> bool:
        """Whether its values are true and false."""
        return self.unit is Unit.FLAG

    def acts_on(self, version: Version | None) -> bool | None:
        """Whether a daemon of this version reads it; None when that depends on a version that nobody knows."""
        if not self.consumed:
            return False
        if self.since is None and self.until is None:
            return True
        if version is None:
            return None
        if self.until is not None and version >= self.until:
            return False
        return self.since is None or reached(version, self.since)

    def life(self) -> str:
        """The versions on which it acts, in words."""
        if not self.consumed:
            return "never read"
        first = f"since {self.product} {shown(self.since)}" if self.since else ""
        last = f"dead since {self.product} {shown(self.until)}" if self.until else ""
        return ", ".join(part for part in (first, last) if part) or "all"

    def with_unit(self, value: int) -> str:
        """A number as a person reads it: ``180000 ms (3 min)``."""
        if self.unit is Unit.FLAG:
            return "true" if value else "false"
        plain = f"{value} {self.unit}".rstrip()
        seconds = {Unit.MILLISECONDS: value / 1000, Unit.SECONDS: float(value)}.get(self.unit)
        if seconds is None or seconds < (1 if self.unit is Unit.MILLISECONDS else 120):
            return plain
        return f"{plain} ({duration(seconds)})"

    def outcome(self, value: int) -> str:
        """What the daemon makes of a number, as a sentence."""
        taken = self.takes(value)
        return f"{self.reader} uses {self.with_unit(taken)}." if taken else f"{self.reader} turns it off."

    def replacements(self, value: int) -> Iterator[tuple[str, int]]:
        """What does today what this number was meant to do."""
        for name, convert in (self.replaced_by or {}).items():
            yield name, convert(value)


def duration(seconds: float) -> str:
    """Seconds in the unit that people would use."""
    for size, name in ((3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {name}"
    return f"{seconds:.3g} s"
