"""The Open_vSwitch database as the checks need it: a connection, and a monitor that the server pushes news to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import cast

from ovsnet import ovsdb
from ovsnet.errors import PeerError
from ovsnet.io.address import Address
from ovsnet.io.tls import Tls
from ovsnet.ovsdb.errors import TransactionTimedOut
from ovsnet.ovsdb.operations import Operation, comment, insert, mutate, wait
from ovsnet.ovsdb.values import NamedUuid

WATCHED = {
    "Open_vSwitch": ["ovs_version", "datapath_types", "other_config", "external_ids"],
    "Bridge": ["name", "datapath_type", "fail_mode"],
}
"""Columns that the checks read. None of them changes with traffic, so a quiet node pushes nothing."""

MAX_BYTES = 16 << 20
"""Bytes of one message. The schema has 0.1 MB, a snapshot of what is watched 1 kB per bridge; a peer that never ends
must not end us."""


class Database:
    """A held session with its monitor; what it says is as new as the server's last push."""

    def __init__(self, session: ovsdb.Session, monitor: ovsdb.Monitor) -> None:
        self._session = session
        self._monitor = monitor

    @property
    def peer_pid(self) -> int | None:
        """The pid of ovsdb-server, when it runs where we can see it."""
        return self._session.peer_pid

    @property
    def heard_at(self) -> float:
        """When the server's last bytes came, in ``time.monotonic``."""
        return self._session.heard_at

    @property
    def closed(self) -> asyncio.Future[PeerError]:
        """Done, with the reason, when the connection is over."""
        return self._session.closed

    @property
    def bridges(self) -> frozenset[str]:
        """The names of all bridges."""
        return frozenset(str(row["name"]) for row in self._monitor.tables.get("Bridge", {}).values())

    @property
    def datapaths(self) -> Mapping[str, str]:
        """The datapath type that each bridge asks for; empty is the kernel's."""
        return {str(row["name"]): str(row["datapath_type"]) for row in self._monitor.tables.get("Bridge", {}).values()}

    @property
    def offered_datapaths(self) -> frozenset[str]:
        """The datapath types that the running ovs-vswitchd offers, by its own word."""
        return frozenset(cast("Iterable[str]", self._root().get("datapath_types") or ()))

    @property
    def ovs_version(self) -> str:
        """As ovs-ctl wrote it; empty when nobody did."""
        return str(self._root().get("ovs_version") or "")

    @property
    def other_config(self) -> Mapping[str, str]:
        """``Open_vSwitch.other_config``."""
        return cast("Mapping[str, str]", self._root().get("other_config") or {})

    @property
    def external_ids(self) -> Mapping[str, str]:
        """``Open_vSwitch.external_ids``: among others what configures ovn-controller."""
        return cast("Mapping[str, str]", self._root().get("external_ids") or {})

    async def echo(self, *, timeout: float) -> float:
        """Seconds for an echo to come back."""
        return await self._session.echo(timeout=timeout)

    async def create_bridge(self, name: str, datapath_type: str, *, timeout: float) -> None:
        """Make an integration bridge as ovn-controller would (controller/ovn-controller.c, ``create_br_int``).

        Secure fail mode, so that it forwards nothing before OVN's flows are in. Guarded: when somebody else makes it
        first, that one stands and nothing is written. Does not wait for ovs-vswitchd. Raises OvsdbError,
        DeadlineExceeded.
        """
        with contextlib.suppress(TransactionTimedOut):
            await self._session.transact("Open_vSwitch", *_new_bridge(name, datapath_type), timeout=timeout)

    async def aclose(self) -> None:
        """Close, and wait until the connection is gone."""
        await self._session.aclose()

    def _root(self) -> Mapping[str, object]:
        return next(iter(self._monitor.tables.get("Open_vSwitch", {}).values()), {})


def _new_bridge(name: str, datapath_type: str) -> tuple[Operation, ...]:
    bridge = {
        "name": name,
        "ports": NamedUuid("port"),
        "fail_mode": "secure",
        "datapath_type": datapath_type,
        "other_config": {"disable-in-band": "true"},
    }
    return (
        wait("Bridge", [], [("name", "==", name)], columns=["name"]),
        insert("Interface", {"name": name, "type": "internal"}, name="interface"),
        insert("Port", {"name": name, "interfaces": NamedUuid("interface")}, name="port"),
        insert("Bridge", bridge, name="bridge"),
        mutate("Open_vSwitch", [("bridges", "insert", NamedUuid("bridge")), ("next_cfg", "+=", 1)]),
        comment(f"ovsnet: made {name} as ovn-controller would"),
    )


async def open_database(
    address: Address, *, timeout: float, patience: float, tls: Tls | None, on_change: Callable[[], None]
) -> Database:
    """Connect within ``timeout`` seconds, and wait up to ``patience`` seconds for the first snapshot."""
    session = await ovsdb.connect(address, timeout=timeout, tls=tls, max_bytes=MAX_BYTES)
    try:
        monitor = await session.monitor(
            "Open_vSwitch", WATCHED, on_change=lambda changes: on_change(), timeout=patience
        )
    except BaseException:
        await session.aclose()
        raise
    return Database(session, monitor)
