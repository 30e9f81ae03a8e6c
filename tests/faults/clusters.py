"""Clusters of OVN's databases of which this host serves a member: one that lacks a member, or keeps no leader."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator

from ovsnet.errors import PeerError
from ovsnet.sandbox.daemons import Layout
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.proc import free_ports
from tests.faults.central import central_member, served
from tests.faults.fault import Observer, Scene, Steps, fault
from tests.faults.southbound import UNCONNECTED
from tests.patience import PATIENCE


async def _northbound_of(scene: Scene, members: int) -> Steps:
    """The northbound is a cluster of that many servers, the first of them on this host."""
    node, disk = scene.node, Layout(scene.node.directory).dbdir
    addresses = [f"tcp:127.0.0.1:{port}" for port in free_ports(members)]
    files = [disk / f"clustered{number}.db" for number in range(members)]
    await node.stop("ovn-nb")
    await node.run("ovsdb-tool", "create-cluster", str(files[0]), str(disk / "ovn-nb.db"), addresses[0])
    for file, address in zip(files[1:], addresses[1:], strict=True):
        await node.run("ovsdb-tool", "join-cluster", str(file), "OVN_Northbound", address, addresses[0])
    async with contextlib.AsyncExitStack() as stack:
        for file, name in zip(files, NORTHBOUNDS, strict=False):
            scene.remembered[name] = await stack.enter_async_context(served(node, file, f"{name}_db"))
            await node.run("ovsdb-client", "wait", f"unix:{node.rundir}/{name}_db.sock", "OVN_Northbound", "connected")
        yield
    for file in files:
        file.unlink()
    await node.start("ovn-nb")


SOUTHBOUNDS = ("ovnsb1", "ovnsb2", "ovnsb3")
NORTHBOUNDS = ("ovnnb", "ovnnb2", "ovnnb3")
"""The servers of the cluster; the first has the names that the one of a host has."""


def _northbound_of_two(scene: Scene) -> Steps:
    return _northbound_of(scene, 2)


@fault(
    "nb-leaderless",
    view=_northbound_of_two,
    passing="nb-member-away nb-slow northd-not-connected northd-behind northd-slow",
    deadline=24,
)
async def northbounds_other_server_frozen(scene: Scene) -> Steps:
    """This host serves the northbound with one other, and the server of that got SIGSTOP."""
    os.kill(scene.remembered["ovnnb2"], signal.SIGSTOP)
    yield
    os.kill(scene.remembered["ovnnb2"], signal.SIGCONT)
    await _lead(scene.node, "ovnnb2")


async def _lead(node: Sandbox, *others: str) -> None:
    """Of the servers of the northbound that of this host becomes the leader, for ovn-northd knows no other."""
    async with asyncio.timeout(PATIENCE):
        while "Leader: self" not in await _raft(node, "ovnnb", "cluster/status", "OVN_Northbound"):
            for other in others:
                await _raft(node, other, *HAND_OVER)
            await asyncio.sleep(0.5)


HAND_OVER = ("cluster/failure-test", "transfer-leadership")
"""What a leader does that leaves its cluster (ovsdb/raft.c, ``raft_leave`` and ``raft_transfer_leadership``)."""


async def _raft(node: Sandbox, name: str, *words: str) -> str:
    """What the server ``name`` says to an ``ovs-appctl``."""
    return await node.run("ovs-appctl", "-t", f"{node.rundir}/{name}_db.ctl", *words)


async def _northbound_of_three(scene: Scene) -> Steps:
    """The northbound is a cluster of three, and ovn-northd is on other hosts."""
    await scene.node.stop("ovn-northd")
    async with contextlib.asynccontextmanager(_northbound_of)(scene, 3):
        yield
    await scene.node.start("ovn-northd")


@fault("nb-member-away", view=_northbound_of_three, passing="nb-slow nb-leaderless", deadline=24)
async def northbounds_third_server_frozen(scene: Scene) -> Steps:
    """This host serves the northbound with two others, and the server of one of these got SIGSTOP."""
    os.kill(scene.remembered["ovnnb3"], signal.SIGSTOP)
    yield
    os.kill(scene.remembered["ovnnb3"], signal.SIGCONT)


@contextlib.asynccontextmanager
async def _flapping(node: Sandbox, *members: str, every: float = 2.0) -> AsyncIterator[None]:
    """The leader hands its role over, and again after so many seconds."""

    async def go_on() -> None:
        while True:
            for member in members:
                with contextlib.suppress(PeerError):
                    await _raft(node, member, *HAND_OVER)
            await asyncio.sleep(every)

    handing = asyncio.create_task(go_on())
    try:
        yield
    finally:
        handing.cancel()
        await asyncio.gather(handing, return_exceptions=True)


WATCHED: tuple[Observer, ...] = ("held", "start", "fresh")
"""Those that see a leader go: one that only comes and asks cannot know."""


async def _central_member_with_time(scene: Scene) -> Steps:
    """Leaders are counted in ten times ``broken_after``, which must be longer than three looks are apart."""
    scene.settings["broken_after"] = 3.0
    async with contextlib.asynccontextmanager(central_member)(scene):
        yield
    del scene.settings["broken_after"]


async def _central_member_without_northd(scene: Scene) -> Steps:
    """ovn-northd is on other hosts."""
    await scene.node.stop("ovn-northd")
    async with contextlib.asynccontextmanager(_central_member_with_time)(scene):
        yield
    await scene.node.start("ovn-northd")


@fault(
    "sb-elections",
    shape="raft",
    view=_central_member_without_northd,
    observers=WATCHED,
    passing=f"{UNCONNECTED} southbound-slow southbound-stale sb-slow",
    deadline=45,
)
async def southbounds_leader_changes_again_and_again(scene: Scene) -> Steps:
    """The leader of the southbound's three servers hands its role over every two seconds."""
    async with _flapping(scene.node, *SOUTHBOUNDS):
        yield


