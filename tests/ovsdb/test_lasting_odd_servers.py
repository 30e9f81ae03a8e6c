"""Monitors that outlive their connections, with servers that are slow, refuse, or answer late."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from ovsnet.errors import DeadlineExceeded, OvsnetError, UsageError
from ovsnet.ovsdb import Client, LastingMonitor
from ovsnet.ovsdb.errors import Refused, UnknownDatabase
from tests.ovsdb.scripted import TXN, Refusal, Scripted, scripted
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from ovsnet.ovsdb.selection import Where


async def test_probe_leaves_a_slow_server_the_time_for_its_first_rows() -> None:
    """It answers no echo while it composes them: to connect again would make it begin again, without end."""
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


ONE: Where = {"T": [("name", "==", "a")]}
OTHER: Where = {"T": [("name", "==", "b")]}
MISTYPED: Where = {"T": [("name", "==", 7)]}


async def lose(monitor: LastingMonitor, server: Scripted) -> None:
    server.cut()
    while monitor.synced:
        await asyncio.wait_for(monitor._audience.wait(), PATIENCE)


@pytest.mark.parametrize("given_up", ["late", "cancelled"])
async def test_conditions_whose_answer_is_late_are_applied_when_it_comes(given_up: str) -> None:
    async with scripted() as (server, address), Client(address, probe=None, timeout=PATIENCE) as client:
        monitor = await client.monitor("D", {"T": ["name"]}, timeout=PATIENCE)
        server.delays["monitor_cond_change"] = 0.1
        asking = asyncio.create_task(monitor.set_conditions(ONE, timeout=0.01 if given_up == "late" else PATIENCE))
        await server.heard("monitor_cond_change")
        if given_up == "cancelled":
            asking.cancel()
        await asyncio.wait([asking])
        assert asking.cancelled() or isinstance(asking.exception(), DeadlineExceeded)
        await monitor.resynced(timeout=PATIENCE)
        assert server.methods().count("monitor_cond_change") == 1
        assert server.connections == 1


async def test_conditions_that_are_refused_in_the_next_connection_leave_the_old_ones() -> None:
    async with scripted() as (server, address), Client(address, probe=None, timeout=PATIENCE) as client:
        monitor = await client.monitor("D", {"T": ["name"]}, where=ONE, timeout=PATIENCE)
        server.answers["monitor_cond_since"] = lambda params: (
            Refusal("syntax error") if 7 in params[2]["T"][0]["where"][0] else [False, TXN, {"T": {}}]
        )
        await lose(monitor, server)
        with pytest.raises(Refused):
            await monitor.set_conditions(MISTYPED, timeout=PATIENCE)
        await monitor.resynced(timeout=PATIENCE)
        asked = [params[2]["T"][0]["where"] for method, params in server.asked if method == "monitor_cond_since"]
        assert asked[-1] == [["name", "==", "a"]]


async def test_conditions_that_replace_refused_ones_are_applied() -> None:
    async with scripted() as (server, address), Client(address, probe=None, timeout=PATIENCE) as client:
        monitor = await client.monitor("D", {"T": ["name"]}, where=ONE, timeout=PATIENCE)
        server.answers["monitor_cond_change"] = lambda params: (
            Refusal("syntax error") if 7 in params[2]["T"][0]["where"][0] else {}
        )
        refused = asyncio.create_task(monitor.set_conditions(MISTYPED, timeout=PATIENCE))
        await server.heard("monitor_cond_change")
        await monitor.set_conditions(OTHER, timeout=PATIENCE)
        with pytest.raises(Refused):
            await refused
        assert monitor.synced
        assert server.asked[-1][1][2]["T"] == [{"where": [["name", "==", "b"]]}]


@pytest.mark.parametrize("away", [False, True])
@pytest.mark.parametrize("where", [{"T": [("naem", "==", "x")]}, {"U": [True]}, {"T": [("name", "==")]}, {"T": ["x"]}])
async def test_what_can_be_no_condition_is_said_at_once(where: Any, away: bool) -> None:
    async with scripted() as (server, address), Client(address, probe=None, timeout=PATIENCE) as client:
        monitor = await client.monitor("D", {"T": ["name"]}, timeout=PATIENCE)
        if away:
            await lose(monitor, server)
        with pytest.raises(UsageError):
            await monitor.set_conditions(where, timeout=PATIENCE)
        await monitor.resynced(timeout=PATIENCE)
        assert "monitor_cond_change" not in server.methods()


async def test_fault_of_ours_ends_it_and_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)

    async def fail(self: LastingMonitor, session: object) -> None:
        raise ValueError("no")

    async with scripted() as (server, address), Client(address, probe=None, timeout=PATIENCE) as client:
        monitor = await client.monitor("D", {"T": ["name"]}, timeout=PATIENCE)
        monkeypatch.setattr(LastingMonitor, "_follow", fail)
        server.cut()
        with pytest.raises(OvsnetError, match="monitor of D has ended by a fault of ovsnet: ValueError: no"):
            await monitor.until(lambda tables: False, timeout=PATIENCE)
        with pytest.raises(OvsnetError, match="fault of ovsnet"):
            [changes async for changes in monitor]


async def test_server_whose_own_database_is_odd_will_not_do() -> None:
    odd = {"name": "_Server", "tables": {"X": {"columns": {"a": {"type": "string"}}}}}
    answers = scripted(get_schema=lambda params: odd, monitor_cond_since=lambda params: [False, TXN, {}])
    async with answers as (_, address), Client(address, database="D", probe=None) as client:
        status = await client.until("waiting", timeout=PATIENCE)
        assert isinstance(status.reason, UnknownDatabase)
