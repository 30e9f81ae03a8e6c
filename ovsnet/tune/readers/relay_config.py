"""``ovsdb-server --config-file``: remotes and relays as JSON (OVS Documentation/topics/ovsdb-server.7). Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from ovsnet.errors import ConfigError
from ovsnet.protocol.jsonrpc import BAD_JSON
from ovsnet.tune.keys.key import CONFIG_FILE
from ovsnet.tune.readers.reading import Reader, Reading, Tables, shown_tables
from ovsnet.tune.readers.values import Cell, texts

OPTIONS = {"inactivity-probe": "inactivity_probe", "max-backoff": "max_backoff", "read-only": "read_only"}


def _read(text: str) -> Reading | None:
    if not text.lstrip().startswith("{") or ('"remotes"' not in text and '"databases"' not in text):
        return None
    try:
        document = msgspec.json.decode(text, type=dict[str, Any])
    except BAD_JSON as error:
        raise ConfigError(f"This JSON cannot be read: {error}.", remedy="Give it whole.") from error
    remotes, databases = document.get("remotes") or {}, document.get("databases") or {}
    if not isinstance(remotes, dict) or not isinstance(databases, dict):
        return None
    tables: Tables = {}
    if remotes:
        tables[CONFIG_FILE, "remotes"] = [_row(target, options) for target, options in remotes.items()]
    for database, options in databases.items():
        source = options.get("source") if isinstance(options, dict) else None
        if isinstance(source, dict):
            rows = [_row(target, each) | {"database": database} for target, each in source.items()]
            tables.setdefault((CONFIG_FILE, "source"), []).extend(rows)
    return Reading(f"`--config-file` of ovsdb-server: {shown_tables(tables)}", tables) if tables else None


def _row(target: str, options: Cell) -> dict[str, Any]:
    found = {name: options[key] for key, name in OPTIONS.items() if key in options} if isinstance(options, dict) else {}
    return {"target": target, **texts(found)}


READER = Reader("`ovsdb-server --config-file` of a relay, as JSON", _read)
