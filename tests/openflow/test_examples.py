"""The examples of OpenFlow, run as a user runs them."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ovsnet.sandbox.node import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def two_bridges() -> AsyncIterator[tuple[Sandbox, str, str]]:
    async with Sandbox(ovn=False, ports=1) as node:
        await node.wait_ready()
        await node.run("ovs-vsctl", "add-br", "br-two", "--", "set", "bridge", "br-two", "datapath_type=dummy")
        yield node, f"unix:{node.rundir / 'br-int.mgmt'}", f"unix:{node.rundir / 'br-two.mgmt'}"


async def example(name: str, *arguments: str) -> tuple[int | None, str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(ROOT / "examples" / name), *arguments, stdout=asyncio.subprocess.PIPE, env=environment
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode()


async def test_flows_of_two_bridges_are_compared(two_bridges: tuple[Sandbox, str, str]) -> None:
    node, first, second = two_bridges
    for target in (first, second):
        await node.run("ovs-ofctl", "del-flows", target)
        await node.run("ovs-ofctl", "add-flow", target, "table=1,ip,actions=drop")
    assert await example("flow_diff.py", first, second) == (0, "")
    await node.run("ovs-ofctl", "add-flow", second, "table=2,tcp,tp_dst=80,actions=output:1")
    code, out = await example("flow_diff.py", first, second)
    assert (code, out.count("\n")) == (1, 1)
    assert out.startswith("> table=2, ")
    assert out.endswith("tcp,tp_dst=80 actions=output:1\n")


async def test_echoes_are_timed(two_bridges: tuple[Sandbox, str, str]) -> None:
    _, first, _ = two_bridges
    code, out = await example("echo_latency.py", first, "1")
    assert code == 0
    assert out.count(" ms, at most ") == 1
