"""A database file of Open vSwitch or OVN. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ovsnet.errors import ConfigError
from ovsnet.ovsdb.stored import MAGIC, stored
from ovsnet.tune.readers.printed_tables import table_is_judged
from ovsnet.tune.readers.reading import Reader, Reading, Tables, notes_on, shown_tables
from ovsnet.tune.readers.values import of_json


def _read(text: str) -> Reading | None:
    if not text.startswith(MAGIC):
        return None
    found = stored(text.encode("utf-8", "surrogateescape"))
    tables: Tables = {
        (found.name, table): [_row(uuid, columns) for uuid, columns in found.rows.get(table, {}).items()]
        for table in found.schema.get("tables", {})
        if table_is_judged(found.name, table)
    }
    if not tables:
        raise ConfigError(f"The database {found.name} has no table with a knob.")
    cut = () if found.whole else ("the end of the file, which is damaged or still being written",)
    kind = "one server's file of the cluster" if found.clustered else "database file"
    return Reading(f"{kind} {found.name}: {shown_tables(tables)}", tables, notes=notes_on(tables), unread=cut)


def _row(uuid: str, columns: Mapping[str, Any]) -> dict[str, Any]:
    return {"_uuid": uuid} | {column: of_json(value) for column, value in columns.items()}


READER = Reader("a database file (conf.db, ovnnb_db.db, ovnsb_db.db), clustered or not", _read)
