"""The one document about a node: ``/status`` serves it, ``ovsnet check --json`` prints it."""

from __future__ import annotations

from ovsnet import unixctl
from ovsnet.config import Settings
from ovsnet.errors import OwnLimit
from ovsnet.health.causes import cause_of
from ovsnet.health.checks.result import ELSEWHERE, Result
from ovsnet.health.diagnosis import Diagnosis
from ovsnet.health.state import Change, HealthState
from ovsnet.node.node import Node
from ovsnet.node.rundir import Rundir
from ovsnet.texts import for_line, for_metric
from ovsnet.tune.facts import facts_of_switch


def document(health: HealthState, node: Node, *, name: str, wall_offset: float) -> dict[str, object]:
    """``wall_offset`` is what to add to the node's clock to get seconds since 1970."""
    now = node.clock()
    return {
        "node": name,
        "now": now + wall_offset,
        "rundir": _rundir(node.rundir),
        "bridges": [for_line(each) for each in node.settings.bridge],
        "state": health.diagnosis.state.label,
        "diagnosis": _diagnosis(health.diagnosis, wall_offset),
        "dead_since": None if health.dead_since is None else health.dead_since + wall_offset,
        "checks": [
            _check(result, now, health.since[result.name] + wall_offset)
            for result in health.results.values()
            if result.reason != ELSEWHERE
        ],
        "timeline": [
            {"stage": reached.stage, "at": reached.at + wall_offset, "took_seconds": reached.took_seconds}
            for reached in health.timeline.reached()
        ],
        "versions": versions(node),
        "processes": processes(node, wall_offset),
        "knobs": knobs(node),
    }


def change_document(change: Change, now: float, wall_offset: float) -> dict[str, object]:
    """The parts of the document that a change concerns, as ``result`` and ``diagnosis``."""
    parts: dict[str, object] = {}
    if change.result is not None:
        parts["result"] = _check(change.result, now, change.result.at + wall_offset)
    if change.diagnosis is not None:
        parts["diagnosis"] = _diagnosis(change.diagnosis, wall_offset)
    return parts


def versions(node: Node) -> dict[str, str]:
    """What runs here, by the daemons' own word; without ovs-vswitchd's, what ovs-ctl wrote into the database."""
    database = node.ovsdb.current
    ovs = _version(node.vswitchd.current) or (for_metric(database.ovs_version or "") if database is not None else "")
    return {product: found for product, found in (("ovs", ovs), ("ovn", _version(node.controller.current))) if found}


def _version(session: unixctl.Session | None) -> str:
    """The last word of ``ovs-vswitchd (Open vSwitch) 3.1.0``."""
    return "" if session is None else session.program.rpartition(" ")[2]


def processes(node: Node, wall_offset: float) -> dict[str, dict[str, object]]:
    """The processes that can be seen, by daemon; ``since`` is null where nobody has met that one yet. None can where
    ovsnet has no descriptor left, which the document must say all the same."""
    found: dict[str, dict[str, object]] = {}
    try:
        pids = node.pids()
    except OwnLimit:
        return found
    for daemon, pid in pids.items():
        began = node.daemons[daemon].began(pid)
        found[daemon] = {"pid": pid, "since": None if began is None else began + wall_offset}
    return found


def knobs(node: Node) -> dict[str, str]:
    """The knobs of the catalogue that are set in the switch's database, by key."""
    database = node.ovsdb.current
    if database is None:
        return {}
    facts = facts_of_switch({"other_config": database.other_config, "external_ids": database.external_ids})
    return dict(sorted((value.key, for_line(value.text or "")) for value in facts.values_set()))


def _rundir(rundir: Rundir) -> dict[str, object]:
    """Which Open vSwitch of this host all this is about, and which others were found beside it."""
    shown = {"ovs": rundir.ovs, "ovn": rundir.ovn}
    others = [for_line(str(each)) for each in rundir.others]
    return {name: for_line(str(path)) for name, path in shown.items()} | {"others": others}


def _diagnosis(diagnosis: Diagnosis, wall_offset: float) -> dict[str, object]:
    return {
        "code": diagnosis.code,
        "state": diagnosis.state.label,
        "summary": diagnosis.summary,
        "remedy": diagnosis.remedy,
        "command": diagnosis.command,
        "check": diagnosis.check,
        "since": diagnosis.since + wall_offset,
        "evidence": list(diagnosis.evidence),
        "also": list(diagnosis.also),
    }


def deadlines(settings: Settings) -> dict[str, float]:
    """In seconds: after which a verdict is another one."""
    return {
        "timeout": settings.timeout,
        "hung_after": settings.hung_after,
        "dead_after": settings.dead_after,
        "start_allowance": settings.start_allowance,
    }


def _check(result: Result, now: float, since: float) -> dict[str, object]:
    return {
        "name": result.name,
        "status": result.status.value,
        "reason": result.reason,
        "detail": result.detail,
        "remedy": cause.remedy_for(result.facts) if (cause := cause_of(result)) else "",
        "since": since,
        "rtt_seconds": result.rtt_seconds,
        "age_seconds": max(now - result.at, 0.0),
        "values": dict(result.values),
    }