@fault(
    "sb-elections",
    shape="raft",
    view=_central_member_with_time,
    observers=WATCHED,
    also="northd-not-connected",
    passing=f"{UNCONNECTED} southbound-slow southbound-stale sb-slow northd-slow",
    deadline=45,
)
async def northd_loses_a_southbound_whose_leader_changes_again_and_again(scene: Scene) -> Steps:
    """The leader of the southbound's three servers hands its role over twice a second: ovn-northd, which wants the
    leader, spends its time in its backoff. One that only comes and asks knows of ovn-northd alone."""
    async with _flapping(scene.node, *SOUTHBOUNDS, every=0.4):
        yield


async def _northbound_of_three_with_time(scene: Scene) -> Steps:
    scene.settings["broken_after"] = 3.0
    async with contextlib.asynccontextmanager(_northbound_of_three)(scene):
        yield
    del scene.settings["broken_after"]


@fault(
    "nb-elections", view=_northbound_of_three_with_time, observers=WATCHED, passing="nb-slow nb-leaderless", deadline=45
)
async def northbounds_leader_changes_again_and_again(scene: Scene) -> Steps:
    """The leader of the northbound's three servers hands its role over every two seconds."""
    async with _flapping(scene.node, *NORTHBOUNDS):
        yield


@fault(
    "sb-leaderless",
    shape="raft",
    view=central_member,
    passing=f"{UNCONNECTED} southbound-slow southbound-stale sb-member-away sb-down sb-slow database-socket-missing",
    deadline=24,
)
async def raft_member_of_this_host_cut_off(scene: Scene) -> Steps:
    """This host serves the southbound with two others, and hears nothing from these; ovn-controller uses them."""
    await _raft(scene.node, "ovnsb1", "cluster/failure-test", "stop-raft-rpc")
    yield
    await scene.node.kill("ovn-sb1")  # nothing else ends the test
    await scene.node.start("ovn-sb1")
