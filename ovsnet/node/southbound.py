"""The southbound database as the checks need it: one session, two rows.

A fleet of agents must cost the southbound almost nothing: the monitor holds one row of ``SB_Global`` and the server's
own row about itself. What changes with every commit or sync is left out. OVN-Kubernetes renews a time in the former
each 30 s (``e2e_timestamp``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import msgspec

from ovsnet import ovsdb
from ovsnet.errors import AddressError, DeadlineExceeded, PeerError, SocketMissing, telling
from ovsnet.io.address import Address, parse_remotes
from ovsnet.io.tls import Tls
from ovsnet.node.registration import Registered

DATABASE = "OVN_Southbound"

MAX_BYTES = 16 << 20
"""Bytes of one message: the schema is the longest, with 0.1 MB."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")


ELSEWHERE = 0.5
"""Of ``hung_after``. A server that is silent for that long is left for another that ``ovn-remote`` names, as
ovn-controller leaves it after its probe interval."""

AGAIN = 20.0
"""Seconds between two searches for a better one, while there may be none: a cluster that has lost its majority has
hundreds of agents."""


class Server(msgspec.Struct, frozen=True):
    """What a server says of its copy of the database (ovsdb-server(5), the ``_Server`` database)."""

    model: str
    connected: bool
    leader: bool
    cluster: str

    @property
    def clustered(self) -> bool:
        """Whether it is a member of a cluster."""
        return self.model == "clustered"

    @property
    def relay(self) -> bool:
        """Whether it has its data from another server (OVS Documentation/topics/ovsdb-relay.rst)."""
        return self.model == "relay"

    @property
    def in_touch(self) -> bool:
        """Whether its data is new: it has a majority of its cluster, or its source. A relay says so until it has been
        without that for 30 s (ovsdb/relay.c, ``RELAY_MAX_RECONNECTION_MS``)."""
        return self.connected or not (self.clustered or self.relay)


class Remotes:
    """The servers that ``ovn-remote`` names. ovn-controller goes on to the next when one is silent, or is out of touch
    (lib/ovsdb-cs.c, ``ovsdb_cs_check_server_db__``), and so do we: what matters is whether it finds one."""

    def __init__(self) -> None:
        self.addresses: tuple[Address, ...] = ()
        """As they were named when one of them was connected to last."""
        self._left: Address | None = None
        self._left_at = -AGAIN
        self._all_silent = 0
        self.searching = False
        """Another is still to be asked: silence is so far that of one, not of the database."""

    def take(self, addresses: tuple[Address, ...]) -> bool:
        """``ovn-remote`` names these. Whether it named others before."""
        changed, self.addresses = addresses != self.addresses, addresses
        return changed

    @property
    def distant(self) -> bool:
        """Whether one may be on another host: what is behind it cannot be seen from here."""
        return any(each.scheme != "unix" for each in self.addresses)

    def in_order(self) -> list[Address]:
        """The one that was left comes last."""
        return sorted(self.addresses, key=lambda each: each == self._left)

    def leave(self, address: Address, now: float) -> bool:
        """Whether another is to be asked than this one, which is silent or out of touch."""
        if now - self._left_at < AGAIN or not any(each != address for each in self.addresses):
            return False
        self._left, self._left_at = address, now
        self.searching = self._all_silent == 0
        return True

    def begin(self) -> list[Address]:
        """All are about to be asked, in this order, until one speaks."""
        self.searching = len(self.addresses) > 1 and self._all_silent == 0
        return self.in_order()

    def patience(self, hung_after: float, most: float) -> float:
        """Seconds of silence that each is allowed before the next is asked. All may be slow, so it grows, up to
        ``most``."""
        if len(self.addresses) < 2:
            return most
        return float(min(most, ELSEWHERE * hung_after * 2**self._all_silent))

    def asked(self, *, spoke: bool, silent: bool = False) -> None:
        """One of them ``spoke``; or all were asked and none spoke, be it that some were ``silent``."""
        self.searching = False
        if spoke or silent:
            self._all_silent = 0 if spoke else min(self._all_silent + 1, 16)


