"""The resident agent: clock, connections and state meet here.

One task per check keeps its schedule; a task more keeps the heartbeat that ``/livez`` reads. A link that breaks or
comes up, a push of the database and a changed result wake the checks they concern at once, not at the next poll.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import os
import random
import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from functools import partial
from typing import TYPE_CHECKING

import anyio

from ovsnet import __version__
from ovsnet.agent.counters import Counters, note_stall
from ovsnet.agent.document import change_document, deadlines, document
from ovsnet.agent.findings import Findings
from ovsnet.agent.past import Past
from ovsnet.agent.schedule import SHORTEST_GAP, STAGE_PERIOD, STAGE_SHARE, next_turn
from ovsnet.config import Settings
from ovsnet.deadlines import HEARTBEAT
from ovsnet.errors import OWN_LIMITS, own_limit
from ovsnet.health.checks.asking import look_again, run
from ovsnet.health.checks.declaration import CHECKS, Check
from ovsnet.health.checks.result import Result, Status
from ovsnet.health.checks.round import ask_all, with_needs
from ovsnet.health.state import Change, HealthState
from ovsnet.health.timeline import check_of
from ovsnet.io.pending import after_next_poll
from ovsnet.node.components import SOUTHBOUND
from ovsnet.node.node import Node
from ovsnet.node.rundir import Rundir
from ovsnet.node.silence import Verdict
from ovsnet.node.watch import changes
from ovsnet.tune.stalls import Stalls

if TYPE_CHECKING:
    from ovsnet.tune.reconciler import Reconciler

log = logging.getLogger("ovsnet")

SHORTEST_WAIT = 0.05
"""Seconds between two looks at a silent daemon."""

CLOCK_STEP = 0.5
"""Seconds by which the wall clock has to be off before it was set: NTP slews what is less."""

EVENTS_SHOWN = 20
"""Of the diagnosis and of starts, in the status document. All are in ``history``."""

PAUSE = 1.0
"""Seconds until a task of ours that failed begins again."""


class Agent:
    """Run it with ``await agent.run()``; read ``health``; ``subscribe`` to changes."""

    def __init__(self, settings: Settings, rundir: Rundir) -> None:
        self.settings = settings
        self.name = os.uname().nodename
        self.clock: Callable[[], float] = time.monotonic
        self._began = self.clock()
        self.health = HealthState(
            self._began,
            CHECKS,
            allowance=settings.start_allowance,
            rise=(settings.rise - 1) * settings.interval,
            fall=(settings.fall - 1) * settings.interval,
        )
        self.node = Node(
            settings,
            rundir,
            clock=self.clock,
            rng=random.Random(),
            on_change=self._link_changed,
            on_start=self._daemon_started,
        )
        self.stalls = Stalls()
        self.reconciler = _reconciler(settings, rundir, self.clock)
        self.wall: Callable[[], float] = time.time
        self._wall_offset = self.wall() - self.clock()
        self.ticked_at = self._began
        self.loop_lag = 0.0
        self.counters = Counters()
        self.past = Past(self._began)
        self._findings = Findings()
        self.changes = 0
        """How many changes were reported."""
        self.leaving = False
        """We are being stopped: ``/readyz`` says so."""
        self._over = False
        self._silent: set[str] = set()
        self._wake = {name: asyncio.Event() for name in CHECKS}
        self._listeners: list[Callable[[Change], None]] = []

    def take_over(self, before: Agent) -> None:
        """Begin with what ``before`` knows of the same node, before ``run``: a reload changes settings, and is no start
        of the agent. ``before`` answers until our first round is over, so it keeps a copy of its own."""
        settings = self.settings
        self.health = before.health.continued(
            allowance=settings.start_allowance,
            rise=(settings.rise - 1) * settings.interval,
            fall=(settings.fall - 1) * settings.interval,
        )
        self.past = copy.deepcopy(before.past)
        self.counters, self.stalls, self._began = before.counters, before.stalls, before._began
        node, known = self.node, before.node
        node.lasting, node.growth, node.indexes = known.lasting, known.growth, known.indexes
        for name, daemon in node.daemons.items():
            daemon.continues(known.daemons[name])

    @property
    def wall_offset(self) -> float:
        """What to add to our clock to get seconds since 1970. It follows a clock that was set (clock_settime(2)), and
        keeps still otherwise: what happened once, happened at one time."""
        offset = self.wall() - self.clock()
        if abs(offset - self._wall_offset) > CLOCK_STEP:
            self._wall_offset = offset
        return self._wall_offset

    @property
    def answers(self) -> bool:
        """Whether it is still the one to ask: not stopped, not exchanged for another."""
        return not (self.leaving or self._over)

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """``listener`` is called with each change of a result or the diagnosis, until what this returns is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def run(self, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Watch the node until cancelled. ``task_status`` is told when the first round of checks is over."""
        try:
            async with self.node, anyio.create_task_group() as tasks:
                self._tasks = tasks
                tasks.start_soon(self._keep, self._heartbeat)
                tasks.start_soon(self._keep, self._watch_sockets)
                self._record((await ask_all(CHECKS.values(), self.node)).values())
                task_status.started()
                if self.reconciler is not None:
                    tasks.start_soon(self._keep, partial(self.reconciler.run, lambda: self.health.ready))
                began = self.clock()
                for check in CHECKS.values():
                    tasks.start_soon(self._keep, partial(self._watch, check, began))
        finally:
            self._over = True

    def document(self) -> dict[str, object]:
        """The status document as of now."""
        own = {
            "tune": {"mode": "off"} if self.reconciler is None else self.reconciler.document(),
            "stalls": self.stalls.document(),
            "interval_seconds": self.settings.interval,
            "agent": {"version": __version__, "since": self._began + self.wall_offset},
            "deadlines": deadlines(self.settings),
            "findings": self._findings.of(self.node),
            "events": self.past.turns_document(self.wall_offset)[-EVENTS_SHOWN:],
        }
        return document(self.health, self.node, name=self.name, wall_offset=self.wall_offset) | own

    def history(self) -> dict[str, object]:
        """The last hour, and the last changes."""
        return self.past.document(self.clock(), self.wall_offset)

    def beat_document(self) -> dict[str, object]:
        """What changes all the time: the clock, and how long the last answers took."""
        took = {each.name: each.rtt_seconds for each in self.health.results.values() if each.rtt_seconds is not None}
        return {"now": self.clock() + self.wall_offset, "rtt_seconds": took}

    def change_document(self, change: Change) -> dict[str, object]:
        """What of the status document a change concerns."""
        return change_document(change, self.clock(), self.wall_offset)

    async def _keep(self, work: Callable[[], Awaitable[None]]) -> None:
        """A task of the agent that a fault of ours, or a limit, must not end. It begins again, and the rest goes on."""
        while True:
            try:
                return await work()
            except Exception as error:
                self._log_fault(error)
            await asyncio.sleep(PAUSE)

    def _log_fault(self, error: Exception) -> None:
        fault = str(own_limit(error) or f"{type(error).__name__}: {error}")
        if fault not in self.node.faults:
            self.node.faults.add(fault)
            log.warning("A task of ovsnet failed, and begins again: %s", fault)
            log.debug("%s", fault, exc_info=error)

    async def _watch(self, check: Check, began: float) -> None:
        period = check.every * self.settings.interval
        due = first = began + check.phase * self.settings.interval
        wake, again = self._wake[check.name], 0.0
        while True:
            woken = await self._until(due, wake)
            if (early := again - self.clock()) > 0:
                await asyncio.sleep(early)
            wake.clear()
            started = self.clock()
            results = await self._ask(check)
            self._record(results)
            if woken:
                self._wake_dependants(check.name)
            due = next_turn(first, period, started)
            if any(each.reason in OWN_LIMITS for each in results):  # it was not asked at all
                due = min(due, started + self.settings.interval)
            if (taken := self.health.awaits(check.name, started)) is not None:
                due = min(due, started + max(STAGE_PERIOD, STAGE_SHARE * taken))
            again = self.clock() + SHORTEST_GAP

    async def _ask(self, check: Check) -> Collection[Result]:
        """A check that begins to fail is asked once more, behind those it builds on.

        A daemon may have gone between their last answer and this one; then theirs is the failure to report first. A
        silence is not asked twice: it takes a timeout each time, and names its daemon anyhow.
        """
        result = await run(check, self.node, self.health.results)
        known = check.name in self.health.results and self.health.results[check.name].reason == result.reason
        if result.status is not Status.FAILED or known or not check.needs or result.reason == Verdict.HUNG:
            return [result]
        return (await ask_all(with_needs([check.name]), self.node)).values()

    async def _until(self, due: float, wake: asyncio.Event) -> bool:
        """Sleep until ``due``, or until woken; true when woken. A timer, because the cancellation by which
        ``asyncio.timeout`` ends costs more than most checks."""
        on_time = False

        def ring() -> None:
            nonlocal on_time
            on_time = not wake.is_set()
            wake.set()

        timer = asyncio.get_running_loop().call_later(max(due - self.clock(), 0.0), ring)
        try:
            await wake.wait()
        finally:
            timer.cancel()
        return not on_time

    async def _watch_sockets(self) -> None:
        """Where that is impossible, a new socket is seen at the next poll."""
        async for name in changes({self.node.rundir.ovs, self.node.rundir.ovn}):
            self.node.socket_changed(name)
            if name.endswith(".mgmt"):
                self._link_changed("ovs-vswitchd")

    async def _heartbeat(self) -> None:
        while True:
            before = self.clock()
            await asyncio.sleep(HEARTBEAT)
            self.ticked_at = self.clock()
            self.loop_lag = max(self.ticked_at - before - HEARTBEAT, 0.0)
            self.node.own_lag = self.loop_lag
            self.counters.loop_delays.record(self.loop_lag)
            self.past.tick(self.ticked_at, self.health.diagnosis.state, self.health.results)
            # Before the first round nobody has been asked, so there is nothing to judge.
            if self.health.results and (diagnosis := self.health.judge(self.ticked_at)) is not None:
                self._tell([Change(None, diagnosis)])

    def _record(self, results: Collection[Result]) -> None:
        self.counters.count(results)
        self.past.answers(results)
        waited_for = self.health.timeline.waiting_for()
        self._tell(self.health.record(results, self.clock()))
        if (stage := self.health.timeline.waiting_for()) != waited_for:
            self._stage_turned(stage)
        for result in results:
            note_stall(self.stalls, result, self.clock(), self._server_asked(result))
            if result.reason == Verdict.LATE and result.name not in self._silent:
                self._silent.add(result.name)
                self._tasks.start_soon(self._keep, partial(self._judge_silence, result))

    def _server_asked(self, result: Result) -> str:
        """Which of several servers on other hosts a result is about; empty for a daemon of this host."""
        if CHECKS[result.name].daemon != SOUTHBOUND.daemon or (held := self.node.southbound.current) is None:
            return ""
        return str(held.address)

    def _tell(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self.changes += 1
            self.past.change(change, self.clock())
            if change.result is not None:
                self._wake_dependants(change.result.name)
            if change.diagnosis is not None:
                self.counters.diagnoses[change.diagnosis.code] += 1
                _log(change)
            for listener in self._listeners:
                listener(change)

    def _wake_dependants(self, name: str) -> None:
        for check in CHECKS.values():
            if name in check.needs:
                self._wake[check.name].set()

    async def _judge_silence(self, late: Result) -> None:
        """Look again at the moment at which a silence proves something. The deadline of the next question would do,
        and come later by up to its timeout."""
        try:
            missing = self.settings.hung_after + self.node.own_lag - float(late.values["silent_seconds"])
            await asyncio.sleep(max(missing, SHORTEST_WAIT))
            await after_next_poll()  # an answer that came while we were held up ends the silence
        finally:
            self._silent.discard(late.name)
        if (result := look_again(CHECKS[late.name], self.node)) is not None:
            self._record([result])

    def _stage_turned(self, stage: str | None) -> None:
        """The stage that a start waits for next is asked at once, not at its check's turn. When the start is over, so
        is what failed on the way."""
        failed = (name for name, result in self.health.results.items() if result.status is Status.FAILED)
        for name in failed if stage is None else [check_of(stage)]:
            self._wake[name].set()

    def _daemon_started(self, daemon: str, at: float) -> None:
        self.health.restarted(daemon, at, self.clock())
        if at > self._began:
            self.past.started(daemon, at)

    def _link_changed(self, daemon: str) -> None:
        """Wake what asks this daemon first; what builds on that is woken in its turn, so that the root is reported
        first."""
        for check in CHECKS.values():
            if check.daemon == daemon and not any(CHECKS[need].daemon == daemon for need in check.needs):
                self._wake[check.name].set()


def _reconciler(settings: Settings, rundir: Rundir, clock: Callable[[], float]) -> Reconciler | None:
    """Imported only where it is wanted: it brings what plans and writes. Raises ConfigError."""
    if settings.tune_mode == "off":
        return None
    from ovsnet.tune.reconciler import Reconciler

    return Reconciler(settings, rundir, clock)


def _log(change: Change) -> None:
    diagnosis = change.diagnosis
    assert diagnosis is not None
    level = logging.INFO if diagnosis.state.serves else logging.WARNING
    remedy = f" {diagnosis.remedy}" if diagnosis.remedy else ""
    fields = {"code": diagnosis.code, "state": diagnosis.state.label, "evidence": list(diagnosis.evidence)}
    log.log(level, "%s: %s%s", diagnosis.code, diagnosis.summary, remedy, extra={"fields": fields})
