"""What ``ovsnet top`` prints where it cannot draw: words, no signs, no control sequences. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ovsnet.cli.agent_document import AgentCheck, AgentEvent, AgentStatus
from ovsnet.cli.top_daemons import lasting, rows, span
from ovsnet.cli.top_picture import Known, clock, counted, divided, events, label

EVENTS = 20


def verdict(status: AgentStatus) -> str:
    """The diagnosis as one line; it changes when there is something new to do."""
    diagnosis = status.diagnosis
    also = f" Also: {', '.join(diagnosis.also)}." if diagnosis.also else ""
    remedy = f" {diagnosis.remedy}" if diagnosis.remedy else ""
    return f"{label(status.state)} {diagnosis.code}: {diagnosis.summary}{remedy}{also}"


def plain(known: Known) -> Iterator[str]:
    """All that is known, once."""
    status = known.status
    so_far = "" if status.now is None else f", for {lasting(status.now - status.diagnosis.since)}"
    yield verdict(status)
    yield f"  {status.node}: {status.diagnosis.code} since {clock(status.diagnosis.since, status.now)}{so_far}"
    for row in rows(status, known.history):
        yield f"  {_mark(row.status)} {row.title:15} {row.word:16} {row.process}".rstrip()
    wrong, well = divided(status.checks)
    width = max((len(each.name) for each in status.checks), default=0)
    yield from (_check(each, width) for each in wrong)
    yield f"  {counted(well)}"
    yield from (_check(each, width) for each in well)
    yield from (_event(each, status.now) for each in events(known, checks=False)[:EVENTS])


def _mark(status: str) -> str:
    return f"{status.upper() if status == 'failed' else status:8}"


def _check(check: AgentCheck, width: int) -> str:
    took = "" if check.rtt_seconds is None else f"  {span(check.rtt_seconds)}"
    return f"  {_mark(check.status)} {check.name:{width}}  {check.detail}{took}"


def _event(event: AgentEvent, now: float | None) -> str:
    said = f"{event.daemon} started" if event.kind == "start" else f"{label(event.state)} {event.code}: {event.summary}"
    lasted = "" if event.lasted_seconds is None else f" For {span(event.lasted_seconds)}."
    return f"  {clock(event.at, now)}  {said}{lasted}"
