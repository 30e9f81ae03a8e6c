"""What was there before ovsnet wrote: the note that ``revert`` goes by. Pure.

The note is in ``external_ids`` of the row that was changed, and is written in the transaction that changes it. So at no
moment, whatever is killed, is a value changed and its note missing, and there is no file that can be lost, outlive its
database or belong to another host.

    ovsnet-before:other_config:n-handler-threads = {"before": null, "after": "10"}
    ovsnet-before:inactivity_probe               = {"before": "5000", "after": "60000"}
    ovsnet-created                               = true
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from ovsnet.protocol.jsonrpc import BAD_JSON
from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.facts import Facts, FoundRow
from ovsnet.tune.plan import Edit, OldRow, Plan, parent_of

PREFIX = "ovsnet-before:"
CREATED = "ovsnet-created"


class Record(msgspec.Struct, frozen=True):
    """``before`` is what was there, ``after`` what ovsnet wrote; None is not set."""

    before: str | None
    after: str | None


def record_key(edit: Edit) -> str:
    """The key of ``external_ids`` that holds the note."""
    return PREFIX + ":".join(part for part in (edit.column, edit.key) if part)


def records(row: FoundRow) -> dict[str, str]:
    """``external_ids`` of a row."""
    return dict(row.columns.get("external_ids") or {})


def new_record(edit: Edit) -> str | None:
    """The note after this edit; None when nothing needs to be remembered.

    A second apply keeps the first one's ``before``, unless someone else wrote in between: then what they wrote is
    what was there before us.
    """
    known = parse_record(records(edit.row).get(record_key(edit)))
    before = known.before if known is not None and known.after == edit.before else edit.before
    if edit.forgets or before == edit.after:
        return None
    return msgspec.json.encode(Record(before, edit.after)).decode()


def parse_record(text: str | None) -> Record | None:
    """None for what is not a note of ours."""
    try:
        return None if text is None else msgspec.json.decode(text, type=Record)
    except BAD_JSON:
        return None


def plan_revert(facts: Facts, *, force: bool = False) -> Plan:
    """Back to what was there. What someone else has changed since is left alone, unless ``force``."""
    edits: list[Edit] = []
    old_rows: list[OldRow] = []
    notes: list[str] = []
    for database, table, row in _rows(facts):
        if CREATED in records(row):
            parent = parent_of(facts, database, table, row.uuid)
            old_rows += [OldRow(database, table, row, parent)] if parent is not None else []
            continue
        for edit, record in _recorded(database, table, row):
            if not _is_of_a_knob(edit, facts):
                notes.append(
                    f"{edit.place} is left alone: it is not a knob that ovsnet writes, whatever the note says."
                )
            elif edit.before == record.after or force:
                edits.append(edit)
            else:
                now = "not set" if edit.before is None else edit.before
                notes.append(
                    f"{edit.place} is left alone: it is {now} now, and ovsnet had set {record.after}, so someone "
                    "else has changed it since."
                )
    return Plan(tuple(edits), (), tuple(old_rows), tuple(notes))


def _rows(facts: Facts) -> Iterator[tuple[str, str, FoundRow]]:
    for (database, table), rows in facts.tables.items():
        yield from ((database, table, row) for row in rows)


def _recorded(database: str, table: str, row: FoundRow) -> Iterator[tuple[Edit, Record]]:
    for name, text in records(row).items():
        record = parse_record(text)
        if not name.startswith(PREFIX) or record is None:
            continue
        column, _, key = name.removeprefix(PREFIX).partition(":")
        now = _now(row, column, key)
        reason = "as it was before ovsnet"
        edit = Edit(database, table, row, column, key, now, record.before, key or column, reason, forgets=True)
        yield edit, record


def _is_of_a_knob(edit: Edit, facts: Facts) -> bool:
    """The note lies where others may write, and could name any key. What we write are knobs, and a column that has no
    keys holds a number."""
    for knob in KNOBS.values():
        if (place := knob.place) is None or (place.database, place.table) != (edit.database, edit.table):
            continue
        keys = (place.key, f"{place.key}-{facts.system_id}") if place.key else ("",)
        if edit.column == place.column and edit.key in keys:
            return bool(edit.key) or edit.after is None or re.fullmatch(r"-?[0-9]{1,10}", edit.after) is not None
    return False


def _now(row: FoundRow, column: str, key: str) -> str | None:
    value = row.columns.get(column)
    if key:
        value = (value or {}).get(key)
    return None if value is None else str(value)
