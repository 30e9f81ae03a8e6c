"""A plan as one guarded transaction (RFC 7047 section 5.2). Pure.

Every value is guarded by itself: a ``wait`` on what the plan saw comes before its write, so that a change by somebody
else makes the whole transaction fail with "timed out" and nothing is written. To guard a column of pairs as a whole
would be simpler, and would fail whenever any other key of it changes.

A key that was not set is guarded by a mark: ``insert`` on a map leaves a key alone that is there (RFC 7047 section
5.1), so a mark that can be read back proves that the key was absent. Nobody sees it: it is gone within the transaction.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from ovsnet.ovsdb.operations import Condition, Operation, comment, insert, mutate, update, wait
from ovsnet.ovsdb.values import NamedUuid, Uuid
from ovsnet.tune.facts import PARENTS
from ovsnet.tune.plan import Edit, NewRow, OldRow, Plan
from ovsnet.tune.record import CREATED, new_record, record_key, records

MARK = "ovsnet: this key was not set"


class Guarded(msgspec.Struct, frozen=True):
    """Operations, and what they are about, for the error when their guard fails."""

    subject: str
    operations: tuple[Operation, ...]


def transaction(part: Plan) -> list[Guarded]:
    """All operations for one database; ``part`` holds nothing for another."""
    steps = [_edit(each) for each in part.edits]
    steps += [_new_row(each, number) for number, each in enumerate(part.new_rows)]
    steps += [_old_row(each) for each in part.old_rows]
    return [*steps, Guarded("the comment", (comment(f"ovsnet tune: {_summary(part)}"),))]


def operations(steps: list[Guarded]) -> list[Operation]:
    """Them all in order."""
    return [operation for step in steps for operation in step.operations]


def subject_of(steps: list[Guarded], index: int) -> str:
    """What the operation at ``index`` is about."""
    for step in steps:
        index -= len(step.operations)
        if index < 0:
            return step.subject
    return "the transaction"


def _summary(part: Plan) -> str:
    return ", ".join(f"{each.knob}={each.after}" for each in part.edits) or "rows"


def _edit(edit: Edit) -> Guarded:
    value = _write(edit.table, edit.row.uuid, edit.column, edit.key, edit.before, edit.after)
    noted, note = records(edit.row).get(record_key(edit)), new_record(edit)
    record = _write(edit.table, edit.row.uuid, "external_ids", record_key(edit), noted, note)
    return Guarded(edit.place, (*value, *(record if noted != note else ())))


def _write(table: str, row: Uuid, column: str, key: str, before: str | None, after: str | None) -> Iterator[Operation]:
    where = [("_uuid", "==", row)]
    if not key:
        yield wait(table, [{column: _number(before)}], where, columns=[column])
        yield update(table, {column: _number(after)}, where)
        return
    if before is None:
        yield mutate(table, [(column, "insert", {key: MARK})], where)
    yield _has(table, row, column, {key: MARK if before is None else before})
    yield mutate(table, [(column, "delete", {key})], where)
    if after is not None:
        yield mutate(table, [(column, "insert", {key: after})], where)


def _has(table: str, row: Uuid, column: str, pair: dict[str, str]) -> Operation:
    """Go on only if the row is there and has this pair: some row must match."""
    where: list[Condition] = [("_uuid", "==", row), (column, "includes", pair)]
    return wait(table, [], where, columns=[column], until="!=")


def _new_row(new: NewRow, number: int) -> Guarded:
    name = f"row{number}"
    parent, column = PARENTS[new.database, new.table]
    row = {"target": new.target, "inactivity_probe": int(new.value), "external_ids": {CREATED: "true"}}
    return Guarded(
        f"{new.table} {new.target}",
        (
            wait(new.table, [], [("target", "==", new.target)], columns=["target"]),
            insert(new.table, row, name=name),
            mutate(parent, [(column, "insert", NamedUuid(name))], [("_uuid", "==", new.parent.uuid)]),
        ),
    )


def _old_row(old: OldRow) -> Guarded:
    """A row that nothing refers to goes by itself: these tables are not roots."""
    parent, column = PARENTS[old.database, old.table]
    return Guarded(
        f"{old.table} {old.row.label}",
        (
            _has(old.table, old.row.uuid, "external_ids", {CREATED: "true"}),
            mutate(parent, [(column, "delete", old.row.uuid)], [("_uuid", "==", old.parent.uuid)]),
        ),
    )


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)
