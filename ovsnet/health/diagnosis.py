"""From all results to one root cause. Pure, and a table.

``CAUSES`` stands in causal order: a cause further up explains those below it. The first that matches is the root; the
others that match are named beside it. Checks that build on a failed one are skipped, so they match nothing:
dependants are not blamed.

The state is the worst of all causes that match. So a southbound that is away degrades a node whose flows are in, and
makes a node unready that has none: through ``flows-missing``, not by itself (kube-ovn #1575).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum

from ovsnet.health.checks.result import Result, Status
from ovsnet.health.timeline import Timeline


class State(IntEnum):
    """How the node is, from best to worst."""

    READY = 0
    DEGRADED = 1
    STARTING = 2
    NOT_READY = 3

    @property
    def label(self) -> str:
        """As in the JSON documents."""
        return self.name.lower().replace("_", "-")

    @property
    def serves(self) -> bool:
        """Whether ``/readyz`` says 200."""
        return self in (State.READY, State.DEGRADED)


@dataclass(frozen=True, slots=True)
class Cause:
    """One row: it matches a result of ``checks`` (all checks when empty) whose reason is one of ``reasons``.

    The reasons of ``UNPROVEN`` may pass by themselves; all others are facts.

    ``brief``: a restart shows it for a moment in which nothing suffers, so ``/readyz`` gives it the time of ``fall``.

    ``in_start``: seen while a start is within its allowance, it only means that the start is not over.
    ``dead``: seen for longer than ``dead_after``, it makes ``/ovs/livez`` fail.
    """

    code: str
    state: State
    checks: tuple[str, ...]
    reasons: frozenset[str]
    summary: str
    remedy: str
    in_start: bool = False
    brief: bool = False
    dead: bool = False


GONE = frozenset({"socket-missing", "refused", "closed", "gone", "unreachable", "tls"})
SILENT = frozenset({"hung"})
UNPROVEN = frozenset({"closed", "unreachable", "tls", "protocol", "timeout", "backlog-full"})
LATE = frozenset({"late", "busy", "starved", "timeout", "backlog-full"})

SWITCH = ("vswitchd.ofproto", "openflow.echo", "openflow.flows", "openflow.accept", "ovsdb.flow_restore")
SOUTHBOUND = ("southbound.echo", "southbound.fresh", "southbound.northd")
CONTROLLER = ("controller.running", "controller.connection", "southbound.northd")

CAUSES: tuple[Cause, ...] = (
    Cause(
        "permission-denied", State.NOT_READY, (), frozenset({"permission-denied"}),
        "A socket is there, and this user may not open it.",
        "Run ovsnet as the user that owns the sockets (root or openvswitch), or join its group.",
    ),
    Cause(
        "protocol-error", State.NOT_READY, (), frozenset({"protocol"}),
        "What answers on a socket does not speak the protocol that belongs there.",
        "See which process owns the socket (`ss -xlp`), and give ovsnet the right run directory.",
    ),
    Cause(
        "host-unfit", State.DEGRADED, ("host.fit",), frozenset({"unfit"}),
        "Something on this host makes Open vSwitch impossible.",
        "`ovsnet doctor` says what and what to do; `ovsnet doctor --fix` mends what is safe to mend.",
    ),
    Cause(
        "ovsdb-down", State.NOT_READY, ("ovsdb.echo", "ovsdb.bridge"), GONE,
        "ovsdb-server is not running: without it ovs-vswitchd serves no OpenFlow. Flows that are installed stay.",
        "Start it (`systemctl start ovsdb-server`, or the ovs-ovn pod), and read its log.",
        in_start=True, dead=True,
    ),
    Cause(
        "ovsdb-hung", State.NOT_READY, ("ovsdb.echo",), SILENT,
        "ovsdb-server accepts connections, answers nothing and makes no progress.",
        "Look at its process (`cat /proc/PID/stack`): continue it if it is stopped, else restart it.",
        dead=True,
    ),
    Cause(
        "vswitchd-down", State.NOT_READY, ("vswitchd.ofproto", "vswitchd.alone", "ovsdb.flow_restore"), GONE,
        "ovs-vswitchd is not running.",
        "Start it (`systemctl start ovs-vswitchd`, or the ovs-ovn pod), and read its log.",
        in_start=True, dead=True,
    ),
    Cause(
        "vswitchd-hung", State.NOT_READY, SWITCH, SILENT,
        "ovs-vswitchd accepts connections, answers nothing and makes no progress.",
        "Look at its process (`cat /proc/PID/stack`): continue it if it is stopped, else restart it.",
        dead=True,
    ),
    Cause(
        "vswitchd-locked-out", State.NOT_READY, ("vswitchd.ofproto",), frozenset({"locked-out"}),
        "ovs-vswitchd runs and has configured nothing: it does not hold the database lock.",
        "See which other ovs-vswitchd runs (`pgrep -a ovs-vswitchd`), and stop one of them.",
        in_start=True,
    ),
    Cause(
        "vswitchd-locked-out", State.DEGRADED, ("vswitchd.alone",), frozenset({"second-vswitchd"}),
        "A second ovs-vswitchd runs and waits for the database lock, while the first serves on.",
        "Stop the second one, and find out who started it.",
    ),
    Cause(
        "bridge-missing", State.NOT_READY, ("ovsdb.bridge", "vswitchd.ofproto"), frozenset({"bridge-missing"}),
        "The database holds no such bridge.",
        "Start ovn-controller, which makes br-int, or name the right bridge with --bridge.",
        in_start=True,
    ),
    Cause(
        "datapath-missing", State.NOT_READY, ("vswitchd.ofproto",), frozenset({"datapath-missing"}),
        "The bridge stands in the database, and ovs-vswitchd could not build it.",
        "Read ovs-vswitchd's log: a missing kernel module (`modprobe openvswitch`) is the usual reason.",
        in_start=True,
    ),
    Cause(
        "flow-restore-wait", State.NOT_READY, ("ovsdb.flow_restore",), frozenset({"flow-restore-wait"}),
        "The switch was told to wait until its flows are restored, and still waits: it forwards nothing.",
        "Once the flows are back: `ovs-vsctl --no-wait remove Open_vSwitch . other_config flow-restore-wait`.",
        in_start=True,
    ),
    Cause(
        "vswitchd-not-connected", State.DEGRADED, ("openflow.echo",), frozenset({"no-database"}),
        "ovs-vswitchd has not found the database again, and serves no OpenFlow until then: flows stay as they are.",
        "Wait; its backoff ends by itself, after eight seconds at most.",
        in_start=True,
    ),
    Cause(
        "mgmt-socket-missing", State.NOT_READY, ("openflow.echo", "openflow.flows", "openflow.accept"), GONE,
        "The bridge lives, and its management socket is gone: ovn-controller cannot connect again.",
        "Restart ovs-vswitchd, which makes the socket; find out who removed it from the run directory.",
        in_start=True,
    ),
    Cause(
        "mgmt-backlog-full", State.NOT_READY, ("openflow.echo", "openflow.accept"), frozenset({"backlog-full"}),
        "The bridge's management socket takes no connection: 65 wait already.",
        "Find the clients that flood it (`ss -xp | grep mgmt`); see that ovs-vswitchd has descriptors left to accept.",
    ),
    Cause(
        "controller-down", State.NOT_READY, ("controller.running", "controller.connection"), GONE,
        "ovn-controller is not running: nothing new gets a network here.",
        "Start it (`systemctl start ovn-controller`, or the ovs-ovn pod), and read its log.",
        in_start=True, brief=True,
    ),
    Cause(
        "controller-hung", State.NOT_READY, CONTROLLER, SILENT,
        "ovn-controller answers nothing and makes no progress.",
        "Look at its process (`cat /proc/PID/stack`): continue it if it is stopped, else restart it.",
    ),
    Cause(
        "controller-paused", State.NOT_READY, ("controller.running",), frozenset({"controller-paused"}),
        "ovn-controller is paused: it installs no changes.",
        "Resume it with `ovn-appctl -t ovn-controller debug/resume`.",
    ),
    Cause(
        "southbound-down", State.DEGRADED, SOUTHBOUND,
        GONE | {"no-southbound", "unknown-database"},
        "The southbound database cannot be reached from here: flows stay as they are.",
        "Start it, or correct external_ids:ovn-remote. Restarting anything on this node does not help.",
        in_start=True,
    ),
    Cause(
        "southbound-hung", State.DEGRADED, ("southbound.echo", "southbound.fresh"), SILENT,
        "The southbound server accepts and answers nothing; ovn-controller may still call itself connected.",
        "Look at the server's process on its host. Restarting anything on this node does not help.",
    ),
    Cause(
        "southbound-stale", State.DEGRADED, ("southbound.fresh",), frozenset({"stale"}),
        "The southbound server has old data, or has lost its cluster: ovn-controller refuses it.",
        "See `cluster/status OVN_Southbound` on the database's hosts, and which member was restored.",
    ),
    Cause(
        "northd-version-mismatch", State.DEGRADED, ("southbound.northd",), frozenset({"northd-version-mismatch"}),
        "ovn-northd's version is not ovn-controller's, and ovn-match-northd-version is on: nothing new comes in.",
        "Finish the upgrade, or remove external_ids:ovn-match-northd-version.",
        in_start=True,
    ),
    Cause(
        "controller-not-connected", State.DEGRADED, ("controller.connection", "controller.openflow"),
        frozenset({"controller-not-connected", "controller-no-openflow"}),
        "ovn-controller runs without a southbound or an OpenFlow session: flows stay as they are.",
        "Check external_ids:ovn-remote, and that the southbound database can be reached; a backoff ends by itself.",
        in_start=True,
    ),
    Cause(
        "flows-missing", State.NOT_READY, ("openflow.flows",), frozenset({"flows-missing"}),
        "The switch answers and holds no flows: it forwards nothing.",
        "See whether ovn-controller is connected. If it is, restart it: `recompute` does not install what was wiped.",
        in_start=True,
    ),
    Cause(
        "process-unseen", State.DEGRADED, (), frozenset({"process-unseen"}),
        "A daemon is silent, and its process cannot be seen from here: slow or hung, nobody can tell.",
        "Run ovsnet in the pid namespace of the daemons (`hostPID: true` in Kubernetes), so that it can tell.",
    ),
    Cause(
        "vswitchd-slow", State.DEGRADED, SWITCH, LATE,
        "ovs-vswitchd is late, and alive or starved: restarting it would make it worse.",
        "Give it CPU (see its cgroup's quota and the host's load), or let it finish what it does.",
    ),
    Cause(
        "ovsdb-slow", State.DEGRADED, ("ovsdb.echo", "ovsdb.bridge"), LATE,
        "ovsdb-server is late, and alive or starved.",
        "Give it CPU and a disk that syncs, or let it finish what it does.",
    ),
    Cause(
        "southbound-slow", State.DEGRADED, ("southbound.echo", "southbound.fresh"), LATE,
        "The southbound server is late.",
        "Look at its load on its own host. Restarting anything on this node does not help.",
    ),
    Cause(
        "controller-slow", State.DEGRADED, CONTROLLER, LATE,
        "ovn-controller is late, and alive or starved: it computes for seconds on a large network.",
        "Let it finish; if it never does, give it CPU.",
    ),
)  # fmt: skip

UNEXPLAINED = Cause(
    "check-failed", State.NOT_READY, (), frozenset(), "A check failed in a way that no cause explains.",
    "Read the check's own sentence.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The one root cause. ``since`` is when this code began; ``also`` names other causes that hold at once.

    ``dead``: OVS is proven dead. ``proven``: what makes the state is a fact and will not pass by itself.
    """

    code: str
    state: State
    summary: str
    remedy: str
    evidence: tuple[str, ...]
    also: tuple[str, ...]
    dead: bool
    proven: bool
    since: float


