"""The flows of a real switch: what ``ovs-ofctl dump-flows`` prints, and what we make of the same reply."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from ovsnet import openflow
from ovsnet.errors import ConnectionLost, OpenFlowRefused, UsageError
from ovsnet.openflow import Client, Flow, Session, Version
from ovsnet.sandbox.node import Sandbox
from tests.openflow.random_flows import random_flows
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

COUNT = 500
SEED = 16

SPEAKING = {
    Version.OF10: (),  # with Nicira's extensions, which ``-O OpenFlow10`` would forbid
    Version.OF13: ("-O", "OpenFlow13"),
    Version.OF14: ("-O", "OpenFlow14"),
    Version.OF15: ("-O", "OpenFlow15"),
}


SINCE_13 = re.compile("encap|decap|nsh|metadata|clear_actions|write_actions|goto_table")
"""Words of flows that 1.0 cannot hold: its own ovs-ofctl does not read the switch's answer then."""


@pytest.fixture
async def bare_node() -> AsyncIterator[Sandbox]:
    """A switch without OVN and without a flow, but with the groups that the random flows name."""
    async with Sandbox(ovn=False, ports=2) as node:
        await node.wait_ready()
        for group in ("group_id=1,type=all,bucket=output:1", "group_id=2,type=indirect,bucket=output:2"):
            await node.run("ovs-ofctl", "-O", "OpenFlow13", "add-group", mgmt(node), group)
        yield node


async def add_flows(node: Sandbox, path: Path, flows: list[str]) -> None:
    await asyncio.to_thread(path.write_text, "\n".join(flows) + "\n", encoding="utf-8")
    await node.run("ovs-ofctl", "-O", "OpenFlow15", "add-flows", mgmt(node), str(path))


def mgmt(node: Sandbox) -> str:
    return f"unix:{node.rundir / 'br-int.mgmt'}"


def without_ages(line: str) -> str:
    return re.sub(r"duration=[\d.]+s, |(idle|hard)_age=\d+, ", "", line.strip())


async def theirs(node: Sandbox, version: Version, *arguments: str) -> list[str]:
    printed = await node.run("ovs-ofctl", *SPEAKING[version], *arguments)
    return [line for line in printed.splitlines() if "actions=" in line]


async def dump(node: Sandbox, version: Version) -> list[Flow]:
    async with openflow.connect(mgmt(node), versions=frozenset({version}), timeout=PATIENCE) as switch:
        return [flow async for flow in switch.flows(timeout=PATIENCE)]


async def compare(node: Sandbox, version: Version) -> None:
    expected = [without_ages(line) for line in await theirs(node, version, "dump-flows", mgmt(node))]
    ours = [without_ages(str(flow)) for flow in await dump(node, version)]
    assert sorted(ours) == sorted(expected)


async def test_matches_that_ovs_ofctl_hides_are_shown(bare_node: Sandbox) -> None:
    """Without them two flows of a bridge would be one line."""
    await bare_node.run("ovs-ofctl", "add-tlv-map", mgmt(bare_node), "{class=0xffff,type=1,len=4}->tun_metadata1")
    hidden = ("tun_metadata1=0x12/0xff", "dl_type=0x894f,nsh_c4=0x5/0x7")
    for match in hidden:
        await bare_node.run("ovs-ofctl", "-O", "OpenFlow13", "add-flow", mgmt(bare_node), f"{match} actions=drop")
    assert set(hidden) <= {flow.match_text for flow in await dump(bare_node, Version.OF13)}


async def test_random_flows_are_printed_as_ovs_ofctl_prints_them(bare_node: Sandbox, tmp_path: Path) -> None:
    await add_flows(bare_node, tmp_path / "flows", list(random_flows(SEED, COUNT, instructions=True)))
    for version in (Version.OF13, Version.OF14, Version.OF15):
        assert len(await dump(bare_node, version)) >= COUNT
        await compare(bare_node, version)


