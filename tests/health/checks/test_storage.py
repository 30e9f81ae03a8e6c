"""A database whose file system is full, on a real node."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ovsnet.errors import PeerError
from ovsnet.health.cause import State
from ovsnet.health.causes import cause_of, state_of
from ovsnet.health.checks.ovsdb import judge_storage
from ovsnet.health.checks.result import Result, Status
from ovsnet.node.components import Socket
from ovsnet.node.storage import Storage
from ovsnet.sandbox.daemons import Layout
from ovsnet.sandbox.node import Sandbox
from tests.faults.storage import filled, miss_a_change, small_disk, stop_to_write, write_anew
from tests.health.checks.conftest import Asking

FILE = "/etc/openvswitch/conf.db"

SERVERS = {"ovsdb-server": ("conf.db", "ovsdb.storage"), "ovn-sb": ("ovn-sb.db", "southbound.storage")}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
@pytest.mark.parametrize("server", SERVERS)
async def test_full_disk_is_told_and_room_heals_it_without_a_restart(
    node: Sandbox, asking: Asking, server: str
) -> None:
    file, check = SERVERS[server]
    async with small_disk(node, server, file) as disk, asking(node) as ask:
        await ask.until(check, lambda now: now.status is Status.OK)
        with filled(disk):
            result = await ask(check)
            if server == "ovsdb-server":
                with pytest.raises(PeerError, match="No space left on device"):
                    await node.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", f"external_ids:a={'b' * 5000}")
        assert (result.status, result.reason) == (Status.FAILED, "database-not-writable")
        assert result.facts == {"full": str(disk / file), "free": "0 bytes", "directory": str(disk)}
        assert (await ask(check)).status is Status.OK
        await node.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", "external_ids:a=b")


@contextlib.asynccontextmanager
async def member_on_a_small_disk(server: str) -> AsyncIterator[tuple[Sandbox, Path]]:
    """A cluster of the southbound, of which this member has the names of a host's one server, and a disk of its own."""
    async with Sandbox(raft=True, ports=1) as cluster:
        await cluster.wait_ready()
        async with small_disk(cluster, server, f"{server}.db") as disk:
            for end in ("sock", "ctl", "pid"):
                own = f"{server.replace('ovn-sb', 'ovnsb')}_db.{end}"
                (cluster.rundir / f"ovnsb_db.{end}").symlink_to(own)
            yield cluster, disk


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
async def test_member_that_missed_a_change_is_told_until_its_file_is_written_anew(asking: Asking) -> None:
    """By one that came when there was room again, too: the file says so."""
    async with member_on_a_small_disk("ovn-sb1") as (cluster, disk):
        async with asking(cluster) as ask:
            await ask.until("sb.storage", lambda now: now.status is Status.OK)
            await miss_a_change(cluster, disk, "ovn-sb1")
            told = await ask.until("sb.storage", lambda now: now.status is Status.FAILED)
            async with asking(cluster) as fresh:
                alike = await fresh("sb.storage")
            await write_anew(cluster, "ovnsb1_db.ctl")
            await ask.until("sb.storage", lambda now: now.status is Status.OK)
        await cluster.restart("ovn-sb1")
    cause = cause_of(told)
    assert told.reason == alike.reason == "database-incomplete"
    assert cause is not None
    assert "ovsdb-server/compact" in cause.remedy_for(told.facts)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
async def test_leader_that_could_not_write_takes_no_part_until_it_is_restarted(asking: Asking) -> None:
    """With room again it does not go on, and its file is whole."""
    async with member_on_a_small_disk("ovn-sb1") as (cluster, disk):
        await stop_to_write(cluster, disk, "ovn-sb1")
        async with asking(cluster, broken_after=0.5) as ask:
            told = await ask.until("sb.cluster", lambda now: now.status is Status.FAILED)
            await cluster.restart("ovn-sb1")
            await ask.until("sb.cluster", lambda now: now.status is Status.OK)
    cause = cause_of(told)
    assert cause is not None
    assert cause.code == "database-not-writable"
    assert told.facts["stopped"] in told.detail
    assert "restart its server" in cause.remedy_for(told.facts)


async def test_database_on_a_disk_with_room_is_well(shared_node: Sandbox, asking: Asking) -> None:
    async with asking(shared_node) as ask:
        results = [await ask(check) for _, check in SERVERS.values()]
    assert [each.status for each in results] == [Status.OK, Status.OK]
    assert "conf.db has " in results[0].detail


@pytest.mark.parametrize("daemon", ["ovsdb-server", "southbound"])
@pytest.mark.parametrize(("free", "read_only", "remedy"), [(4096, False, "4096 bytes left"), (1 << 30, True, "dmesg")])
def test_remedy_follows_what_keeps_it_from_writing(daemon: str, free: int, read_only: bool, remedy: str) -> None:
    answer = judge_storage([Storage(FILE, free, read_only), Storage("/var/lib/other.db", 1 << 30, False)])
    result = Result("a.check", answer.status, 0.0, answer.reason, facts=answer.facts, daemon=daemon, socket=Socket.NONE)
    cause = cause_of(result)
    assert cause is not None
    assert (cause.code, state_of(cause, result)) == ("database-not-writable", State.DEGRADED)
    assert FILE in cause.remedy_for(result.facts)
    assert remedy in cause.remedy_for(result.facts)


def test_member_of_a_cluster_is_not_to_be_restarted() -> None:
    """Its file has a gap, and would not load again."""
    answer = judge_storage([Storage(FILE, 0, False)], clustered=True, target="/run/ovn/ovnsb_db.ctl")
    cause = cause_of(Result("southbound.storage", answer.status, 0.0, answer.reason, daemon="southbound"))
    assert cause is not None
    assert "Do not restart" in cause.remedy_for(answer.facts)


def test_what_cannot_be_seen_is_no_fault() -> None:
    assert judge_storage([]).reason == "not-used"


async def test_torn_file_of_a_server_that_is_gone_selects_the_remedy(node: Sandbox, asking: Asking) -> None:
    file = Layout(node.directory).dbdir / "conf.db"
    async with asking(node) as ask:
        assert (await ask("ovsdb.storage")).status is Status.OK
        await node.kill("ovsdb-server")
        assert (await ask("ovsdb.echo")).facts == {}
        whole = file.read_bytes()
        file.write_bytes(b"")
        result = await ask("ovsdb.echo")
        file.write_bytes(whole)
        await node.start("ovsdb-server")
        back = await ask.until("ovsdb.echo", lambda now: now.status is Status.OK)
    assert result.reason == "gone"
    assert result.detail.endswith(f"{file} is empty.")
    cause = cause_of(result)
    assert cause is not None
    assert cause.code == "ovsdb-down"
    assert f"{file} is empty, so no start succeeds" in cause.remedy_for(result.facts)
    assert back.facts == {}
