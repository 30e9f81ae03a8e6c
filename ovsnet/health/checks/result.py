"""What a check says."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from ovsnet.node.components import Socket


class Status(StrEnum):
    """``slow`` and ``unknown`` are not faults; ``skipped`` asks nothing, because what it builds on failed or is not
    used here."""

    OK = "ok"
    SLOW = "slow"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"

    @property
    def passes(self) -> bool:
        """Whether a check that builds on this one may ask its own question."""
        return self in (Status.OK, Status.SLOW)


PRECONDITION = "precondition"
"""Skipped, because a check that this one builds on failed."""

NOT_YET = "not-yet"
"""Skipped, because a connection that this builds on is still being made: the same question may be answered later."""

NEVER_ASKED = frozenset({PRECONDITION, NOT_YET})

Number = float | int | str | bool


class Result(msgspec.Struct, frozen=True):
    """The answer to one check. ``reason`` is a short code, ``detail`` a sentence; times are seconds, ``at`` of the
    node's clock. ``values`` are numbers for documents and metrics, ``facts`` texts for the remedy. ``daemon`` and
    ``socket`` are those of the check's declaration."""

    name: str
    status: Status
    at: float
    reason: str = ""
    detail: str = ""
    rtt_seconds: float | None = None
    values: Mapping[str, Number] = msgspec.field(default_factory=dict)
    facts: Mapping[str, str] = msgspec.field(default_factory=dict)
    daemon: str = ""
    socket: Socket = Socket.NONE
    lost_at: float | None = None
    """When the daemon's process ended, by the node's clock; None when it runs, or when nobody saw it end."""
    asked_at: float | None = None
    """When the question was put: ``at`` is when its answer was known, which may be seconds later. None where nothing
    was asked."""

    @property
    def as_of(self) -> float:
        """The moment of which it speaks: when the question was put, if one was."""
        return self.at if self.asked_at is None else self.asked_at


class Answer(msgspec.Struct, frozen=True):
    """What the function of a check returns: a Result without the parts that the runner knows."""

    status: Status
    reason: str = ""
    detail: str = ""
    rtt_seconds: float | None = None
    values: Mapping[str, Number] = msgspec.field(default_factory=dict)
    facts: Mapping[str, str] = msgspec.field(default_factory=dict)
    lost_at: float | None = None


def ok(detail: str, *, rtt_seconds: float | None = None, **values: Number) -> Answer:
    """The fact holds."""
    return Answer(Status.OK, detail=detail, rtt_seconds=rtt_seconds, values=values)


def failed(reason: str, detail: str, *, facts: Mapping[str, str] | None = None, **values: Number) -> Answer:
    """The fact does not hold, and it is known why. The cause of ``reason`` owns the remedy, which ``facts`` fill in."""
    return Answer(Status.FAILED, reason, detail, values=values, facts=facts or {})


def not_used(detail: str) -> Answer:
    """The node does not have what this check asks about, and need not have it."""
    return Answer(Status.SKIPPED, NOT_USED, detail)


def elsewhere(detail: str) -> Answer:
    """What it asks about is of other hosts, and nobody looks for it here."""
    return Answer(Status.SKIPPED, ELSEWHERE, detail)


NOT_USED, ELSEWHERE = "not-used", "elsewhere"
"""Reasons of a check that has nothing to ask, which its dependants share."""
