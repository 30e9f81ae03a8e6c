"""What is set, and what runs: all that lint, plan and advise know of a node. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from ovsnet.node.version import Version
from ovsnet.ovsdb.values import Row, Uuid
from ovsnet.tune.knob import Knob, Place

TABLES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Open_vSwitch": {
        "Open_vSwitch": ("external_ids", "other_config", "ovs_version", "manager_options"),
        "Bridge": ("name", "datapath_type", "controller"),
        "Manager": ("target", "inactivity_probe", "external_ids"),
        "Controller": ("target", "inactivity_probe", "external_ids"),
    },
    "OVN_Northbound": {
        "NB_Global": ("options", "external_ids", "connections"),
        "Connection": ("target", "inactivity_probe", "external_ids"),
    },
    "OVN_Southbound": {
        "SB_Global": ("options", "external_ids", "connections"),
        "Connection": ("target", "inactivity_probe", "external_ids"),
    },
}
"""The columns that tuning reads. Every table with a knob has ``external_ids``, where ``apply`` notes what was there."""

ROOTS = ("Open_vSwitch", "NB_Global", "SB_Global")
"""Tables of one row."""


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A row of a table of TABLES. ``label`` is its target, or ``.`` in a table of one row."""

    uuid: Uuid
    label: str
    columns: Row


@dataclass(frozen=True, slots=True)
class Setting:
    """A knob as it stands in one row; ``text`` is None while it is not set. ``key`` has the chassis's suffix, if it
    is an override."""

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


@dataclass(frozen=True, slots=True)
class Facts:
    """``versions`` are by reader; ``tables`` by database and table, and a database that was not asked is missing.

    ``overridden`` says, by knob, why this node's datapath leaves it without effect. ``election_timer`` is in
    milliseconds.
    """

    versions: Mapping[str, Version] = field(default_factory=dict)
    tables: Mapping[tuple[str, str], tuple[FoundRow, ...]] = field(default_factory=dict)
    cores: int | None = None
    overridden: Mapping[str, str] = field(default_factory=dict)
    election_timer: int | None = None

    def knows(self, database: str) -> bool:
        """Whether this database was asked."""
        return any(each == database for each, _ in self.tables)

    def rows(self, database: str, table: str) -> tuple[FoundRow, ...]:
        """Rows of a table; none when it was not asked."""
        return self.tables.get((database, table), ())

    def acts(self, knob: Knob) -> bool | None:
        """Whether the daemon that runs here reads the knob; None when that hangs on a version nobody knows."""
        if knob.name in self.overridden:
            return False
        return knob.acts_on(self.versions.get(knob.reader))

    def settings(self, knob: Knob) -> Iterator[Setting]:
        """The knob in each row that could hold it, and its override for this chassis where there is one."""
        if (place := knob.place) is None:
            return
        for row in self.rows(place.database, place.table):
            yield Setting(knob, row, place.key, _text(row, place, place.key))
            override = f"{place.key}-{self.system_id}"
            if knob.suffix_since and self.system_id and (text := _text(row, place, override)) is not None:
                yield Setting(knob, row, override, text)

    @property
    def system_id(self) -> str:
        """The chassis's name."""
        return self._external_id("system-id")

    @property
    def remote(self) -> str:
        """``external_ids:ovn-remote``."""
        return self._external_id("ovn-remote")

    @property
    def remote_is_distant(self) -> bool:
        """Whether a cut network can silence the southbound database. An unknown remote is taken to be distant."""
        return not self.remote or any(not each.strip().startswith("unix:") for each in self.remote.split(","))

    def _external_id(self, key: str) -> str:
        root = next(iter(self.rows("Open_vSwitch", "Open_vSwitch")), None)
        return (
            "" if root is None else str(cast("Mapping[str, str]", root.columns.get("external_ids") or {}).get(key, ""))
        )


def _text(row: FoundRow, place: Place, key: str) -> str | None:
    value = row.columns.get(place.column)
    if place.key:
        value = cast("Mapping[str, str]", value or {}).get(key)
    return None if value is None else str(value)
