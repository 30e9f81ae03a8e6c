"""How a check is run, and how what went wrong becomes an answer.

A check lets the errors of the clients pass. ``run`` makes Results of them, in one way for all checks: a deadline that
passed, a socket that is missing and a connection that was refused are facts about a socket, and what they say of the
daemon its process shows.
"""

from __future__ import annotations

import asyncio
import logging
import os
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec.structs import replace

from ovsnet.errors import (
    BacklogFull,
    ConnectionLost,
    ConnectionRefused,
    DeadlineExceeded,
    NotConnectedYet,
    OutOfMemory,
    OvsnetError,
    OwnLimit,
    PeerError,
    ProtocolError,
    SocketMissing,
    Unreachable,
    own_limit,
)
from ovsnet.health.checks.declaration import Check
from ovsnet.health.checks.handover import NAME_LOST, changes_hands
from ovsnet.health.checks.result import (
    ELSEWHERE,
    NOT_USED,
    NOT_YET,
    PRECONDITION,
    Answer,
    Result,
    Status,
    failed,
    not_used,
)
from ovsnet.io.address import Address
from ovsnet.io.link_state import FIRST_BACKOFF
from ovsnet.io.nofile import nofile
from ovsnet.node.components import COMPONENTS, OVSDB, Component, Socket
from ovsnet.node.daemon import Daemon
from ovsnet.node.descriptors import Descriptors
from ovsnet.node.mounts import mounted_alone
from ovsnet.node.node import Node
from ovsnet.node.presence import Presence, listens_in
from ovsnet.node.process import identify, runs
from ovsnet.node.silence import Verdict
from ovsnet.texts import for_line

log = logging.getLogger("ovsnet")


async def run(check: Check, node: Node, results: Mapping[str, Result]) -> Result:
    """Ask once. ``results`` holds those of the checks it needs. Raises nothing: an error of the tree becomes what it
    says of the daemon, and any other is a fault of ours, after which nothing is known."""
    asked_at = node.clock()
    if node.settings.switch == "off" and _is_of_the_switch(check):
        return _result(check, node, not_used("The setting switch says that this host has no Open vSwitch."))
    missing = next((results[need] for need in check.needs if _blocks(check, results[need])), None)
    return _result(check, node, await _ask(check, node) if missing is None else _skipped(missing), asked_at)


def _is_of_the_switch(check: Check) -> bool:
    component = COMPONENTS.get(check.daemon)
    return component is not None and not component.central


def _blocks(check: Check, need: Result) -> bool:
    """Whether ``need`` leaves nothing to ask. A control socket whose name is gone blocks only what is asked over it:
    its daemon runs, and answers elsewhere."""
    elsewhere = need.socket is Socket.CONTROL and need.reason in NAME_LOST and check.socket is not Socket.CONTROL
    return not (need.status.passes or elsewhere)


def look_again(check: Check, node: Node) -> Result | None:
    """Explain a silence once more, as of now. Nothing is asked; None when it is over. Where no process can be seen, a
    full backlog says more than the silence, and the next question will meet it: None, too."""
    daemon = node.daemons[check.daemon]
    if not daemon.late:
        return None
    try:
        answer = _explain_silence(check, node)
    except Exception as error:
        answer = _of_ourselves(check, node, error)
    if answer.reason == Verdict.UNSEEN and daemon.turned_away:
        return None
    return _result(check, node, answer)


def _result(check: Check, node: Node, answer: Answer, asked_at: float | None = None) -> Result:
    return Result(
        check.name,
        answer.status,
        node.clock(),
        answer.reason,
        for_line(answer.detail),
        answer.rtt_seconds,
        {for_line(name): for_line(each) if isinstance(each, str) else each for name, each in answer.values.items()},
        {name: for_line(value) for name, value in answer.facts.items()},
        check.daemon,
        check.socket,
        answer.lost_at,
        asked_at,
    )


SO = {Status.FAILED: "failed", Status.SKIPPED: "was skipped", Status.UNKNOWN: "has no result"}


def _skipped(need: Result) -> Answer:
    if need.reason in (NOT_USED, ELSEWHERE):
        return Answer(Status.SKIPPED, need.reason, need.detail)
    reason = NOT_YET if need.reason == NOT_YET else PRECONDITION
    return Answer(Status.SKIPPED, reason, f"{need.name} {SO[need.status]}.")


async def _ask(check: Check, node: Node) -> Answer:
    try:
        return await _answer(check, node)
    except Exception as error:
        return _of_ourselves(check, node, error)


