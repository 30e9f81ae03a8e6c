"""``list`` of a table, as a column a line: whole, a part of it, indented by a mail or a shell, wrapped by a terminal.
Pure."""

from __future__ import annotations

import re

import msgspec

from ovsnet.tune.keys import PLACES
from ovsnet.tune.readers.reading import (
    COLUMN_WIDTH,
    HOLDING,
    Columns,
    Reader,
    Reading,
    Tables,
    left_out,
    shown_tables,
    table_of,
)
from ovsnet.tune.readers.values import is_open, printed

_LINE = re.compile(r"[\s>|]*([a-z_][a-z0-9_]*)( *): ?(.*)")
_GAP = re.compile(" {6,}")
"""A terminal's wrap, pasted as one line: no value has so many blanks in a row."""

OVN_KEYS = re.compile(r"ovn-|(?:system-id|hostname|rundir)$")
"""Keys of ``external_ids`` that ovs-ctl or OVN's setup writes into the row of Open_vSwitch, and nowhere else."""

SWITCH_KEYS = frozenset(
    place.key for place in PLACES if (place.table, place.column) == ("Open_vSwitch", "other_config") and place.key
)
"""Keys of ``other_config`` that no other table has."""

TELLING = ("external_ids", "other_config", *(place.key for place in PLACES if len(place.key) > 8))
"""Words that a line without a setting has not."""

PROMPT = re.compile(r"ovs-vsctl|ovn-[ns]bctl|ovsdb-client|^\s*[#$]")


class Lines(msgspec.Struct):
    """What the lines of a list make: ``records`` have the text of each column, ``stray`` lines belong to none."""

    records: list[dict[str, str]] = msgspec.field(default_factory=list)
    stray: list[str] = msgspec.field(default_factory=list)


def lines_of(text: str) -> Lines:
    """A column begins a line; a value whose bracket is open goes on with the next."""
    found = Lines()
    row: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        column = _LINE.fullmatch(line)
        still_open = is_open(row.get(name, ""))
        if column is not None and (len(column[1] + column[2]) >= COLUMN_WIDTH or not still_open):
            if column[1] in row:
                found.records.append(row)
                row = {}
            name = column[1]
            row[name] = column[3].strip()
        elif not line.strip(" \t>|"):
            if row and not still_open:
                found.records.append(row)
                row, name = {}, ""
        elif name and still_open:
            row[name] += line.strip()
        else:
            found.stray.append(line)
    if row:
        found.records.append(row)
    return found


def records(text: str) -> list[dict[str, str]]:
    """Rows, with the text of each column."""
    return lines_of(text).records


def columns_of(record: dict[str, str]) -> Columns:
    """Raises ConfigError for a value that is cut off."""
    return {name: printed(_GAP.sub("", value), name) for name, value in record.items()}


def _read(text: str) -> Reading | None:
    if not any(_padded(line) for line in text.splitlines()):
        return None
    lines = lines_of(text)
    tables: Tables = {}
    unread = [f"the line {_head(line)}" for line in lines.stray if _tells(line)]
    others = 0
    for record in lines.records:
        where = _where(record)
        if where is not None:
            tables.setdefault(where, []).append(columns_of(record))
            known = {*HOLDING[where[1]], "status", "target"}
            unread += [f"the column {name}" for name, value in record.items() if name not in known and _tells(value)]
        elif "inactivity_probe" in record or record.keys() <= {*PART, "options"}:
            unread.append(f"a row with the columns {', '.join(record)} and no word of its table")
        else:
            others += 1
    if not tables and not unread and not others:
        return None
    some, none = left_out(tables)
    notes = [f"{others} of its rows are of other tables, which hold no knob."] if others else []
    return Reading(
        f"`list` of {shown_tables(tables) or 'no table with a knob'}",
        tables,
        notes=(*notes, *(f"Not read: {each}." for each in some)),
        unread=(*unread, *none),
    )


def _tells(text: str) -> bool:
    return any(word in text for word in TELLING) and not PROMPT.search(text)


def _head(line: str) -> str:
    return repr(line.strip()[:40])


def _where(record: dict[str, str]) -> tuple[str, str] | None:
    if (where := table_of(record)) is not None:
        return where
    maps = [columns_of({name: record[name]})[name] for name in ("external_ids", "other_config") if name in record]
    part_of_switch = record.keys() <= PART and any(
        OVN_KEYS.match(key) or key in SWITCH_KEYS for each in maps if isinstance(each, dict) for key in each
    )
    return ("Open_vSwitch", "Open_vSwitch") if part_of_switch else None


PART = frozenset({"_uuid", "external_ids", "other_config", "db_version", "hostname", "system_type", "system_version"})
"""Columns that may have been picked of the row of Open_vSwitch."""


def _padded(line: str) -> bool:
    found = _LINE.fullmatch(line)
    return found is not None and bool(found[2]) and len(found[1] + found[2]) >= COLUMN_WIDTH


READER = Reader("`ovs-vsctl list TABLE`, `ovn-nbctl list TABLE`, `ovn-sbctl list TABLE`", _read)
