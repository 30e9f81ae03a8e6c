"""What today's scripts say: their commands, each with a deadline that the scripts themselves may not have."""

from __future__ import annotations

import asyncio
import os

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
