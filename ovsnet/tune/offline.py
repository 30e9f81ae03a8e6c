"""Settings without a node: Facts of what a reader found, or of the environment of Kube-OVN's scripts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from ovsnet.node.version import Version
from ovsnet.ovsdb.values import NO_UUID
from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.facts import LABELS, ROOTS, Facts, FoundRow, written_versions
from ovsnet.tune.knob import READERS, Product
from ovsnet.tune.readers import recognise, refused
from ovsnet.tune.readers.reading import Columns, Reading, Tables
from ovsnet.tune.readers.values import texts
from ovsnet.tune.readers.variables import VARIABLES

EVERY_REMOTE = "every remote"
"""The label of a row that stands for whatever Connections there will be."""


def facts_of_reading(reading: Reading, *, ovn: Version | None = None, ovs: Version | None = None) -> Facts:
    """``ovn`` and ``ovs`` are the versions that run there, if known; else those that the material names count."""
    tables = {where: tuple(_found(where[1], row) for row in rows) for where, rows in reading.tables.items()}
    of_values = _facts(reading.values, ovn, ovs)
    for where, rows in of_values.tables.items():
        tables[where] = _merged(tables[where][0], rows[0]) if where in tables and where[1] in ROOTS else rows
    versions = {**reading.versions, **written_versions(tables), **of_values.versions}
    return Facts(versions, tables, doubts=reading.doubts, partial=reading.partial)


def facts_of_text(text: str, *, ovn: Version | None = None, ovs: Version | None = None) -> Facts:
    """Of any form that is read. Raises ConfigError."""
    reading = recognise(text)
    if reading is None or not (reading.tables or reading.values):
        raise refused("This is a text without settings in a form that ovsnet reads.")
    return facts_of_reading(reading, ovn=ovn, ovs=ovs)


def facts_of_readings(
    readings: Iterable[Reading], *, ovn: Version | None = None, ovs: Version | None = None
) -> list[Facts]:
    """One of each node. Files of one node complete each other; where two of them differ, each is judged by itself.

    A version that all name, and no other, counts for those that name none.
    """
    each = [part for reading in readings for part in _split(reading)]
    found: list[Facts] = []
    named = [facts_of_reading(reading).versions for reading in each]
    shared = {
        daemon: all_named.pop()
        for daemon in READERS
        if len(all_named := {known[daemon] for known in named if daemon in known}) == 1
    }
    for reading in _joined(each):
        if reading.tables or reading.values:
            versions = {**shared, **reading.versions}
            found.append(facts_of_reading(replace(reading, versions=versions), ovn=ovn, ovs=ovs))
    return found


def _split(reading: Reading) -> list[Reading]:
    """A list of several nodes, pasted one below the other, is one reading of each."""
    where = ("Open_vSwitch", "Open_vSwitch")
    rows = reading.tables.get(where, [])
    if len(rows) < 2:
        return [reading]
    rest = {place: kept for place, kept in reading.tables.items() if place != where}
    return [replace(reading, tables={where: [row], **rest}) for row in rows]


def _joined(readings: Iterable[Reading]) -> list[Reading]:
    """Each with all that fits into it; what configures a node is not what a node holds."""
    joined: list[Reading] = []
    for reading in readings:
        for number, other in enumerate(joined):
            if (
                reading.partial == other.partial is False
                and (tables := _union(other.tables, reading.tables)) is not None
            ):
                joined[number] = replace(other, tables=tables, versions={**other.versions, **reading.versions})
                break
        else:
            joined.append(reading)
    return joined


def _union(one: Tables, other: Tables) -> Tables | None:
    """None where they differ: they are of two nodes, or of two moments."""
    union: Tables = dict(one)
    for where, rows in other.items():
        if where not in union or union[where] == rows:
            union[where] = rows
        elif where[1] in ROOTS and len(rows) == len(union[where]) == 1 and _agree(union[where][0], rows[0]):
            union[where] = [{**union[where][0], **rows[0]}]
        else:
            return None
    return union


def _agree(one: Columns, other: Columns) -> bool:
    return all(one[name] == other[name] for name in one.keys() & other.keys() if name not in CHANGING)


CHANGING = frozenset({"cur_cfg", "next_cfg", "statistics", "nb_cfg", "sb_cfg", "hv_cfg", "nb_cfg_timestamp"})
"""Columns that differ from one moment to the next, and hold no knob."""


def reading_of_environment(environ: Mapping[str, str]) -> Reading | None:
    """The variables of Kube-OVN and OVN-Kubernetes among our own."""
    return recognise("".join(f"{name}={environ[name]}\n" for name in VARIABLES if name.isupper() and name in environ))


def facts_of_values(
    values: Iterable[tuple[str, str]], *, ovn: Version | None = None, ovs: Version | None = None
) -> Facts:
    """A node on which these knobs, and nothing else, are set."""
    return _facts(values, ovn, ovs)


def _found(table: str, row: Mapping[str, object]) -> FoundRow:
    columns = texts(row)
    label = next((str(columns[name]) for name in (*LABELS, "_uuid") if columns.get(name)), "?")
    return FoundRow(NO_UUID, "." if table in ROOTS else label, columns)


def _merged(one: FoundRow, other: FoundRow) -> tuple[FoundRow, ...]:
    columns = dict(one.columns)
    for name, value in other.columns.items():
        columns[name] = {**value, **columns[name]} if isinstance(columns.get(name), dict) else value
    return (FoundRow(NO_UUID, one.label, columns),)


def _facts(values: Iterable[tuple[str, str]], ovn: Version | None, ovs: Version | None) -> Facts:
    tables: dict[tuple[str, str], dict[str, object]] = {}
    for name, text in values:
        place = KNOBS[name].place
        assert place is not None
        columns = tables.setdefault((place.database, place.table), {})
        if place.key:
            held = columns.setdefault(place.column, {})
            assert isinstance(held, dict)
            held[place.key] = text
        else:
            columns[place.column] = text
    return Facts(_versions(ovn, ovs), {where: (_row(*where, columns),) for where, columns in tables.items()})


def _row(database: str, table: str, columns: Mapping[str, object]) -> FoundRow:
    return FoundRow(NO_UUID, "." if table in ROOTS else f"{EVERY_REMOTE} of {database}", columns)


def _versions(ovn: Version | None, ovs: Version | None) -> dict[str, Version]:
    known = {Product.OVN: ovn, Product.OVS: ovs}
    return {reader: version for reader, product in READERS.items() if (version := known[product]) is not None}
