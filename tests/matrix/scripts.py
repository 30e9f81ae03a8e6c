"""What today's tools say: their commands, each with a deadline that the tools themselves may not have."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.round_of_checks import healthcheck
from ovsnet.sandbox import binaries
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.supervisor import die_with_parent

PATIENCE = 5.0
"""Seconds: ovn-kubernetes' own; Kube-OVN's script waits until the kubelet ends it, after 45."""


async def kube_ovn(node: Sandbox) -> str:
    """``ovs-healthcheck.sh``: a list of databases, and whether pidfiles name a process."""
    commands, environment = healthcheck(node)
    return await _all(commands, environment)


async def ovn_kubernetes(node: Sandbox) -> str:
    """``ovn-kube-util readiness-probe`` of ovn-controller, ovsdb-server and ovs-vswitchd (readiness-probe.go)."""
    path = binaries.find().path
    appctl, ovn_appctl = str(path("ovs-appctl")), str(path("ovn-appctl"))
    commands = [
        [str(path("ovsdb-client")), "list-dbs", f"unix:{node.rundir / 'db.sock'}"],
        [appctl, "-t", "ovs-vswitchd", "ofproto/list"],
        [ovn_appctl, "-t", "ovn-controller", "connection-status"],
        [ovn_appctl, "-t", "ovn-controller", "coverage/read-counter", "lflow_run"],
    ]
    return await _all(commands, node.environment(), wants={2: "connected"})


async def ovs_exporter(node: Sandbox) -> str:
    """``ovs_up`` of greenpau/ovs_exporter (``GatherMetrics``): the row of the database can be read, and the pidfiles of
    ovsdb-server and ovs-vswitchd name processes."""
    query = '["Open_vSwitch",{"op":"select","table":"Open_vSwitch","where":[]}]'
    client = str(binaries.find().path("ovsdb-client"))
    read = await _all([[client, "transact", f"unix:{node.rundir / 'db.sock'}", query]], node.environment())
    alive = all(_names_a_process(node.rundir / f"{daemon}.pid") for daemon in ("ovsdb-server", "ovs-vswitchd"))
    return read if read != "ok" or alive else "fails"


TOOLS: dict[str, Callable[[Sandbox], Awaitable[str]]] = {
    "Kube-OVN": kube_ovn,
    "ovn-kubernetes": ovn_kubernetes,
    "ovs_exporter": ovs_exporter,
}
"""By the name that tables show."""


async def all_tools(node: Sandbox) -> dict[str, str]:
    """What each says, asked at once."""
    return dict(zip(TOOLS, await asyncio.gather(*(tool(node) for tool in TOOLS.values())), strict=True))


def _names_a_process(pidfile: Path) -> bool:
    try:
        return Path(f"/proc/{pidfile.read_text().strip()}/status").exists()
    except OSError:
        return False


async def _all(commands: list[list[str]], environment: dict[str, str], wants: dict[int, str] | None = None) -> str:
    """``ok``, ``fails`` at the first command that does, or ``hangs``."""
    for number, command in enumerate(commands):
        process = await asyncio.create_subprocess_exec(
            *die_with_parent(),
            *command,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            stdin=asyncio.subprocess.DEVNULL,
            env=os.environ | environment,
        )
        try:
            out, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
        except TimeoutError:
            process.kill()
            await process.wait()
            return "hangs"
        wanted = (wants or {}).get(number)
        if process.returncode or (wanted and out.decode().strip() != wanted):
            return "fails"
    return "ok"
