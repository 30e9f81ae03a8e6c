"""Schemas that are converted while monitors begin, go on and lose their connections: the copy has the columns of now,
and each row is told once, whatever a connection had brought before its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ovsnet.errors import UsageError
from ovsnet.io.pending import after_next_poll
from ovsnet.ovsdb import connect
from tests.ovsdb.converting import CONVERT, Converting
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from tests.ovsdb.conftest import Serve


async def test_monitor_that_may_be_of_an_old_schema_vouches_for_no_other(serve: Serve) -> None:
    """The second one begins while nobody knows yet that the first one is."""
    server = Converting([[(0, "a")], [], [CONVERT]])
    async with connect(await serve(server.handle)) as session:
        first = asyncio.create_task(session.monitor("D", {"T": None}, timeout=PATIENCE))
        while not session._monitors:
            await after_next_poll()
        second = await session.monitor("D", {"T": None}, timeout=PATIENCE)
        assert second.tables == (await first).tables == {"T": server.rows}
        assert [*server.rows.values()] == [{"c": "a", "extra": ""}]


async def test_schema_that_lacked_a_column_is_read_again(serve: Serve) -> None:
    server = Converting()
    async with connect(await serve(server.handle)) as session:
        where = {"T": [("extra", "==", "")]}
        with pytest.raises(UsageError, match="extra"):
            await session.monitor("D", {"T": None}, where=where, timeout=PATIENCE)
        server.script.append((CONVERT, (0, "")))
        await session.echo(timeout=PATIENCE)
        monitor = await session.monitor("D", {"T": None}, where=where, timeout=PATIENCE)
        assert monitor.tables == {"T": server.rows}
