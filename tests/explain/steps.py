"""What is done to a node in an incident, and how an incident is declared."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ovsnet.errors import OvsnetError
from ovsnet.io.tls import Tls
from ovsnet.sandbox.daemons import Layout
from ovsnet.sandbox.node import Sandbox
from tests.faults.certificates import renew
from tests.faults.programs import BACKLOG, clients, no_more_descriptors, switch_arguments
from tests.faults.storage import breakable_disk, filled, small_disk, stop_at_an_error

Step = Callable[[Sandbox], Awaitable[object]]
SWITCH, DATABASE, CONTROLLER, SOUTHBOUND = "ovs-vswitchd", "ovsdb-server", "ovn-controller", "ovn-sb"
NORTHBOUND, NORTHD = "ovn-nb", "ovn-northd"
SERVERS = {NORTHBOUND: "ovnnb_db.", SOUTHBOUND: "ovnsb_db."}
"""How the control sockets of OVN's servers are named, where they have no number."""


def sleep(seconds: float) -> Step:
    return lambda node: asyncio.sleep(seconds)


def stop(daemon: str) -> Step:
    return lambda node: node.stop(daemon)


def start(daemon: str) -> Step:
    return lambda node: node.start(daemon)


def kill(daemon: str) -> Step:
    return lambda node: node.kill(daemon)


def restart(daemon: str) -> Step:
    return lambda node: node.restart(daemon)


async def _gone(node: Sandbox, daemon: str) -> None:
    while node.running(daemon):  # noqa: ASYNC110 - a process tells nobody that it ended
        await asyncio.sleep(0.02)


def away(daemon: str, seconds: float, after: float) -> tuple[Step, ...]:
    return stop(daemon), sleep(seconds), start(daemon), sleep(after)


def killed(daemon: str, seconds: float, after: float) -> tuple[Step, ...]:
    return (lambda node: node.kill(daemon)), sleep(seconds), start(daemon), sleep(after)


def frozen(daemon: str, seconds: float, after: float) -> tuple[Step, ...]:
    return (lambda node: node.freeze(daemon)), sleep(seconds), (lambda node: node.thaw(daemon)), sleep(after)


def control(command: str) -> Step:
    return lambda node: node.run("ovn-appctl", "-t", CONTROLLER, command)


def configure(*arguments: str) -> Step:
    return lambda node: node.run("ovs-vsctl", "--no-wait", *arguments)


async def unlink(node: Sandbox) -> None:
    (node.rundir / "br-int.mgmt").unlink()


async def move_away(node: Sandbox) -> None:
    """The name of the socket leads to nothing, and the switch does not notice."""
    (node.rundir / "br-int.mgmt").rename(node.rundir / "aside")


async def move_back(node: Sandbox) -> None:
    (node.rundir / "aside").rename(node.rundir / "br-int.mgmt")


async def resign(node: Sandbox) -> None:
    """The leader of the southbound's cluster hands over to another member: the others have nothing to hand over
    (ovsdb/raft.c, raft_notify_snapshot_recommended())."""
    for socket in sorted(node.rundir.glob("ovnsb?_db.ctl")):
        await node.run("ovn-appctl", "-t", str(socket), "cluster/failure-test", "transfer-leadership")


def crash(daemon: str) -> Step:
    async def crashed(node: Sandbox) -> None:
        os.kill(node.pid(daemon), signal.SIGSEGV)
        await _gone(node, daemon)

    return crashed


def appctl(daemon: str, *command: str) -> Step:
    program = "ovn-appctl" if daemon.startswith("ovn") else "ovs-appctl"

    async def asked(node: Sandbox) -> None:
        name = SERVERS.get(daemon, f"{daemon}.")
        (socket,) = [each for each in node.rundir.iterdir() if each.name.startswith(name) and each.suffix == ".ctl"]
        await node.run(program, "-t", str(socket), *command)
        if command[0] == "exit":
            await _gone(node, daemon)

    return asked


