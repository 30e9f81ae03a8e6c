"""What a real switch says of its groups, meters and traffic, beside ovs-ofctl, and of ports that change."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from ovsnet import openflow
from ovsnet.errors import ConnectionLost
from ovsnet.openflow import PortChange, Version
from ovsnet.sandbox.node import Sandbox
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

GROUPS = (
    "group_id=1,type=all,bucket=output:1,bucket=set_field:5->reg0,output:2",
    "group_id=2,type=select,bucket=weight:7,output:1,bucket=weight:1,output:2",
    "group_id=3,type=ff,bucket=watch_port:1,output:1,bucket=watch_group:1,output:2",
    "group_id=4,type=indirect,bucket=resubmit(,7)",
    "group_id=5,type=all",
    "group_id=6,type=select,selection_method=hash,fields(ip_src,tcp_dst=0xff00,vlan_vid),bucket=output:1",
    "group_id=7,type=select,selection_method=hash,selection_method_param=5,fields=eth_dst,bucket=output:1",
    "group_id=8,type=select,selection_method=dp_hash,bucket=output:1",
)
METERS = (
    "meter=1,kbps,burst,stats,band=type=drop,rate=1000,burst_size=16",
    "meter=2,pktps,band=type=drop,rate=9",
)
SINCE_13 = (Version.OF13, Version.OF14, Version.OF15)


@pytest.fixture
async def switch_node() -> AsyncIterator[Sandbox]:
    async with Sandbox(ovn=False, ports=2) as node:
        await node.wait_ready()
        for group in GROUPS:
            await node.run("ovs-ofctl", "-O", "OpenFlow15", "add-group", mgmt(node), group)
        for meter in METERS:
            await node.run("ovs-ofctl", "-O", "OpenFlow15", "add-meter", mgmt(node), meter)
        yield node


def mgmt(node: Sandbox) -> str:
    return f"unix:{node.rundir / 'br-int.mgmt'}"


async def printed(node: Sandbox, version: Version, command: str) -> list[str]:
    text = await node.run("ovs-ofctl", "-O", f"OpenFlow1{version - 1}", command, mgmt(node))
    return [line.strip() for line in text.splitlines()[1:] if line.strip()]


async def test_groups_and_meters_are_printed_as_ovs_ofctl_prints_them(switch_node: Sandbox) -> None:
    for version in SINCE_13:
        async with openflow.connect(mgmt(switch_node), versions=frozenset({version}), timeout=PATIENCE) as switch:
            groups = await switch.groups(timeout=PATIENCE)
            assert sorted(map(str, groups)) == sorted(await printed(switch_node, version, "dump-groups"))
            meters = await switch.meters(timeout=PATIENCE)
            ours = sorted(" ".join(map(str, meters)).split())
            assert ours == sorted(" ".join(await printed(switch_node, version, "dump-meters")).split())
            assert (await switch.meter_features(timeout=PATIENCE)).max_bands > 0
            assert {stats.group_id for stats in await switch.group_stats(timeout=PATIENCE)} == set(range(1, 9))
            assert {stats.meter_id for stats in await switch.meter_stats(timeout=PATIENCE)} >= {1, 2}


async def test_counters_of_ports_are_those_of_ovs_ofctl(switch_node: Sandbox) -> None:
    for version in Version:
        async with openflow.connect(mgmt(switch_node), versions=frozenset({version}), timeout=PATIENCE) as switch:
            stats = await switch.port_stats(timeout=PATIENCE)
            assert len(stats) == 3
            lines = " ".join(await printed(switch_node, version, "dump-ports"))
            assert sorted(re.findall(r"port +(\d+|LOCAL)", lines)) == ["1", "2", "LOCAL"]
            assert all(each.rx_packets is not None for each in stats)
            queues = await switch.queue_stats(timeout=PATIENCE)
            assert {each.queue for each in queues} <= {0}, (
                "ports without queues have at most the one that is always there"
            )


@pytest.mark.parametrize("version", [Version.OF10, Version.OF13, Version.OF15], ids=lambda version: version.name)
async def test_changes_of_ports_are_told_as_they_happen(switch_node: Sandbox, version: Version) -> None:
    wanted = frozenset({version})
    async with (
        openflow.connect(mgmt(switch_node), versions=wanted, timeout=PATIENCE) as switch,
        asyncio.timeout(PATIENCE),
    ):
        flags = (await switch.config(timeout=PATIENCE)).flags
        async with aclosing(switch.port_changes(timeout=PATIENCE)) as changes:
            first = asyncio.ensure_future(anext(changes))
            while (await switch.config(timeout=PATIENCE)).miss_send_len == 0:  # noqa: ASYNC110 - the switch has heard
                await asyncio.sleep(0)
            await switch_node.run("ovs-vsctl", "add-port", "br-int", "new", "--", "set", "int", "new", "type=dummy")
            added = await first
            assert (added.change, added.port.name) == ("added", "new")
            await switch_node.run("ovs-vsctl", "del-port", "new")
            while (gone := await anext(changes)).change != "deleted":
                pass
            assert gone.port.name == "new"
            assert (await switch.config(timeout=PATIENCE)).flags == flags
            last = asyncio.ensure_future(anext(changes))
            await asyncio.sleep(0)
            await switch_node.stop("ovs-vswitchd")
            with pytest.raises(ConnectionLost):
                await until_the_end(last, changes)


async def until_the_end(last: asyncio.Future[PortChange], changes: AsyncGenerator[PortChange, None]) -> None:
    await last
    async for _ in changes:
        pass
