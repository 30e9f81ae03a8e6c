"""What lint says of the knobs of the switch's database, kept until one of them changes."""

from __future__ import annotations

from collections.abc import Mapping

from ovsnet.node.node import Node
from ovsnet.node.version import Version, parse_version
from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.facts import facts_of_switch
from ovsnet.tune.finding import LintResult
from ovsnet.tune.judge_keys import ALL_PLACES
from ovsnet.tune.lint import faults, lint

_READERS = ("ovs-vswitchd", "ovn-controller")

MOST_KEYS = 100
"""Keys of a column that are judged one by one. To look for what a key is a misspelling of takes half a millisecond, in
which our loop does not turn: of a column with more, as a flood of ``external_ids`` makes it, only known keys count."""

Columns = Mapping[str, Mapping[str, str]]


class Findings:
    """Judging takes milliseconds, and a crowd may ask for the status document."""

    def __init__(self) -> None:
        self._judged: tuple[Columns, Mapping[str, Version]] | None = None
        self._found: list[dict[str, str]] = []

    def of(self, node: Node) -> list[dict[str, str]]:
        """What should be set otherwise: the knob, its value, what the daemon does with it, what to set instead. While
        the database is away, what was found before."""
        database = node.ovsdb.current
        if database is None:
            return self._found
        columns = {"other_config": _judgeable(database.other_config), "external_ids": _judgeable(database.external_ids)}
        material = columns, _versions(node)
        if material != self._judged:
            self._judged = material
            self._found = [_told(each) for each in faults(lint(facts_of_switch(*material)))]
        return self._found


def _judgeable(column: Mapping[str, str]) -> Mapping[str, str]:
    if len(column) <= MOST_KEYS:
        return dict(column)
    return {key: column[key] for key in ALL_PLACES if key in column}


def _told(found: LintResult) -> dict[str, str]:
    """The value of a key that is no knob is nobody's business: a secret may be in the wrong column, or misspelt."""
    value = found.value if found.knob in KNOBS else ""
    return {
        "kind": found.kind.value,
        "knob": found.knob,
        "value": value,
        "does": found.does,
        "instead": found.instead,
    }


def _versions(node: Node) -> dict[str, Version]:
    sessions = ((daemon, node.control[daemon].current) for daemon in _READERS)
    found = ((daemon, parse_version(session.program)) for daemon, session in sessions if session is not None)
    return {daemon: version for daemon, version in found if version is not None}
