"""How many updates a session takes: as many as there are, where nobody has bounded them."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from ovsnet.errors import ProtocolFlood
from ovsnet.ovsdb import Client, Session
from tests.ovsdb.scripted import ROW, TXN, Scripted, scripted
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from ovsnet.ovsdb import Tables

MANY = 2000


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundredth of what a session of the agent takes."""
    monkeypatch.setattr("ovsnet.io.inflow.RATE", 40.0)
    monkeypatch.setattr("ovsnet.io.inflow.BURST", 80.0)
    monkeypatch.setattr("ovsnet.io.inflow.PIECE", 1.0)


def push(server: Scripted, key: str) -> None:
    """MANY transactions, each of which changes one row."""
    messages = []
    for number in range(1, MANY + 1):
        row = {"insert": {"name": "x", "number": 1}} if number == 1 else {"modify": {"number": number}}
        update = {"T": {ROW: row}}
        messages.append(json.dumps({"id": None, "method": "update3", "params": [key, TXN, update]}))
    server.write("".join(messages).encode())


def numbers(tables: Tables) -> list[int]:
    return [row["number"] for row in tables["T"].values()]


async def test_client_takes_all_and_loses_none() -> None:
    told: list[int] = []
    async with scripted() as (server, address), Client(address, probe=None, timeout=PATIENCE) as client:
        monitor = await client.monitor(
            "D", {"T": None}, on_change=lambda changes: told.append(changes.transactions), timeout=PATIENCE
        )
        session = await client.connected(timeout=PATIENCE)
        push(server, next(iter(session._monitors)))
        await monitor.until(lambda tables: numbers(tables) == [MANY] or session.closed.done(), timeout=PATIENCE)
        assert not session.closed.done()
        assert sum(told) == MANY


async def test_pushes_that_nobody_asked_for_are_bounded_all_the_same() -> None:
    async with scripted() as (server, address), Client(address, probe=None, timeout=PATIENCE) as client:
        session = await client.connected(timeout=PATIENCE)
        await session.echo(timeout=PATIENCE)
        push(server, "unknown")
        assert isinstance(await asyncio.wait_for(session.closed, PATIENCE), ProtocolFlood)


async def test_session_that_is_bounded_ends() -> None:
    async with scripted() as (server, address):
        session = Session(address)
        await session.open(timeout=PATIENCE)
        monitor = await session.monitor("D", {"T": None}, timeout=PATIENCE)
        push(server, monitor.key)
        assert isinstance(await asyncio.wait_for(session.closed, PATIENCE), ProtocolFlood)
