"""What a tool asks a switch. Each question has a deadline in seconds; none changes anything."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from typing import TypeVar

from ovsnet.errors import UsageError
from ovsnet.io.address import Address
from ovsnet.protocol import openflow as wire

Answer = TypeVar("Answer")

ALL_TABLES, ANY_PORT, ANY_GROUP = 0xFF, 0xFFFF_FFFF, 0xFFFF_FFFF
ALL_BITS = 0xFFFF_FFFF_FFFF_FFFF


class Questions(ABC):
    """The questions, which two classes put to the switch: one session, or a client that makes sessions as it needs."""

    @property
    @abstractmethod
    def address(self) -> Address:
        """Where the switch listens."""

    @abstractmethod
    async def _ask(self, encode: Callable[..., bytes], *arguments: object, timeout: float) -> wire.Message:
        """Send what ``encode`` makes of version, xid and ``arguments``, and return the answer."""

    @abstractmethod
    def _parts(
        self, encode: Callable[..., bytes], *arguments: object, timeout: float
    ) -> AsyncGenerator[wire.Message, None]:
        """The same for a multipart reply, part by part; ``timeout`` is for each part."""

    async def _answer(
        self, parse: Callable[[wire.Message], Answer], encode: Callable[..., bytes], *, timeout: float
    ) -> Answer:
        return self._read(parse, await self._ask(encode, timeout=timeout))

    def _read(self, parse: Callable[[wire.Message], Answer], message: wire.Message) -> Answer:
        """The parser knows what is wrong with an answer, and not which switch gave it."""
        try:
            return parse(message)
        except wire.OpenFlowProtocolError as error:
            raise wire.OpenFlowProtocolError(f"{self.address}: {error}.") from error

    async def flows(
        self,
        *,
        table: int | None = None,
        out_port: int | None = None,
        out_group: int | None = None,
        cookie: int | None = None,
        cookie_mask: int = ALL_BITS,
        timeout: float = 5.0,
    ) -> AsyncGenerator[wire.Flow, None]:
        """The flows of the bridge, or those that fit: ``async for flow in switch.flows(table=0)``.

        They are handed over as they come, with ``timeout`` seconds for each part of the reply, and decoded when they
        are looked at. The switch collects all of them on its main thread first: 0.1 s at 50 000. Leave the loop early
        under ``contextlib.aclosing``.
        """
        if cookie is None and cookie_mask != ALL_BITS:
            raise UsageError("cookie_mask needs a cookie: without one, all flows are meant.", remedy="Give both.")
        selection = (
            ALL_TABLES if table is None else table,
            ANY_PORT if out_port is None else out_port,
            ANY_GROUP if out_group is None else out_group,
            cookie or 0,
            0 if cookie is None else cookie_mask,
        )
        async for part in self._parts(wire.flow_request, *selection, timeout=timeout):
            for flow in self._read(wire.parse_flows, part):
                yield flow

    async def echo(self, payload: bytes = b"", *, timeout: float = 1.0) -> float:
        """Seconds for an ECHO_REQUEST to come back: proof that the switch's main loop turns."""
        started = time.monotonic()
        await self._ask(wire.echo_request, payload, timeout=timeout)
        return time.monotonic() - started

    async def barrier(self, *, timeout: float = 1.0) -> None:
        """Return when the switch has finished all that was asked before."""
        await self._ask(wire.barrier_request, timeout=timeout)

    async def features(self, *, timeout: float = 1.0) -> wire.Features:
        """The datapath_id and what the switch can do."""
        return await self._answer(wire.parse_features, wire.features_request, timeout=timeout)

    async def desc(self, *, timeout: float = 1.0) -> wire.Desc:
        """Manufacturer, hardware, software: the switch's version in words."""
        return await self._answer(wire.parse_desc, wire.desc_request, timeout=timeout)

    async def ports(self, *, timeout: float = 1.0) -> tuple[wire.Port, ...]:
        """The ports of the bridge."""
        return await self._answer(wire.parse_ports, wire.port_desc_request, timeout=timeout)

    async def tables(self, *, timeout: float = 1.0) -> tuple[wire.TableStats, ...]:
        """Flows, lookups and matches of each table: 0.1 ms of the switch, however many flows it holds."""
        return await self._answer(wire.parse_tables, wire.table_request, timeout=timeout)

    async def aggregate(self, *, timeout: float = 5.0) -> wire.Aggregate:
        """Flows, packets and bytes of the whole bridge.

        The switch walks every flow for it: 50 ms of its main thread at 50 000. Never call it on a schedule; see
        ``tables``.
        """
        return await self._answer(wire.parse_aggregate, wire.aggregate_request, timeout=timeout)

    async def config(self, *, timeout: float = 1.0) -> wire.Config:
        """Fragment handling and miss_send_len of this connection."""
        return await self._answer(wire.parse_config, wire.get_config_request, timeout=timeout)

    async def role(self, *, timeout: float = 1.0) -> wire.RoleReply:
        """The role of this connection. Asks with "no change", so it never takes one."""
        return await self._answer(wire.parse_role, wire.role_request, timeout=timeout)

    async def port_stats(self, *, timeout: float = 1.0) -> tuple[wire.PortStats, ...]:
        """The counters of the ports."""
        return await self._answer(wire.parse_port_stats, wire.port_stats_request, timeout=timeout)

    async def queue_stats(self, *, timeout: float = 1.0) -> tuple[wire.QueueStats, ...]:
        """The counters of the ports' queues."""
        return await self._answer(wire.parse_queue_stats, wire.queue_stats_request, timeout=timeout)

    async def groups(self, *, timeout: float = 1.0) -> tuple[wire.Group, ...]:
        """The groups and their buckets. Raises UsageError where the switch speaks 1.0."""
        return await self._answer(wire.parse_groups, wire.group_desc_request, timeout=timeout)

    async def group_stats(self, *, timeout: float = 1.0) -> tuple[wire.GroupStats, ...]:
        """The counters of the groups. Raises UsageError where the switch speaks 1.0."""
        return await self._answer(wire.parse_group_stats, wire.group_stats_request, timeout=timeout)

    async def meters(self, *, timeout: float = 1.0) -> tuple[wire.Meter, ...]:
        """The meters and their bands. Raises UsageError where the switch speaks an older version than 1.3."""
        return await self._answer(wire.parse_meters, wire.meter_config_request, timeout=timeout)

    async def meter_stats(self, *, timeout: float = 1.0) -> tuple[wire.MeterStats, ...]:
        """The counters of the meters. Raises UsageError where the switch speaks an older version than 1.3."""
        return await self._answer(wire.parse_meter_stats, wire.meter_stats_request, timeout=timeout)

    async def meter_features(self, *, timeout: float = 1.0) -> wire.MeterFeatures:
        """What the switch can meter. Raises UsageError where it speaks an older version than 1.3."""
        return await self._answer(wire.parse_meter_features, wire.meter_features_request, timeout=timeout)
