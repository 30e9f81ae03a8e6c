"""What ``ovsnet tune`` prints: findings, and plans as a coloured diff. click drops the colours in a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ovsnet.cli.terminal import styled
from ovsnet.node.version import shown
from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.facts import Facts
from ovsnet.tune.finding import Kind, LintResult, read
from ovsnet.tune.plan import Edit, NewRow, OldRow, Plan

COLOURS = {
    Kind.EFFECTIVE: "green",
    Kind.UNSURE: "magenta",
    Kind.UNSAFE_ZERO: "red",
    Kind.DEAD: "yellow",
    Kind.NO_CONSUMER: "yellow",
}


def lint_lines(results: Iterable[LintResult]) -> Iterator[str]:
    """Three lines each: what is set, what is done with it, what to set instead."""
    for each in results:
        yield f"{styled(f'{each.kind:13}', fg=COLOURS.get(each.kind, 'cyan'))} {each.says}"
        yield f"{'':13} {each.does}{' It does no harm.' if each.kind.is_fault and each.harmless else ''}"
        if each.instead:
            yield f"{'':13} {styled(f'-> {each.instead}', bold=True)}"


def counters(results: list[LintResult]) -> str:
    """One line of counts."""
    counts = {kind: sum(each.kind is kind for each in results) for kind in Kind}
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count) or "nothing is set"


def plan_lines(plan: Plan, addresses: Mapping[str, str]) -> Iterator[str]:
    """A diff per database, with the reason behind each new value; then what was left out."""
    for database in plan.databases:
        part = plan.of(database)
        yield styled(f"@@ {database} at {addresses.get(database, 'an unknown address')} @@", fg="cyan")
        for edit in part.edits:
            yield from _edit_lines(edit)
        for new in part.new_rows:
            yield from _new_row_lines(new)
        for old in part.old_rows:
            yield styled(f"- {old.table} {old.row.label}, which ovsnet created", fg="red")
    for note in plan.notes:
        yield styled(f"  {note}", dim=True)
    if not plan:
        yield "There is nothing to change."


def written_lines(plan: Plan, addresses: Mapping[str, str], undo: str) -> Iterator[str]:
    """What was written, as the diff of it; and how to take it back."""
    yield from plan_lines(plan, addresses)
    for database in plan.databases:
        part = plan.of(database)
        count = len(part.edits) + len(part.new_rows) + len(part.old_rows)
        changes = f"{count} change{'' if count == 1 else 's'}"
        yield f"Written to {database} at {addresses.get(database, 'an unknown address')}: {changes}."
    if undo:
        yield f"To undo: {undo}"


def plan_document(plan: Plan) -> dict[str, object]:
    """The same as data."""
    return {
        "changes": [_edit_document(edit) for edit in plan.edits],
        "new_rows": [_new_row_document(new) for new in plan.new_rows],
        "old_rows": [_old_row_document(old) for old in plan.old_rows],
        "notes": list(plan.notes),
    }


def versions_line(facts: Facts) -> str:
    """What the judgement rests on."""
    known = [f"{reader} {shown(version)}" for reader, version in sorted(facts.versions.items())]
    return ", ".join(known) or "no version is known"


def _edit_lines(edit: Edit) -> Iterator[str]:
    if edit.before is not None:
        yield styled(f"- {edit.place} = {_value(edit, edit.before)}", fg="red")
    if edit.after is not None:
        yield styled(f"+ {edit.place} = {_value(edit, edit.after)}", fg="green")
    yield styled(f"    {edit.reason}", dim=True)


def _new_row_lines(new: NewRow) -> Iterator[str]:
    knob = KNOBS[new.knob]
    yield styled(f"+ {new.table} {new.target}", fg="green")
    yield styled(f"+ {new.table}.inactivity_probe of {new.target} = {knob.with_unit(int(new.value))}", fg="green")
    yield styled(f"    {new.reason}", dim=True)


def _value(edit: Edit, text: str) -> str:
    knob = KNOBS.get(edit.knob)
    number = None if knob is None or knob.is_flag else read(knob, text)
    return text if knob is None or number is None else knob.with_unit(number)


def _edit_document(edit: Edit) -> dict[str, object]:
    return {
        "database": edit.database,
        "place": edit.place,
        "knob": edit.knob,
        "before": edit.before,
        "after": edit.after,
        "reason": edit.reason,
    }


def _new_row_document(new: NewRow) -> dict[str, object]:
    return {
        "database": new.database,
        "table": new.table,
        "target": new.target,
        "knob": new.knob,
        "value": new.value,
        "reason": new.reason,
    }


def _old_row_document(old: OldRow) -> dict[str, object]:
    return {"database": old.database, "table": old.table, "target": old.row.label}
