"""``ovsnet sandbox``: a real Open vSwitch and OVN node in a directory, to try things on and to break."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import click

from ovsnet.cli.completers import sandbox_daemons
from ovsnet.cli.groups import CommandGroup
from ovsnet.cli.options import Whole
from ovsnet.cli.terminal import say
from ovsnet.errors import OvsnetError, UnfitEnvironment, UsageError
from ovsnet.sandbox import binaries
from ovsnet.sandbox.node import Sandbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

_DIRECTORY = click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
_PORTS = click.option("--ports", default=2, show_default=True, type=Whole(0), help="Number of ports on br-int.")
_RAFT = click.option("--raft", is_flag=True, help="Make the southbound database a cluster of three.")
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.group(cls=CommandGroup)
def sandbox() -> None:
    """Run a real Open vSwitch and OVN node in a directory. No privileges are needed, and nothing else is touched."""


@sandbox.command()
@_DIRECTORY
@_PORTS
@_RAFT
@click.option("--no-ovn", is_flag=True, help="Start Open vSwitch without OVN.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def up(directory: Path, ports: int, raft: bool, no_ovn: bool, as_json: bool) -> None:
    """Start a node in DIRECTORY, which must be empty or missing. It runs until `down`."""
    began = time.monotonic()
    node = Sandbox(directory, ports=ports, raft=raft, ovn=not no_ovn, detached=True)
    asyncio.run(_up_and_ready(node))
    took = time.monotonic() - began
    if as_json:
        say(json.dumps({"seconds": round(took, 3), "environment": node.environment()}))
    else:
        say(f"Ready after {took:.2f} s: export OVS_RUNDIR={node.rundir} OVN_RUNDIR={node.rundir}")


@sandbox.command()
@_DIRECTORY
def down(directory: Path) -> None:
    """Stop the node in DIRECTORY and remove it."""
    asyncio.run(Sandbox.attach(directory).down())


@sandbox.command()
@_DIRECTORY
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def status(context: click.Context, directory: Path, as_json: bool) -> None:
    """Show which daemons of the node in DIRECTORY are running. Exit code 1 when one is not."""
    daemons = Sandbox.attach(directory).status()
    if as_json:
        say(json.dumps({name: {"state": state, "pid": pid} for name, (state, pid) in daemons.items()}))
    else:
        for name, (state, pid) in daemons.items():
            say(f"{name:<16} {state:<8} {pid or ''}".rstrip())
    context.exit(0 if all(state == "running" for state, _ in daemons.values()) else 1)


@sandbox.command(name="signal")
@_DIRECTORY
@click.argument("daemon", shell_complete=sandbox_daemons)
@click.argument("what", type=click.Choice(["stop", "cont", "kill", "term"]))
def signal_daemon(directory: Path, daemon: str, what: str) -> None:
    """Send DAEMON a signal, and wait until it has taken effect."""
    node = Sandbox.attach(directory)
    act: Callable[[str], Awaitable[None]]
    act = {"stop": node.freeze, "cont": node.thaw, "kill": node.kill, "term": node.stop}[what]
    anyio.run(act, daemon)


@sandbox.command()
@_DIRECTORY
@click.argument("daemon", shell_complete=sandbox_daemons)
def restart(directory: Path, daemon: str) -> None:
    """Restart DAEMON, or start it if it is stopped."""
    asyncio.run(Sandbox.attach(directory).restart(daemon))


@sandbox.command(context_settings={"ignore_unknown_options": True})
@_PORTS
@_RAFT
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def run(context: click.Context, ports: int, raft: bool, command: tuple[str, ...]) -> None:
    """Run a node until Ctrl-C, or for as long as COMMAND runs, with OVS_RUNDIR, OVN_RUNDIR and PATH set for it."""
    context.exit(anyio.run(partial(_run, Sandbox(ports=ports, raft=raft), command)))


@sandbox.command()
def fetch() -> None:
    """Fetch Open vSwitch and OVN into the user's cache, unless they are there or on PATH, and print their versions."""
    programs = binaries.find()
    for name in ("ovs-vswitchd", "ovn-controller"):
        say(f"{programs.version(name)}, from {programs.source}")


async def _up_and_ready(node: Sandbox) -> None:
    await node.up()
    try:
        await node.wait_ready()
    except BaseException:
        await node.down()
        raise


async def _run(node: Sandbox, command: Sequence[str]) -> int:
    """The command's exit code, or, when a signal ends it, 128 and the signal's number, as a shell reports it."""
    code, failure = 0, None
    with anyio.open_signal_receiver(*_ENDING) as signals:
        async with anyio.create_task_group() as group:

            async def end_on_signal() -> None:
                nonlocal code
                number = await anext(signals)
                code = 128 + number if command else 0
                group.cancel_scope.cancel()

            group.start_soon(end_on_signal)
            try:
                code = await _run_inside(node, command)
            except OvsnetError as error:
                failure = error  # raised below: the task group would wrap it
            group.cancel_scope.cancel()
    if failure:
        raise failure
    return code


async def _run_inside(node: Sandbox, command: Sequence[str]) -> int:
    async with node:
        await node.wait_ready()
        return await _follow(node, command) if command else await _until_signal(node)


async def _until_signal(node: Sandbox) -> int:
    say(f"export OVS_RUNDIR={node.rundir} OVN_RUNDIR={node.rundir}")
    await anyio.sleep_forever()
    return 0


async def _follow(node: Sandbox, command: Sequence[str]) -> int:
    try:
        process = await anyio.open_process(
            command, stdin=None, stdout=None, stderr=None, env=os.environ | node.environment()
        )
    except FileNotFoundError as error:
        raise UsageError(f"There is no command {command[0]}.", remedy="Check its name and PATH.") from error
    except OSError as error:
        raise UnfitEnvironment(f"Cannot start {command[0]}: {error.strerror or error}.") from error
    async with process:
        return await process.wait()
