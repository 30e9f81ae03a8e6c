"""An agent that watches a restart, and a running count of the switch's flows, on the agent's own connection."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Iterator

import anyio
import msgspec

from ovsnet.agent.agent import Agent
from ovsnet.bench.recovery import Recovery
from ovsnet.config import Settings
from ovsnet.errors import PeerError
from ovsnet.health.checks.result import Status
from ovsnet.health.state import Change
from ovsnet.health.timeline import STAGES
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.proc import listening_paths

POLL = 0.010
"""Seconds between two observations: the samples are exact to that."""

CALM = 1.0
"""Seconds for which everything must hold before a restart counts as over."""

TABLES_TIMEOUT = 60.0
"""Seconds for the switch to count its flows: one that is computing is late, not gone."""

LINKS = {"ovs-vswitchd": ("vswitchd", "openflow:"), "ovsdb-server": ("ovsdb",), "ovn-controller": ("controller",)}
"""The agent's connections to a daemon. A new one proves that it has met the new process."""


class Observer:
    """Run it beside; ``watch`` before each restart, and wait ``until_over``."""

    def __init__(self, settings: Settings, rundir: Rundir) -> None:
        quick = msgspec.structs.replace(settings, interval=0.1, rise=1, fall=1, tune_mode="off", start_allowance=3600.0)
        self.agent = Agent(quick, rundir)
        self.now = self.agent.clock
        self.flows = 0
        self.recovery = Recovery(self.now(), 0)
        self._met: Collection[str] = ()
        self._socket = ""
        self.agent.subscribe(self._hear)

    async def run(self, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Watch until cancelled. ``task_status`` learns when the node is ready, and its flows are counted."""
        with _unlogged():
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._count)
                tasks.start_soon(self._observe)
                await tasks.start(self.agent.run)
                await self.until(lambda: self.agent.health.ready and self.flows)
                task_status.started()

    def watch(self, daemons: Collection[str], socket: str) -> Recovery:
        """The stop of ``daemons`` begins now; ``socket`` is the path that shows that they are back, or empty."""
        self.recovery = Recovery(self.now(), self.flows)
        self._met, self._socket = daemons, socket
        return self.recovery

    async def until(self, fact: Callable[[], object]) -> None:
        """Return when it is so."""
        while not fact():  # noqa: ASYNC110 - facts of several sources, none of which notifies
            await asyncio.sleep(POLL)

    async def until_over(self, lingers: float) -> None:
        """Return when everything is back and has held for a while, and for ``lingers`` seconds after the start."""
        since: float | None = None
        while since is None or self.now() < max(since + CALM, self.recovery.started_at + lingers + CALM):
            await asyncio.sleep(POLL)
            if self.lacking():
                since = None
            elif since is None:
                since = self.now()

    def lacking(self) -> str:
        """What is not back; empty when everything is."""
        health, recovery = self.agent.health, self.recovery
        for name, link in self.agent.node.links.items():
            if self._is_new(name) and (link.current is None or link.opened_at <= recovery.gone_at):
                return f"the agent has had no {name} connection since the stop."
        for stage in STAGES:
            result = health.results[stage.check]
            proven = result.status is Status.OK or result.reason == "not-used"
            if result.at <= recovery.started_at or not proven:
                return result.detail
        if not health.ready or health.timeline.waiting_for() is not None:
            return health.diagnosis.summary
        return "" if recovery.flows.holds else f"the switch holds {self.flows} flows, fewer than before."

    def samples(self) -> dict[str, float]:
        """Seconds until each fact was back, by the field of ``RestartMeasures``."""
        return self.recovery.samples(self.agent.health.timeline.reached())

    def _is_new(self, link: str) -> bool:
        return any(link.startswith(begin) for daemon in self._met for begin in LINKS.get(daemon, ()))

    def _hear(self, change: Change) -> None:
        if change.result is not None:
            self.recovery.result(change.result)
        self.recovery.ready.observe(self.agent.health.ready, self.now())

    async def _observe(self) -> None:
        while True:
            self.recovery.ready.observe(self.agent.health.ready, self.now())
            if self._socket and self.recovery.socket.back_at is None:
                self.recovery.socket.observe(self._socket in listening_paths(), self.now())
            await asyncio.sleep(POLL)

    async def _count(self) -> None:
        while True:
            try:
                self.flows = await self._counted()
            except PeerError:
                self.flows = 0
            self.recovery.count(self.flows, self.now())
            await asyncio.sleep(POLL)

    async def _counted(self) -> int:
        links = self.agent.node.openflow.values()
        tables = [await link.held().tables(timeout=TABLES_TIMEOUT) for link in links]
        return sum(table.active_count for found in tables for table in found)


@contextlib.contextmanager
def _unlogged() -> Iterator[None]:
    """What the observer's agent finds is what is measured, and is no news."""
    log = logging.getLogger("ovsnet")
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before
