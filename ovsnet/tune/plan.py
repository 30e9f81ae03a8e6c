"""From what is wanted and what is there to what is to be written. Pure.

    Wanted + Facts -> Plan(edits, new_rows, notes) -> transaction.operations()

An Edit keeps what the plan saw: the transaction is guarded by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from ovsnet.errors import UsageError
from ovsnet.node.version import shown
from ovsnet.ovsdb.values import Uuid
from ovsnet.tune.facts import PARENTS, Facts, FoundRow, KnobValue
from ovsnet.tune.knob import Knob
from ovsnet.tune.wanted import Wanted

EXAMPLES: Mapping[tuple[str, str], str] = {
    ("Open_vSwitch", "Manager"): "ptcp:6640:127.0.0.1",
    ("Open_vSwitch", "Controller"): "tcp:192.0.2.10:6653",
    ("OVN_Northbound", "Connection"): "ptcp:6641:192.0.2.10, an address of the server that its clients reach",
    ("OVN_Southbound", "Connection"): "ptcp:6642:192.0.2.10, an address of the server that all chassis reach",
}
"""Targets that would work, by the row that is to be made."""

CHASSIS_PROBE = "ovn-remote-probe-interval"

DATABASE_FLAGS = {"Open_vSwitch": "--database", "OVN_Northbound": "--nb", "OVN_Southbound": "--sb"}


class Edit(msgspec.Struct, frozen=True):
    """A new value of a column or, with ``key``, of a key in it. ``before`` and ``after`` are None for not set."""

    database: str
    table: str
    row: FoundRow
    column: str
    key: str
    before: str | None
    after: str | None
    knob: str
    reason: str
    forgets: bool = False
    """It goes back to what was before ovsnet, and so needs no note of that any more."""

    @property
    def place(self) -> str:
        """Where, for a person."""
        what = f"{self.table}.{self.column}" + (f":{self.key}" if self.key else "")
        return what if self.row.label == "." else f"{what} of {self.row.label}"


class NewRow(msgspec.Struct, frozen=True):
    """A Manager, Controller or Connection to make, because it was asked for."""

    database: str
    table: str
    target: str
    value: str
    parent: FoundRow
    knob: str
    reason: str


class OldRow(msgspec.Struct, frozen=True):
    """A row that ovsnet made, to be removed again."""

    database: str
    table: str
    row: FoundRow
    parent: FoundRow


class Plan(msgspec.Struct, frozen=True):
    """``notes`` say what was left out and why."""

    edits: tuple[Edit, ...] = ()
    new_rows: tuple[NewRow, ...] = ()
    old_rows: tuple[OldRow, ...] = ()
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.edits or self.new_rows or self.old_rows)

    @property
    def databases(self) -> tuple[str, ...]:
        """Those to write to."""
        everything: tuple[Edit | NewRow | OldRow, ...] = (*self.edits, *self.new_rows, *self.old_rows)
        return tuple(dict.fromkeys(each.database for each in everything))

    def of(self, database: str) -> Plan:
        """The part for one database."""
        return Plan(
            tuple(each for each in self.edits if each.database == database),
            tuple(each for each in self.new_rows if each.database == database),
            tuple(each for each in self.old_rows if each.database == database),
        )


def plan(
    facts: Facts, wanted: Iterable[Wanted], *, create: Mapping[str, str] | None = None, force: bool = False
) -> Plan:
    """``create`` maps a knob to the target of the row to make when there is none. ``force`` writes what does nothing.

    Raises UsageError for a value that was asked for by name and that would do nothing here.
    """
    edits: list[Edit] = []
    new_rows: list[NewRow] = []
    notes: list[str] = []
    create = create or {}
    for each in wanted:
        why = _why_not(facts, each, create, force=force)
        if why:
            if each.explicit:
                raise UsageError(f"{each.knob.name} is refused: {why}", remedy=_remedy(facts, each.knob))
            notes.append(f"{each.knob.name}={each.value} is left out: {why}")
            continue
        targets = _targets(facts, each.knob)
        if targets:
            edits += _edits(targets, each)
        elif each.value is not None:
            new_rows.append(_new_row(facts, each, create.get(each.knob.name, "")))
    return Plan(tuple(edits), tuple(new_rows), (), tuple(notes))


def _why_not(facts: Facts, wanted: Wanted, create: Mapping[str, str], *, force: bool) -> str:
    """A sentence, when it is not to be written."""
    knob, place = wanted.knob, wanted.knob.place
    assert place is not None
    if wanted.above_cores and facts.cores is not None and facts.cores <= wanted.above_cores:
        return f"this node has {facts.cores} cores, and it is meant for more than {wanted.above_cores}."
    if not facts.knows(place.database):
        return f"it is in the database {place.database}, whose address was not given."
    if wanted.value is not None and not force and facts.acts(knob) is False:
        return _does_nothing(facts, knob)
    if not wanted.explicit and knob.name == CHASSIS_PROBE and wanted.value != "0" and not facts.remote_is_distant:
        return "the southbound is on a unix socket, which closes by itself and needs no probe."
    if not wanted.explicit and knob.name not in create and not facts.rows(place.database, place.table):
        return f"there is no {place.table} row, and none was asked for."
    return ""


def _does_nothing(facts: Facts, knob: Knob) -> str:
    if not knob.consumed:
        return "nothing in OVN or Open vSwitch reads it."
    if knob.name in facts.overridden:
        return facts.overridden[knob.name]
    version = facts.versions[knob.reader]
    return f"{knob.reader} {shown(version)} does not read it ({knob.life()})."


def _remedy(facts: Facts, knob: Knob) -> str:
    assert knob.place is not None
    if not facts.knows(knob.place.database):
        return f"Give {DATABASE_FLAGS[knob.place.database]} ADDRESS, or leave it out."
    instead = ", ".join(knob.replaced_by or ())
    if instead:
        return f"Set {instead} instead; --force writes it all the same."
    return f"{f'Leave it out. {knob.gone} ' if knob.gone else ''}--force writes it all the same."


def _targets(facts: Facts, knob: Knob) -> list[KnobValue]:
    """The rows to write; where the chassis has an override of its own, that is what its daemon reads."""
    found = list(facts.values(knob))
    assert knob.place is not None
    return [each for each in found if each.key != knob.place.key] or found


def _edits(targets: Iterable[KnobValue], wanted: Wanted) -> Iterator[Edit]:
    place = wanted.knob.place
    assert place is not None
    for each in targets:
        if each.text != wanted.value:
            yield Edit(
                place.database,
                place.table,
                each.row,
                place.column,
                each.key,
                each.text,
                wanted.value,
                wanted.knob.name,
                wanted.reason,
            )


def _new_row(facts: Facts, wanted: Wanted, target: str) -> NewRow:
    place = wanted.knob.place
    assert place is not None
    assert wanted.value is not None
    if not target:
        raise UsageError(
            f"There is no {place.table} row in {place.database} to hold {wanted.knob.name}.",
            remedy=f"Name the row to make: --create {wanted.knob.name}=TARGET, such as "
            f"{EXAMPLES[place.database, place.table]}.",
        )
    parent = parent_of(facts, place.database, place.table, None)
    if parent is None:
        raise UsageError(
            f"Nothing in {place.database} can refer to a {place.table} row.", remedy="Make a bridge first."
        )
    return NewRow(place.database, place.table, target, wanted.value, parent, wanted.knob.name, wanted.reason)


def parent_of(facts: Facts, database: str, table: str, child: Uuid | None) -> FoundRow | None:
    """The row that refers to ``child``; any that could, when that is None."""
    parent, column = PARENTS.get((database, table), ("", ""))
    for row in facts.rows(database, parent):
        if child is None or child in _references(row.columns.get(column)):
            return row
    return None


def _references(value: object) -> frozenset[object]:
    return value if isinstance(value, frozenset) else frozenset((value,))
