"""What is set, and what runs: all that lint, plan and advise know of a node. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from ovsnet.node.version import Version, parse_version
from ovsnet.ovsdb.values import NO_UUID, Row, Uuid
from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.knob import Knob, Place

ROOTS = ("Open_vSwitch", "NB_Global", "SB_Global")
"""Tables of one row."""

PARENTS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("Open_vSwitch", "Manager"): ("Open_vSwitch", "manager_options"),
    ("Open_vSwitch", "Controller"): ("Bridge", "controller"),
    ("OVN_Northbound", "Connection"): ("NB_Global", "connections"),
    ("OVN_Southbound", "Connection"): ("SB_Global", "connections"),
}
"""By database and table: the table and the column that refer to its rows, where a row can be made to hold a knob."""

LABELS = ("target", "name")
"""Columns that name a row for a person, where its table has them."""

BESIDE_KNOBS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("Open_vSwitch", "Open_vSwitch"): ("ovs_version", "external_ids"),
    ("Open_vSwitch", "Bridge"): ("other_config",),
    ("Open_vSwitch", "Manager"): ("max_backoff",),
    ("Open_vSwitch", "Controller"): ("max_backoff",),
    ("OVN_Northbound", "Connection"): ("max_backoff",),
    ("OVN_Southbound", "Connection"): ("max_backoff",),
}
"""Read whatever the knobs are: the version that ovs-ctl wrote, the chassis's name and remote, and what lint judges
beside knobs."""


def columns_read(database: str) -> dict[str, tuple[str, ...]]:
    """By table, all columns of a database that tuning reads: those with knobs, and what it takes to write them.

    In ``external_ids``, which every table with a knob has, ``apply`` notes what was there before.
    """
    found: dict[str, dict[str, None]] = {}

    def read(table: str, *columns: str) -> None:
        found.setdefault(table, dict.fromkeys(("_uuid", *LABELS))).update(dict.fromkeys(columns))

    for (where, table), columns in BESIDE_KNOBS.items():
        if where == database:
            read(table, *columns)
    for place in (knob.place for knob in KNOBS.values() if knob.place is not None):
        if place.database == database:
            read(place.table, place.column, "external_ids")
            if (parent := PARENTS.get((database, place.table))) is not None:
                read(*parent)
    return {table: tuple(columns) for table, columns in found.items()}


class FoundRow(msgspec.Struct, frozen=True):
    """A row of a table. ``label`` is its target or name, or ``.`` in a table of one row."""

    uuid: Uuid
    label: str
    columns: Row

    @property
    def on_unix_socket(self) -> bool:
        """Whether it is about connections over a unix socket, which cannot be cut off unnoticed."""
        return "unix:" in str(self.columns.get("target", ""))

    @classmethod
    def of(cls, table: str, row: Row) -> FoundRow:
        """As ``columns_read`` has it read."""
        named = next((str(row[column]) for column in LABELS if row.get(column)), str(row["_uuid"]))
        return cls(row["_uuid"], "." if table in ROOTS else named, row)


class KnobValue(msgspec.Struct, frozen=True):
    """A knob in one row that can hold it; ``text`` is None while it is not set. ``key`` has the chassis's suffix, if
    it is an override."""

    knob: Knob
    row: FoundRow
    key: str
    text: str | None

    @property
    def place(self) -> str:
        """Where, for a person: ``Manager.inactivity_probe of ptcp:6640``."""
        assert self.knob.place is not None
        place = self.knob.place
        shown = Place(place.database, place.table, place.column, self.key)
        return str(shown) if self.row.label == "." else f"{shown} of {self.row.label}"


class Facts(msgspec.Struct, frozen=True):
    """``versions`` are by reader; ``tables`` by database and table, and a database that was not asked is missing.

    ``overridden`` says, by knob, why this node's datapath leaves it without effect. ``at_the_node``: the node itself
    was asked, so what is not overridden acts. ``election_timer`` is in milliseconds. ``doubts`` say, by knob, where it
    has no effect. ``partial``: it is what a configuration sets, and not all that there will be. ``chassis`` is the
    name that ovn-controller was given otherwise than by ``external_ids:system-id``, which it takes precedence over.
    """

    versions: Mapping[str, Version] = msgspec.field(default_factory=dict)
    tables: Mapping[tuple[str, str], tuple[FoundRow, ...]] = msgspec.field(default_factory=dict)
    cores: int | None = None
    overridden: Mapping[str, str] = msgspec.field(default_factory=dict)
    election_timer: int | None = None
    at_the_node: bool = False
    doubts: Mapping[str, str] = msgspec.field(default_factory=dict)
    partial: bool = False
    chassis: str = ""

    def knows(self, database: str) -> bool:
        """Whether this database was asked."""
        return any(each == database for each, _ in self.tables)

    def rows(self, database: str, table: str) -> tuple[FoundRow, ...]:
        """Rows of a table; none when it was not asked."""
        return self.tables.get((database, table), ())

    def acts(self, knob: Knob) -> bool | None:
        """Whether the daemon that runs here reads the knob; None when that depends on a version nobody knows."""
        if knob.name in self.overridden:
            return False
        return knob.acts_on(self.versions.get(knob.reader))

    def values(self, knob: Knob) -> Iterator[KnobValue]:
        """The knob in each row that could hold it, and its override for this chassis where there is one."""
        if (place := knob.place) is None:
            return
        for row in self.rows(place.database, place.table):
            yield KnobValue(knob, row, place.key, _text(row, place, place.key))
            override = f"{place.key}-{self.system_id}"
            if self._overrides(knob) and (text := _text(row, place, override)) is not None:
                yield KnobValue(knob, row, override, text)

    def values_set(self) -> Iterator[KnobValue]:
        """What is set, of all knobs."""
        for knob in KNOBS.values():
            yield from (value for value in self.values(knob) if value.text is not None)

    def shadowed(self, held: KnobValue) -> str | None:
        """The key for this chassis alone, where that is set and counts instead."""
        place = held.knob.place
        assert place is not None
        override = f"{place.key}-{self.system_id}"
        plain = held.key == place.key and self._overrides(held.knob)
        return override if plain and _text(held.row, place, override) is not None else None

    def _overrides(self, knob: Knob) -> bool:
        """Whether ``KEY-<system-id>`` counts for this chassis, as it does unless the version is known to be older."""
        version = self.versions.get(knob.reader)
        return bool(knob.suffix_since and self.system_id and (version is None or version >= knob.suffix_since))

    @property
    def system_id(self) -> str:
        """The chassis's name."""
        return self.chassis or self.external_id("system-id")

    @property
    def remote(self) -> str:
        """``external_ids:ovn-remote``, or what this chassis has of its own."""
        return self.external_id(f"ovn-remote-{self.system_id}") or self.external_id("ovn-remote")

    @property
    def remote_is_distant(self) -> bool:
        """Whether a cut network can silence the southbound database. An unknown remote is taken to be distant."""
        return not self.remote or any(not each.strip().startswith("unix:") for each in self.remote.split(","))

    @property
    def external_ids(self) -> Mapping[str, str]:
        """``Open_vSwitch.external_ids``; empty where it was not asked."""
        root = next(iter(self.rows("Open_vSwitch", "Open_vSwitch")), None)
        return {} if root is None else dict(root.columns.get("external_ids") or {})

    def external_id(self, key: str) -> str:
        """One of them; empty when it is not set, or not known."""
        return str(self.external_ids.get(key, ""))


def facts_of_switch(columns: Mapping[str, Mapping[str, str]], versions: Mapping[str, Version] | None = None) -> Facts:
    """What is known from the columns of the one row of Open_vSwitch alone."""
    return Facts(versions or {}, {("Open_vSwitch", "Open_vSwitch"): (FoundRow(NO_UUID, ".", columns),)})


def written_versions(tables: Mapping[tuple[str, str], tuple[FoundRow, ...]]) -> dict[str, Version]:
    """By daemon, the versions that ovs-ctl and northd wrote into the databases."""
    versions: dict[str, Version] = {}
    for (_, table), rows in tables.items():
        for row in rows if table in ROOTS else ():
            if found := parse_version(str(row.columns.get("ovs_version") or "")):
                versions["ovs-vswitchd"] = found
            # OVN's version, the schema's and more: 23.03.1-20.27.0-70.6
            internal = str((row.columns.get("options") or {}).get("northd_internal_version", ""))
            if found := parse_version(internal.partition("-")[0]):
                versions["ovn-northd"] = found
    return versions


def _text(row: FoundRow, place: Place, key: str) -> str | None:
    value = row.columns.get(place.column)
    if place.key:
        value = (value or {}).get(key)
    return None if value is None else str(value)
