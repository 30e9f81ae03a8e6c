"""A file as a user writes it, with every name that the two clients export: a strict type checker agrees to it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ovsnet import openflow, ovsdb
from ovsnet.ovsdb.generate import module_of
from tests.ovsdb.test_rows import real_schema

USE = """
from collections.abc import Mapping
from contextlib import aclosing
from typing import TypeVar
from ovsnet import openflow, ovsdb
from ovsnet.errors import OvsnetError, PeerError
from rows import Bridge, Interface

T = TypeVar("T", bound=ovsdb.TypedRow)

def first_of(rows: Mapping[ovsdb.Uuid, T]) -> T:
    return next(iter(rows.values()))

async def client() -> None:
    tls = ovsdb.Tls("key.pem", "certificate.pem", "ca.pem")
    remotes = ovsdb.Address.of("ssl:127.0.0.1:6641"), "unix:/run/openvswitch/db.sock"
    async with ovsdb.Client(*remotes, database="Open_vSwitch", leader_only=True, wait=False, tls=tls) as client:
        status: ovsdb.Status = await client.until("up", timeout=5.0)
        state: ovsdb.ClientState = status.state
        why: OvsnetError | None = status.reason
        async for each in client.changes():
            state = each.state
        served: list[str] = await client.list_dbs()
        await whole(client["Open_vSwitch"])
        await read_and_write(client["Open_vSwitch"])
        await written(client["Open_vSwitch"])

async def whole(db: ovsdb.LiveDatabase) -> None:
    where: dict[str, list[ovsdb.Condition]] = {"Interface": [("type", "==", "patch")]}
    async with db.monitor({"Interface": None}, where=where, on_change=told, widen=True) as monitor:
        lasting: ovsdb.LastingMonitor = monitor
        await lasting.set_conditions({})
        await lasting.until(lambda tables: tables["Interface"], timeout=5.0)
        await lasting.resynced(timeout=5.0)
        async for changes in lasting:
            old = [change.old for change in changes if not changes.coalesced]
        tables: ovsdb.Tables = lasting.tables
        uuid, row = next(iter(tables["Interface"].items()))
        first: Interface = ovsdb.row_as(Interface, row, uuid)
        interfaces: dict[ovsdb.Uuid, Interface] = lasting.rows_as(Interface)
        port: int | None = first_of(interfaces).ofport
        index: ovsdb.Index = lasting.index("Interface", "external_ids:iface-id")
        named: ovsdb.Row = index.get("lsp1")
        found: dict[ovsdb.Uuid, ovsdb.Row] = index.find("lsp1")
        synced, resyncs, missing = lasting.synced, lasting.resyncs, sorted(lasting.missing)

def told(changes: ovsdb.Changes) -> None:
    first: ovsdb.Change = changes[0]
    print(first.table, first.uuid == ovsdb.NO_UUID, changes.transactions, changes.resumed, changes.resynced)

async def read_and_write(db: ovsdb.Database) -> None:
    bridges: list[Bridge] = await db.find_as(Bridge, ("name", "==", "br0"))
    name: str = bridges[0].name
    mode: str | None = bridges[0].fail_mode
    vlans: frozenset[int] = bridges[0].flood_vlans
    ids: Mapping[str, str] = bridges[0].external_ids
    row: ovsdb.Row = await db.get("Bridge", "br0", "name")
    rows: list[ovsdb.Row] = await db.find("Bridge", columns=["name"])
    await db.set("Bridge", "br0", {"other_config:hwaddr": "02:00:00:00:00:01"}, fail_mode="secure")
    await db.add("Bridge", "br0", "flood_vlans", 7)
    await db.remove("Bridge", "br0", "flood_vlans", [7])
    row = await db.wait_until("Interface", "br0", ("ofport", "!=", None), timeout=5.0)
    schema: ovsdb.Schema = await db.schema()
    table: ovsdb.Table = schema.table("Bridge")
    column: ovsdb.Column = table.column("fail_mode")
    default: ovsdb.Value = column.default
    operation: ovsdb.Operation = ovsdb.operations.insert("Bridge", {"name": "br0"})
    try:
        await db.transact(operation)
    except ovsdb.errors.Refused as refused:
        print(refused, refused.remedy)

