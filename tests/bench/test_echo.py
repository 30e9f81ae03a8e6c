"""Echoes on held connections."""

from __future__ import annotations

import gc

import anyio
import pytest

from ovsnet.bench.echo import Echo, Echoing, EchoMeasures
from ovsnet.bench.harness import measured
from ovsnet.bench.probe_protocol import ProtocolName
from ovsnet.bench.result import Run
from ovsnet.bench.versions import versions
from ovsnet.io.address import Address
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.waiting import until


def address(node: Sandbox, protocol: ProtocolName) -> Address:
    if protocol == "unixctl":
        return Rundir(node.rundir, node.rundir).control_sockets("ovs-vswitchd")[0]
    return Address.unix(node.rundir / {"openflow": "br-int.mgmt", "ovsdb": "db.sock"}[protocol])


@pytest.mark.parametrize("protocol", ["openflow", "ovsdb", "unixctl"])
@pytest.mark.parametrize(("connections", "window"), [(1, 1), (3, 16)])
async def test_every_request_is_answered_once(
    shared_node: Sandbox, protocol: ProtocolName, connections: int, window: int
) -> None:
    echo = Echo(protocol, address(shared_node, protocol), connections, window, count=500)
    run = Run(kind="echo", name=echo.name, measures=EchoMeasures())
    async with measured(run, protocol, echo.address):
        await Echoing(echo, run).echo()
    assert run.problems == []
    assert run.done == run.measures.from_request.count == 500
    assert run.measures.from_request.lowest > 0
    assert run.rate > 0


async def test_fewer_requests_than_connections_are_enough(shared_node: Sandbox) -> None:
    run = Run(kind="echo", name="few", measures=EchoMeasures())
    await Echoing(Echo("openflow", address(shared_node, "openflow"), 4, 8, count=2), run).echo()
    assert run.done == 2


async def test_silence_ends_it_and_is_reported(node: Sandbox) -> None:
    echo = Echo("openflow", address(node, "openflow"), 2, 4, count=10**9, deadline=0.5)
    run = Run(kind="echo", name=echo.name, measures=EchoMeasures())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Echoing(echo, run).echo)
        await until(lambda: run.done > 0, 30.0, "no request was answered")
        await node.freeze("ovs-vswitchd")
    assert run.problems == [f"{echo.address} gave no answer within 0.5 s."]


async def test_death_ends_it_and_is_reported(node: Sandbox) -> None:
    echo = Echo("ovsdb", address(node, "ovsdb"), 2, 4, count=10**9)
    run = Run(kind="echo", name=echo.name, measures=EchoMeasures())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Echoing(echo, run).echo)
        await until(lambda: run.done > 0, 30.0, "no request was answered")
        await node.kill("ovsdb-server")
    assert len(run.problems) == 1


async def test_versions_are_the_daemons_own(shared_node: Sandbox) -> None:
    found = await versions(Rundir(shared_node.rundir, shared_node.rundir))
    assert {"ovs-vswitchd", "ovsdb-server", "ovn-controller", "ovn-northd"} <= found.keys()
    assert found["ovs-vswitchd"].startswith("ovs-vswitchd (Open vSwitch)")


async def test_block_that_knows_better_when_its_work_was_sets_the_time(shared_node: Sandbox) -> None:
    """Connections are made before echoes begin, and their time is not an echo's."""
    run = Run(kind="echo", name="own clock", measures=EchoMeasures())
    async with measured(run, "ovsdb", address(shared_node, "ovsdb")):
        assert gc.get_freeze_count() > 0  # collected before the clock started
        run.began, run.ended = 10.0, 12.0
    assert (run.began, run.ended) == (10.0, 12.0)
    assert gc.get_freeze_count() == 0


async def test_run_has_a_time_without_that_too(shared_node: Sandbox) -> None:
    run = Run(kind="echo", name="the harness's clock", measures=EchoMeasures())
    async with measured(run, "ovsdb", address(shared_node, "ovsdb")):
        await anyio.sleep(0.01)
    assert run.ended - run.began >= 0.01
