"""``ovsnet demo``: a sandbox node with the agent beside it, to explore and to break."""

from __future__ import annotations

import asyncio
import logging
import signal

import anyio
import click
import msgspec
import uvloop

from ovsnet.agent.agent import Agent
from ovsnet.cli.options import Whole, with_settings
from ovsnet.cli.serve import run_agent
from ovsnet.cli.terminal import say
from ovsnet.config import Settings
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox


@click.command()
@click.option("--ports", default=2, show_default=True, type=Whole(2, 3000), help="Number of logical ports to bind.")
@with_settings("listen", "dead_after")
def demo(ports: int, settings: Settings) -> None:
    """Run a sandbox node with the agent. Ctrl-C leaves nothing behind."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    uvloop.run(_demo(ports, settings))


async def _demo(ports: int, settings: Settings) -> None:
    with anyio.CancelScope() as scope:
        # Until the agent handles them. asyncio handles only SIGINT, and not where the shell ignores it (``&``).
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, scope.cancel)
        say("Starting Open vSwitch and OVN in their own directory...", err=True)
        async with Sandbox(ports=ports) as node:
            await _serve(node, settings)
    say("Everything is removed.", err=True)


async def _serve(node: Sandbox, settings: Settings) -> None:
    async def ready(agent: Agent, urls: list[str]) -> None:
        say(_invitation(node, urls[0]))

    settings = msgspec.structs.replace(settings, rundir=str(node.rundir))
    await run_agent(settings, Rundir(node.rundir, node.rundir), ready)


def _invitation(node: Sandbox, url: str) -> str:
    pid = node.pid("ovs-vswitchd")
    return f"""
The node is up, the agent answers at {url}

  look at it       {url} in a browser, or: ovsnet top --listen {url.removeprefix("http://")}
  ask it           curl -i {url}/readyz
  all it knows     curl {url}/status
  freeze OVS       kill -STOP {pid}
  and see          curl -i {url}/readyz     (vswitchd-slow at first, vswitchd-hung after 3 s: 503)
  thaw it          kill -CONT {pid}
  run a tool       OVS_RUNDIR={node.rundir} ovsnet check

Ctrl-C stops and removes everything.
"""
