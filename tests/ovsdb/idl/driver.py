"""What ovsdb-idl.at asks of the IDL, asked of our client: steps, and after each what the copy holds and what was told.

The schema is ours, with a table for each thing that these cases are about.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ovsnet import unixctl
from ovsnet.io.address import Address
from ovsnet.ovsdb import Change, Client, LastingMonitor, LiveDatabase, Session, Tables, Transaction, Uuid, connect
from ovsnet.ovsdb.operations import Operation
from ovsnet.ovsdb.selection import Where
from ovsnet.sandbox.binaries import find
from tests.ovsdb.conftest import Server
from tests.ovsdb.proxy import Proxy, proxied
from tests.patience import PATIENCE

NAME = "Cases"
MANY: dict[str, Any] = {"min": 0, "max": "unlimited"}


def _refers(table: str, kind: str = "strong") -> dict[str, str]:
    return {"type": "uuid", "refTable": table, "refType": kind}


def _table(*, root: bool = True, **columns: Any) -> dict[str, Any]:
    return {"columns": {name: {"type": kind} for name, kind in columns.items()}, "isRoot": root}


SCHEMA: dict[str, Any] = {
    "name": NAME,
    "version": "1.0.0",
    "tables": {
        "Plain": _table(
            number="integer",
            real="real",
            flag="boolean",
            text="string",
            id="uuid",
            numbers={"key": "integer", **MANY},
            reals={"key": "real", **MANY},
            maybe={"key": "boolean", "min": 0},
            texts={"key": "string", **MANY},
            ids={"key": "uuid", **MANY},
        ),
        "Node": _table(
            number="integer",
            next={"key": _refers("Node")},
            nexts={"key": _refers("Node"), **MANY},
            link={"key": _refers("Link"), "min": 0},
        ),
        "Link": _table(number="integer", node={"key": _refers("Node"), "min": 0}),
        "Unique": {**_table(number="integer"), "indexes": [["number"]]},
        "Single": {**_table(name="string"), "maxRows": 1},
        "Maps": _table(
            name="string",
            texts={"key": "string", "value": "string", **MANY},
            names={"key": "integer", "value": "string", **MANY},
        ),
        "Sets": _table(name="string", ids={"key": "uuid", **MANY}, parts={"key": _refers("Part"), **MANY}),
        "Part": _table(root=False, name="string"),
        "Numbered": _table(name="string", sets={"key": "integer", "value": _refers("Sets"), **MANY}),
        "Weak": _table(name="string", rows={"key": _refers("Plain", "weak"), **MANY}),
    },
}

State = Mapping[str, Sequence[Mapping[str, object]]]


@dataclass(frozen=True)
class Step:
    """``state`` are the rows by table, without what is as by default; ``told`` is what consumers were told of them."""

    do: Callable[[World], Awaitable[None]]
    state: State
    told: Sequence[str] | None = None


@dataclass(frozen=True)
class Case:
    """``title`` is that of ovsdb-idl.at. ``lacking`` are tables and columns that the server's schema has not."""

    title: str
    steps: tuple[Step, ...]
    lacking: frozenset[str] = frozenset()
    columns: Mapping[str, Sequence[str]] | None = None
    conditional: bool = True


class World:
    """A server, its client with a copy of everything, and another session that changes things."""

    def __init__(self, other: Session, client: Client, proxy: Proxy) -> None:
        self.other = other
        self.client = client
        self.proxy = proxy
        self.db = LiveDatabase(client, NAME, timeout=PATIENCE)
        self.monitor: LastingMonitor
        self.told: list[str] = []

    async def settle(self) -> None:
        """Return when the copy has all that was done. A server sends updates before its answers."""
        await self.monitor.resynced(timeout=PATIENCE)
        await (await self.client.connected(timeout=PATIENCE)).echo(timeout=PATIENCE)

    def uuid(self, table: str, label: object) -> Uuid:
        """The row of this number or name."""
        (found,) = (uuid for uuid, row in self.monitor.tables[table].items() if _label(row) == label)
        return found

    def row(self, table: str, label: object) -> Mapping[str, Any]:
        return self.monitor.tables[table][self.uuid(table, label)]

    def take_told(self) -> list[str]:
        told, self.told = sorted(self.told), []
        return told


# Steps.


async def begin(world: World) -> None:
    """Nothing: what the copy has from the beginning."""


def outside(*operations: Operation) -> Callable[[World], Awaitable[None]]:
    """Somebody else does this."""

    async def do(world: World) -> None:
        await world.other.transact(NAME, *operations, timeout=PATIENCE)

    return do


def refused(kind: type[Exception], *operations: Operation) -> Callable[[World], Awaitable[None]]:
    """Somebody else tries this."""

    async def do(world: World) -> None:
        try:
            await world.other.transact(NAME, *operations, timeout=PATIENCE)
        except kind:
            return
        raise AssertionError(f"{kind.__name__} was not raised")

    return do


