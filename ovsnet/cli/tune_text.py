"""What ``ovsnet tune`` prints: findings, and plans as a coloured diff. click drops the colours where no terminal is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import click

from ovsnet.node.version import shown
from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.facts import Facts
from ovsnet.tune.lint import Finding, Kind, read
from ovsnet.tune.plan import Change, NewRow, OldRow, Plan

COLOURS = {
    Kind.EFFECTIVE: "green",
    Kind.UNSURE: "magenta",
    Kind.UNSAFE_ZERO: "red",
    Kind.DEAD: "yellow",
    Kind.NO_CONSUMER: "yellow",
}


def finding_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """Three lines each: what is set, what is done with it, what to set instead."""
    for each in findings:
        yield f"{click.style(f'{each.kind:13}', fg=COLOURS.get(each.kind, 'cyan'))} {each.says}"
        yield f"{'':13} {each.does}"
        if each.instead:
            yield f"{'':13} {click.style(f'-> {each.instead}', bold=True)}"


def counters(findings: list[Finding]) -> str:
    """One line of counts."""
    counts = {kind: sum(each.kind is kind for each in findings) for kind in Kind}
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count) or "nothing is set"


def plan_lines(plan: Plan, addresses: Mapping[str, str]) -> Iterator[str]:
    """A diff per database, with the reason behind each new value; then what was left out."""
    for database in plan.databases:
        part = plan.of(database)
        yield click.style(f"@@ {database} at {addresses.get(database, 'an unknown address')} @@", fg="cyan")
        for change in part.changes:
            yield from _change_lines(change)
        for new in part.new_rows:
            yield from _new_row_lines(new)
        for old in part.old_rows:
            yield click.style(f"- {old.table} {old.row.label}, which ovsnet had made", fg="red")
    for note in plan.notes:
        yield click.style(f"  {note}", dim=True)
    if not plan:
        yield "There is nothing to change."


def plan_document(plan: Plan) -> dict[str, object]:
    """The same as data."""
    return {
        "changes": [_change_document(change) for change in plan.changes],
        "new_rows": [_new_row_document(new) for new in plan.new_rows],
        "old_rows": [_old_row_document(old) for old in plan.old_rows],
        "notes": list(plan.notes),
    }


def versions_line(facts: Facts) -> str:
    """What the judgement rests on."""
    known = [f"{reader} {shown(version)}" for reader, version in sorted(facts.versions.items())]
    return ", ".join(known) or "no version is known"


def _change_lines(change: Change) -> Iterator[str]:
    if change.before is not None:
        yield click.style(f"- {change.place} = {_value(change, change.before)}", fg="red")
    if change.after is not None:
        yield click.style(f"+ {change.place} = {_value(change, change.after)}", fg="green")
    yield click.style(f"    {change.reason}", dim=True)


def _new_row_lines(new: NewRow) -> Iterator[str]:
    knob = KNOBS[new.knob]
    yield click.style(f"+ {new.table} {new.target}", fg="green")
    yield click.style(f"+ {new.table}.inactivity_probe of {new.target} = {knob.with_unit(int(new.value))}", fg="green")
    yield click.style(f"    {new.reason}", dim=True)


def _value(change: Change, text: str) -> str:
    knob = KNOBS.get(change.knob)
    number = None if knob is None or knob.is_flag else read(knob, text)
    return text if knob is None or number is None else knob.with_unit(number)


def _change_document(change: Change) -> dict[str, object]:
    return {
        "database": change.database,
        "place": change.place,
        "knob": change.knob,
        "before": change.before,
        "after": change.after,
        "reason": change.reason,
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
