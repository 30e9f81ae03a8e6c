"""Random transactions over every shape of column, while the connection is cut at random bytes and the servers are
frozen, killed, restarted, compacted and converted, made to forget, and led by another. At every pause the copy, and
what its followers were told, equal ``ovsdb-client dump``; and no transaction was done twice. Nor has anyone a lock then
that was given up. See ``beside`` for what else goes on.

All that is random follows from a seed. What the machine's speed decides does not: at which byte a cut comes.
"""

from __future__ import annotations

import asyncio
import copy
import json
import os
import random
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ovsnet.errors import PeerError
from ovsnet.ovsdb import Client, LastingMonitor, Row, Schema, Tables, Uuid
from ovsnet.ovsdb.errors import CallbackRaised, ClusterFailed, NotLeader, Refused, TransactionInDoubt
from ovsnet.ovsdb.operations import Operation, delete, insert, mutate, select, update
from tests.ovsdb import shapes
from tests.ovsdb.chaos.beside import LOCK, Beside
from tests.ovsdb.chaos.followed import Followed, difference
from tests.ovsdb.chaos.members import PROBE, Members
from tests.patience import PATIENCE

ROWS = 30
"""Names of rows, few enough that transactions meet the same ones."""

TRANSACTIONS_A_PAUSE = 25
"""Transactions between two comparisons."""

FAULTS_A_TRANSACTION = 0.15

DUMPS = 5
"""Attempts at one dump."""

COUNT = mutate("Counter", [("count", "+=", 1)])


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


