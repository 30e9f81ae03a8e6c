"""Random transactions over every shape of column, while the connection is cut at random bytes and the server is frozen,
killed, restarted, compacted and converted. At every pause the copy, and what its followers were told, equal
``ovsdb-client dump``; and no transaction was done twice.

All that is random follows from a seed. What the machine's speed decides does not: at which byte a cut comes.
"""

from __future__ import annotations

import asyncio
import copy
import json
import random
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ovsnet import unixctl
from ovsnet.errors import ConnectionLost, PeerError
from ovsnet.io.address import Address
from ovsnet.ovsdb import Changes, Client, LastingMonitor, Row, Schema, Uuid, connect
from ovsnet.ovsdb.errors import Refused, TransactionInDoubt
from ovsnet.ovsdb.operations import Operation, delete, insert, mutate, update
from ovsnet.sandbox.binaries import find
from tests.ovsdb import shapes
from tests.ovsdb.conftest import Server
from tests.ovsdb.proxy import Proxy, proxied
from tests.patience import PATIENCE

ROWS = 30
"""Names of rows, few enough that transactions meet the same ones."""

TRANSACTIONS_A_PAUSE = 25
"""Transactions between two comparisons."""


@dataclass
class Outcome:
    """What was done, and how often."""

    faults: Counter[str] = field(default_factory=Counter)
    done: int = 0
    refused: int = 0
    in_doubt: int = 0
    pauses: int = 0
    resyncs: int = 0
    connections: int = 0


