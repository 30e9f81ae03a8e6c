"""Schemas that are converted while monitors begin, go on and lose their connections: the copy has the columns of now,
and each row is told once, whatever a connection had brought before its end."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ovsnet.errors import PeerError, UsageError
from ovsnet.io.address import Address
from ovsnet.io.kept import KeptClient
from ovsnet.io.pending import after_next_poll
from ovsnet.ovsdb import Change, LastingMonitor, Session, connect
from ovsnet.ovsdb.errors import MonitorCanceled
from tests.ovsdb.chaos.followed import Followed
from tests.ovsdb.converting import CONVERT, CUT, FORGET, Converting, Event
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from tests.ovsdb.conftest import Serve

CELLS = st.tuples(st.integers(0, 2), st.sampled_from((None, "a", "b")))
EVENTS: st.SearchStrategy[Event] = st.one_of(CELLS, st.sampled_from((CONVERT, CUT, FORGET)))
STEPS = st.lists(st.lists(EVENTS, max_size=3), max_size=30)

CUT_AFTER_A_CONVERSION: list[list[Event]] = [
    [(0, "a")], [], [], [],
    [CUT, FORGET],
    [], [], [(0, "b")], [CONVERT], [CUT],
]  # fmt: skip
"""The second connection brings a row, and word that its schema is an old one, and no more."""

CONVERTED_BACK: list[list[Event]] = [[], [], [CONVERT], [], [], [], [CONVERT]]
"""The monitor that follows one of an old schema is of an old schema, too."""

GONE_BEFORE_IT_IS_ASKED_FOR: list[list[Event]] = [[], [CONVERT], [CONVERT]]
"""The server refuses a column that its schema had."""


class Reconnecting:
    """A client that connects again at once."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._session: Session | None = None
        self._connecting = asyncio.Lock()

    async def living(self) -> Session:
        async with self._connecting:
            if self._session is None or self._session.closed.done():
                self._session = await connect(self._address, timeout=PATIENCE)
            return self._session

    async def connected(self, *, timeout: float) -> Session:
        return await self.living()

    async def aclose(self) -> None:
        await (await self.living()).aclose()


class Copy:
    """A monitor and its followers: a callback, a consumer, and one that takes nothing before the end."""

    def __init__(self, client: Reconnecting) -> None:
        self._told, self._followed, self._late = (Followed("T") for _ in range(3))
        self.monitor = LastingMonitor(
            cast("KeptClient[Session]", client),
            "D",
            {"T": None},
            on_change=self._told.fold,
            timeout=PATIENCE,
            longest=PATIENCE,
        )

    async def follow(self, server: Converting, over: asyncio.Event) -> None:
        """Until nothing happens any more, and the copy is right."""
        late = aiter(self.monitor)
        async with asyncio.TaskGroup() as tasks, self.monitor:
            tasks.create_task(self._followed.follow(aiter(self.monitor)))
            await over.wait()
            await self.monitor.until(lambda tables: tables == {"T": server.rows}, timeout=PATIENCE)
        async for changes in late:
            self._late.fold(changes)
        assert self._told.tables == self._followed.tables == self._late.tables == {"T": server.rows}


@given(STEPS, st.integers(1, 2))
@example(CUT_AFTER_A_CONVERSION, 1)
@example(CONVERTED_BACK, 1)
@example(GONE_BEFORE_IT_IS_ASKED_FOR, 1)
def test_each_row_is_told_once_whatever_happens(steps: list[list[Event]], copies: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ovsnet.ovsdb.changes.MOST_BATCHES", 2)
        patch.setattr("ovsnet.ovsdb.snapshot.SMALL_UPDATE", 85)  # bytes: some are applied at once, some in steps
        asyncio.run(follow(steps, copies))


async def test_monitor_that_may_be_of_an_old_schema_vouches_for_no_other(serve: Serve) -> None:
    """The second one begins while nobody knows yet that the first one is."""
    server = Converting([[(0, "a")], [], [CONVERT]])
    async with connect(await serve(server.handle)) as session:
        first = asyncio.ensure_future(session.monitor("D", {"T": None}, timeout=PATIENCE))
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


async def test_rows_that_were_told_are_gone_on_from(serve: Serve) -> None:
    """What was monitored under the old schema is returned where no other came of it."""
    told: list[Change] = []
    server = Converting([[(0, "a")], [], [], [CONVERT], [], [CUT]])
    address = await serve(server.handle)
    async with connect(address) as session:
        lost = await session.monitor("D", {"T": None}, on_change=told.extend, timeout=PATIENCE)
        assert isinstance(lost.closed.result(), MonitorCanceled)
    async with connect(address) as session:
        await session.monitor("D", {"T": None}, since=lost, on_change=told.extend, timeout=PATIENCE)
    assert [(change.old, change.new) for change in told] == [
        (None, {"c": "a"}),
        ({"c": "a"}, {"c": "a", "extra": ""}),
    ]


async def follow(steps: Iterable[Iterable[Event]], copies: int) -> None:
    server, over = Converting(steps), asyncio.Event()
    with tempfile.TemporaryDirectory(prefix="fake-") as directory:
        listening = await asyncio.start_unix_server(server.handle, path := f"{directory}/db.sock")
        client = Reconnecting(Address.unix(path))
        made = [Copy(client) for _ in range(copies)]
        try:
            async with asyncio.TaskGroup() as tasks:
                for each in made:
                    tasks.create_task(each.follow(server, over))
                await drive(server, client, [each.monitor for each in made])
                over.set()
        finally:
            await client.aclose()
            listening.close()


async def drive(server: Converting, client: Reconnecting, monitors: Iterable[LastingMonitor]) -> None:
    """Let what is left of the script happen between the monitors' own requests and after them."""
    while server.script:
        for each in monitors:
            await each.resynced(timeout=PATIENCE)
        with contextlib.suppress(PeerError):
            await (await client.living()).echo(timeout=PATIENCE)
