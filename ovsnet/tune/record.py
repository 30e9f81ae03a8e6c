"""What was there before ovsnet wrote: the note that ``revert`` goes by. Pure.

The note stands in ``external_ids`` of the very row that was changed, and is written in the very transaction that
changes it. So there is no moment, whoever is killed, at which a value is changed and its note is missing, and no file
that can be lost, outlive its database or be another host's.

    ovsnet-before:other_config:n-handler-threads = {"before": null, "after": "10"}
    ovsnet-before:inactivity_probe               = {"before": "5000", "after": "60000"}
    ovsnet-created                               = true
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import msgspec

from ovsnet.tune.facts import Facts, FoundRow
from ovsnet.tune.plan import Change, OldRow, Plan, parent_of

PREFIX = "ovsnet-before:"
CREATED = "ovsnet-created"


class Record(msgspec.Struct, frozen=True):
    """``before`` is what was there, ``after`` what ovsnet wrote; None is not set."""

    before: str | None
    after: str | None


def record_key(change: Change) -> str:
    """The key of ``external_ids`` that holds the note."""
    return PREFIX + ":".join(part for part in (change.column, change.key) if part)


def records(row: FoundRow) -> dict[str, str]:
    """``external_ids`` of a row."""
    return dict(cast("dict[str, str]", row.columns.get("external_ids") or {}))


def new_record(change: Change) -> str | None:
    """The note after this change; None when nothing needs to be remembered.

    A second apply keeps the first one's ``before``, unless somebody else wrote in between: then what they wrote is
    what was there before us.
    """
    known = parse_record(records(change.row).get(record_key(change)))
    before = known.before if known is not None and known.after == change.before else change.before
    if change.forgets or before == change.after:
        return None
    return msgspec.json.encode(Record(before, change.after)).decode()


def parse_record(text: str | None) -> Record | None:
    """None for what is no note of ours."""
    try:
        return None if text is None else msgspec.json.decode(text, type=Record)
    except msgspec.MsgspecError:
        return None


def plan_revert(facts: Facts, *, force: bool = False) -> Plan:
    """Back to what was there. What somebody else has changed since is left alone, unless ``force``."""
    changes: list[Change] = []
    old_rows: list[OldRow] = []
    notes: list[str] = []
    for database, table, row in _rows(facts):
        if CREATED in records(row):
            parent = parent_of(facts, database, table, row.uuid)
            old_rows += [OldRow(database, table, row, parent)] if parent is not None else []
            continue
        for change, record in _recorded(database, table, row):
            if change.before == record.after or force:
                changes.append(change)
            else:
                now = "not set" if change.before is None else change.before
                notes.append(
                    f"{change.place} is left alone: it is {now} now, and ovsnet had set {record.after}, so somebody "
                    "else has changed it since."
                )
    return Plan(tuple(changes), (), tuple(old_rows), tuple(notes))


def _rows(facts: Facts) -> Iterator[tuple[str, str, FoundRow]]:
    for (database, table), rows in facts.tables.items():
        yield from ((database, table, row) for row in rows)


def _recorded(database: str, table: str, row: FoundRow) -> Iterator[tuple[Change, Record]]:
    for name, text in records(row).items():
        record = parse_record(text)
        if not name.startswith(PREFIX) or record is None:
            continue
        column, _, key = name.removeprefix(PREFIX).partition(":")
        now = _now(row, column, key)
        reason = "as it was before ovsnet"
        change = Change(database, table, row, column, key, now, record.before, key or column, reason, forgets=True)
        yield change, record


def _now(row: FoundRow, column: str, key: str) -> str | None:
    value = row.columns.get(column)
    if key:
        value = cast("dict[str, str]", value or {}).get(key)
    return None if value is None else str(value)