async def written(db: ovsdb.Database) -> None:
    mutation: ovsdb.Mutation = ("flood_vlans", "insert", [7])
    async with db.lock("l", steal=True) as lock, db.transaction(comment="x", durable=True) as t:
        transaction: ovsdb.Transaction = t
        held: ovsdb.Lock = lock
        made: ovsdb.Inserted = t.insert("Bridge", name="br0")
        reference: ovsdb.Uuid | ovsdb.NamedUuid = made
        t.assert_lock(held)
        counted: ovsdb.Counted = t.update("Bridge", [("name", "==", "br0")], fail_mode="secure")
        counted = t.mutate("Bridge", made, mutation)
        counted = t.delete("Bridge", [])
        selected: ovsdb.Selected = t.select("Bridge", columns=["name"])
        t.wait("Bridge", [("name", "==", "br0")], [{"name": "br0"}], columns=["name"])
    uuid: ovsdb.Uuid = made.uuid
    number: int = counted.count
    rows: list[ovsdb.Row] = selected.rows
    lost: ovsdb.Ending = held.lost
    reason: PeerError = await lost

async def session() -> None:
    async with ovsdb.connect("tcp:127.0.0.1:6640", "ssl:127.0.0.1:6641") as session:
        held: ovsdb.Session = session
        seconds: float = await session.echo()
        db: ovsdb.SessionDatabase = session["Open_vSwitch"]
        await read_and_write(db)
        async with db.lock("l") as lock, db.monitor({"Bridge": ["name"]}) as copy:
            holds: bool = lock.held
            old: ovsdb.Monitor = copy
        monitor: ovsdb.Monitor = await session.monitor("Open_vSwitch", {"Bridge": ["name"]}, since=old)
        queued: ovsdb.Lock = await session.lock("m")
        await queued.acquired(timeout=5.0)
        ended: PeerError = await session.closed

async def bridge() -> None:
    versions = frozenset({openflow.Version.OF13}) & openflow.ALL_VERSIONS
    async with openflow.Client("unix:/run/openvswitch/br-int.mgmt", versions=versions) as client:
        status: openflow.Status = await client.until("up", timeout=5.0)
        state: openflow.ClientState = client.state
        async with aclosing(client.flow_monitor(table=0)) as monitor:
            async for changes in monitor:
                batch: openflow.FlowChanges = changes
                change: openflow.FlowChange = batch[0]
        async for port_change in client.port_changes():
            came: openflow.PortChange = port_change
    try:
        async with openflow.connect("unix:/run/openvswitch/br-int.mgmt") as switch:
            session: openflow.Session = switch
            over: openflow.Ending = switch.closed
            await questions(switch)
    except (openflow.NoCommonVersion, openflow.OpenFlowProtocolError) as error:
        print(error.remedy)

async def questions(switch: openflow.Session | openflow.Client) -> None:
    async for flow in switch.flows(table=0, cookie=7):
        one: openflow.Flow = flow
        match: tuple[openflow.Entry, ...] = flow.match
        actions: tuple[openflow.Action, ...] = flow.actions
    features: openflow.Features = await switch.features()
    desc: openflow.Desc = await switch.desc()
    config: openflow.Config = await switch.config()
    reply: openflow.RoleReply = await switch.role()
    role: openflow.Role | int = reply.role
    ports: tuple[openflow.Port, ...] = await switch.ports()
    counters: tuple[openflow.PortStats, ...] = await switch.port_stats()
    queues: tuple[openflow.QueueStats, ...] = await switch.queue_stats()
    tables: tuple[openflow.TableStats, ...] = await switch.tables()
    aggregate: openflow.Aggregate = await switch.aggregate()
    groups: tuple[openflow.Group, ...] = await switch.groups()
    bucket: openflow.Bucket = groups[0].buckets[0]
    group_stats: tuple[openflow.GroupStats, ...] = await switch.group_stats()
    meters: tuple[openflow.Meter, ...] = await switch.meters()
    band: openflow.Band = meters[0].bands[0]
    meter_stats: tuple[openflow.MeterStats, ...] = await switch.meter_stats()
    meter_features: openflow.MeterFeatures = await switch.meter_features()
    await switch.barrier()
    seconds: float = await switch.echo(b"x")
"""


def names_of(module: str) -> set[str]:
    """What is used as an attribute of it."""
    return {
        node.attr
        for node in ast.walk(ast.parse(USE))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == module
    }


@pytest.mark.parametrize("module", [ovsdb, openflow], ids=lambda module: str(module.__name__))
def test_every_public_name_is_used(module: ModuleType) -> None:
    assert names_of(module.__name__.rpartition(".")[2]) == set(module.__all__)


def test_type_checker_agrees_to_generated_rows_and_to_all_that_a_user_writes(tmp_path: Path) -> None:
    (tmp_path / "rows.py").write_text(module_of(real_schema("vswitch.ovsschema")))
    (tmp_path / "use.py").write_text(USE)
    root = Path(__file__).parents[2]
    argv = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(root / ".mypy_cache")]
    environment = {"MYPYPATH": f"{root}:{tmp_path}", "PATH": ""}
    argv += ["--ignore-missing-imports", "--follow-imports=silent", "rows.py", "use.py"]
    done = subprocess.run(argv, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