async def test_random_flows_are_printed_so_in_nicira_s_form_of_1_0(bare_node: Sandbox, tmp_path: Path) -> None:
    flows = [flow for flow in random_flows(SEED + 1, COUNT, instructions=False) if not SINCE_13.search(flow)]
    await add_flows(bare_node, tmp_path / "flows", flows)
    assert len(await dump(bare_node, Version.OF10)) >= len(flows) > COUNT / 2
    await compare(bare_node, Version.OF10)


@pytest.mark.parametrize("version", SPEAKING, ids=lambda version: version.name)
async def test_flows_of_ovn_are_printed_as_ovs_ofctl_prints_them(shared_node: Sandbox, version: Version) -> None:
    expected = [
        line.strip() for line in await theirs(shared_node, version, "--no-stats", "dump-flows", mgmt(shared_node))
    ]
    ours = [flow.rule for flow in await dump(shared_node, version)]
    assert len(ours) > 100
    assert sorted(ours) == sorted(expected)


async def test_flows_are_asked_for_by_table_port_and_cookie(bare_node: Sandbox, tmp_path: Path) -> None:
    flows = ["table=1,cookie=0x12,actions=output:1", "table=2,cookie=0x13,actions=output:2", "table=3,actions=group:1"]
    await add_flows(bare_node, tmp_path / "flows", flows)
    for version in SPEAKING:
        async with openflow.connect(mgmt(bare_node), versions=frozenset({version}), timeout=PATIENCE) as switch:
            assert await texts(switch, table=1) == ["output:1"]
            assert await texts(switch, out_port=2) == ["output:2"]
            assert await texts(switch, cookie=0x12) == ["output:1"]
            assert await texts(switch, cookie=0x10, cookie_mask=0xF0) == ["output:1", "output:2"]
    async with Client(mgmt(bare_node)) as client:
        assert await texts(client, out_group=1) == ["group:1"]


async def texts(switch: Session | Client, **selection: int) -> list[str]:
    return sorted([flow.actions_text async for flow in switch.flows(timeout=PATIENCE, **selection)])


async def test_dump_that_is_left_early_leaves_the_session_in_order(bare_node: Sandbox, tmp_path: Path) -> None:
    many = [f"table={number % 200},priority={number + 1},reg0={number},actions=drop" for number in range(3000)]
    await add_flows(bare_node, tmp_path / "flows", many)
    async with openflow.connect(mgmt(bare_node), timeout=PATIENCE) as switch:
        async with aclosing(switch.flows(timeout=PATIENCE)) as flows:
            async for _ in flows:
                break
        both = await asyncio.gather(switch.echo(timeout=PATIENCE), everything(switch), switch.tables(timeout=PATIENCE))
        assert both[1] >= len(many)


async def everything(switch: Session) -> int:
    return len([flow async for flow in switch.flows(timeout=PATIENCE)])


async def test_version_without_such_a_match_is_wrong_usage(bare_node: Sandbox) -> None:
    async with openflow.connect(mgmt(bare_node), versions=frozenset({Version.OF11}), timeout=PATIENCE) as switch:
        with pytest.raises(UsageError):
            await everything(switch)
    async with openflow.connect(mgmt(bare_node), timeout=PATIENCE) as switch:
        with pytest.raises(UsageError):
            await texts(switch, table=256)
        with pytest.raises(UsageError, match="cookie_mask needs a cookie"):
            await texts(switch, cookie_mask=0xF0)


async def test_refusal_and_end_of_the_switch_end_the_dump(bare_node: Sandbox, tmp_path: Path) -> None:
    async with openflow.connect(mgmt(bare_node), timeout=PATIENCE) as switch:
        with pytest.raises(OpenFlowRefused):
            await texts(switch, out_port=0x1_0000)
        dumping = asyncio.create_task(everything(switch))
        switch.channel.abort()
        with pytest.raises(ConnectionLost):
            await dumping
