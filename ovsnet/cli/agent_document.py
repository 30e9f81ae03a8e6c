"""What ``top`` and ``timeline`` read in an agent's documents.

The agent may be of another version: keys that we do not know are ignored, those that 0.1 lacked are optional, and
states, statuses and kinds of events may be any strings.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from ovsnet.agent.past import FORMAT

Time = Annotated[float, msgspec.Meta(ge=-1e9, le=1e11)]
"""Seconds since 1970, within what a date can hold. An hour before a clock that starts at 0 is negative."""


class AgentDiagnosis(msgspec.Struct, frozen=True):
    """The root cause."""

    code: str
    summary: str
    remedy: str
    since: Time
    evidence: list[str]
    also: list[str]
    command: str = ""
    check: str = ""


class AgentCheck(msgspec.Struct, frozen=True):
    """The answer to one check."""

    name: str
    status: str
    detail: str
    rtt_seconds: float | None
    reason: str = ""
    values: dict[str, object] = {}

    @property
    def component(self) -> str:
        """The part of the node that it asks."""
        return self.name.partition(".")[0]


class AgentStage(msgspec.Struct, frozen=True):
    """A stage of the last start."""

    stage: str
    at: Time
    took_seconds: float | None


class AgentProcess(msgspec.Struct, frozen=True):
    """A daemon's process."""

    pid: int
    since: Time | None


class AgentDeadlines(msgspec.Struct, frozen=True):
    """How long an answer may take."""

    timeout: float = 1.0


class AgentEvent(msgspec.Struct, frozen=True):
    """Something that happened: ``code``, ``state`` and ``summary`` are of a diagnosis, ``daemon`` is of a start, and
    ``name``, ``status`` and ``detail`` are of a check."""

    at: Time
    kind: str
    code: str = ""
    state: str = ""
    summary: str = ""
    lasted_seconds: float | None = None
    daemon: str = ""
    name: str = ""
    status: str = ""
    detail: str = ""


class AgentStatus(msgspec.Struct, frozen=True):
    """``/status``."""

    node: str
    state: str
    diagnosis: AgentDiagnosis
    checks: list[AgentCheck]
    timeline: list[AgentStage]
    now: Time | None = None
    bridges: list[str] = []
    versions: dict[str, str] = {}
    processes: dict[str, AgentProcess] = {}
    deadlines: AgentDeadlines = AgentDeadlines()
    events: list[AgentEvent] = []


class AgentTrack(msgspec.Struct, frozen=True):
    """The last hour of one component, slot by slot: the worst status, as an index, and the longest round trip."""

    worst: list[int | None]
    took_seconds: list[float | None]


class AgentHistory(msgspec.Struct, frozen=True):
    """``/history``, when its ``format`` is ours."""

    statuses: list[str]
    components: dict[str, AgentTrack]
    events: list[AgentEvent]


class _Formatted(msgspec.Struct):
    format: int


def status_of(document: object) -> AgentStatus:
    """Raises msgspec.ValidationError for anything but the status of an agent."""
    return msgspec.convert(document, AgentStatus)


def history_of(document: object) -> AgentHistory | None:
    """None for a format of another version. Raises msgspec.ValidationError for what is no history."""
    if msgspec.convert(document, _Formatted).format != FORMAT:
        return None
    return msgspec.convert(document, AgentHistory)
