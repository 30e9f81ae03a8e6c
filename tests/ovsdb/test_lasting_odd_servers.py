"""Monitors that outlive their connections, with servers that are slow, refuse, or answer late."""

from __future__ import annotations

import asyncio

from ovsnet.ovsdb import Client
from tests.ovsdb.scripted import scripted
from tests.patience import PATIENCE


async def test_probe_leaves_a_slow_server_the_time_for_its_first_rows() -> None:
    """It answers no echo while it composes them: to connect again would make it begin again, for ever."""
    async with scripted() as (server, address), Client(address, probe=0.05, timeout=PATIENCE) as client:
        server.delays["monitor_cond_since"] = 0.5
        async with client.monitor("D", {"T": ["name"]}, timeout=PATIENCE, longest=PATIENCE) as monitor:
            assert monitor.synced
        assert server.connections == 1


async def test_server_that_is_slower_than_a_monitor_allows_gets_done_once() -> None:
    async with scripted() as (server, address), Client(address, probe=0.05, timeout=PATIENCE) as client:
        server.delays["monitor_cond_since"] = 0.5
        monitor = client.monitor("D", {"T": ["name"]}, timeout=0.1, longest=PATIENCE)
        beginning = asyncio.create_task(monitor._run())
        while not monitor.synced:
            await asyncio.wait_for(monitor._audience.wait(), PATIENCE)
        assert server.connections <= 4, "the silence that is allowed doubles: 0.1, 0.2, 0.4 and 0.8 s"
        beginning.cancel()
        await asyncio.wait([beginning])
