"""One negotiated OpenFlow session with a switch.

    async with await connect(Address.parse("unix:/run/openvswitch/br-int.mgmt")) as switch:
        print(await switch.echo(), (await switch.aggregate()).flow_count)

Never sends SET_CONFIG: a service connection that leaves ``miss_send_len`` at 0 gets no asynchronous messages, and so
costs the switch nothing (connmgr.c, ``ofconn_receives_async_msg``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import count
from typing import TypeVar

from ovsnet.errors import OpenFlowRefused, PeerError
from ovsnet.io.address import Address
from ovsnet.io.held_session import HeldSession
from ovsnet.io.inflow import Inflow
from ovsnet.io.pending import PendingRequests
from ovsnet.io.tls import Tls
from ovsnet.io.transport import Channel
from ovsnet.protocol import openflow as wire

Parsed = TypeVar("Parsed")

HELLO_XID = 0
"""The switch's HELLO is awaited under this key. Our requests begin at 1, so that it never names one of them."""

XID_LIMIT = 1 << 32


class Session(HeldSession):
    """A connection to one bridge. Requests may overlap freely; each is paired with its reply by its xid.

    Closing leaves no line in the switch's log: it comes after both HELLOs, with everything read.
    """

    def __init__(self, address: Address, versions: frozenset[wire.Version]) -> None:
        self._core = wire.Connection(versions)
        self._pending: PendingRequests[wire.Message] = PendingRequests(str(address))
        self._hello: PendingRequests[wire.Version] = PendingRequests(str(address))
        self._xids = count(1)
        inflow = Inflow(lambda: self._core.messages)
        super().__init__(Channel(address, self._core, self._on_events, self._on_lost, inflow))

    @property
    def version(self) -> wire.Version:
        """The version both sides speak."""
        assert self._core.version is not None
        return self._core.version

    async def echo(self, payload: bytes = b"", *, timeout: float = 1.0) -> float:
        """Seconds for an ECHO_REQUEST to come back: proof that the switch's main loop turns."""
        started = time.monotonic()
        await self._request(wire.echo_request, payload, timeout=timeout)
        return time.monotonic() - started

    async def barrier(self, *, timeout: float = 1.0) -> None:
        """Return when the switch has finished all that was asked before."""
        await self._request(wire.barrier_request, timeout=timeout)

    async def features(self, *, timeout: float = 1.0) -> wire.Features:
        """The datapath_id and what the switch can do."""
        return wire.parse_features(await self._request(wire.features_request, timeout=timeout))

    async def desc(self, *, timeout: float = 1.0) -> wire.Desc:
        """Manufacturer, hardware, software: the switch's version in words."""
        return wire.parse_desc(await self._request(wire.desc_request, timeout=timeout))

    async def ports(self, *, timeout: float = 1.0) -> tuple[wire.Port, ...]:
        """The ports of the bridge."""
        return wire.parse_ports(await self._request(wire.port_desc_request, timeout=timeout))

    async def tables(self, *, timeout: float = 1.0) -> tuple[wire.TableStats, ...]:
        """Flows, lookups and matches of each table: 0.1 ms of the switch, however many flows it holds."""
        return wire.parse_tables(await self._request(wire.table_request, timeout=timeout))

    async def aggregate(self, *, timeout: float = 5.0) -> wire.Aggregate:
        """Flows, packets and bytes of the whole bridge.

        The switch walks every flow for it: 50 ms of its main thread at 50 000. Never call it on a schedule; see
        ``tables``.
        """
        return wire.parse_aggregate(await self._request(wire.aggregate_request, timeout=timeout))

    async def config(self, *, timeout: float = 1.0) -> wire.Config:
        """Fragment handling and miss_send_len of this connection."""
        return wire.parse_config(await self._request(wire.get_config_request, timeout=timeout))

    async def role(self, *, timeout: float = 1.0) -> wire.RoleReply:
        """The role of this connection. Asks with "no change", so it never takes one."""
        return wire.parse_role(await self._request(wire.role_request, timeout=timeout))

    async def wait_hello(self, timeout: float) -> None:
        """Return when the switch has said HELLO. Raises DeadlineExceeded after ``timeout`` seconds."""
        # On a busy host, or over TLS, the HELLO or the end comes before we do: nobody would hand it over again.
        self._require_alive()
        if self._core.version is None:
            await self._hello.open(HELLO_XID, timeout)

    async def _request(self, encode: Callable[..., bytes], *arguments: bytes, timeout: float) -> wire.Message:
        self._require_alive()
        if self.channel.congested:
            await self.channel.room(timeout)
        xid = self._next_xid()
        request = encode(self.version, xid, *arguments)
        answer = self._pending.open(xid, timeout)
        self.channel.write(request)
        self.channel.asked()
        return await answer

    def _require_alive(self) -> None:
        if self.channel.lost is not None:
            raise self.channel.lost.with_traceback(None)

    def _next_xid(self) -> int:
        return next(self._xids) % XID_LIMIT

    def _on_events(self, events: Sequence[wire.Event]) -> None:
        for event in events:
            self._on_event(event)

    def _on_event(self, event: wire.Event) -> None:
        if isinstance(event, wire.Message):
            self._pending.answer(event.xid, event)
        elif isinstance(event, wire.ErrorMessage):
            self._pending.refuse(event.xid, OpenFlowRefused(f"{self.channel.address} refused: {event.name}."))
        else:
            self._hello.answer(HELLO_XID, event.version)

    def _on_lost(self, error: PeerError) -> None:
        self._hello.fail_all(error)
        self._pending.fail_all(error)


async def connect(
    address: Address,
    *,
    versions: frozenset[wire.Version] = wire.ALL_VERSIONS,
    timeout: float = 1.0,
    patience: float | None = None,
    tls: Tls | None = None,
) -> Session:
    """Connect within ``timeout`` seconds, and wait as long (or ``patience`` seconds) for the switch's HELLO.

    Raises the ConnectError that fits; DeadlineExceeded when the switch accepts and says no HELLO (its main loop
    hangs, or it has no database); ProtocolError when there is no version in common or the peer is not a switch.
    """
    session = Session(address, versions)
    try:
        await session.open(timeout=timeout, tls=tls)
        await session.wait_hello(timeout if patience is None else patience)
    except BaseException:
        session.channel.abort()
        raise
    return session