def inside(build: Callable[[Transaction, World], object]) -> Callable[[World], Awaitable[None]]:
    """The client does this, in one transaction."""

    async def do(world: World) -> None:
        async with world.db.transaction(timeout=PATIENCE) as t:
            build(t, world)

    return do


def given_up(build: Callable[[Transaction, World], object]) -> Callable[[World], Awaitable[None]]:
    """The client begins this and does not go through with it."""

    async def do(world: World) -> None:
        with suppress(InterruptedError):
            async with world.db.transaction(timeout=PATIENCE) as t:
                build(t, world)
                raise InterruptedError

    return do


def asks(where: Where) -> Callable[[World], Awaitable[None]]:
    """The client wants other rows."""

    async def do(world: World) -> None:
        await world.monitor.set_conditions(where, timeout=PATIENCE)

    return do


async def reconnects(world: World) -> None:
    """The connection is cut, and there is another."""
    session = await world.client.connected(timeout=PATIENCE)
    world.proxy.cut()
    await session.channel.closed


# What comes of them.


def render(tables: Tables, defaults: Mapping[str, Mapping[str, object]]) -> State:
    """Rows by their number or name, and so what refers to them; ``?`` for a row that is not in the copy."""
    labels = {uuid: _label(row) for rows in tables.values() for uuid, row in rows.items()}
    return {
        table: sorted(
            (
                {
                    name: _read(table, name, value, labels)
                    for name, value in row.items()
                    if value != defaults[table][name]
                }
                for row in rows.values()
            ),
            key=lambda row: str(_label(row)),
        )
        for table, rows in tables.items()
        if rows
    }


def _label(row: Mapping[str, Any]) -> object:
    return row.get("name", row.get("number", 0))


def _read(table: str, column: str, value: Any, labels: Mapping[Uuid, object]) -> object:
    if "refTable" not in json.dumps(SCHEMA["tables"][table]["columns"][column]):
        return set(value) if isinstance(value, frozenset) else value
    if isinstance(value, frozenset):
        return {labels.get(each, "?") for each in value}
    if isinstance(value, dict):
        return {key: labels.get(each, "?") for key, each in value.items()}
    return labels.get(value, "?")


def _said(change: Change) -> str:
    """``+`` for a new row, ``-`` for one that is gone, else the columns that changed."""
    if change.new is None:
        return f"-{change.table} {_label(change.old or {})}"
    if change.old is None:
        return f"+{change.table} {_label(change.new)}"
    columns = sorted(name for name, value in change.new.items() if change.old.get(name) != value)
    return f"{change.table} {_label(change.new)}: {' '.join(columns)}"


def schema_without(lacking: frozenset[str]) -> dict[str, Any]:
    schema = deepcopy(SCHEMA)
    for name in lacking:
        table, _, column = name.partition(".")
        if column:
            del schema["tables"][table]["columns"][column]
        else:
            del schema["tables"][table]
    return schema


@asynccontextmanager
async def served(server: Server, case: Case) -> AsyncIterator[World]:
    """A world with the database of ``server``."""
    async with AsyncExitStack() as stack:
        if not case.conditional:
            async with await unixctl.connect(Address.unix(server.directory / "ctl"), timeout=PATIENCE) as control:
                await control.call("ovsdb-server/disable-monitor-cond", timeout=PATIENCE)
        other = await stack.enter_async_context(connect(server.address, timeout=PATIENCE))
        proxy = await stack.enter_async_context(proxied(server.path + ".p", server.path))
        client = await stack.enter_async_context(Client(proxy.address, probe=None, timeout=PATIENCE))
        yield World(other, client, proxy)


async def play(case: Case, world: World) -> None:
    """Do all steps. The copy, what is folded of what was told, and what the case wants are one."""
    before, *steps = case.steps
    await before.do(world)
    every = {name: list(table["columns"]) for name, table in SCHEMA["tables"].items()}
    tables = case.columns or every
    world.monitor = await world.client.monitor(
        NAME,
        tables,
        on_change=lambda changes: world.told.extend(map(_said, changes)),
        timeout=PATIENCE,
    )
    assert world.monitor.missing == case.lacking
    known = (await world.other.get_schema(NAME, timeout=PATIENCE)).tables
    defaults = {name: {each: column.default for each, column in t.columns.items()} for name, t in known.items()}
    for number, step in enumerate([Step(begin, before.state, before.told), *steps]):
        await step.do(world)
        await world.settle()
        found, told = render(world.monitor.tables, defaults), world.take_told()
        assert found == step.state, f"step {number} of {case.title}: {found} is not {step.state}"
        assert step.told is None or told == sorted(step.told), f"step {number} of {case.title}: told {told}"


def made(directory: Path, lacking: frozenset[str]) -> Server:
    """A server that is not started, with the database."""
    server = Server(directory, find())
    (directory / "cases.ovsschema").write_text(json.dumps(schema_without(lacking)))
    server.tool("create", "cases.db", "cases.ovsschema")
    return server
