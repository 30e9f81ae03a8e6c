"""A database file: a standalone ``conf.db``, or one server's file of a cluster. Pure.

    OVSDB JSON|CLUSTER <length> <sha1>\\n<JSON>\\n, again and again      (OVS ovsdb/log.c)
    standalone: the schema, then transactions {table: {uuid: {column: value} or null}}      (ovsdb/file.c)
    clustered: a header, whose prev_data is a snapshot [schema, rows], then entries whose data is [schema, transaction]
        (Documentation/ref/ovsdb.7.rst; ovsdb/raft-private.c)

A transaction marked ``_is_diff`` holds, of a set or map, only what differs (lib/ovsdb-data.c,
``ovsdb_datum_apply_diff``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

from ovsnet.errors import ConfigError
from ovsnet.protocol.jsonrpc import BAD_JSON

MAGIC = "OVSDB "

_HEAD = re.compile(rb"OVSDB (JSON|CLUSTER) (\d{1,20}) ([0-9a-f]{40})\n")

Rows = dict[str, dict[str, dict[str, Any]]]
"""By table and uuid, the columns in JSON."""

Json: TypeAlias = Any


class Stored(msgspec.Struct, frozen=True):
    """What a file holds: ``schema`` and ``rows`` in JSON. It is ``whole`` unless its end is damaged, or still being
    written."""

    schema: dict[str, Any]
    rows: Rows
    clustered: bool
    whole: bool

    @property
    def name(self) -> str:
        """Of the database."""
        return str(self.schema.get("name"))


def stored(content: bytes) -> Stored:
    """Raises ConfigError for a file that no server would load, or one that holds no database yet."""
    try:
        return _stored(content)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"The database file has a record of a shape that no server writes: {error}.") from error


def _stored(content: bytes) -> Stored:
    found = list(_records(content))
    if not found:
        raise ConfigError("The database file is damaged: its first record cannot be read.")
    clustered = content.startswith(b"OVSDB CLUSTER")
    schema, rows = _clustered(found) if clustered else _standalone(found)
    if schema is None:
        raise ConfigError("The file of the cluster holds no schema: this server has not joined yet.")
    return Stored(schema, rows, clustered, sum(len(record) for _, record in _spans(content)) == len(content))


def _spans(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The JSON of each sound record, and the whole of it."""
    at = 0
    while (head := _HEAD.match(content, at)) is not None:
        end = head.end() + int(head[2])
        body = content[head.end() : end]
        if len(body) < int(head[2]) or hashlib.sha1(body, usedforsecurity=False).hexdigest().encode() != head[3]:
            return
        yield body, content[at:end]
        at = end


def _records(content: bytes) -> Iterator[dict[str, Any]]:
    for body, _ in _spans(content):
        try:
            yield msgspec.json.decode(body, type=dict[str, Any])
        except BAD_JSON:
            return


def _standalone(records: list[dict[str, Any]]) -> tuple[dict[str, Any] | None, Rows]:
    schema, rows = records[0], Rows()
    for record in records[1:]:
        _apply(rows, record, schema)
    return schema, rows


def _clustered(records: list[dict[str, Any]]) -> tuple[dict[str, Any] | None, Rows]:
    """Of entries with one index, the last counts: a new leader had them replaced."""
    schema: dict[str, Any] | None = None
    rows: Rows = {}
    entries: dict[int, Any] = {}
    header = records[0]
    if (data := _data(header.get("prev_data"))) is not None:
        schema, snapshot = data
        if schema is not None:
            _apply(rows, snapshot or {}, schema)
    for record in records[1:]:
        if isinstance(index := record.get("index"), int):
            entries = {at: entry for at, entry in entries.items() if at < index}
            entries[index] = record.get("data")
    for _, entry in sorted(entries.items()):
        if (data := _data(entry)) is None:
            continue
        changed, transaction = data
        if changed is not None:
            schema, rows = changed, {}
        if schema is not None:
            _apply(rows, transaction or {}, schema)
    return schema, rows


def _data(value: Json) -> tuple[dict[str, Any] | None, dict[str, Any] | None] | None:
    match value:
        case [dict() | None as schema, dict() | None as transaction]:
            return schema, transaction
    return None


def _apply(rows: Rows, transaction: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    by_difference = transaction.get("_is_diff") is True
    for table, changes in transaction.items():
        if table.startswith("_") or not isinstance(changes, dict):
            continue
        kept = rows.setdefault(table, {})
        types = schema.get("tables", {}).get(table, {}).get("columns", {})
        for uuid, columns in changes.items():
            if columns is None:
                kept.pop(uuid, None)
                continue
            row = kept.setdefault(uuid, {})
            for column, value in columns.items():
                many = _is_composite(types.get(column, {}).get("type"))
                row[column] = _differing(row.get(column), value) if by_difference and many else value


def _is_composite(kind: Json) -> bool:
    """Whether it may hold more than one element (``ovsdb_type_is_composite``)."""
    most = kind.get("max", 1) if isinstance(kind, dict) else 1
    return most == "unlimited" or (isinstance(most, int) and most > 1)


def _differing(old: Json, change: Json) -> Json:
    """Elements of both go; a key of both takes the new value, unless that is the old one, which means it goes."""
    if isinstance(change, list) and change[:1] == ["map"]:
        pairs = {msgspec.json.encode(key): (key, value) for key, value in (old or ["map", []])[1]}
        for key, value in change[1]:
            name = msgspec.json.encode(key)
            if name in pairs and pairs[name][1] == value:
                del pairs[name]
            else:
                pairs[name] = (key, value)
        return ["map", [list(pair) for pair in pairs.values()]]
    kept = {msgspec.json.encode(item): item for item in _items(old)}
    for item in _items(change):
        name = msgspec.json.encode(item)
        if name in kept:
            del kept[name]
        else:
            kept[name] = item
    return ["set", list(kept.values())]


def _items(value: Json) -> list[Json]:
    if value is None:
        return []
    return list(value[1]) if isinstance(value, list) and value[:1] == ["set"] else [value]
