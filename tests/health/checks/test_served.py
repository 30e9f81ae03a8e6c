"""The servers of NB and SB on this host, asked on a real node."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ovsnet import ovsdb
from ovsnet.health.checks.clients import judge_clients, usage
from ovsnet.health.checks.databases import judge_schema
from ovsnet.health.checks.result import Result, Status
from ovsnet.node.clients import Client
from ovsnet.node.components import NB, SB, Component
from ovsnet.sandbox.node import Sandbox
from tests.faults.central import silent_client, tcp_remote
from tests.health.checks.conftest import Asking


async def test_both_are_served(shared_node: Sandbox, asking: Asking) -> None:
    async with asking(shared_node) as ask:
        for name, database in (("nb", "OVN_Northbound"), ("sb", "OVN_Southbound")):
            said, storage = await ask(f"{name}.echo"), await ask(f"{name}.storage")
            assert (said.status, storage.status) == (Status.OK, Status.OK)
            assert database in said.detail
            assert (said.rtt_seconds or 0) > 0


@pytest.mark.restored
@pytest.mark.parametrize("held", [True, False])
async def test_killed_northbound_is_gone(node: Sandbox, asking: Asking, held: bool) -> None:
    async with asking(node) as ask:
        if held:
            assert (await ask("nb.echo")).status is Status.OK
        await node.kill("ovn-nb")
        gone, dependant = await ask("nb.echo"), await ask("nb.storage")
        await node.start("ovn-nb")
        again = await ask.until("nb.echo", lambda now: now.status is Status.OK)
    assert (gone.status, gone.reason) == (Status.FAILED, "gone")
    assert dependant.status is Status.SKIPPED
    assert again.status is Status.OK


@pytest.mark.restored
@pytest.mark.parametrize("end", ["kill", "freeze"])
async def test_server_that_the_node_uses_is_judged_once(node: Sandbox, asking: Asking, end: str) -> None:
    async with asking(node, timeout=0.5, hung_after=0.1) as ask:
        await getattr(node, end)("ovn-sb")
        judged, beside = await ask("southbound.echo"), await ask("sb.echo")
    assert judged.status is Status.FAILED
    assert (beside.status, beside.reason) == (Status.SKIPPED, "precondition")
    assert "southbound.echo" in beside.detail


async def test_server_that_the_node_does_not_use_is_judged_here(node: Sandbox, asking: Asking) -> None:
    """As on the hosts of a cluster, whose ovn-controller knows all members by their addresses."""
    await node.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", "external_ids:ovn-remote=tcp:192.0.2.1:6642")
    async with asking(node) as ask:
        assert (await ask("southbound.echo")).reason == "not-used"
        assert (await ask("sb.echo")).status is Status.OK
        await node.kill("ovn-sb")
        said = await ask("sb.echo")
    assert (said.status, said.reason) == (Status.FAILED, "gone")


async def test_server_of_another_database_is_told(node: Sandbox, asking: Asking) -> None:
    own, kept = node.rundir / "ovnnb_db.sock", node.rundir / "kept"
    shutil.move(own, kept)
    own.symlink_to("ovnsb_db.sock")
    async with asking(node) as ask:
        said = await ask("nb.echo")
    assert (said.status, said.reason) == (Status.FAILED, "database-foreign")


async def test_clients_and_what_waits_for_them_are_counted(shared_node: Sandbox, asking: Asking) -> None:
    async with asking(shared_node) as ask:
        for name in ("nb", "sb"):
            said = await ask(f"{name}.clients")
            assert said.status is Status.OK
            assert int(said.values["clients"]) >= 2, "ovn-northd and we"
            assert int(said.values["cells"]) > 0
            assert said.values["backlog_bytes"] == 0


async def test_clients_are_counted_by_remote(node: Sandbox, asking: Asking) -> None:
    port = await tcp_remote(node)
    async with asking(node) as ask, ovsdb.connect(f"tcp:127.0.0.1:{port}"), ovsdb.connect(f"tcp:127.0.0.1:{port}"):
        said = await ask("nb.clients")
    assert said.values[f"clients:{port}"] == 2
    assert int(said.values["clients:ovnnb_db.sock"]) >= 2, "ovn-northd and we"
    assert said.values["clients"] == 2 + int(said.values["clients:ovnnb_db.sock"])


async def test_name_of_a_socket_does_nothing_where_it_is_shown(node: Sandbox, asking: Asking) -> None:
    """The northbound names its remotes itself."""
    path = node.rundir / "e\x1b\u202e"
    control = ("ovs-appctl", "-t", str(node.rundir / "ovnnb_db.ctl"))
    await node.run(*control, "ovsdb-server/add-remote", f"punix:{path}")
    async with asking(node) as ask, ovsdb.connect(f"unix:{path}"):
        said = await ask("nb.clients")
    assert said.values[r"clients:e\u001b\u202e"] == 1


def by_remote(result: Result) -> int:
    return sum(int(count) for name, count in result.values.items() if name.startswith("clients:"))


async def test_other_members_of_a_cluster_are_no_clients(asking: Asking) -> None:
    async with Sandbox(raft=True, ports=1) as cluster:
        await cluster.wait_ready()
        for end in ("sock", "ctl", "pid"):
            (cluster.rundir / f"ovnsb_db.{end}").symlink_to(f"ovnsb1_db.{end}")
        async with asking(cluster) as ask:
            await ask.until("sb.clients", lambda now: by_remote(now) == now.values.get("clients"))


async def test_client_that_takes_nothing_is_named_and_its_end_heals(node: Sandbox, asking: Asking) -> None:
    port = await tcp_remote(node)
    async with asking(node, broken_after=0.5) as ask:
        assert (await ask("nb.clients")).status is Status.OK
        with silent_client(port) as own_port:
            first = await ask.until("nb.clients", lambda now: int(now.values["backlog_bytes"]) > 0)
            told = await ask.until("nb.clients", lambda now: now.status is Status.FAILED)
        await ask.until("nb.clients", lambda now: now.status is Status.OK and now.values["backlog_bytes"] == 0)
    assert first.status is Status.OK, "for a moment it is usual"
    assert (told.reason, told.values["stalled"]) == ("client-stalled", 1)
    assert told.facts == {"host": "127.0.0.1", "port": str(own_port), "database": "OVN_Northbound"}


def test_of_several_that_take_nothing_the_first_is_named() -> None:
    used = usage("sessions:3 backlog:4096")
    ends = [Client("6642", inode, f"192.0.2.{inode}", 40000, 9000) for inode in (1, 2)]
    said = judge_clients(used, ends, {ends[0]: 70.0, ends[1]: 200.0}, SB)
    assert (said.facts["host"], said.values["clients:6642"]) == ("192.0.2.2", 2)
    assert said.detail.startswith("2 of 2 clients take nothing more from OVN_Southbound, for longest 192.0.2.2 ")


def test_what_a_server_does_not_count_is_nothing() -> None:
    assert usage("atoms:9 backlog:4096 cells:7 sessions:x") == {
        "clients": 0,
        "monitors": 0,
        "backlog_bytes": 4096,
        "members_backlog_kilobytes": 0,
        "cells": 7,
    }


@pytest.mark.parametrize("component", [NB, SB], ids=lambda each: each.name)
async def test_older_schema_is_told_and_the_new_one_is_well(
    node: Sandbox, asking: Asking, tmp_path: Path, component: Component
) -> None:
    server, check = f"unix:{node.rundir}/{component.sockets[0]}", f"{component.name}.schema"
    schema = await node.run("ovsdb-client", "get-schema", server, component.database)
    old, new = tmp_path / "old", tmp_path / "new"
    new.write_text(schema)
    old.write_text(json.dumps(json.loads(schema) | {"version": "1.0.0"}))
    async with asking(node) as ask:
        well = await ask(check)
        await node.run("ovsdb-client", "convert", server, str(old))
        told = await ask(check)
        await node.run("ovsdb-client", "convert", server, str(new))
        again = await ask(check)
    assert (well.status, again.status) == (Status.OK, Status.OK)
    assert (told.status, told.reason) == (Status.FAILED, "schema-old")
    wanted = json.loads(schema)["version"]
    assert told.facts == {"address": server, "wanted": wanted, "file": f"ovn-{component.name}.ovsschema"}


@pytest.mark.parametrize(
    ("found", "wanted", "reason"),
    [
        ("20.27.0", "20.27.0", ""),
        ("20.33.0", "20.27.0", ""),
        ("20.9.0", "20.27.0", "schema-old"),
        ("20.27.0", "", "not-used"),
        ("", "20.27.0", "not-used"),
    ],
)
def test_schemas_are_compared_by_number(found: str, wanted: str, reason: str) -> None:
    assert judge_schema(SB, found, wanted, "unix:/run/ovn/ovnsb_db.sock").reason == reason
