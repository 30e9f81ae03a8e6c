"""A row of the matrix: what was done, what is right, what each observer said."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Said(msgspec.Struct, kw_only=True):
    """What one observer said. ``wrong`` are sentences; none means that it was right.

    ``seconds`` is the time from the fault to the right code, which then stood; for a check, what it took.
    """

    observer: str
    code: str = ""
    state: str = ""
    exit_code: int | None = None
    seconds: float | None = None
    also: list[str] = []
    evidence: list[str] = []
    shown: list[str] = []
    wrong: list[str] = []
    unproven: int = 0
    """How often ``/ovs/livez`` failed without a proof."""


class Row(msgspec.Struct, kw_only=True):
    """One fault, or two, on one generation of OVS and OVN. ``wrong`` is what concerns no single observer."""

    name: str
    kind: str
    about: str
    codes: list[str]
    state: str
    said: list[Said] = []
    scripts: dict[str, str] = {}
    wrong: list[str] = []
    seconds: float = 0.0
    skipped: str = ""
    again: bool = False
    """Taken again by itself, after a whole run."""

    @property
    def right(self) -> bool:
        """Nobody said anything wrong."""
        return not self.wrong and not any(each.wrong for each in self.said)

    @property
    def disagree(self) -> bool:
        """The observers did not name one code. A daemon that gets its CPU by turns may be slow for one, and not for the
        next."""
        codes = {each.code for each in self.said}
        return len(codes) > 1 and not all(code == "healthy" or code.endswith("-slow") for code in codes)

    @property
    def unproven(self) -> int:
        """How often ``/ovs/livez`` failed without a proof."""
        return sum(each.unproven for each in self.said)


class Generation(msgspec.Struct, kw_only=True):
    """All rows that were run on one generation of OVS and OVN."""

    suite: str
    versions: str
    rows: list[Row]


def retaken(before: Sequence[Generation], now: Sequence[Generation]) -> list[Generation]:
    """The whole run of before, with the rows that were taken again in place of its own, and those that are new behind
    them."""
    found = {(each.suite, row.name, row.kind): row for each in now for row in each.rows}
    for row in found.values():
        row.again = True
    return [
        Generation(
            suite=each.suite,
            versions=each.versions,
            rows=[
                *(found.pop((each.suite, row.name, row.kind), row) for row in each.rows),
                *(row for (suite, _, _), row in found.items() if suite == each.suite),
            ],
        )
        for each in before
    ]