class Chaos:
    """A client behind proxies, and the faults of these and of the servers."""

    def __init__(self, seed: int, members: Members, client: Client) -> None:
        self.outcome = Outcome()
        self._rng = random.Random(seed)
        self._members = members
        self._client = client
        self._beside = Beside(client, random.Random(seed))
        self._schema = copy.deepcopy(shapes.SCHEMA)
        # ovsdb-server 3.1 cannot read back a difference that is longer than a column's max: a raft member ends, and a
        # server alone starts with what its log held before. So these are only inserted.
        self._changing = [name for name in shapes.COLUMNS if not name.startswith("few_")]

    async def run(self, transactions: int) -> None:
        """Raises AssertionError for what must not be."""
        told, followed = (Followed("Shape", "Counter") for _ in range(2))
        await self._client.transact(shapes.NAME, insert("Counter", {}), timeout=PATIENCE)
        async with (
            self._client.monitor(
                shapes.NAME, {"Shape": None, "Counter": None}, on_change=told.fold, timeout=PATIENCE
            ) as monitor,
            self._beside.over(monitor),
        ):
            consumer = asyncio.create_task(followed.follow(aiter(monitor)))
            for number in range(1, transactions + 1):
                if self._rng.random() < FAULTS_A_TRANSACTION:
                    await self._fault()
                await self._transaction()
                if number % TRANSACTIONS_A_PAUSE == 0 or number == transactions:
                    dumped = await self._compare(monitor, told, followed)
                    await self._beside.compare(dumped, told, last=number == transactions)
            self.outcome.resyncs = monitor.resyncs
        await consumer
        self.outcome.connections = self._members.connections

    # What is written.

    async def _give_up(self) -> None:
        """A transaction whose caller does not wait for it: it may be done all the same."""
        giving_up = asyncio.create_task(self._transaction())
        await asyncio.sleep(self._rng.choice((0, 0.001, 0.01)))
        giving_up.cancel()
        await asyncio.wait([giving_up])
        self.outcome.in_doubt += giving_up.cancelled()

    async def _transaction(self) -> None:
        operations = [self._operation() for _ in range(self._rng.choice((1, 1, 2, 5)))]
        try:
            await self._client.transact(shapes.NAME, *operations, COUNT, timeout=PATIENCE)
        except (TransactionInDoubt, ClusterFailed, NotLeader):
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
        of_servers = self._of_one() if len(self._members.servers) == 1 else self._of_several()
        faults = {**of_servers, **self._beside.happenings(), "give a transaction up": (2, self._give_up)}
        ((name, (_, fault)),) = self._rng.choices(list(faults.items()), [weight for weight, _ in faults.values()])
        self.outcome.faults[name] += 1
        await fault()

    def _of_one(self) -> Mapping[str, tuple[int, Callable[[], Awaitable[None]]]]:
        """Faults with their weights. The one server is back before the next transaction."""
        (server,) = self._members.servers
        return {
            "cut": (6, self._cut),
            "cut after some bytes": (12, self._cut_later),
            "freeze": (2, lambda: self._bounce(kill=False)),
            "restart": (2, lambda: self._bounce(kill=True)),
            "compact": (2, lambda: self._members.compact(server)),
            "convert": (2, self._convert),
            "convert while it connects": (2, self._convert_while_it_connects),
        }

    def _of_several(self) -> Mapping[str, tuple[int, Callable[[], Awaitable[None]]]]:
        """The same for a cluster, most of which goes on without the member that is away."""
        members, chosen = self._members, self._rng.choice(self._members.present)
        return {
            "cut": (12, self._cut),
            "cut after some bytes": (24, self._cut_later),
            "freeze for a while": (2, lambda: members.lose(chosen, kill=False)),
            "kill for a while": (2, lambda: members.lose(chosen, kill=True)),
            "come back": (4, members.heal),
            "restart": (2, lambda: self._bounce(kill=True)),
            "compact": (4, lambda: members.compact(chosen)),
            "convert": (3, self._convert),
            "convert while it connects": (3, self._convert_while_it_connects),
            "move the leader": (2, members.move_leader),
            "forget": (1, members.forget),
        }

    async def _cut(self) -> None:
        for proxy in self._members.proxies:
            proxy.cut()

    async def _cut_later(self) -> None:
        size = self._rng.randrange(4000)
        for proxy in self._members.proxies:
            proxy.cut_after(size)

    async def _bounce(self, *, kill: bool) -> None:
        await self._members.lose(self._rng.choice(self._members.servers), kill=kill)
        await self._members.heal()

    async def _convert(self) -> None:
        """A column more, or one that had come before less."""
        columns = self._schema["tables"]["Shape"]["columns"]
        if columns.pop("extra", None) is None:
            columns["extra"] = {"type": {"key": "integer", "min": 0}}
        major, *_ = str(self._schema["version"]).split(".")
        self._schema["version"] = f"{int(major) + 1}.0.0"
        await self._members.convert(self._rng.choice(self._members.present), self._schema)

    async def _convert_while_it_connects(self) -> None:
        """It has read the schema of before, asks for rows under it, and may lose that connection, too."""
        size, over = self._rng.randrange(200_000), asyncio.Event()

        async def convert() -> None:
            try:
                await self._convert()
            finally:  # a server that drops its clients because of the change ends this, too
                over.set()
            for proxy in self._members.proxies:
                proxy.cut_after(size)

        for proxy in self._members.proxies:
            proxy.hold_back(b'"monitor_cond_since","params":["Shapes"', convert)
        await self._cut()
        await asyncio.wait_for(over.wait(), PATIENCE)
        for proxy in self._members.proxies:
            proxy.pass_on()

    # What must hold.

    async def _compare(self, monitor: LastingMonitor, told: Followed, followed: Followed) -> Tables:
        await self._members.heal()
        await self._beside.settle()
        other = self._beside.monitor
        dumped: dict[str, dict[Uuid, Row]] = {}
        wanted = -1
        # A transaction in doubt may still be done, by a server that was frozen: then all is read again.
        while not wanted == _count(dumped) == _count(monitor.tables) == _count(other.tables):
            wanted, schema = await self._written()
            done, doubt = self.outcome.done, self.outcome.in_doubt
            assert done <= wanted <= done + doubt, f"{done} done and {doubt} in doubt, and {wanted} were counted"
            await monitor.until(_reaches(wanted), timeout=PATIENCE)
            await other.until(_reaches(wanted), timeout=PATIENCE)
            await other.resynced(timeout=PATIENCE)
            if isinstance(monitor.reason, CallbackRaised):
                raise monitor.reason
            await asyncio.wait_for(followed.reaches(told), PATIENCE)
            dumped = await self._dump(schema)
        assert monitor.tables == dumped, difference(monitor.tables, dumped)
        assert told.tables == dumped, difference(told.tables, dumped)
        self.outcome.pauses += 1
        return dumped

    async def _written(self) -> tuple[int, Schema]:
        """How often was counted, with once more by ourselves: what came before is done by then."""
        members = self._members
        async with Client(
            *members.addresses, database=shapes.NAME, leader_only=True, timeout=PATIENCE, probe=PROBE
        ) as writer:
            async with writer.lock(LOCK, timeout=PATIENCE):
                pass
            while True:
                try:
                    _, read = await writer.transact(
                        shapes.NAME, COUNT, select("Counter", columns=["count"]), timeout=PATIENCE
                    )
                except (TransactionInDoubt, ClusterFailed, NotLeader):
                    self.outcome.in_doubt += 1
                else:
                    self.outcome.done += 1
                    return read["rows"][0]["count"], await writer.get_schema(shapes.NAME, timeout=PATIENCE)

    async def _dump(self, schema: Schema) -> dict[str, dict[Uuid, Row]]:
        tables: dict[str, dict[Uuid, Row]] = {}
        for table in map(json.loads, (await self._dumped()).splitlines()):
            name = table["caption"].removesuffix(" table")
            rows = [dict(zip(table["headings"], row, strict=True)) for row in table["data"]]
            typed = [dict(schema.table(name).row(row)) for row in rows]
            tables[name] = {row.pop("_uuid"): row for row in typed}
        return tables

    async def _dumped(self) -> str:
        """A server that learns of a conversion drops its clients (ovsdb/ovsdb-server.c, ``main_loop``), a member that
        was away late; and ``ovsdb-client`` does not connect again."""
        for again in range(DUMPS):
            server = await self._members.leader()
            argv = [str(server.programs.path("ovsdb-client")), "--no-leader-only", "-f", "json", "dump"]
            done = await asyncio.to_thread(
                subprocess.run,
                [*argv, str(server.address), shapes.NAME],
                env=server.programs.environment(),
                capture_output=True,
                text=True,
            )
            if done.returncode == 0:
                return done.stdout
            await asyncio.sleep(again)
        raise AssertionError(f"ovsdb-client dump failed {DUMPS} times: {done.stderr}")


