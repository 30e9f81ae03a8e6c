"""The Open_vSwitch database as the checks need it: a session, and a monitor that the server pushes changes to."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping

from ovsnet import ovsdb
from ovsnet.io.address import Address
from ovsnet.io.tls import Tls
from ovsnet.node.interfaces import COLUMNS, WANTED, Interface, bridges_of
from ovsnet.node.patches import Patch
from ovsnet.node.tls_rows import COLUMNS as COLUMNS_OF_SSL
from ovsnet.node.tls_rows import TlsRow, tls_row
from ovsnet.ovsdb.errors import TransactionTimedOut
from ovsnet.ovsdb.values import Uuid

WATCHED = {
    "Open_vSwitch": ["ovs_version", "datapath_types", "other_config", "external_ids"],
    "Bridge": ["name", "datapath_type", "fail_mode", "protocols"],
    "Interface": COLUMNS,
    "SSL": COLUMNS_OF_SSL,
    "Manager": ["target"],
    "Controller": ["target"],
}
"""Columns that the checks read. None of them changes with traffic, so a quiet node pushes nothing."""

WHERE = {"Interface": WANTED}
"""Rows that are wanted. A server older than 2.6 knows no conditions and sends all."""

SECURE = "secure"
"""The fail mode in which a bridge drops what it has no flow for."""

MAX_BYTES = 8 << 20
"""Bytes of one message. The schema has 0.1 MB, a snapshot of what is watched 1 kB per bridge, or 0.3 kB per interface
of an old server; a peer that never ends must not end us."""

MOST_ROW = 3 << 20
"""Bytes of one row of it. A bridge with all 65 279 ports that OpenFlow can number has as much; ``external_ids`` of a
busy node have some kB. Of 6 MB they took the agent 100 MB to read."""


class Database(ovsdb.Session):
    """A session with its monitor; what it says is as new as the server's last push."""

    def __init__(self, address: Address) -> None:
        super().__init__(address, max_bytes=MAX_BYTES, most_row=MOST_ROW)
        self._monitor: ovsdb.Monitor | None = None
        self._placed: dict[Uuid, str] = {}
        self.apart: frozenset[str] = frozenset()
        """Ends of patches that carry nothing, as last found: they are not ports without a device."""

    async def watch(self, on_change: Callable[[], None], *, timeout: float) -> None:
        """Return when the first snapshot is in; ``on_change`` is called with it and with each change after.

        Raises DeadlineExceeded when the server sends nothing for ``timeout`` seconds.
        """
        self._monitor = await self.monitor(
            "Open_vSwitch",
            WATCHED,
            where=WHERE,
            widen=True,  # an old server lacks columns of conditions, and is healthy all the same
            on_change=lambda changes: on_change(),
            timeout=timeout,
        )
        self.depend_on(self._monitor)  # a converted schema ends it, with an upgrade for instance

    @property
    def bridges(self) -> frozenset[str]:
        """The names of all bridges."""
        return frozenset(str(row["name"]) for row in self._rows("Bridge"))

    @property
    def interfaces(self) -> Iterable[Interface]:
        """Tunnels, and ports that ovs-vswitchd could not make; of an old server, all."""
        rows = self._monitor.tables.get("Interface", {}) if self._monitor is not None else {}
        return (Interface.of(uuid, row) for uuid, row in rows.items())

    async def bridges_of(self, interfaces: frozenset[Uuid], *, timeout: float) -> Mapping[Uuid, str]:
        """The bridges of these, as far as they have one. Asked for, and only of interfaces that were never asked for:
        ``Bridge.ports`` changes with every port, and a push of it would wake us for each."""
        if not interfaces <= self._placed.keys():
            ports = await self.select("Open_vSwitch", "Port", columns=["_uuid", "interfaces"], timeout=timeout)
            bridges = await self.select("Open_vSwitch", "Bridge", columns=["name", "ports"], timeout=timeout)
            found = bridges_of(ports, bridges)
            self._placed = {each: found.get(each, "") for each in interfaces}
        return {each: self._placed[each] for each in interfaces if self._placed[each]}

    @property
    def fail_modes(self) -> Mapping[str, str]:
        """By bridge; one that sets none is standalone (ovs-vswitchd.conf.db(5))."""
        return {str(row["name"]): str(row.get("fail_mode") or "standalone") for row in self._rows("Bridge")}

    @property
    def protocols(self) -> Mapping[str, frozenset[str]]:
        """The versions of OpenFlow, such as ``OpenFlow15``, that each bridge allows; none are named where all are."""
        return {str(row["name"]): frozenset(row.get("protocols") or ()) for row in self._rows("Bridge")}

    async def ids_of(self, bridge: str, *, timeout: float) -> Mapping[str, str]:
        """The ``external_ids`` of that bridge. Asked for: ovn-controller writes there whenever it has applied a state
        of the whole network, and each push would wake us."""
        where = [("name", "==", bridge)]
        rows = await self.select("Open_vSwitch", "Bridge", where, ["external_ids"], timeout=timeout)
        found: Mapping[str, str] = rows[0]["external_ids"] if rows else {}
        return found

    async def patches(self, *, timeout: float) -> list[Patch]:
        """The patch ports, with their bridges. Asked for: where all bridges have one datapath nobody needs them."""
        where, columns = [("type", "==", "patch")], ["_uuid", "name", "options"]
        rows = await self.select("Open_vSwitch", "Interface", where, columns, timeout=timeout)
        found = {row["_uuid"]: row for row in rows}
        bridges = await self.bridges_of(frozenset(found), timeout=timeout)
        return [Patch.of(row, bridges.get(uuid, "")) for uuid, row in found.items()]

    @property
    def datapaths(self) -> Mapping[str, str]:
        """The datapath type that each bridge asks for; empty is the kernel's."""
        return {str(row["name"]): str(row["datapath_type"]) for row in self._rows("Bridge")}

    @property
    def offered_datapaths(self) -> frozenset[str]:
        """The datapath types that the running ovs-vswitchd says it offers."""
        return frozenset(self._root().get("datapath_types") or ())

    @property
    def ovs_version(self) -> str:
        """As ovs-ctl wrote it; empty when nobody did."""
        return str(self._root().get("ovs_version") or "")

    @property
    def other_config(self) -> Mapping[str, str]:
        """``Open_vSwitch.other_config``."""
        return self._map("other_config")

    @property
    def external_ids(self) -> Mapping[str, str]:
        """``Open_vSwitch.external_ids``: among others what configures ovn-controller."""
        return self._map("external_ids")

    def _map(self, column: str) -> Mapping[str, str]:
        """Not a copy, which of very many keys takes milliseconds: a change of the row makes a new one."""
        found: Mapping[str, str] = self._root().get(column) or {}
        return found

    @property
    def tls(self) -> TlsRow | None:
        """What ``ovs-vsctl set-ssl`` names; None when it was not used."""
        return tls_row(self._rows("SSL"))

    def targets(self, table: str) -> list[str]:
        """Those of ``Manager``, which ovsdb-server serves, or of ``Controller``, which ovs-vswitchd connects to."""
        return [str(row["target"]) for row in self._rows(table)]

    async def create_bridge(self, name: str, datapath_type: str, *, timeout: float) -> None:
        """Make an integration bridge as ovn-controller would (controller/ovn-controller.c, ``create_br_int``).

        Secure fail mode, so that it forwards nothing before OVN's flows are in. Guarded: when somebody else makes it
        first, that one stays and nothing is written. Does not wait for ovs-vswitchd. Raises OvsdbError,
        DeadlineExceeded.
        """
        with contextlib.suppress(TransactionTimedOut):
            made = f"ovsnet: made {name} as ovn-controller would"
            async with self["Open_vSwitch"].transaction(comment=made, timeout=timeout) as t:
                t.wait("Bridge", [("name", "==", name)], [], columns=["name"])
                interface = t.insert("Interface", name=name, type="internal")
                bridge = t.insert(
                    "Bridge",
                    name=name,
                    ports=[t.insert("Port", name=name, interfaces=[interface])],
                    fail_mode=SECURE,
                    datapath_type=datapath_type,
                    other_config={"disable-in-band": "true"},
                )
                t.mutate("Open_vSwitch", [], ("bridges", "insert", [bridge]), ("next_cfg", "+=", 1))

    def _root(self) -> ovsdb.Row:
        return next(iter(self._rows("Open_vSwitch")), {})

    def _rows(self, table: str) -> Iterable[ovsdb.Row]:
        return self._monitor.tables.get(table, {}).values() if self._monitor is not None else ()


async def open_database(
    address: Address,
    *,
    timeout: float,
    patience: float,
    tls: Tls | None,
    on_change: Callable[[], None],
    on_connected: Callable[[Database], None] = lambda database: None,
) -> Database:
    """Connect within ``timeout`` seconds, and wait up to ``patience`` seconds for the first snapshot."""
    database = Database(address)
    await database.open(timeout=timeout, tls=tls)
    on_connected(database)
    try:
        await database.watch(on_change, timeout=patience)
    except BaseException:
        await database.aclose()
        raise
    return database
