"""The node as the checks see it: its settings, its daemons, and one held connection to each."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import Any, Self

import anyio

from ovsnet import openflow, ovsdb, unixctl
from ovsnet.config import Settings
from ovsnet.errors import ConnectError, NotConnectedYet, OvsnetError, OwnLimit
from ovsnet.io.address import Address
from ovsnet.io.held_session import HeldSession
from ovsnet.node.components import COMPONENTS, CONTROLLER, OVSDB, SOUTHBOUND, VSWITCHD, Component, Socket
from ovsnet.node.control import open_control
from ovsnet.node.daemon import Daemon
from ovsnet.node.database import Database, open_database
from ovsnet.node.datapath import Growth
from ovsnet.node.interfaces import Lasting
from ovsnet.node.link import Link, Session
from ovsnet.node.presence import Sighting
from ovsnet.node.rundir import Rundir
from ovsnet.node.served import Served, open_served
from ovsnet.node.southbound import LogIndexes, Remotes, Southbound, is_local, open_southbound, readable_remotes
from ovsnet.node.unix_peers import HeldEnds

CONNECT_SHARE = 0.8
"""Of ``timeout``, for the connect itself: so that a full backlog is reported as what it is before the check's own
deadline."""

GREETING_PATIENCE = 60.0
"""Seconds for which a connection that was accepted waits for HELLO. It is held meanwhile, so that a frozen switch finds
one client when it thaws."""


class Node:
    """Use as ``async with``: leaving closes every connection.

    ``on_change`` is called with a daemon's name whenever a link to it came up or broke, or its database pushed news;
    ``on_start`` when it is seen to have started, with the time of that. Raises AddressError when a socket's path is
    longer than the kernel takes: no daemon's start can repair that.
    """

    def __init__(
        self,
        settings: Settings,
        rundir: Rundir,
        *,
        clock: Callable[[], float],
        rng: random.Random,
        on_change: Callable[[str], None] = lambda daemon: None,
        on_start: Callable[[str, float], None] = lambda daemon, at: None,
    ) -> None:
        self.settings = settings
        self.rundir = rundir
        self.clock = clock
        self.own_lag = 0.0
        """Seconds by which our own loop was held up recently. The code that runs the loop keeps it up to date."""
        self._rng = rng
        self._on_change = on_change
        self._on_start = on_start
        self._connect_timeout = settings.timeout * CONNECT_SHARE
        self._known_external_ids: Mapping[str, str] | None = None
        self.indexes = LogIndexes()
        self.held_ends: defaultdict[str, HeldEnds] = defaultdict(HeldEnds)
        self._preferred: dict[str, Address] = {}
        self.remotes = Remotes()
        """Of the southbound link."""
        self.database = Address.parse(settings.database) if settings.database else rundir.database
        self._begun: dict[tuple[str, Socket], HeldSession] = {}
        self.links_of: dict[str, list[Link[Any]]] = defaultdict(list)
        self.daemons = {name: self._daemon(component) for name, component in COMPONENTS.items()}
        self.backlog_refusals: Counter[str] = Counter()
        """How often a question met a full backlog, by daemon."""
        self.faults: set[str] = set()
        """What went wrong in ovsnet itself: each kind is logged once."""
        self.lasting: defaultdict[str, Lasting] = defaultdict(Lasting)
        self.growth: defaultdict[str, Growth] = defaultdict(Growth)
        self.visits = 0
        """Connections to bridges besides those of the links."""
        self._make_links()
        self.daemons[OVSDB.daemon].distant = self.database.scheme != "unix"
        self.daemons[SOUTHBOUND.daemon].others_to_ask = lambda: self.remotes.searching

    def _daemon(self, component: Component) -> Daemon:
        links = self.links_of[component.daemon]

        def heard_at() -> float:
            opening = self._begun.get((component.daemon, Socket.DATABASE))
            return max((0.0 if opening is None else opening.heard_at, *(link.heard_at for link in links)))

        return Daemon(component, self.rundir, self.clock, heard_at, lambda: self._neighbours_of(component))

    def _neighbours_of(self, component: Component) -> list[int]:
        here = (daemon for daemon in self.daemons.values() if not (daemon.component is component or daemon.distant))
        return [daemon.peer_pid for daemon in here if daemon.peer_pid is not None]

    def _make_links(self) -> None:
        self.ovsdb: Link[Database] = self._link(OVSDB, self._open_database)
        self.control: dict[str, Link[unixctl.Session]] = {
            each.daemon: self._link(each, partial(self._open_control, each))
            for each in COMPONENTS.values()
            if each.control
        }
        """Over unixctl, by daemon."""
        self.openflow: dict[str, Link[openflow.Session]] = {
            bridge: self._openflow_link(self.rundir.mgmt(bridge)) for bridge in self.settings.bridge
        }
        self.southbound: Link[Southbound] = self._link(SOUTHBOUND, self._open_southbound)
        self.served: dict[str, Link[Served]] = {
            each.daemon: self._link(each, partial(self._open_served, each))
            for each in COMPONENTS.values()
            if each.database
        }
        """The databases of OVN that this host may serve, by daemon."""
        self.links: dict[str, Link[Any]] = {
            "ovsdb": self.ovsdb,
            **{COMPONENTS[daemon].name: link for daemon, link in self.control.items()},
            **{f"openflow:{bridge}": link for bridge, link in self.openflow.items()},
            "southbound": self.southbound,
            **{f"{COMPONENTS[daemon].name}:database": link for daemon, link in self.served.items()},
        }
        """By name, as metrics have them."""

    @property
    def vswitchd(self) -> Link[unixctl.Session]:
        """ovs-vswitchd's control socket."""
        return self.control[VSWITCHD.daemon]

    @property
    def controller(self) -> Link[unixctl.Session]:
        """ovn-controller's control socket."""
        return self.control[CONTROLLER.daemon]

    async def sight(self, name: str) -> Sighting:
        """Whether the process of a daemon runs, as proven. It may turn out to have started a moment ago."""
        daemon = self.daemons[name]
        if (known := daemon.sighting) is not None:
            return known
        if not self._neighbours_of(daemon.component):
            await self._meet_somebody()
        # In a thread: a loop that reads all of /proc hears nobody, and would take its own stall for theirs.
        found, new = daemon.conclude(await asyncio.to_thread(daemon.search))
        if new and daemon.started_at is not None:
            self._on_start(name, daemon.started_at)
        return found

    async def _meet_somebody(self) -> None:
        """Connect to a daemon of this host: one that serves beside the missing one shows where it would be, and that
        one itself may serve at another socket."""
        there = [self.links_of[each] for each in self.daemons if not COMPONENTS[each].only_degrades]
        pending = {asyncio.ensure_future(link.session(self.settings.timeout)) for links in there for link in links}
        met = False
        while pending and not met:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            met = None in [each.exception() for each in done]
        for each in pending:
            each.cancel()

    def pids(self) -> dict[str, int]:
        """The processes that can be seen, by daemon; each once, by its first name."""
        found = {name: daemon.process() for name, daemon in self.daemons.items()}
        named = {process.pid: name for name, process in reversed(found.items()) if process is not None}
        return {name: pid for pid, name in reversed(named.items())}

    @property
    def external_ids(self) -> Mapping[str, str]:
        """``Open_vSwitch.external_ids`` as last known: what configures ovn-controller."""
        if (database := self.ovsdb.current) is not None:
            self._known_external_ids = database.external_ids
        return self._known_external_ids or {}

    async def read_configuration(self) -> bool:
        """Whether ``external_ids`` was ever read; waits for the first reading up to the timeout."""
        if self._known_external_ids is None and self.ovsdb.current is None:
            with contextlib.suppress(OvsnetError):
                await self.ovsdb.session(self.settings.timeout)
        return self.ovsdb.current is not None or self._known_external_ids is not None

    async def configuration(self) -> Mapping[str, str]:
        """``external_ids``. Raises NotConnectedYet while they were never read: that is not the same as unset."""
        if not await self.read_configuration():
            raise NotConnectedYet("The database, which holds the configuration, was never read.")
        return self.external_ids

    async def uses_ovn(self) -> bool | None:
        """Whether this node is, or was last known to be, an OVN chassis; None while the database was never read."""
        with contextlib.suppress(ConnectError):  # a run directory of OVN that cannot be read: the database knows too
            if "ovn-remote" in self.external_ids or self.rundir.control_sockets("ovn-controller"):
                return True
        if not await self.read_configuration():
            return None
        return "ovn-remote" in self.external_ids

    @property
    def southbound_remotes(self) -> tuple[Address, ...]:
        """Where ovn-controller looks for the southbound database. Empty when that is unset or unreadable."""
        return readable_remotes(self.external_ids.get("ovn-remote", ""))

    @property
    def asks_southbound(self) -> bool:
        """Whether the southbound checks are wanted here: see the setting ``southbound``."""
        return {"on": True, "off": False}.get(self.settings.southbound, is_local(self.southbound_remotes))

    def ask_control(self, daemon: str, address: Address) -> None:
        """Hold the control connection of ``daemon`` to this one of several processes."""
        self._preferred[daemon] = address
        self.control[daemon].redirect()

    @contextmanager
    def visit(self) -> Iterator[None]:
        """While a connection besides those of the links stands, so that it is not taken for another client's."""
        self.visits += 1
        try:
            yield
        finally:
            self.visits -= 1

    def socket_changed(self, name: str) -> None:
        """A file appeared in a run directory or went; an empty name means that anything may have."""
        for pattern, link in self._links_by_socket():
            if not name or name == pattern or (pattern.endswith(".") and name.startswith(pattern)):
                link.appeared()

    def _links_by_socket(self) -> list[tuple[str, Link[Any]]]:
        """File names, and the links they belong to. A name that ends in a dot goes on with a pid."""
        return [
            ("db.sock", self.ovsdb),
            *((f"{daemon}.", link) for daemon, link in self.control.items()),
            *((f"{bridge}.mgmt", link) for bridge, link in self.openflow.items()),
            ("ovnsb_db.sock", self.southbound),
            *((COMPONENTS[daemon].sockets[0], link) for daemon, link in self.served.items()),
        ]

    async def aclose(self) -> None:
        """Close every connection, even when we are being cancelled."""
        with anyio.CancelScope(shield=True):
            for link in self.links.values():
                await link.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def _link(self, component: Component, open_session: Callable[[], Awaitable[Session]]) -> Link[Session]:
        daemon = component.daemon

        async def opened() -> Session:
            session = await open_session()
            try:
                return self._met(daemon, session)
            except OwnLimit:
                await session.aclose()
                raise

        link = Link(
            opened,
            on_change=lambda: self._on_change(daemon),
            on_ask=self.daemons[daemon].asked,
            clock=self.clock,
            rng=self._rng,
        )
        self.links_of[daemon].append(link)
        return link

    def _met(self, name: str, session: Session) -> Session:
        daemon = self.daemons[name]
        if daemon.met(session.peer_pid, session.address) and daemon.started_at is not None:
            self._on_start(name, daemon.started_at)
        return session

    async def visit_database(self) -> ovsdb.Session:
        """A connection to the database besides that of the link. Raises the ConnectError that fits."""
        return await ovsdb.connect(self.database, timeout=self._connect_timeout, tls=self.settings.tls)

    async def visit_control(self, daemon: str) -> unixctl.Session:
        """A control connection besides that of the link. Raises the ConnectError that fits."""
        return await self._open_control(COMPONENTS[daemon])

    async def _open_database(self) -> Database:
        return await open_database(
            self.database,
            timeout=self._connect_timeout,
            patience=GREETING_PATIENCE,
            tls=self.settings.tls,
            on_change=self._database_changed,
            on_connected=lambda session: self._connected(OVSDB, session),
        )

    def _connected(self, component: Component, session: HeldSession, socket: Socket = Socket.DATABASE) -> None:
        """A session has begun, and its greeting or first snapshot, each byte of which ends a silence, is to come."""
        self._begun[component.daemon, socket] = session

    def peer_asked(self, daemon: str, socket: Socket) -> int | None:
        """The process that took the last connection there, whether or not it has said a word. None if unknown."""
        session = self._begun.get((daemon, socket))
        return None if session is None else session.peer_pid

    def _database_changed(self) -> None:
        if self._other_remotes():
            self.southbound.redirect()
        self._on_change(OVSDB.daemon)

    def _openflow_link(self, address: Address) -> Link[openflow.Session]:
        begun = partial(self._connected, VSWITCHD, socket=Socket.MGMT)
        connect = partial(openflow.connect, address, patience=GREETING_PATIENCE, on_connected=begun)
        return self._link(VSWITCHD, lambda: connect(timeout=self._connect_timeout))

    def _other_remotes(self) -> bool:
        """Whether ``ovn-remote`` names other servers than before; from now on they are the ones to ask."""
        if changed := self.remotes.take(self.southbound_remotes):
            self.daemons[SOUTHBOUND.daemon].moved(distant=self.remotes.distant)
        return changed

    async def _open_southbound(self) -> Southbound:
        self._other_remotes()
        return await open_southbound(
            self.remotes,
            timeout=self._connect_timeout,
            patience=self.remotes.patience(self.settings.hung_after, GREETING_PATIENCE),
            tls=self.settings.tls,
            on_change=lambda: self._on_change(SOUTHBOUND.daemon),
            on_connected=lambda session: self._connected(SOUTHBOUND, session),
        )

    async def _open_served(self, component: Component) -> Served:
        return await open_served(
            Address.unix(self.rundir.ovn / component.sockets[0]),
            component.database,
            timeout=self._connect_timeout,
            patience=GREETING_PATIENCE,
            on_change=lambda: self._on_change(component.daemon),
            on_connected=lambda session: self._connected(component, session),
        )

    async def _open_control(self, component: Component) -> unixctl.Session:
        preferred = self._preferred.get(component.daemon)
        return await open_control(self.rundir, component.daemon, preferred, timeout=self._connect_timeout)