async def second_switch(node: Sandbox) -> None:
    """Somebody starts a second ovs-vswitchd for some seconds. It logs where the first one does."""
    log = f"--log-file={Layout(node.directory).logdir / 'ovs-vswitchd.log'}"
    process = await asyncio.create_subprocess_exec(
        *switch_arguments(node), log, env=os.environ | node.environment(), cwd=node.directory
    )
    await asyncio.sleep(5)
    process.kill()
    await process.wait()


async def refused_switch(node: Sandbox) -> None:
    """Somebody starts a second ovs-vswitchd, which finds the pidfile locked. It logs where the first one does."""
    log = f"--log-file={Layout(node.directory).logdir / 'ovs-vswitchd.log'}"
    words = [word for word in switch_arguments(node) if word != "--overwrite-pidfile"]
    process = await asyncio.create_subprocess_exec(
        *words, log, env=os.environ | node.environment(), cwd=node.directory, stderr=asyncio.subprocess.DEVNULL
    )
    await process.wait()


async def backlog_full(node: Sandbox) -> None:
    """The switch is frozen, and clients have filled the queue of br-int.mgmt when ovn-controller comes."""
    await node.freeze(SWITCH)
    with clients(node.rundir / "br-int.mgmt", BACKLOG + 5):
        await node.kill(CONTROLLER)
        await node.start(CONTROLLER)
        await asyncio.sleep(14)
    await node.thaw(SWITCH)
    await asyncio.sleep(9)


async def hammered(node: Sandbox) -> None:
    """The switch restarts while more clients than its queue holds connect again and again, for three seconds."""

    async def hammer() -> None:
        async with asyncio.timeout(60):
            while True:
                with contextlib.suppress(OSError), clients(node.rundir / "br-int.mgmt", 3 * BACKLOG):
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0)

    await node.stop(SWITCH)
    hammering = asyncio.create_task(hammer())
    await node.start(SWITCH)
    await asyncio.sleep(3)
    hammering.cancel()
    await asyncio.gather(hammering, return_exceptions=True)


async def bridge_is_not_there(node: Sandbox) -> None:
    """A mapping names a bridge that nobody made, and ovn-controller says so whenever something changes."""
    await configure("set", "open", ".", "external_ids:ovn-bridge-mappings=physnet1:br-nope")(node)
    for number in range(5):
        await asyncio.sleep(20)
        await configure("set", "open", ".", f"external_ids:x={number}")(node)


async def database_damaged(node: Sandbox) -> None:
    """The file of the database is zeros when its server starts, and is put back."""
    file = Layout(node.directory).dbdir / "conf.db"
    await node.kill(DATABASE)
    whole = file.read_bytes()
    file.write_bytes(bytes(4096))
    with contextlib.suppress(OvsnetError):
        await node.start(DATABASE)
    await asyncio.sleep(4)
    file.write_bytes(whole)
    await node.start(DATABASE)


def disk_broken(server: str, file: str) -> Step:
    async def broken(node: Sandbox) -> None:
        async with breakable_disk(node, server, file) as disk:
            await asyncio.sleep(6)
            stop_at_an_error(disk)
            with contextlib.suppress(OvsnetError):
                await node.run("ovs-vsctl", "--no-wait", "--timeout=5", "set", "open", ".", "external_ids:x=y")
            await asyncio.sleep(6)
        await asyncio.sleep(6)

    return broken


def without_descriptors(daemon: str, socket: str) -> Step:
    """The daemon has none left, and clients come."""

    async def held(node: Sandbox) -> None:
        with no_more_descriptors(node.pid(daemon)), clients(node.rundir / socket, 3):
            await asyncio.sleep(4)

    return held


