"""Members of a cluster of OVN's databases, on real nodes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from ovsnet.health.checks.databases import FLAPS, judge_cluster, troubles
from ovsnet.health.checks.result import Status
from ovsnet.node.components import NB, SB
from ovsnet.node.raft import JOINING, MEMBER, STOPPED, Cluster, Peer, parse_cluster
from ovsnet.sandbox.daemons import Layout
from ovsnet.sandbox.node import Sandbox
from tests.faults.programs import program
from tests.health.checks.conftest import Asking
from tests.patience import PATIENCE

PEERS = (Peer("aaaa", "tcp:192.0.2.1:6644", True, True), Peer("bbbb", "tcp:192.0.2.2:6644", True, True))
WELL = Cluster("cccc", MEMBER, "follower", 3, "aaaa", 1000, 9, 0, PEERS, "")


def test_member_in_touch_with_all_lacks_nothing() -> None:
    assert troubles(WELL, SB) == {}
    said = judge_cluster(WELL, [], 0, SB)
    assert (said.status, said.values["term"], said.values["members"], said.values["leader"]) == (Status.OK, 3, 3, False)


def test_each_trouble_has_its_reason_and_what_its_remedy_names() -> None:
    joining = replace(WELL, status=JOINING, peers=(), leader="", remotes="tcp:192.0.2.1:6644")
    cut_off = replace(WELL, status="disconnected from the cluster (election timeout)", leader="")
    alone = replace(WELL, peers=(PEERS[0], replace(PEERS[1], incoming=False, outgoing=False)))
    for found, reason, fact in (
        (joining, "nb-joining", ("remotes", "tcp:192.0.2.1:6644")),
        (cut_off, "nb-leaderless", ("peers", "the others")),
        (replace(WELL, status=STOPPED), "database-write-failed", ("stopped", "cccc")),
        (alone, "nb-member-away", ("peer", "bbbb at tcp:192.0.2.2:6644")),
    ):
        said = judge_cluster(found, list(troubles(found, NB).values()), 0, NB)
        assert (said.status, said.reason) == (Status.FAILED, reason)
        assert fact in said.facts.items()
        passes = judge_cluster(found, [], 0, NB)
        assert passes.status is Status.OK, "what does not last yet is not told"


def test_leader_that_changes_again_and_again_is_told() -> None:
    assert judge_cluster(WELL, [], FLAPS - 1, SB).status is Status.OK
    said = judge_cluster(WELL, [], FLAPS, SB)
    assert (said.status, said.reason, said.facts["doubled"]) == (Status.FAILED, "sb-elections", "2000")


@pytest.fixture
async def central_host() -> AsyncIterator[Sandbox]:
    """One of three hosts that serve the southbound."""
    async with Sandbox(raft=True, ports=1) as cluster:
        await cluster.wait_ready()
        _serve_here(cluster, 1)
        yield cluster


def _serve_here(cluster: Sandbox, member: int) -> None:
    """Give this member the names that the one server of a host has."""
    for end in ("sock", "ctl", "pid"):
        name = cluster.rundir / f"ovnsb_db.{end}"
        name.unlink(missing_ok=True)
        name.symlink_to(f"ovnsb{member}_db.{end}")


async def test_member_is_told_what_it_lacks(central_host: Sandbox, asking: Asking) -> None:
    async with asking(central_host, timeout=0.3, broken_after=0.5) as ask:
        assert "server of its own" in (await ask("nb.cluster")).detail
        well = await ask.until("sb.cluster", lambda now: now.status is Status.OK)
        assert well.values["members"] == 3
        await central_host.kill("ovn-sb3")
        away = await ask.until("sb.cluster", lambda now: now.reason == "sb-member-away")
        assert "has no connection to" in away.detail
        await central_host.kill("ovn-sb2")
        cut_off = await ask.until("sb.cluster", lambda now: now.reason == "sb-leaderless")
        assert cut_off.facts["peers"].count(" at tcp:127.0.0.1:") == 2
        await central_host.start("ovn-sb2")
        await central_host.start("ovn-sb3")
        await ask.until("sb.cluster", lambda now: now.status is Status.OK)


@pytest.mark.parametrize("from_leader", [True, False], ids=["for the leader", "for the other one"])
async def test_frozen_member_is_away(central_host: Sandbox, asking: Asking, from_leader: bool) -> None:
    """Its kernel accepts connections all the while."""
    await _led(central_host)
    leader = int((await _leader(central_host))[-1])
    other, frozen = {1, 2, 3} - {leader}
    _serve_here(central_host, leader if from_leader else other)
    async with asking(central_host, timeout=0.3, broken_after=1.0) as ask:
        await ask.until("sb.cluster", lambda now: now.status is Status.OK)
        await central_host.freeze(f"ovn-sb{frozen}")
        away = await ask.until("sb.cluster", lambda now: now.reason == "sb-member-away")
        assert ("has heard nothing from" in away.detail) is from_leader
        for _ in range(20):  # longer than the kernel's connections stand
            assert (await ask("sb.cluster")).reason == "sb-member-away"
            await asyncio.sleep(0.3)
        await central_host.thaw(f"ovn-sb{frozen}")
        await ask.until("sb.cluster", lambda now: now.status is Status.OK)


async def test_new_leaders_are_counted(central_host: Sandbox, asking: Asking) -> None:
    async with asking(central_host, timeout=5.0) as ask:
        await ask.until("sb.cluster", lambda now: now.status is Status.OK)
        for count in range(1, FLAPS + 1):
            leader = await _leader(central_host)
            await central_host.freeze(leader)
            await _led(central_host, but=leader)
            await central_host.thaw(leader)
            said = await ask.until("sb.cluster", lambda now, count=count: now.values.get("elections") == count)  # type: ignore[misc]
        assert (said.status, said.reason) == (Status.FAILED, "sb-elections")


async def _leader(cluster: Sandbox, but: str = "") -> str:
    for number in (1, 2, 3):
        if (name := f"ovn-sb{number}") != but:
            control = f"{cluster.rundir}/ovnsb{number}_db.ctl"
            said = await cluster.run("ovs-appctl", "-t", control, "cluster/status", "OVN_Southbound")
            if parse_cluster(said).leader == "self":
                return name
    return ""


async def _led(cluster: Sandbox, but: str = "") -> None:
    async with asyncio.timeout(PATIENCE):
        while not await _leader(cluster, but):  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.1)


async def test_member_that_never_joined_is_told(node: Sandbox, asking: Asking) -> None:
    file = Layout(node.directory).dbdir / "joins.db"
    await node.stop("ovn-nb")
    await node.run("ovsdb-tool", "join-cluster", str(file), "OVN_Northbound", "tcp:127.0.0.1:1", "tcp:127.0.0.1:2")
    remote, control = f"--remote=punix:{node.rundir}/ovnnb_db.sock", f"--unixctl={node.rundir}/ovnnb_db.ctl"
    async with program(node, "ovsdb-server", str(file), remote, control, "-vconsole:off"):
        await node.wait_listening("ovnnb_db.ctl")
        async with asking(node, timeout=0.3) as ask:
            await ask.until("nb.echo", lambda now: now.status is Status.OK)
            said = await ask.until("nb.cluster", lambda now: now.status is Status.FAILED)
    assert said.reason == "nb-joining"
    assert said.facts["remotes"] == "tcp:127.0.0.1:2"