class LogIndexes:
    """The highest log index seen of each cluster: a lower one later is stale."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def newest(self, cluster: str, index: int) -> int:
        """The highest one, ``index`` included."""
        self._seen[cluster] = max(index, self._seen.get(cluster, 0))
        return self._seen[cluster]

    def forget(self, cluster: str) -> None:
        """ovn-controller accepts the server's copy: what was seen before is of no concern any more."""
        self._seen.pop(cluster, None)


class Southbound(ovsdb.Session):
    """A session with its two monitors."""

    def __init__(self, address: Address) -> None:
        super().__init__(address, max_bytes=MAX_BYTES)
        self._server: ovsdb.Monitor | None = None
        self._globals: ovsdb.Monitor | None = None
        self.registered = Registered()
        """As it was read last."""

    async def watch(self, on_change: Callable[[], None], *, timeout: float) -> None:
        """Return when both rows are in; ``on_change`` is called with them and with each change after.

        Raises DeadlineExceeded when the server sends nothing for ``timeout`` seconds.
        """
        self._server = await self.monitor(
            "_Server",
            {"Database": ["name", "model", "connected", "leader", "cid"]},
            on_change=lambda changes: on_change(),
            timeout=timeout,
        )
        self._globals = await self.monitor(
            DATABASE, {"SB_Global": ["options"]}, on_change=lambda changes: on_change(), timeout=timeout
        )
        self.depend_on(self._server)
        self.depend_on(self._globals)  # a converted schema ends it, with an upgrade for instance

    @property
    def server(self) -> Server | None:
        """The server's word on its copy, or None when it does not serve the southbound."""
        for row in _rows(self._server, "Database"):
            if row["name"] == DATABASE:
                return Server(
                    model=str(row["model"]),
                    connected=bool(row["connected"]),
                    leader=bool(row["leader"]),
                    cluster=str(row["cid"] or ""),
                )
        return None

    @property
    def in_touch(self) -> bool:
        """Whether it serves the southbound, with data that is new."""
        server = self.server
        return server is not None and server.in_touch

    @property
    def options(self) -> Mapping[str, str]:
        """``SB_Global.options``."""
        row = next(iter(_rows(self._globals, "SB_Global")), None)
        return dict(row.get("options") or {}) if row is not None else {}

    async def log_index(self, *, timeout: float) -> int:
        """How many log entries a clustered server has applied: a copy whose index went back is stale.

        Asked for and not monitored: it grows with every commit, and the server would push each to every agent.
        """
        rows = await self.select("_Server", "Database", [("name", "==", DATABASE)], ["index"], timeout=timeout)
        return int(rows[0]["index"] or 0) if rows else 0

    async def applied_by(self, chassis: str, *, timeout: float) -> tuple[int, int] | None:
        """The state that the southbound has, and the one that the chassis says it has applied, counted by ``nb_cfg``;
        None when it knows no such chassis. Asked for and not monitored, as the index is."""
        if "Chassis_Private" not in (await self.get_schema(DATABASE, timeout=timeout)).tables:  # before OVN 20.09
            return None
        newest = await self.select(DATABASE, "SB_Global", columns=["nb_cfg"], timeout=timeout)
        own = await self.select(DATABASE, "Chassis_Private", [("name", "==", chassis)], ["nb_cfg"], timeout=timeout)
        return (int(newest[0]["nb_cfg"]), int(own[0]["nb_cfg"])) if newest and own else None

    async def read_registered(self, name: str, addresses: Collection[str], *, timeout: float) -> Registered:
        """What the database has of a chassis of this name, and which others have its addresses.

        Asked for and not monitored: two nodes of one name write the row some hundred times a second. One transaction,
        so that host name and addresses are of one writer.
        """
        async with self[DATABASE].transaction(timeout=timeout) as t:
            own = t.select("Chassis", [("name", "==", name)], columns=["hostname", "_version"])
            ours = t.select("Encap", [("chassis_name", "==", name)], columns=["ip"])
            others = [t.select("Encap", [("ip", "==", each)], columns=["ip", "chassis_name"]) for each in addresses]
        row = next(iter(own.rows), {})
        self.registered = Registered(
            hostname=str(row.get("hostname", "")),
            addresses=frozenset(str(each["ip"]) for each in ours.rows),
            version=str(row.get("_version", "")),
            taken={str(e["ip"]): str(e["chassis_name"]) for o in others for e in o.rows if e["chassis_name"] != name},
        )
        return self.registered

    async def hostname_of(self, chassis: str, *, timeout: float) -> str:
        """Where another chassis runs; empty when it is not known."""
        rows = await self.select(DATABASE, "Chassis", [("name", "==", chassis)], ["hostname"], timeout=timeout)
        return str(rows[0]["hostname"]) if rows else ""


