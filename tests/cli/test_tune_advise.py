"""``ovsnet tune advise`` on what a running agent has measured of real daemons."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio

from ovsnet.cli.agent_client import fetch_status
from ovsnet.errors import OvsnetError
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.proc import free_ports
from tests.cli.conftest import Ovsnet, Program
from tests.patience import PATIENCE

STALL = 6.0
"""Seconds: longer than the interval that counts where none is set."""


async def measured(listen: str, fact: Callable[[dict[str, Any]], bool]) -> None:
    """Return when what the agent says of the southbound's stalls is so."""
    with anyio.fail_after(PATIENCE):
        while True:  # there is no event: it is another process
            try:
                stalls = (await fetch_status(listen, timeout=PATIENCE))["stalls"]
            except OvsnetError:
                stalls = {}
            if "southbound" in stalls and fact(stalls["southbound"]):
                return
            await anyio.sleep(0.1)


def test_advice_rests_on_what_the_agent_has_seen_of_a_southbound_that_stood_still(
    ovsnet: Ovsnet, program: Program, tmp_path: Path
) -> None:
    listen = f"unix:{tmp_path}/agent.sock"
    (port,) = free_ports(1)
    server = f"tcp:127.0.0.1:{port}"

    async def live() -> tuple[str, Any]:
        async with Sandbox() as node:
            await node.wait_ready()
            await node.run("ovn-sbctl", "set-connection", f"ptcp:{port}:127.0.0.1")
            await node.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", f"external_ids:ovn-remote={server}")
            program("serve", "--rundir", node.rundir, "--listen", listen, "--interval", "0.05", "--southbound", "on")
            await measured(listen, lambda told: server in told.get("peers", {}))
            few = await ask(node)
            await node.freeze("ovn-sb")
            stopped = time.monotonic()
            await anyio.sleep(STALL)  # the fault is a duration
            await node.thaw("ovn-sb")
            assert time.monotonic() - stopped >= STALL
            await measured(listen, lambda told: told["peers"][server]["longest_seconds"] > STALL - 0.5)
            return few, json.loads(await ask(node, "--json"))

    async def ask(node: Sandbox, *arguments: str) -> str:
        def call() -> str:
            ended = ovsnet("tune", "advise", "--agent", listen, "--rundir", node.rundir, *arguments)
            assert (ended.code, ended.err) == (0, "")
            return ended.out

        return await anyio.to_thread.run_sync(call)

    few, advices = anyio.run(live)
    assert f"southbound at {server}: " in few
    found = next(each for each in advices if each["knob"] == "ovn-remote-probe-interval")
    assert found["values"]["ovn-remote-probe-interval"] >= (STALL - 0.5) * 1000
    assert found["now"]["possible"] >= 1
    assert f"southbound at {server}" in {each["peer"] for each in found["seen"]}
    assert not any(each["values"] for each in advices if each["asker"] == "ovn-controller" and each is not found)
