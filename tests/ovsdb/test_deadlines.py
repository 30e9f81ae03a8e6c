"""A call has one deadline, however often it has to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ovsnet.errors import DeadlineExceeded
from ovsnet.ovsdb import Client, LiveDatabase, connect
from ovsnet.ovsdb.errors import TransactionInDoubt
from tests.ovsdb.scripted import scripted
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ANSWER, TIMEOUT = 0.2, 0.3
"""Seconds: each answer is in time, and two of them are not."""

CALLS: list[Callable[[LiveDatabase], Awaitable[object]]] = [
    lambda db: db.find("T"),
    lambda db: db.get("T", ROW_NAME),
    lambda db: db.set("T", ROW_NAME, number=1),
    lambda db: db.remove("T", ROW_NAME, "number", 1),
]
ROW_NAME = "x"


@pytest.mark.parametrize("call", CALLS)
async def test_of_a_database(call: Callable[[LiveDatabase], Awaitable[object]]) -> None:
    async with scripted() as (server, address), Client(address, probe=None) as client:
        await client.connected(timeout=PATIENCE)
        server.delays = {"get_schema": ANSWER, "transact": ANSWER}
        db = client["D"]
        db.timeout = TIMEOUT
        with pytest.raises((DeadlineExceeded, TransactionInDoubt)):
            await call(db)


async def test_of_a_session() -> None:
    async with scripted() as (server, address), connect(address) as session:
        server.delays = {"get_schema": ANSWER, "transact": ANSWER, "monitor_cond": ANSWER}
        with pytest.raises(DeadlineExceeded):
            await session.select("D", "T", timeout=TIMEOUT)
        await session.set_db_change_aware(timeout=PATIENCE)
        with pytest.raises(DeadlineExceeded):
            await session.get_schema("D", timeout=TIMEOUT)