def remotes_in_force(text: str) -> tuple[Address, ...]:
    """What ovn-controller takes ``ovn-remote`` for. Raises AddressError.

    To it a comma only separates when the next address follows, and a space only before one is left out: others are part
    of the address, which then leads nowhere (lib/ovsdb-session.c, ``next_remote``).
    """
    for part in _NEXT_REMOTE.split(text):
        if part and part[-1] in ", \t\n":
            sign = "comma" if part[-1] == "," else "space"
            raise AddressError(
                f"ovn-controller takes the {sign} after {part.rstrip(', ')} for a part of the address.",
                remedy="Remove it from external_ids:ovn-remote.",
            )
    return parse_remotes(text)


_NEXT_REMOTE = re.compile(r",[ \t]*(?=[a-z]+:)")


def readable_remotes(text: str) -> tuple[Address, ...]:
    """What ``ovn-remote`` names; nothing when it cannot be read, as when it is not set."""
    try:
        return remotes_in_force(text)
    except AddressError:
        return ()


def is_local(remotes: Sequence[Address]) -> bool:
    """Whether every remote is on this host."""
    return bool(remotes) and all(each.scheme == "unix" or each.host in LOOPBACK for each in remotes)


async def open_southbound(
    remotes: Remotes,
    *,
    timeout: float,
    patience: float,
    tls: Tls | None,
    on_change: Callable[[], None],
    on_connected: Callable[[Southbound], None] = lambda southbound: None,
) -> Southbound:
    """The first remote that speaks and is in touch with its data, or else the first that speaks. ``timeout`` is for
    each connect, ``patience`` for each silence afterwards; both are seconds.

    Raises the most telling error when none speaks.
    """

    async def opened(address: Address) -> Southbound:
        southbound = Southbound(address)
        await southbound.open(timeout=timeout, tls=tls)
        on_connected(southbound)
        try:
            await southbound.watch(on_change, timeout=patience)
        except BaseException:
            await southbound.aclose()
            raise
        return southbound

    failures: list[PeerError] = []
    out_of_touch: list[Address] = []
    for address in (addresses := remotes.begin()):
        try:
            southbound = await opened(address)
        except PeerError as error:  # a frozen member accepts, and says nothing
            failures.append(error)
            continue
        remotes.asked(spoke=True)
        if southbound.in_touch or len(addresses) == 1:
            return southbound
        out_of_touch.append(address)
        await southbound.aclose()
    if out_of_touch:
        return await opened(out_of_touch[0])
    remotes.asked(spoke=False, silent=any(isinstance(each, DeadlineExceeded) for each in failures))
    raise telling(failures) if failures else SocketMissing("external_ids:ovn-remote names no southbound database.")


def _rows(monitor: ovsdb.Monitor | None, table: str) -> Iterable[ovsdb.Row]:
    return monitor.tables.get(table, {}).values() if monitor is not None else ()