def diagnose(
    results: Mapping[str, Result], timeline: Timeline, *, now: float, allowance: float, before: Diagnosis | None = None
) -> Diagnosis:
    """The diagnosis of ``results`` at ``now``; ``allowance`` is how many seconds a start may take."""
    matches = list(_matches(results.values()))
    waiting = timeline.waiting_for()
    starting = waiting is not None and now - timeline.began < allowance
    if (
        starting
        and waiting
        and all(cause.in_start or _state(cause, found) is State.DEGRADED for cause, found in matches)
    ):
        found = _starting(waiting, results, matches)
    elif before is not None and before.state is State.STARTING and _of_the_start(matches, timeline):
        # What failed on the way and was not asked since the last stage was reached: it is being asked anew.
        found = before
    elif matches:
        found = _root(matches)
    elif waiting is not None:
        found = _starting(waiting, results, matches)
    elif before is not None and any(result.reason == "precondition" for result in results.values()):
        # What they build on is well again; until they were asked anew, nobody knows of them.
        found = before
    else:
        found = HEALTHY
    since = before.since if before is not None and before.code == found.code else now
    return replace(found, since=since)


def _of_the_start(matches: list[tuple[Cause, Result]], timeline: Timeline) -> bool:
    ended = timeline.ended
    return bool(matches) and ended is not None and all(cause.in_start and found.at < ended for cause, found in matches)


