"""A row of ``ovsnet top`` for each daemon: how it is, how long its answers take, and the last hour of that. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec
from rich.text import Text

from ovsnet.cli.agent_document import AgentCheck, AgentHistory, AgentStatus, AgentTrack
from ovsnet.cli.terminal import COLOURS, SIGNS
from ovsnet.health.checks.result import NOT_USED
from ovsnet.node.components import COMPONENTS

STYLES = {**COLOURS, "skipped": "dim"}
NEW = "?"
"""The sign of a status that only another version has."""

WRONG = ("failed", "slow", "unknown")

WORST_FIRST = (*WRONG, "ok", "skipped")
"""A daemon has the first of these that one of its checks has."""
SHOWN_FIRST = (*WRONG, "skipped", "ok")
"""A daemon that was not asked matters more than one that is well."""

SHOWN_WHEN_WRONG = ("host", "self")
"""They are not daemons."""

LEVELS = "▁▂▃▄▅▆▇█"
SHORTEST = 1e-4
"""Seconds of the lowest level. The highest is twice the deadline, as on the page."""


class Row(msgspec.Struct, frozen=True):
    """One daemon. ``word`` says how it is, ``process`` which one it is and how long it runs; both may be empty."""

    title: str
    status: str
    word: str
    process: str
    track: AgentTrack | None
    is_root: bool


def rows(status: AgentStatus, history: AgentHistory | None) -> list[Row]:
    """The root cause first, then what is wrong, then the chain from the database to the southbound."""
    of: dict[str, list[AgentCheck]] = {}
    for check in status.checks:
        if check.reason != NOT_USED:
            of.setdefault(check.component, []).append(check)
    found = [_row(name, checks, status, history) for name, checks in of.items() if _is_shown(name, checks)]
    return sorted(found, key=lambda row: (not row.is_root, rank(row.status, SHOWN_FIRST)))


def rank(status: str, order: tuple[str, ...]) -> int:
    """Its place in ``order``; a status of another version counts as unknown."""
    return order.index(status if status in order else "unknown")


def _is_shown(name: str, checks: list[AgentCheck]) -> bool:
    return name not in SHOWN_WHEN_WRONG or any(each.status in WRONG for each in checks)


def _row(name: str, checks: list[AgentCheck], status: AgentStatus, history: AgentHistory | None) -> Row:
    worst = min(checks, key=lambda each: rank(each.status, WORST_FIRST))
    return Row(
        _title(name, status),
        worst.status,
        _word(worst, checks),
        _process(name, status),
        history.components.get(name) if history else None,
        is_root=status.state != "ready" and name == status.diagnosis.check.partition(".")[0],
    )


def _title(name: str, status: AgentStatus) -> str:
    if name == "openflow" and status.bridges:
        return f"{status.bridges[0]}.mgmt"
    return next((each.daemon for each in COMPONENTS.values() if each.name == name), name)


def _word(worst: AgentCheck, checks: list[AgentCheck]) -> str:
    if worst.status == "ok":
        took = [each.rtt_seconds for each in checks if each.rtt_seconds is not None]
        return span(max(took)) if took else "ok"
    if worst.status == "skipped":
        return "not asked"
    silent = worst.values.get("silent_seconds")
    return f"silent {span(silent)}" if isinstance(silent, int | float) else worst.reason or worst.status


def _process(name: str, status: AgentStatus) -> str:
    daemon = next((each.daemon for each in COMPONENTS.values() if each.name == name), "")
    if (process := status.processes.get(daemon)) is None:
        return ""
    runs = "" if process.since is None or status.now is None else f", up {lasting(status.now - process.since)}"
    return f"process {process.pid}{runs}"


def sparkline(track: AgentTrack, statuses: list[str], columns: int, deadline: float) -> Text:
    """The longest answer of each part of the hour, ``columns`` of them; a part in which something failed has its sign
    instead, and one in which nothing was asked is blank."""
    line = Text()
    for worst, took in _parts(track, columns):
        known = [statuses[each] for each in worst if 0 <= each < len(statuses)]
        if "failed" in known:
            line.append(SIGNS["failed"], STYLES["failed"])
        elif took:
            line.append(_level(max(took), deadline), STYLES["slow" if max(took) > deadline else "ok"])
        else:
            line.append(" ")
    return line


def _parts(track: AgentTrack, columns: int) -> Iterator[tuple[list[int], list[float]]]:
    slots = len(track.took_seconds)
    for column in range(min(columns, slots)):
        part = slice(slots * column // columns, slots * (column + 1) // columns)
        worst = [each for each in track.worst[part] if each is not None]
        yield worst, [each for each in track.took_seconds[part] if each is not None]


def _level(took: float, deadline: float) -> str:
    highest = max(2 * deadline, 2 * SHORTEST)
    share = math.log(max(took, SHORTEST) / SHORTEST) / math.log(highest / SHORTEST)
    return LEVELS[min(int(share * len(LEVELS)), len(LEVELS) - 1)]


def span(seconds: float) -> str:
    """How long, in two units at most."""
    if seconds < 1.0:
        return f"{max(seconds, 0.0) * 1000:.1f} ms" if seconds < 0.01 else f"{seconds * 1000:.0f} ms"
    if seconds < 60.0:
        return f"{seconds:.1f} s" if seconds < 10.0 else f"{int(seconds)} s"
    whole = int(seconds)
    units = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    first = next(at for at, (size, _) in enumerate(units) if whole >= size)
    (size, unit), (next_size, next_unit) = units[first], units[first + 1]
    return f"{whole // size} {unit} {whole % size // next_size} {next_unit}"


def lasting(seconds: float) -> str:
    """For how long something has lasted so far."""
    return f"{max(int(seconds), 0)} s" if seconds < 60.0 else span(seconds)