def _reaches(wanted: int) -> Callable[[Tables], bool]:
    return lambda tables: _count(tables) >= wanted


def _count(tables: Tables) -> int:
    return max((row["count"] for row in tables.get("Counter", {}).values()), default=-1)


async def chaos(seed: int, transactions: int, *, members: int = 1, clustered: bool = False) -> Outcome:
    """A run with servers of its own; several ``members`` are a cluster. Raises AssertionError, which names the seed."""
    clustered = clustered or members > 1
    directory = Path(tempfile.mkdtemp(prefix="chaos-"))
    servers = Members(directory, members)
    tasks, descriptors = asyncio.all_tasks(), _descriptors()
    try:
        servers.create(clustered=clustered)
        async with AsyncExitStack() as stack:
            await servers.start(stack)
            client = _client(seed, servers)
            run = Chaos(seed, servers, await stack.enter_async_context(client))
            await run.run(transactions)
        servers.kill()
        await _nothing_left(tasks, descriptors)
        return run.outcome
    except (AssertionError, PeerError) as error:
        raise AssertionError(
            f"seed {seed}, {transactions} transactions, members={members}, clustered={clustered}: {error}"
        ) from error
    finally:
        servers.kill()
        shutil.rmtree(directory, ignore_errors=True)


def _client(seed: int, servers: Members) -> Client:
    """Of one server any silence is borne; of several the one that is silent is left. Odd seeds want the leader."""
    remotes = [str(proxy.address) for proxy in servers.proxies]
    if len(remotes) == 1:
        return Client(*remotes, timeout=PATIENCE, probe=None)
    return Client(
        *remotes,
        database=shapes.NAME,
        leader_only=seed % 2 == 1,
        timeout=PATIENCE,
        probe=PROBE,
        rng=random.Random(seed),
    )


def _descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


async def _nothing_left(tasks: set[asyncio.Task[Any]], descriptors: set[str]) -> None:
    """Return when all tasks and descriptors of a run are gone; closing takes the loop a few turns."""
    async with asyncio.timeout(PATIENCE):
        while asyncio.all_tasks() - tasks or len(_descriptors()) > len(descriptors):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
