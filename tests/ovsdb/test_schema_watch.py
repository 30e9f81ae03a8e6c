"""The monitor by which a session learns that a schema was converted: it ends with the request for the schema."""

from __future__ import annotations

import asyncio

import pytest

from ovsnet.errors import DeadlineExceeded
from ovsnet.ovsdb import connect
from tests.ovsdb.scripted import scripted
from tests.patience import PATIENCE


@pytest.mark.parametrize("given_up", ["late", "cancelled"])
async def test_watch_that_was_given_up_is_cancelled_at_the_server(given_up: str) -> None:
    async with scripted() as (server, address), connect(address) as session:
        await session.set_db_change_aware(timeout=PATIENCE)
        server.delays["monitor_cond"] = 0.05
        asking = asyncio.create_task(session.get_schema("D", timeout=0.01 if given_up == "late" else PATIENCE))
        await server.heard("monitor_cond")
        if given_up == "cancelled":
            asking.cancel()
        await asyncio.wait([asking])
        assert asking.cancelled() or isinstance(asking.exception(), DeadlineExceeded)
        await server.heard("monitor_cancel")
        assert not session._schemas._monitors
        begun = [params[1] for method, params in server.asked if method == "monitor_cond"]
        assert [params[0] for method, params in server.asked if method == "monitor_cancel"] == begun
        server.delays.clear()
        assert (await session.get_schema("D", timeout=PATIENCE)).name == "D"