def _of_ourselves(check: Check, node: Node, error: Exception) -> Answer:
    """What went wrong in ovsnet itself says nothing about any daemon."""
    if (own := own_limit(error)) is not None:
        return Answer(Status.UNKNOWN, own.reason, str(own), facts=_limits(own))
    place = traceback.extract_tb(error.__traceback__)[-1]
    fault = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno} in {check.name}"
    if fault not in node.faults:
        node.faults.add(fault)
        log.debug("%s", fault, exc_info=error)
    return Answer(Status.UNKNOWN, INTERNAL, f"ovsnet failed with {fault}: {error}", facts={"fault": fault})


def _limits(own: OwnLimit) -> dict[str, str]:
    return {} if isinstance(own, OutOfMemory) else {"limit": str(nofile())}


async def _answer(check: Check, node: Node) -> Answer:
    """Asked again for as long as its daemon changes hands: one process after another is met just once each."""
    while True:
        try:
            return await _probe(check, node)
        except NotConnectedYet as error:  # the check that makes the connection will judge the daemon
            return Answer(Status.SKIPPED, NOT_YET, str(error))
        except DeadlineExceeded:
            return await _explain_deadline(check, node)
        except BacklogFull as error:
            return await _explain_backlog(check, node, error)
        except (SocketMissing, ConnectionRefused, ConnectionLost) as error:
            if not await changes_hands(check, node, error):
                return await _explain_absence(check, node, error)
        except OwnLimit:
            raise
        except OvsnetError as error:
            return _failed(error)


INTERNAL = "internal"

NO_DESCRIPTORS = "no-descriptors"

LEAST_USEFUL = 1024
"""Descriptors: no daemon should be told to live with fewer."""

EXPLAINS_BACKLOG = (Verdict.GONE, Verdict.HUNG, Verdict.LATE, NO_DESCRIPTORS)
"""Of such a daemon a full backlog is only a symptom."""

NOT_VISIBLE = "not-visible"

MOUNTED = "socket-mounted"


async def _probe(check: Check, node: Node) -> Answer:
    """A held connection that broke under the question says little: a new one shows what became of the daemon. It may
    break as well, in the backlog of a daemon that ends: then the next one does, once the link makes one again."""
    for again in (False, True):
        try:
            return await check.probe(node)
        except ConnectionLost:
            await asyncio.sleep(_pause(node, check.daemon) if again else 0.0)
    return await check.probe(node)


def _pause(node: Node, daemon: str) -> float:
    """Seconds until each link to the daemon has something new to say."""
    longest = max((link.pause for link in node.links_of[daemon]), default=0.0)
    return max(1.5 * FIRST_BACKOFF, longest + 0.1 * FIRST_BACKOFF)  # timers may run a moment early


async def _explain_deadline(check: Check, node: Node) -> Answer:
    """A process that neither a connection nor a pidfile names must be found before its silence means anything."""
    if check.daemon in node.daemons and node.daemons[check.daemon].process() is None:
        await node.sight(check.daemon)
    return _explain_silence(check, node)


async def _explain_backlog(check: Check, node: Node, error: BacklogFull) -> Answer:
    """Of a daemon that runs on and accepts nobody the backlog says more than its silence."""
    node.backlog_refusals[check.daemon] += 1
    silence = await _explain_deadline(check, node)
    at_work = node.daemons[check.daemon].refused() and silence.reason == Verdict.LATE
    return silence if silence.reason in EXPLAINS_BACKLOG and not at_work else _failed(error)


async def _explain_absence(check: Check, node: Node, error: PeerError) -> Answer:
    """Nobody answers at the socket. That is a fact about the socket; whether the daemon runs, its process shows, and
    the silence that was heard on its other sockets goes on."""
    component, daemon = COMPONENTS[check.daemon], node.daemons[check.daemon]
    if error.reason == ConnectionRefused.reason and (socket := _mounted(check, node)) is not None:
        return _dead_mount(socket)
    sighting = await node.sight(check.daemon)
    if sighting.presence is Presence.GONE:
        return _gone(daemon, f"{component.title} is not running: {sighting.sentence}. {error}")
    if daemon.distant:  # it has no name here that could be lost
        return replace(_failed(error), reason=Unreachable.reason if error.reason in NAME_LOST else error.reason)
    if sighting.presence is Presence.UNSEEN or (error.reason in NAME_LOST and _looks_elsewhere(node, sighting.pid)):
        return _not_visible(component, node, f"{error} Of {component.title}, {sighting.sentence}.")
    if daemon.late:
        return _explain_silence(check, node)
    facts = {} if sighting.pid is None else {"pid": str(sighting.pid)}
    return Answer(Status.FAILED, error.reason, f"{error} {component.title} runs: {sighting.sentence}.", facts=facts)


