"""One session with a real switch: every question in every version, and what the switch's troubles look like."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
import uvloop

from ovsnet.errors import (
    ConnectionLost,
    ConnectionRefused,
    DeadlineExceeded,
    OpenFlowRefused,
    PeerError,
    SocketMissing,
    UsageError,
)
from ovsnet.io.address import Address
from ovsnet.openflow import Session, connect
from ovsnet.protocol import openflow as wire
from ovsnet.protocol.openflow import Role, Version
from ovsnet.sandbox.node import Sandbox
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def mgmt(node: Sandbox) -> Address:
    return Address.unix(node.rundir / "br-int.mgmt")


@pytest.fixture
async def bare_node() -> AsyncIterator[Sandbox]:
    """A switch with one port and without OVN, to break."""
    async with Sandbox(ovn=False, ports=1) as node:
        await node.wait_ready()
        yield node


@pytest.fixture(params=list(Version), ids=lambda version: version.name)
async def switch(request: pytest.FixtureRequest, shared_node: Sandbox) -> AsyncIterator[Session]:
    """A session with a switch full of OVN's flows, in one version after the other."""
    versions = frozenset({request.param})
    async with connect(mgmt(shared_node), versions=versions, timeout=PATIENCE) as session:
        assert session.version == request.param
        yield session


async def test_each_question_is_answered_in_each_version(switch: Session, shared_node: Sandbox) -> None:
    assert 0 < await switch.echo(timeout=PATIENCE) < PATIENCE
    assert await switch.echo(b"payload", timeout=PATIENCE) > 0
    await switch.barrier(timeout=PATIENCE)
    assert (await switch.features(timeout=PATIENCE)).datapath_id > 0
    assert (await switch.desc(timeout=PATIENCE)).hardware == "Open vSwitch"
    assert {"br-int", "p1", "p2"} <= {port.name for port in await switch.ports(timeout=PATIENCE)}
    assert (await switch.config(timeout=PATIENCE)).miss_send_len == 0
    assert (await switch.role(timeout=PATIENCE)).role == Role.EQUAL
    assert switch.peer_pid == shared_node.pid("ovs-vswitchd")


async def test_tables_and_aggregate_agree_on_the_flows(switch: Session) -> None:
    """The cheap question counts what the dear one counts."""
    tables = await switch.tables(timeout=PATIENCE)
    aggregate = await switch.aggregate(timeout=PATIENCE)
    assert sum(table.active_count for table in tables) == aggregate.flow_count > 100


async def test_highest_common_version_is_spoken(shared_node: Sandbox) -> None:
    async with connect(mgmt(shared_node), timeout=PATIENCE) as session:
        assert session.version == Version.OF15
    two = frozenset({Version.OF10, Version.OF13})
    async with connect(mgmt(shared_node), versions=two, timeout=PATIENCE) as session:
        assert session.version == Version.OF13


async def test_no_common_version_names_both_sides(bare_node: Sandbox) -> None:
    await bare_node.run("ovs-vsctl", "set", "bridge", "br-int", "protocols=OpenFlow13")
    await bare_node.wait_listening("br-int.mgmt")
    with pytest.raises(wire.NoCommonVersion) as caught:
        await connect(mgmt(bare_node), versions=frozenset({Version.OF10}), timeout=PATIENCE)
    assert "protocols" in caught.value.remedy


async def test_overlapping_requests_each_get_their_own_answer(shared_node: Sandbox) -> None:
    async with connect(mgmt(shared_node), timeout=PATIENCE) as switch:
        echoes = asyncio.gather(*(switch.echo(bytes(size), timeout=PATIENCE) for size in range(100)))
        ports, tables, features = await asyncio.gather(
            switch.ports(timeout=PATIENCE), switch.tables(timeout=PATIENCE), switch.features(timeout=PATIENCE)
        )
        assert len(ports) >= 3
        assert len(tables) > 200
        assert features.datapath_id
        assert len(await echoes) == 100


async def test_more_than_the_switch_takes_at_once_comes_back_whole(shared_node: Sandbox) -> None:
    """16 MB of echoes: both sides stop reading and go on, nothing is dropped."""
    async with connect(mgmt(shared_node), timeout=PATIENCE) as switch:
        rtts = await asyncio.gather(*(switch.echo(bytes(65000), timeout=PATIENCE) for _ in range(250)))
        assert len(rtts) == 250


async def test_payload_that_no_message_holds_is_wrong_usage_and_costs_nothing(shared_node: Sandbox) -> None:
    async with connect(mgmt(shared_node), timeout=PATIENCE) as switch:
        with pytest.raises(UsageError):
            await switch.echo(bytes(65528))
        assert await switch.echo(bytes(65527), timeout=PATIENCE) > 0