def disk_full(server: str, file: str) -> Step:
    async def full(node: Sandbox) -> None:
        async with small_disk(node, server, file) as disk:
            await asyncio.sleep(6)
            with filled(disk), contextlib.suppress(Exception):
                wide = "y" * 9000  # the last page of the file has room for less
                await node.run("ovs-vsctl", "--no-wait", "--timeout=50", "set", "open", ".", f"external_ids:x={wide}")
            await asyncio.sleep(6)

    return full


async def churned(node: Sandbox) -> None:
    """What goes on at a healthy node: pods come and go, logs are rotated, databases compacted, somebody looks."""
    await node.run("ovn-nbctl", "ls-add", "churn")
    for number in range(15):
        port = ("set", "interface", f"c{number}", "type=dummy", f"external_ids:iface-id=lp{number}")
        await node.run("ovs-vsctl", "--timeout=20", "add-port", "br-int", f"c{number}", "--", *port)
        address = ("lsp-set-addresses", f"lp{number}", f"0a:00:00:00:00:{number:02x} 10.9.0.{number + 2}")
        await node.run("ovn-nbctl", "lsp-add", "churn", f"lp{number}", "--", *address)
        await node.run("ovs-ofctl", "dump-flows", str(node.rundir / "br-int.mgmt"))
    for daemon in (DATABASE, NORTHBOUND, SOUTHBOUND):
        await appctl(daemon, "ovsdb-server/compact")(node)
    for daemon in (SWITCH, DATABASE, CONTROLLER, NORTHD):
        await appctl(daemon, "vlog/reopen")(node)
    for number in range(15):
        await node.run("ovs-vsctl", "--timeout=20", "del-port", f"c{number}")
        await node.run("ovn-nbctl", "lsp-del", f"lp{number}")


async def by_tcp(node: Sandbox) -> None:
    """A client that is at a unix socket does not probe."""
    (door,) = node.doors.values()
    await node.run("ovs-vsctl", "--no-wait", "set", "open", ".", f"external_ids:ovn-remote={door}")


async def through_tls(node: Sandbox) -> None:
    """ovn-controller shows a certificate to the southbound that is good."""
    await _show(node, node.tls)


async def with_a_certificate_that_ended(node: Sandbox) -> None:
    """The certificate that it shows ended yesterday; the authority that signed it is the southbound's."""
    ended = Tls(node.tls.key, str(node.directory / "ended.pem"), node.tls.ca)
    renew(ended, -1)
    await _show(node, ended)


async def with_a_foreign_certificate(node: Sandbox) -> None:
    """The southbound does not know the authority that signed the certificate that it shows."""
    foreign = node.directory / "foreign"
    sign_by_itself(foreign)
    await _show(node, Tls(str(foreign / "node.key"), str(foreign / "node.pem"), node.tls.ca))


def sign_by_itself(directory: Path) -> None:
    """A certificate that is its own authority, of another name than the sandbox's."""
    directory.mkdir()
    key, certificate = directory / "node.key", directory / "node.pem"
    names = ("-subj", "/CN=somebody else", "-keyout", str(key), "-out", str(certificate))
    subprocess.run(
        ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *names), check=True, capture_output=True
    )


async def _show(node: Sandbox, files: Tls) -> None:
    (door,) = node.doors.values()
    await node.run("ovs-vsctl", "--no-wait", "set-ssl", files.key, files.certificate, files.ca)
    await node.run("ovs-vsctl", "--no-wait", "set", "open", ".", f"external_ids:ovn-remote={door}")


async def northbound_as_southbound(node: Sandbox) -> None:
    """Somebody mistook one address for the other."""
    await node.run(
        "ovs-vsctl", "--no-wait", "set", "open", ".", f"external_ids:ovn-remote=unix:{node.rundir}/ovnnb_db.sock"
    )


@dataclass(frozen=True, slots=True)
class Incident:
    """What is done to which node, and the root that is right, or the roots; "" where nothing is wrong."""

    name: str
    code: str
    steps: Sequence[Step]
    node: Callable[[], Sandbox] = Sandbox
