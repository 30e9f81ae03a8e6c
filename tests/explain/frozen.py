"""Daemons that are stopped while they work, of which they log something when they go on.

One that is stopped while it waits logs nothing: that counts as time in poll(2) (lib/timeval.c, ``time_poll()``).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path

from ovsnet.sandbox.node import Sandbox
from tests.explain.steps import CONTROLLER, DATABASE, SWITCH, Step
from tests.patience import PATIENCE

FLOWS, OPERATIONS = 20_000, 20_000
ADDRESSES, LISTS = 500, 20
OWN_CODE = "-1 "
"""What proc(5) says in /proc/pid/syscall of a main thread that was in no call of the kernel."""


def frozen_at_work(daemon: str, seconds: float, after: float) -> Sequence[Step]:
    """It is stopped for so long, at a moment at which it computes."""

    async def freeze(node: Sandbox) -> None:
        work = asyncio.create_task(WORK[daemon](node))
        async with asyncio.timeout(PATIENCE):
            while not await _stopped_at_work(node, daemon):
                await asyncio.sleep(0.01)
                if work.done():
                    work = asyncio.create_task(WORK[daemon](node))
        await asyncio.sleep(seconds)
        await node.thaw(daemon)
        await work
        await asyncio.sleep(after)

    return [PREPARED[daemon], freeze] if daemon in PREPARED else [freeze]


async def _stopped_at_work(node: Sandbox, daemon: str) -> bool:
    """Stop it; let it go on where it only waited."""
    await node.freeze(daemon)
    if not (at_work := _at_work(node.pid(daemon))):
        await node.thaw(daemon)
    return at_work


def _at_work(pid: int) -> bool:
    return Path(f"/proc/{pid}/syscall").read_text().startswith(OWN_CODE)


async def _many_flows(node: Sandbox) -> None:
    file = node.directory / "flows"
    file.write_text("".join(f"table=99,reg0={number},actions=drop\n" for number in range(FLOWS)))
    await node.run("ovs-ofctl", "-OOpenFlow14", "--bundle", "add-flows", str(node.rundir / "br-int.mgmt"), str(file))


async def _many_operations(node: Sandbox) -> None:
    """One transaction of so many questions."""
    wait = {"op": "wait", "timeout": 0, "table": "Bridge", "where": [], "columns": ["name"], "until": "!=", "rows": []}
    request = {"method": "transact", "params": ["Open_vSwitch", *[wait] * OPERATIONS], "id": 1}
    reader, writer = await asyncio.open_unix_connection(node.rundir / "db.sock")
    writer.write(json.dumps(request).encode())
    await writer.drain()
    await reader.read(1)
    writer.close()


async def _many_rules(node: Sandbox) -> None:
    """Access lists that ovn-controller makes many flows of: one for each host and port."""
    hosts = ",".join(f'"10.1.{number // 250}.{number % 250 + 1}"' for number in range(ADDRESSES))
    (switch,) = (await node.run("ovn-nbctl", "--bare", "--columns=name", "list", "logical_switch")).split()
    words = ["create", "address_set", "name=hosts", f"addresses={hosts}"]
    for number in range(1, LISTS + 1):
        match = f"ip4.src == $hosts && tcp.dst == {number}"
        words += ["--", "acl-add", switch, "to-lport", str(number), match, "drop"]
    await node.run("ovn-nbctl", "--wait=hv", *words)


async def _compute_again(node: Sandbox) -> None:
    await node.run("ovn-appctl", "-t", CONTROLLER, "recompute")


WORK: dict[str, Callable[[Sandbox], Coroutine[None, None, None]]] = {
    SWITCH: _many_flows,
    DATABASE: _many_operations,
    CONTROLLER: _compute_again,
}
PREPARED: dict[str, Step] = {CONTROLLER: _many_rules}