async def test_call_that_is_cancelled_leaves_the_session_in_order(shared_node: Sandbox) -> None:
    async with connect(mgmt(shared_node), timeout=PATIENCE) as switch:
        asking = asyncio.create_task(switch.tables(timeout=PATIENCE))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await switch.desc(timeout=PATIENCE)


def test_session_runs_on_uvloop(shared_node: Sandbox) -> None:
    async def ask() -> float:
        async with connect(mgmt(shared_node), timeout=PATIENCE) as switch:
            return await switch.echo(timeout=PATIENCE)

    assert uvloop.run(ask()) > 0


async def test_probe_leaves_no_line_in_the_log_of_the_switch(bare_node: Sandbox) -> None:
    """A connect and close without HELLO is a warning each, without rate limit."""
    before = bare_node.log("ovs-vswitchd", lines=1000)
    for _ in range(3):
        async with connect(mgmt(bare_node), timeout=PATIENCE) as switch:
            await switch.echo(timeout=PATIENCE)
            await switch.tables(timeout=PATIENCE)
    async with connect(mgmt(bare_node), timeout=PATIENCE) as switch:
        await switch.barrier(timeout=PATIENCE)  # the switch has seen the end of the sessions before
    assert bare_node.log("ovs-vswitchd", lines=1000) == before


async def test_refusal_has_the_name_of_the_error(shared_node: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for a type that OpenFlow 1.5 does not have."""
    monkeypatch.setattr(
        wire,
        "barrier_request",
        lambda version, xid: wire.echo_request(version, xid)[:1] + b"\xc8\0\x08" + xid.to_bytes(4),
    )
    async with connect(mgmt(shared_node), timeout=PATIENCE) as switch:
        with pytest.raises(OpenFlowRefused, match=r"refused: OFPBRC_BAD_TYPE\."):
            await switch.barrier(timeout=PATIENCE)
        assert await switch.echo(timeout=PATIENCE) > 0


async def test_frozen_switch_is_late_and_the_session_survives_the_thaw(bare_node: Sandbox) -> None:
    async with connect(mgmt(bare_node), timeout=PATIENCE) as switch:
        await bare_node.freeze("ovs-vswitchd")
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded, match=r"gave no answer within 0\.05 s"):
            await switch.echo(timeout=0.05)
        assert time.monotonic() - started >= 0.05
        late = asyncio.create_task(switch.echo(timeout=PATIENCE))
        await bare_node.thaw("ovs-vswitchd")
        assert await late > 0
        assert not switch.closed.done()


async def test_frozen_switch_accepts_and_says_no_hello(bare_node: Sandbox) -> None:
    await bare_node.freeze("ovs-vswitchd")
    with pytest.raises(DeadlineExceeded):
        await connect(mgmt(bare_node), timeout=PATIENCE, patience=0.05)
    waiting = asyncio.ensure_future(connect(mgmt(bare_node), timeout=PATIENCE, patience=PATIENCE))
    await bare_node.thaw("ovs-vswitchd")
    await (await waiting).aclose()


async def test_frozen_switch_that_reads_nothing_holds_no_caller_for_ever(bare_node: Sandbox) -> None:
    async with connect(mgmt(bare_node), timeout=PATIENCE) as switch:
        await bare_node.freeze("ovs-vswitchd")
        calls = [asyncio.create_task(switch.echo(bytes(65000), timeout=0.1)) for _ in range(100)]
        await asyncio.wait(calls)
        assert all(isinstance(call.exception(), DeadlineExceeded) for call in calls)
        assert switch.channel.congested


async def test_killed_switch_fails_every_call_that_waits(bare_node: Sandbox) -> None:
    async with connect(mgmt(bare_node), timeout=PATIENCE) as switch:
        await bare_node.freeze("ovs-vswitchd")
        waiting = [asyncio.create_task(switch.echo(timeout=PATIENCE)) for _ in range(10)]
        await asyncio.sleep(0)
        await bare_node.kill("ovs-vswitchd")
        done, _ = await asyncio.wait(waiting)
        assert all(isinstance(call.exception(), ConnectionLost) for call in done)
        assert isinstance(await switch.closed, ConnectionLost)
        with pytest.raises(ConnectionLost):
            await switch.echo(timeout=PATIENCE)
    with pytest.raises(ConnectionRefused):
        await connect(mgmt(bare_node))


async def test_stopped_switch_takes_its_socket_along(bare_node: Sandbox) -> None:
    async with connect(mgmt(bare_node), timeout=PATIENCE) as switch:
        await bare_node.stop("ovs-vswitchd")
        assert isinstance(await switch.closed, PeerError)
    with pytest.raises(SocketMissing):
        await connect(mgmt(bare_node))
