"""The life of ``ovsnet serve``: start, reload, drain, end; and what the service manager is told of it.

SIGHUP            read the configuration again; take it only when all of it can be used. What the agent remembers stays,
                  unless it is another node's: the run directory is another one
SIGTERM, SIGINT   ``/readyz`` says so at once; open requests finish; then the end, within two seconds
a second one      the end at once
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
from collections.abc import Awaitable, Callable

import anyio

from ovsnet.agent.agent import Agent
from ovsnet.config import Settings
from ovsnet.deadlines import BACKLOG, DRAIN, HEARTBEAT, STALLED
from ovsnet.errors import OvsnetError
from ovsnet.health.diagnosis import Diagnosis
from ovsnet.io.listen import Listener, inherited, listen
from ovsnet.io.memory import give_back, share_one_heap
from ovsnet.io.nofile import nofile, nofile_needed, places, raise_nofile
from ovsnet.io.sd_notify import Notifier
from ovsnet.io.tls import RenewedContext
from ovsnet.node.rundir import Rundir
from ovsnet.web.credentials import Credentials
from ovsnet.web.server import WebServer

log = logging.getLogger("ovsnet")

Load = Callable[[], tuple[Settings, Rundir]]
Ready = Callable[[Agent, list[str]], Awaitable[None]]


class Service:
    """``load`` reads the configuration; ``ready`` is called with the URLs once the first round of checks is over."""

    def __init__(self, load: Load, ready: Ready, notifier: Notifier) -> None:
        self._load = load
        self._ready = ready
        self._notifier = notifier
        self._agent = Agent(*load())
        _allow_files(self._agent.settings)  # the server counts on what we may open
        self._watched: anyio.CancelScope | None = None
        self._server = WebServer(self._agent)
        self._addresses: dict[str, Listener] = {}
        self._reloading = anyio.Lock()
        self._told = ""

    async def run(self) -> None:
        """Serve until a signal. Raises AddressError, ConfigError, UnfitEnvironment where that cannot be begun."""
        share_one_heap()
        try:
            await self._open(inherited(os.environ, os.getpid()))
            self._notifier.ready(_status(self._agent.health.diagnosis))
            async with anyio.create_task_group() as tasks:
                await tasks.start(self._obey, tasks)
                tasks.start_soon(self._feed_watchdog)
                await tasks.start(self._watch, self._agent)
                await self._ready(self._agent, [listener.url for listener in self._server.listeners])
                give_back()  # what the start alone has needed
        finally:
            with anyio.CancelScope(shield=True):
                await self._server.aclose()

    async def _open(self, passed: list[Listener]) -> None:
        settings = self._agent.settings
        if passed:
            for listener in passed:
                await self._server.open(listener, RenewedContext(settings.serving_tls) if listener.secure else None)
        else:
            await self._move(settings)

    async def _move(self, settings: Settings) -> None:
        """Serve where ``settings`` say. All that is new is opened, and every file read, before anything is changed."""
        wanted = {address: self._addresses.get(address) for address in settings.listen}
        keep = {address: known for address, known in wanted.items() if known is not None}
        fresh: dict[str, Listener] = {}
        try:
            for address in [each for each in wanted if each not in keep]:
                fresh[address] = listen(address, settings.access)
            secure = any(listener.secure for listener in (*fresh.values(), *self._server.listeners))
            context = RenewedContext(settings.serving_tls) if secure else None
            for listener in [each for each in self._server.listeners if each.secure] + list(fresh.values()):
                await self._server.open(listener, context)
        except (OvsnetError, OSError):  # an OSError for want of a descriptor
            for listener in fresh.values():
                self._server.close(listener)
            raise
        for address in self._addresses.keys() - settings.listen:
            self._server.close(self._addresses[address])
        self._addresses = keep | fresh

    async def _watch(
        self, agent: Agent, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        with anyio.CancelScope() as scope:
            agent.subscribe(lambda change: self._tell(agent))
            async with anyio.create_task_group() as tasks:
                await tasks.start(agent.run)
                before, self._watched = self._watched, scope
                if before is not None:
                    before.cancel()
                task_status.started()

    def _tell(self, agent: Agent) -> None:
        """The sentence may change while the code stays: a start goes from stage to stage."""
        status = _status(agent.health.diagnosis)
        if agent is self._agent and status != self._told:
            self._told = status
            self._notifier.status(status)

    async def _feed_watchdog(self) -> None:
        if self._notifier.watchdog is None:
            return
        while True:
            # What /livez asks, too. A task of its own proves nothing more than that the loop turns, which is the point.
            if self._agent.clock() - self._agent.ticked_at < STALLED:
                self._notifier.alive()
            await anyio.sleep(min(self._notifier.watchdog / 2, HEARTBEAT))

    async def _obey(
        self, tasks: anyio.abc.TaskGroup, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        with anyio.open_signal_receiver(signal.SIGHUP, signal.SIGINT, signal.SIGTERM) as signals:
            task_status.started()
            async for number in signals:
                if number == signal.SIGHUP:
                    tasks.start_soon(self._reload, tasks)
                elif self._agent.leaving:
                    _die_of(number)
                else:
                    self._agent.leaving = True
                    tasks.start_soon(self._leave, tasks)

    async def _leave(self, tasks: anyio.abc.TaskGroup) -> None:
        self._notifier.stopping()
        await anyio.sleep(DRAIN)
        await self._server.aclose()
        tasks.cancel_scope.cancel()

    async def _reload(self, tasks: anyio.abc.TaskGroup) -> None:
        async with self._reloading:
            self._notifier.reloading()
            try:
                agent, credentials = await self._prepare()
            except (OvsnetError, OSError) as error:  # an OSError for want of a descriptor
                remedy = error.remedy if isinstance(error, OvsnetError) else ""
                log.error("The old configuration stays: %s %s", error, remedy)
                self._notifier.ready(f"The old configuration stays: {error} {remedy}")
                return
            if agent.node.rundir == self._agent.node.rundir:
                agent.take_over(self._agent)
            await tasks.start(self._watch, agent)
            agent.leaving = self._agent.leaving
            self._agent = agent
            self._server.exchange(agent, credentials)
            log.info("The configuration was read again.")
            self._notifier.ready(_status(agent.health.diagnosis))

    async def _prepare(self) -> tuple[Agent, Credentials]:
        settings, rundir = self._load()
        agent, credentials = Agent(settings, rundir), Credentials(settings)
        _allow_files(settings)
        if self._addresses:
            await self._move(settings)
        else:
            for listener in self._server.listeners:
                await self._server.open(listener, RenewedContext(settings.serving_tls) if listener.secure else None)
        return agent, credentials


def _allow_files(settings: Settings) -> None:
    # A service manager that shuts us out of @resources has set a limit itself: LimitNOFILE= of our unit.
    with contextlib.suppress(PermissionError):
        raise_nofile(nofile_needed(settings.max_connections))
    files = nofile()
    if (held := places(files, settings.max_connections, BACKLOG).held) < settings.max_connections:
        log.warning(
            "ovsnet may open %d files, so it holds %d connections and not %d (max_connections). Raise its limit "
            "(LimitNOFILE= of its service), or lower max_connections.",
            files,
            held,
            settings.max_connections,
        )


def _status(diagnosis: Diagnosis) -> str:
    return f"{diagnosis.code}: {diagnosis.summary} {diagnosis.remedy}"


def _die_of(number: int) -> None:
    """As if nobody had caught the signal, so that the waiter learns the truth."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
