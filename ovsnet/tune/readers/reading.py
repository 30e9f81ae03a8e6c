"""What a reader found in one text, and how it is declared. Pure.

text -> a Reader recognises its form -> Reading -> tables of Facts
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from ovsnet.node.version import Version

Columns = Mapping[str, Any]
Tables = dict[tuple[str, str], list[Columns]]
"""By database and table, the rows."""

COLUMN_WIDTH = 20
"""``ovs-vsctl list`` pads the names of columns to so many characters (OVS lib/table.c, ``table_print_list__``)."""


class Reading(msgspec.Struct, frozen=True):
    """``form`` says what was recognised. ``values`` are knobs by name, with the variable that carries each, of what
    never names a table. ``notes`` say what was seen and holds no knob, ``unread`` what may hold one.
    ``unresolved`` are names whose value is to be found elsewhere, with the knobs that they set;
    ``doubts``, by knob, where it has no effect. ``partial``: it is what a configuration sets, and not
    all that there will be."""

    form: str
    tables: Tables = msgspec.field(default_factory=dict)
    values: tuple[tuple[str, str], ...] = ()
    versions: Mapping[str, Version] = msgspec.field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    unresolved: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    doubts: Mapping[str, str] = msgspec.field(default_factory=dict)
    partial: bool = False


class Reader(msgspec.Struct, frozen=True):
    """``form`` is its name in the list of forms that can be read. ``read`` returns None for another's form, and raises
    ConfigError for a text of its own form that is cut off or damaged."""

    form: str
    read: Callable[[str], Reading | None]


SIGNS: tuple[tuple[str, str, frozenset[str]], ...] = (
    ("Open_vSwitch", "Open_vSwitch", frozenset({"next_cfg", "manager_options"})),
    ("Open_vSwitch", "Open_vSwitch", frozenset({"external_ids", "ovs_version"})),
    ("Open_vSwitch", "Open_vSwitch", frozenset({"other_config", "ovs_version"})),
    ("Open_vSwitch", "Bridge", frozenset({"datapath_type", "ports"})),
    ("Open_vSwitch", "Controller", frozenset({"target", "inactivity_probe", "connection_mode", "role"})),
    ("Open_vSwitch", "Controller", frozenset({"target", "inactivity_probe", "controller_rate_limit"})),
    ("Open_vSwitch", "Manager", frozenset({"target", "inactivity_probe", "connection_mode"})),
    ("OVN_Northbound", "NB_Global", frozenset({"nb_cfg", "hv_cfg"})),
    ("OVN_Northbound", "NB_Global", frozenset({"options", "sb_cfg"})),
    ("OVN_Southbound", "SB_Global", frozenset({"nb_cfg", "options", "connections"})),
    ("OVN_Southbound", "Connection", frozenset({"target", "inactivity_probe", "read_only"})),
    ("OVN_Northbound", "Connection", frozenset({"target", "inactivity_probe", "is_connected"})),
)
"""Columns that only rows of this table have, the most telling first: no form of ``list`` names its table."""


def table_of(columns: Columns) -> tuple[str, str] | None:
    """Database and table of a row, by its columns."""
    found = next(((database, table) for database, table, signs in SIGNS if signs <= columns.keys()), None)
    return found or _by_port(columns)


def _by_port(columns: Columns) -> tuple[str, str] | None:
    """By the usual port, where only target and interval were printed."""
    if "inactivity_probe" not in columns:
        return None
    target = str(columns.get("target") or "")
    return next((where for port, where in USUAL_PORTS.items() if re.search(rf":{port}\b", target)), None)


USUAL_PORTS = {
    6640: ("Open_vSwitch", "Manager"),
    6641: ("OVN_Northbound", "Connection"),
    6642: ("OVN_Southbound", "Connection"),
    6653: ("Open_vSwitch", "Controller"),
}


HOMES = {
    "Open_vSwitch": "Open_vSwitch",
    "Bridge": "Open_vSwitch",
    "Manager": "Open_vSwitch",
    "Controller": "Open_vSwitch",
    "NB_Global": "OVN_Northbound",
    "SB_Global": "OVN_Southbound",
    "Config": "Local_Config",
}
"""The database of a table whose name says it."""


def database_of(tables: frozenset[str] | set[str]) -> str | None:
    """The database that has these tables."""
    return next((database for table, database in HOMES.items() if table in tables), None)


def shown_tables(tables: Tables) -> str:
    """``Open_vSwitch (1 row), Manager (2 rows)``."""
    return ", ".join(f"{table} ({len(rows)} row{'' if len(rows) == 1 else 's'})" for (_, table), rows in tables.items())


HOLDING: Mapping[str, tuple[str, ...]] = {
    "Open_vSwitch": ("external_ids", "other_config"),
    "Bridge": ("other_config",),
    "Manager": ("inactivity_probe",),
    "Controller": ("inactivity_probe",),
    "Connection": ("inactivity_probe",),
    "NB_Global": ("options",),
    "SB_Global": ("options",),
}
"""By table, the columns with knobs."""


def left_out(tables: Tables) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Of columns that hold knobs and were not printed: those of rows that show another, and those of rows that show
    none, of which nothing can be said."""
    some: dict[str, None] = {}
    none: dict[str, None] = {}
    for table, row in rows_of(tables):
        missing = [column for column in HOLDING.get(table, ()) if column not in row]
        into = none if len(missing) == len(HOLDING.get(table, ())) else some
        into.update((f"{column} of {table}, which was not printed", None) for column in missing)
    return tuple(some), tuple(none)


def notes_on(tables: Tables) -> tuple[str, ...]:
    """What an empty table means."""
    return tuple(
        f"{database} has no Connection: its remotes are on ovsdb-server's command line or in Local_Config, "
        "where no row of it tunes them."
        for (database, table), rows in tables.items()
        if table == "Connection" and not rows
    )


def rows_of(tables: Tables) -> Iterator[tuple[str, Columns]]:
    """Each row with the name of its table."""
    for (_, table), rows in tables.items():
        for row in rows:
            yield table, row
