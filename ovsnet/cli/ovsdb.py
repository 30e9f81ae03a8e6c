"""``ovsnet ovsdb``: read and write any OVSDB database, as ovs-vsctl and ovn-nbctl do theirs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import click
import msgspec

from ovsnet.cli.groups import CommandGroup
from ovsnet.cli.options import Whole
from ovsnet.cli.ovsdb_target import Target, with_target
from ovsnet.cli.ovsdb_values import condition_of, plain, setting_of, shown, table_lines
from ovsnet.cli.terminal import say
from ovsnet.errors import ConfigError, DeadlineExceeded, UsageError
from ovsnet.files import MOST_DOCUMENT, read_bytes
from ovsnet.ovsdb import Changes, LiveDatabase, Row, Schema, Table
from ovsnet.ovsdb.atoms import key_in
from ovsnet.ovsdb.errors import NoSuchRow

T = TypeVar("T")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_COLUMNS = click.option("--columns", default="", metavar="A,B", help="Columns to print. [all]")
_TABLE = click.argument("table")
_RECORD = click.argument("record")


@click.group(cls=CommandGroup)
def ovsdb() -> None:
    """Read and write any OVSDB database.

    A RECORD is a row's name or UUID, or a dot for the only row of a table such as Open_vSwitch. Nothing waits longer
    than --timeout.
    """


@ovsdb.command(name="list")
@with_target
@_COLUMNS
@_JSON
@_TABLE
@click.argument("records", nargs=-1)
def list_(target: Target, columns: str, as_json: bool, table: str, records: tuple[str, ...]) -> None:
    """Print all rows of TABLE, or the named ones."""

    async def read(db: LiveDatabase) -> tuple[Schema, list[Row]]:
        schema, wanted = await db.schema(), _names(columns)
        if not records:
            return schema, await db.find(table, columns=wanted or None)
        return schema, [await db.get(table, _record(each), *wanted) for each in records]

    schema, rows = _run(target, read)
    _print_rows(schema.table(table), rows, _names(columns), as_json=as_json)


@ovsdb.command()
@with_target
@_JSON
@_TABLE
@_RECORD
@click.argument("columns", nargs=-1, metavar="[COLUMN[:KEY]]...")
def get(target: Target, as_json: bool, table: str, record: str, columns: tuple[str, ...]) -> None:
    """Print columns of one row, or keys in them, one per line. Exit code 1 when there is no such row or key."""
    names = [each.partition(":")[0] for each in columns]

    async def read(db: LiveDatabase) -> dict[str, object]:
        row = await db.get(table, _record(record), *names)
        return {each: _part(row, each) for each in columns or row}

    found = _run(target, read)
    if as_json:
        say(json.dumps({name: plain(value) for name, value in found.items()}, ensure_ascii=False))
        return
    for name, value in found.items():
        say(shown(value) if columns else f"{name}: {shown(value)}")


@ovsdb.command()
@with_target
@_COLUMNS
@_JSON
@_TABLE
@click.argument("conditions", nargs=-1, metavar="[COLUMN[:KEY]=VALUE]...")
def find(target: Target, columns: str, as_json: bool, table: str, conditions: tuple[str, ...]) -> None:
    """Print the rows that meet all conditions. Besides =, the operators != < <= > >= and ~= (includes) work too."""

    async def read(db: LiveDatabase) -> tuple[Schema, list[Row]]:
        schema = await db.schema()
        asked = [condition_of(schema.table(table), each) for each in conditions]
        return schema, await db.find(table, *asked, columns=_names(columns) or None)

    schema, rows = _run(target, read)
    _print_rows(schema.table(table), rows, _names(columns), as_json=as_json)


@ovsdb.command(name="set")
@with_target
@click.option("--json", "as_json", is_flag=True, help="Print the row as JSON.")
@_TABLE
@_RECORD
@click.argument("settings_of", nargs=-1, required=True, metavar="COLUMN[:KEY]=VALUE...")
def set_(target: Target, as_json: bool, table: str, record: str, settings_of: tuple[str, ...]) -> None:
    """Set columns of a row, or keys of a map. All or nothing, and checked against the schema first."""

    async def write(db: LiveDatabase) -> Row | None:
        known = (await db.schema()).table(table)
        await db.set(table, _record(record), dict(setting_of(known, each) for each in settings_of))
        return await db.get(table, _record(record)) if as_json else None

    _print_row(_run(target, write))


@ovsdb.command()
@with_target
@click.argument("operations")
def transact(target: Target, operations: str) -> None:
    """Run OPERATIONS, a JSON array as in RFC 7047 section 5.2, and print their results."""
    try:
        decoded = msgspec.json.decode(operations, type=list[dict[str, object]])
    except msgspec.MsgspecError as error:
        raise UsageError(f"The operations are not a JSON array of objects: {error}.") from error
    results = _run(target, lambda db: db.transact(*decoded))
    say(json.dumps(results, ensure_ascii=False))


@ovsdb.command()
@with_target
@click.option("--count", type=Whole(1), help="Exit after this many transactions (the initial rows do not count).")
@_JSON
@click.argument("tables", nargs=-1, required=True, metavar="TABLE[:COLUMN,...]...")
def monitor(target: Target, count: int | None, as_json: bool, tables: tuple[str, ...]) -> None:
    """Print the rows of TABLE, then every change, across restarts of the server, until interrupted."""
    wanted = {name: _names(columns) or None for name, _, columns in (each.partition(":") for each in tables)}

    async def follow(db: LiveDatabase) -> None:
        left = count
        async with db.monitor(wanted, timeout=target.timeout) as copy:
            for each in sorted(copy.missing):
                say(f"This server has no {each}.", err=True)
            async for changes in copy:
                _print_changes(changes, as_json=as_json)
                if left is not None and (left := left - changes.transactions) <= 0:
                    return

    _run(target, follow)


@ovsdb.command()
@with_target
@_JSON
@click.argument("tables", nargs=-1)
def dump(target: Target, as_json: bool, tables: tuple[str, ...]) -> None:
    """Print all rows of all tables, or of the named ones, as of one moment."""

    async def read(db: LiveDatabase) -> tuple[Schema, dict[str, list[Row]]]:
        schema = await db.schema()
        async with db.transaction() as t:
            found = {name: t.select(name) for name in tables or sorted(schema.tables)}
        return schema, {name: selected.rows for name, selected in found.items()}

    schema, found = _run(target, read)
    if as_json:
        say(json.dumps({name: [_plain_row(row) for row in rows] for name, rows in found.items()}, ensure_ascii=False))
        return
    for name, rows in found.items():
        if rows:
            say(f"{name}")
            _print_rows(schema.table(name), rows, (), as_json=False)
            say("")


@ovsdb.command()
@with_target
@click.option("--json", "as_json", is_flag=True, help="Print the columns that the conditions name, as JSON.")
@_TABLE
@_RECORD
@click.argument("conditions", nargs=-1, metavar="[COLUMN[:KEY]=VALUE]...")
def wait(target: Target, as_json: bool, table: str, record: str, conditions: tuple[str, ...]) -> None:
    """Block until a row exists and meets all conditions. Exit code 1 when it does not within --timeout."""

    async def until(db: LiveDatabase) -> Row | None:
        known = (await db.schema()).table(table)
        asked = [condition_of(known, each) for each in conditions]
        try:
            return await db.wait_until(table, _record(record), *asked, timeout=target.timeout)
        except DeadlineExceeded as error:
            say(f"{error}", err=True)
            return None

    row = _run(target, until)
    if row is None:
        raise click.exceptions.Exit(1)
    _print_row(row if as_json else None)


@ovsdb.command()
@click.argument("schema", type=click.Path(path_type=Path))
def generate(schema: Path) -> None:
    """Print a Python module with a class for the rows of each table of SCHEMA, such as vswitch.ovsschema."""
    from ovsnet.ovsdb.generate import module_of
    from ovsnet.ovsdb.schema import parse_schema

    try:
        document = msgspec.json.decode(read_bytes(schema, MOST_DOCUMENT))
    except OSError as error:
        remedy = "Name a schema, such as /usr/share/openvswitch/vswitch.ovsschema."
        raise ConfigError(f"The schema {schema} cannot be read: {error.strerror or error}.", remedy=remedy) from error
    except (ValueError, msgspec.MsgspecError) as error:
        raise ConfigError(f"The schema {schema} cannot be read: {error}.") from error
    say(module_of(parse_schema(document)), nl=False)


def _run(target: Target, work: Callable[[LiveDatabase], Awaitable[T]]) -> T:
    async def run() -> T:
        async with target.database() as db:
            return await work(db)

    try:
        return asyncio.run(run())
    except NoSuchRow as error:
        say(f"{error}", err=True)
        raise click.exceptions.Exit(1) from None


def _record(text: str) -> str | None:
    return None if text == "." else text


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _part(row: Row, place: str) -> object:
    name, colon, key = place.partition(":")
    value = row[name]
    if not colon:
        return value
    found = key_in(value, key) if isinstance(value, Mapping) else None
    if found is None:
        raise NoSuchRow(f"Column {name} has no key {key}.")
    return value[found]


def _print_row(row: Row | None) -> None:
    if row is not None:
        say(json.dumps(_plain_row(row), ensure_ascii=False))


def _print_rows(table: Table, rows: Sequence[Row], columns: Iterable[str], *, as_json: bool) -> None:
    if as_json:
        say(json.dumps([_plain_row(row) for row in rows], ensure_ascii=False))
        return
    named = tuple(columns) or ("_uuid", *(name for name in sorted(table.columns)))
    for line in table_lines(rows, named):
        say(line)


def _print_changes(changes: Changes, *, as_json: bool) -> None:
    if as_json:
        document = {
            "transactions": changes.transactions,
            "resynced": changes.resynced,
            "changes": [
                {
                    "table": each.table,
                    "uuid": each.uuid,
                    "old": None if each.old is None else _plain_row(each.old),
                    "new": None if each.new is None else _plain_row(each.new),
                }
                for each in changes
            ],
        }
        say(json.dumps(document, ensure_ascii=False))
        return
    for each in changes:
        sign = "+" if each.old is None else "-" if each.new is None else "~"
        old, new = each.old or {}, each.new or {}
        differing = [name for name in {**old, **new} if name not in old or name not in new or old[name] != new[name]]
        row = new if each.new is not None else old
        say(f"{sign} {each.table} {each.uuid} " + " ".join(f"{name}={shown(row[name])}" for name in differing))


def _plain_row(row: Row) -> dict[str, object]:
    return {name: plain(value) for name, value in row.items()}
