"""``--format=table``, ``csv`` and ``json`` of ``list``, and ``ovsdb-client dump`` of a database in these and as a list.
Pure (OVS lib/table.c)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from ovsnet.errors import ConfigError
from ovsnet.protocol.jsonrpc import BAD_JSON
from ovsnet.tune.readers.reading import (
    Columns,
    Reader,
    Reading,
    Tables,
    database_of,
    left_out,
    notes_on,
    shown_tables,
    table_of,
)
from ovsnet.tune.readers.values import of_json, printed
from ovsnet.tune.readers.vsctl_list import columns_of, records

_CAPTION = re.compile(r"^(\w+) table$", re.MULTILINE)
_RULE = re.compile(r"^-+(?: -+)*$", re.MULTILINE)


def _dump(text: str) -> Reading | None:
    """Each table below its name."""
    captions = list(_CAPTION.finditer(text))
    if not captions:
        return None
    found: dict[str, list[Columns]] = {}
    for caption, following in zip(captions, [*captions[1:], None], strict=True):
        body = text[caption.end() : following.start() if following else len(text)]
        found.setdefault(caption[1], []).extend(_rows(body))
    return _reading("`ovsdb-client dump`", found)


def _rows(body: str) -> Iterator[Columns]:
    body = body.strip("\n")
    if _RULE.search(body):
        yield from _ruled(body)
    elif body.startswith("_uuid,"):
        yield from _csv_rows(body)
    else:
        yield from (columns_of(record) for record in records(body))


def _ruled(body: str) -> Iterator[Columns]:
    lines = body.splitlines()
    at = next(number for number, line in enumerate(lines) if _RULE.fullmatch(line.rstrip()))
    if at == 0:
        raise ConfigError("The table has no line of headings.", remedy="Give it whole.")
    spans = [match.span() for match in re.finditer("-+", lines[at])]
    ends = [*(begin - 1 for begin, _ in spans[1:]), None]
    cuts = [slice(begin, end) for (begin, _), end in zip(spans, ends, strict=True)]
    names = [lines[at - 1][cut].strip() for cut in cuts]
    for line in lines[at + 1 :]:
        if line.strip():
            # OVS pads by bytes (lib/table.c, table_print_table__)
            octets = line.encode("utf-8", "surrogateescape")
            cells = [octets[cut].decode("utf-8", "surrogateescape") for cut in cuts]
            yield {name: printed(cell, name) for name, cell in zip(names, cells, strict=True)}


def _table(text: str) -> Reading | None:
    """One ruled table, of ``list``."""
    rule = _RULE.search(text)
    head = text[: rule.start()].splitlines()[-1:] if rule else []
    if not head or not re.search(r"\b(?:_uuid|external_ids|other_config|options|inactivity_probe)\b", head[0]):
        return None
    return _unnamed("`--format=table`", list(_ruled(text)))


def _csv(text: str) -> Reading | None:
    head = text.lstrip().partition("\n")[0]
    if not re.fullmatch(r"[a-z_0-9]+(?:,[a-z_0-9]+)*", head.strip()):
        return None
    if not set(head.strip().split(",")) & {"_uuid", "external_ids", "other_config", "options", "inactivity_probe"}:
        return None
    return _unnamed("`--format=csv`", list(_csv_rows(text.lstrip())))


def _csv_rows(text: str) -> Iterator[Columns]:
    try:
        names, *rows = csv.reader(io.StringIO(text))
    except csv.Error as error:
        raise ConfigError(f"This CSV cannot be read: {error}.", remedy="Give it as ovs-vsctl prints it.") from error
    for row in rows:
        if row and len(row) != len(names):
            raise ConfigError("A line of the CSV has not the columns of the first.", remedy="Give it whole.")
        if row:
            yield {name: printed(cell, name) for name, cell in zip(names, row, strict=True)}


class _Document(msgspec.Struct):
    headings: list[str]
    data: list[list[Any]]
    caption: str = ""


def _json(text: str) -> Reading | None:
    """A document of ``list``, or a line each of ``dump``."""
    if '"headings"' not in text or not text.lstrip().startswith("{"):
        return None
    try:
        documents = msgspec.json.Decoder(_Document).decode_lines(text)
    except BAD_JSON:
        try:
            documents = [msgspec.json.decode(text, type=_Document)]
        except BAD_JSON as error:
            raise ConfigError(f"This JSON of a table cannot be read: {error}.", remedy="Give it whole.") from error
    found: dict[str, list[Columns]] = {}
    for each in documents:
        if any(len(row) != len(each.headings) for row in each.data):
            raise ConfigError("A row of the JSON has not the columns of its headings.", remedy="Give it whole.")
        rows = [dict(zip(each.headings, map(of_json, row), strict=True)) for row in each.data]
        found.setdefault(each.caption.removesuffix(" table"), []).extend(rows)
    if list(found) == [""]:
        return _unnamed("`--format=json`", found[""])
    return _reading("`ovsdb-client dump` as JSON", found)


def _unnamed(form: str, rows: list[Columns]) -> Reading:
    if not rows:
        raise ConfigError("The table has no row, so nothing can be said of it.")
    tables: Tables = {}
    unread = []
    for row in rows:
        where = table_of(row) or _by_keys(row)
        if where is None:
            unread.append(f"a row with the columns {', '.join(row)}")
        else:
            tables.setdefault(where, []).append(row)
    some, none = left_out(tables)
    return Reading(
        f"{form} of {shown_tables(tables) or 'no table with a knob'}",
        tables,
        notes=tuple(f"Not read: {each}." for each in some),
        unread=(*unread, *none),
    )


def _by_keys(row: Columns) -> tuple[str, str] | None:
    ids = row.get("external_ids")
    named = isinstance(ids, dict) and any(key.startswith("ovn-") or key == "system-id" for key in ids)
    return ("Open_vSwitch", "Open_vSwitch") if named and "ports" not in row and "name" not in row else None


def _reading(form: str, found: dict[str, list[Columns]]) -> Reading:
    database = database_of(found.keys() | set())
    if database is None:
        raise ConfigError(
            f"The dump has no table with a knob: {', '.join(found)}.",
            remedy="Give a dump of Open_vSwitch, OVN_Northbound or OVN_Southbound.",
        )
    tables = {(database, table): rows for table, rows in found.items()}
    judged = {where: rows for where, rows in tables.items() if table_is_judged(*where)}
    return Reading(f"{form} of {database}: {shown_tables(judged)}", judged, notes=notes_on(judged))


def table_is_judged(database: str, table: str) -> bool:
    """Whether it can hold a knob."""
    return (
        table == "Connection" or (database == "Open_vSwitch" and table in JUDGED) or table in ("NB_Global", "SB_Global")
    )


JUDGED = ("Open_vSwitch", "Bridge", "Manager", "Controller")

READERS = (
    Reader("`ovsdb-client dump` as a table, a list or CSV", _dump),
    Reader("`ovsdb-client dump` and `list` with `--format=json`", _json),
    Reader("`list` with `--format=table`", _table),
    Reader("`list` with `--format=csv`", _csv),
)
