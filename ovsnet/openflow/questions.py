"""What a tool asks a switch. Each question has a deadline in seconds; none changes anything."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable

from ovsnet.protocol import openflow as wire


class Questions(ABC):
    """The questions, whoever puts them to the switch: one session, or a client that makes sessions as it needs."""

    @abstractmethod
    async def _ask(self, encode: Callable[..., bytes], *arguments: object, timeout: float) -> wire.Message:
        """Send what ``encode`` makes of version, xid and ``arguments``, and return the answer."""

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
        return wire.parse_features(await self._ask(wire.features_request, timeout=timeout))

    async def desc(self, *, timeout: float = 1.0) -> wire.Desc:
        """Manufacturer, hardware, software: the switch's version in words."""
        return wire.parse_desc(await self._ask(wire.desc_request, timeout=timeout))

    async def ports(self, *, timeout: float = 1.0) -> tuple[wire.Port, ...]:
        """The ports of the bridge."""
        return wire.parse_ports(await self._ask(wire.port_desc_request, timeout=timeout))

    async def tables(self, *, timeout: float = 1.0) -> tuple[wire.TableStats, ...]:
        """Flows, lookups and matches of each table: 0.1 ms of the switch, however many flows it holds."""
        return wire.parse_tables(await self._ask(wire.table_request, timeout=timeout))

    async def aggregate(self, *, timeout: float = 5.0) -> wire.Aggregate:
        """Flows, packets and bytes of the whole bridge.

        The switch walks every flow for it: 50 ms of its main thread at 50 000. Never call it on a schedule; see
        ``tables``.
        """
        return wire.parse_aggregate(await self._ask(wire.aggregate_request, timeout=timeout))

    async def config(self, *, timeout: float = 1.0) -> wire.Config:
        """Fragment handling and miss_send_len of this connection."""
        return wire.parse_config(await self._ask(wire.get_config_request, timeout=timeout))

    async def role(self, *, timeout: float = 1.0) -> wire.RoleReply:
        """The role of this connection. Asks with "no change", so it never takes one."""
        return wire.parse_role(await self._ask(wire.role_request, timeout=timeout))