def _not_visible(component: Component, node: Node, detail: str) -> Answer:
    expected = os.path.abspath(component.pidfile(node.rundir).parent)
    return Answer(Status.FAILED, NOT_VISIBLE, detail, facts={"directory": expected})


def _mounted(check: Check, node: Node) -> str | None:
    """The socket that the check asks over, when it was mounted here by itself."""
    places: Iterable[Address] = ()
    if check.socket is Socket.MGMT:
        places = map(node.rundir.mgmt, node.settings.bridge)
    elif check.socket is Socket.DATABASE:
        places = [node.database] if check.daemon == OVSDB.daemon else node.southbound_remotes
    return mounted_alone([each.path for each in places if each.scheme == "unix"])


def _dead_mount(socket: str) -> Answer:
    """The server that made it may have made another since: neither that one nor its end can be seen from here."""
    detail = f"{socket} is mounted here as a file, and nothing listens on it: its server has made a new one since."
    return failed(MOUNTED, detail, facts={"socket": socket, "directory": os.path.dirname(socket)})


def _gone(daemon: Daemon, detail: str) -> Answer:
    """A database server whose file is damaged ends at every start: that is worth a look when it is gone."""
    torn = daemon.damaged_database()
    facts = {} if torn is None else {"database": torn[0], "damage": torn[1]}
    said = detail if torn is None else f"{detail} {torn[0]} {torn[1]}."
    return Answer(Status.FAILED, Verdict.GONE.value, said, facts=facts, lost_at=daemon.ended_at)


def _looks_elsewhere(node: Node, pid: int | None) -> bool:
    """Whether the run directory shows nothing any more, and is not where the process has its sockets: an observer
    that was not there before could not tell that it runs."""
    return pid is not None and node.rundir.is_blank() and not listens_in(node.rundir, pid)


def _failed(error: OvsnetError) -> Answer:
    return Answer(Status.FAILED, error.reason, str(error), facts={"advice": error.remedy} if error.remedy else {})


def _taken(check: Check, node: Node) -> Answer | None:
    """Its socket is another program's, whose silence says nothing of the daemon. A name alone proves nothing, for a
    daemon may run under a loader or a debugger: its own process must be known beside it."""
    component, peer = COMPONENTS[check.daemon], node.peer_asked(check.daemon, check.socket)
    own = node.daemons[check.daemon].process()
    found = None if peer is None or own is None or own.pid == peer else identify(peer)
    if own is None or found is None or found.gone or runs(found, component.process):
        return None
    return Answer(
        Status.FAILED,
        ProtocolError.reason,
        f"Process {peer} ({found.name}) took our connection and says nothing; {component.title} is process {own.pid}.",
    )


_SILENCE = {
    Verdict.GONE: Status.FAILED,
    Verdict.HUNG: Status.FAILED,
    Verdict.UNSEEN: Status.UNKNOWN,
    Verdict.BUSY: Status.SLOW,
    Verdict.STARVED: Status.SLOW,
    Verdict.LATE: Status.SLOW,
}


RUNS_ON = (Verdict.BUSY, Verdict.STARVED, Verdict.LATE)
"""Verdicts on a process that nothing has stopped for good."""


def _explain_silence(check: Check, node: Node) -> Answer:
    daemon = node.daemons[check.daemon]
    if (taken := _taken(check, node)) is not None:
        return taken
    finding = daemon.look(node.settings.hung_after, node.own_lag)
    title = COMPONENTS[check.daemon].title
    if finding.verdict in RUNS_ON and (exhausted := daemon.out_of_descriptors()) is not None:
        return _exhausted(title, *exhausted)
    silent = finding.values.get("silent_seconds", 0.0)
    detail = f"{title} has been silent for {silent:.1f} s: {finding.sentence}."
    return Answer(_SILENCE[finding.verdict], finding.verdict.value, detail, values=finding.values, facts=finding.facts)


def _exhausted(title: str, pid: int, held: Descriptors) -> Answer:
    """It serves the connections it has, and accepts no other."""
    numbers = {"descriptors": held.open, "limit": held.limit}
    facts = {"pid": pid, **numbers, "doubled": max(2 * held.limit, LEAST_USEFUL)}
    return failed(
        NO_DESCRIPTORS,
        f"{title} (process {pid}) has {held.open} files open, may have {held.limit}, and accepts no new connection.",
        facts={name: str(value) for name, value in facts.items()},
        **numbers,
    )