HEALTHY = Diagnosis("healthy", State.READY, "Every check that counts is ok.", "", (), (), False, True, 0.0)


def _matches(results: Iterable[Result]) -> Iterable[tuple[Cause, Result]]:
    """Causes with the results that show them, in causal order. A result shows the first that it fits, no other."""
    telling = [result for result in results if result.status in (Status.FAILED, Status.SLOW, Status.UNKNOWN)]
    for cause in CAUSES:
        explained = [result for result in telling if _explains(cause, result)]
        yield from ((cause, result) for result in explained)
        telling = [result for result in telling if result not in explained]
    yield from ((UNEXPLAINED, result) for result in telling if result.status is not Status.UNKNOWN)


def _explains(cause: Cause, result: Result) -> bool:
    return result.reason in cause.reasons and (not cause.checks or result.name in cause.checks)


def _state(cause: Cause, result: Result) -> State:
    """The southbound degrades a node, whatever is wrong with it: the causes that fit every check know no better."""
    return min(cause.state, State.DEGRADED) if result.name.startswith("southbound.") else cause.state


def _is_proven(cause: Cause, result: Result) -> bool:
    """Whether this alone makes the node unready at once."""
    return not _state(cause, result).serves and not cause.brief and result.reason not in UNPROVEN


def _root(matches: list[tuple[Cause, Result]]) -> Diagnosis:
    root = matches[0][0]
    component = root.code.partition("-")[0]
    covered = (root.code, f"{component}-slow")  # who is hung or gone is late, too
    others = dict.fromkeys(cause.code for cause, _ in matches if cause.code not in covered)
    return Diagnosis(
        code=root.code,
        state=max(_state(cause, found) for cause, found in matches),
        summary=root.summary,
        remedy=root.remedy,
        evidence=_evidence(matches),
        also=tuple(others),
        dead=any(cause.dead for cause, _ in matches),
        proven=any(_is_proven(cause, found) for cause, found in matches),
        since=0.0,
    )


def _starting(waiting: str, results: Mapping[str, Result], matches: list[tuple[Cause, Result]]) -> Diagnosis:
    """A node whose flows are in forwards, while ovn-controller alone starts anew: that degrades it."""
    flows = results.get("openflow.flows")
    forwards = waiting in ("controller", "flows") and flows is not None and flows.status is Status.OK
    return Diagnosis(
        code="starting",
        state=State.DEGRADED if forwards else State.STARTING,
        summary=f"The start waits for the stage {waiting}. {_why_late(matches)}".rstrip(),
        remedy=matches[0][0].remedy if matches else "Wait; the first answers are not in yet.",
        evidence=_evidence(matches),
        also=tuple(dict.fromkeys(cause.code for cause, _ in matches)),
        dead=False,
        proven=True,
        since=0.0,
    )


def _why_late(matches: list[tuple[Cause, Result]]) -> str:
    """What says most: a backoff that will end by itself before the flows it keeps away."""
    telling = next((result for _, result in matches if result.reason == "controller-no-openflow"), None)
    return telling.detail if telling is not None else matches[0][1].detail if matches else ""


def _evidence(matches: list[tuple[Cause, Result]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f"{result.name}: {result.detail}" for _, result in matches))