class Followed:
    """The tables of a consumer that is told changes alone."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[Uuid, Row]] = {"Shape": {}, "Counter": {}}
        self._news = asyncio.Event()

    def fold(self, changes: Changes) -> None:
        for change in changes:
            rows = self.tables[change.table]
            assert rows.get(change.uuid) == change.old, f"{change} does not follow {rows.get(change.uuid)}"
            if change.new is None:
                del rows[change.uuid]
            else:
                rows[change.uuid] = change.new

    async def follow(self, monitor: LastingMonitor) -> None:
        async for changes in monitor:
            self.fold(changes)
            self._news.set()

    async def reaches(self, other: Followed) -> None:
        """Return when it has heard what another has."""
        while self.tables != other.tables:
            self._news.clear()
            await self._news.wait()


class Chaos:
    """One server, a client behind a proxy, and the faults of both."""

    def __init__(self, seed: int, server: Server, proxy: Proxy, client: Client, *, clustered: bool) -> None:
        self.outcome = Outcome()
        self._rng = random.Random(seed)
        self._server = server
        self._proxy = proxy
        self._client = client
        self._schema = copy.deepcopy(shapes.SCHEMA)
        # A difference longer than a column's max ends a raft member (OVS 3.1), so these are only inserted there.
        self._changing = [name for name in shapes.COLUMNS if not (clustered and name.startswith("few_"))]

    async def run(self, transactions: int) -> None:
        """Raises AssertionError for what must not be."""
        told, followed = Followed(), Followed()
        await self._client.transact(shapes.NAME, insert("Counter", {}), timeout=PATIENCE)
        async with self._client.monitor(
            shapes.NAME, {"Shape": None, "Counter": None}, on_change=told.fold, timeout=PATIENCE
        ) as monitor:
            consumer = asyncio.create_task(followed.follow(monitor))
            for number in range(1, transactions + 1):
                if self._rng.random() < 0.15:
                    await self._fault()
                await self._transaction()
                if number % TRANSACTIONS_A_PAUSE == 0 or number == transactions:
                    await self._compare(monitor, told, followed)
            self.outcome.resyncs = monitor.resyncs
        await consumer
        self.outcome.connections = self._proxy.connections

    # What is written.

    async def _transaction(self) -> None:
        operations = [self._operation() for _ in range(self._rng.choice((1, 1, 2, 5)))]
        count = mutate("Counter", [("count", "+=", 1)])
        try:
            await self._client.transact(shapes.NAME, *operations, count, timeout=PATIENCE)
        except TransactionInDoubt:
            self.outcome.in_doubt += 1
        except Refused:
            self.outcome.refused += 1
        else:
            self.outcome.done += 1

    def _operation(self) -> Operation:
        rng, name = self._rng, f"row{self._rng.randrange(ROWS)}"
        columns = rng.sample(self._changing, rng.randrange(1, 6))
        values = {column: shapes.random_value(column, rng) for column in columns}
        match rng.randrange(8):
            case 0 | 1 | 2:
                every = {column: shapes.random_value(column, rng) for column in shapes.COLUMNS if rng.random() < 0.3}
                return insert("Shape", {"name": f"{name}.{rng.randrange(1 << 30)}", **every})
            case 3:
                return update("Shape", values, [("name", "!=", name)])
            case 4:
                return delete("Shape", [(columns[0], "==", values[columns[0]])])
            case 5:
                return update("Shape", values, [(columns[0], "!=", values[columns[0]])])
            case _:
                many = [column for column in self._changing if column.startswith(("some_", "map_"))]
                chosen = {column: shapes.random_value(column, rng) for column in rng.sample(many, 4)}
                changes = [(column, rng.choice(("insert", "delete")), value) for column, value in chosen.items()]
                return mutate("Shape", changes)

    # What goes wrong.

    async def _fault(self) -> None:
        faults: dict[str, Callable[[], Any]] = {
            "cut": self._cut,
            "cut after some bytes": self._cut_later,
            "freeze": self._freeze,
            "restart": self._restart,
            "compact": self._compact,
            "convert": self._convert,
        }
        (name,) = self._rng.choices(list(faults), (6, 12, 2, 2, 2, 2))
        self.outcome.faults[name] += 1
        await faults[name]()

    async def _cut(self) -> None:
        self._proxy.cut()

    async def _cut_later(self) -> None:
        self._proxy.cut_after(self._rng.randrange(4000))

    async def _freeze(self) -> None:
        await self._server.freeze()
        await self._server.thaw()

    async def _restart(self) -> None:
        self._server.kill()
        await self._server.start()

    async def _compact(self) -> None:
        async with await unixctl.connect(Address.unix(self._server.directory / "ctl")) as control:
            await control.call("ovsdb-server/compact", timeout=PATIENCE)

    async def _convert(self) -> None:
        """A column more, or one that had come before less."""
        columns = self._schema["tables"]["Shape"]["columns"]
        if columns.pop("extra", None) is None:
            columns["extra"] = {"type": {"key": "integer", "min": 0}}
        major, *_ = str(self._schema["version"]).split(".")
        self._schema["version"] = f"{int(major) + 1}.0.0"
        async with connect(self._server.address, timeout=PATIENCE) as session:
            # A clustered server may drop its clients because of the change before it answers the one who asked for it.
            with suppress(ConnectionLost):
                await session.request("convert", (shapes.NAME, self._schema), timeout=PATIENCE)

    # What must hold.

    async def _compare(self, monitor: LastingMonitor, told: Followed, followed: Followed) -> None:
        async with connect(self._server.address, timeout=PATIENCE) as session:
            await session.transact(shapes.NAME, mutate("Counter", [("count", "+=", 1)]), timeout=PATIENCE)
            self.outcome.done += 1
            (row,) = await session.select(shapes.NAME, "Counter", columns=["count"], timeout=PATIENCE)
            schema = await session.get_schema(shapes.NAME, timeout=PATIENCE)
        wanted = row["count"]
        assert self.outcome.done <= wanted <= self.outcome.done + self.outcome.in_doubt, "done twice, or not at all"
        await monitor.until(
            lambda tables: any(each["count"] == wanted for each in tables["Counter"].values()), timeout=PATIENCE
        )
        await asyncio.wait_for(followed.reaches(told), PATIENCE)
        dumped = await asyncio.to_thread(self._dump, schema)
        assert monitor.tables == dumped, _difference(monitor.tables, dumped)
        assert told.tables == dumped, _difference(told.tables, dumped)
        self.outcome.pauses += 1

    def _dump(self, schema: Schema) -> dict[str, dict[Uuid, Row]]:
        programs = self._server.programs
        argv = [str(programs.path("ovsdb-client")), "-f", "json", "dump", str(self._server.address), shapes.NAME]
        done = subprocess.run(argv, check=True, env=programs.environment(), capture_output=True, text=True)
        tables: dict[str, dict[Uuid, Row]] = {}
        for table in map(json.loads, done.stdout.splitlines()):
            name = table["caption"].removesuffix(" table")
            rows = [dict(zip(table["headings"], row, strict=True)) for row in table["data"]]
            typed = [dict(schema.table(name).row(row)) for row in rows]
            tables[name] = {row.pop("_uuid"): row for row in typed}
        return tables


def _difference(ours: Any, theirs: Any) -> str:
    for table in theirs:
        for uuid in {**ours[table], **theirs[table]}:
            if ours[table].get(uuid) != theirs[table].get(uuid):
                return f"{table} {uuid}: {ours[table].get(uuid)} is not {theirs[table].get(uuid)}"
    return "the tables differ"


async def chaos(seed: int, transactions: int, *, clustered: bool = False) -> Outcome:
    """A run with a server of its own. Raises AssertionError, which names the seed."""
    directory = Path(tempfile.mkdtemp(prefix="chaos-"))
    server = Server(directory, find())
    try:
        (directory / "shapes.ovsschema").write_text(json.dumps(shapes.SCHEMA))
        local = [f"unix:{directory / 'raft.sock'}"] if clustered else []
        server.tool("create-cluster" if clustered else "create", "shapes.db", "shapes.ovsschema", *local)
        await server.start()
        async with AsyncExitStack() as stack:
            proxy = await stack.enter_async_context(proxied(str(directory / "proxy.sock"), server.path))
            client = await stack.enter_async_context(Client(proxy.address, timeout=PATIENCE, probe=None))
            run = Chaos(seed, server, proxy, client, clustered=clustered)
            await run.run(transactions)
            return run.outcome
    except (AssertionError, PeerError) as error:
        raise AssertionError(f"seed {seed}, {transactions} transactions, clustered={clustered}: {error}") from error
    finally:
        server.kill()
        shutil.rmtree(directory, ignore_errors=True)
