"""A southbound that is elsewhere, wrong, old or not to be reached. It degrades a node whose flows are in."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from ovsnet.errors import DeadlineExceeded
from ovsnet.health.cause import State
from ovsnet.health.checks.controller import LATELY, STALE
from ovsnet.node.daemon_log import last_said
from ovsnet.sandbox.daemons import Layout
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.proc import free_ports
from ovsnet.sandbox.waiting import until
from tests.faults import mute_server
from tests.faults.daemons import WITHOUT_OVSDB
from tests.faults.fault import Scene, Steps, fault
from tests.faults.programs import program

UNCONNECTED = "controller-not-connected southbound-down northd-not-connected"


def _remote(remote: Callable[[Scene], str]) -> Callable[[Scene], Steps]:
    """``ovn-remote`` set to that, and back."""

    async def steps(scene: Scene) -> Steps:
        await scene.set(f"ovn-remote={remote(scene)}")
        yield
        await scene.set(f"ovn-remote={scene.node.southbound}")

    return steps


WRONG: dict[str, tuple[str, Callable[[Scene], str]]] = {
    "the-openflow-socket": ("br-int.mgmt", lambda scene: f"unix:{scene.socket('br-int.mgmt')}"),
    "the-switch-database": ("db.sock", lambda scene: f"unix:{scene.socket('db.sock')}"),
    "the-northbound": ("ovnnb_db.sock", lambda scene: f"unix:{scene.socket('ovnnb_db.sock')}"),
}

for _name, (_what, _remote_of) in WRONG.items():
    fault(
        "southbound-wrong-address",
        name=f"ovn-remote-names-{_name}",
        about=f"external_ids:ovn-remote names {_what}.",
        passing=UNCONNECTED,
    )(_remote(_remote_of))

fault(
    "southbound-down",
    name="ovn-remote-names-a-closed-port",
    breaks="southbound",
    hidden_by=WITHOUT_OVSDB,
    about="external_ids:ovn-remote names a port on which nobody listens.",
    passing=UNCONNECTED,
)(_remote(lambda scene: f"tcp:127.0.0.1:{free_ports(1)[0]}"))
fault(
    "southbound-down",
    name="ovn-remote-names-no-socket",
    about="external_ids:ovn-remote names a socket that does not exist.",
    passing=UNCONNECTED,
)(_remote(lambda scene: f"unix:{scene.socket('nothing.sock')}"))
fault(
    "misconfigured",
    name="ovn-remote-is-ssl-without-certificates",
    state=State.DEGRADED,
    about="external_ids:ovn-remote begins with ssl:, and nobody was given a certificate.",
    passing=UNCONNECTED,
)(_remote(lambda scene: f"ssl:127.0.0.1:{free_ports(1)[0]}"))
fault(
    "southbound-wrong-address",
    name="ovn-remote-has-no-scheme",
    about="external_ids:ovn-remote is a bare number, as 127.0.0.1:6642.",
    passing=UNCONNECTED,
)(_remote(lambda scene: "127.0.0.1:6642"))
for _sign, _end in (("comma", ","), ("space", " ")):
    fault(
        "southbound-wrong-address",
        name=f"ovn-remote-ends-in-a-{_sign}",
        about=f"external_ids:ovn-remote ends in a {_sign}, which ovn-controller takes for a part of the address.",
        passing=UNCONNECTED,
    )(_remote(lambda scene, end=_end: f"{scene.node.southbound}{end}"))  # type: ignore[misc]
fault(
    "name-unresolved",
    name="ovn-remote-names-an-unknown-host",
    state=State.DEGRADED,
    about="external_ids:ovn-remote names a host that DNS does not know, and the southbound is asked.",
    view=lambda scene: _asked(scene),
    passing=UNCONNECTED,
)(_remote(lambda scene: "tcp:no-such-host.invalid:6642"))


async def _asked(scene: Scene) -> Steps:
    """The observers ask the southbound wherever it is."""
    scene.environment["OVSNET_SOUTHBOUND"] = "on"
    yield


@fault(
    "southbound-down",
    "controller-not-connected",
    breaks="southbound controller",  # without either, nothing says that this node has OVN
    passing=UNCONNECTED,
    hidden_by=WITHOUT_OVSDB,
)
async def ovn_remote_unset(scene: Scene) -> Steps:
    """external_ids:ovn-remote was removed."""
    await scene.unset("ovn-remote")
    yield
    await scene.set(f"ovn-remote={scene.node.southbound}")


@fault("southbound-down", "southbound-slow", passing=f"{UNCONNECTED} southbound-slow", deadline=3)
async def ovn_remote_names_a_black_hole(scene: Scene) -> Steps:
    """external_ids:ovn-remote names a port whose backlog is full: what is sent there is dropped."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        await scene.set(f"ovn-remote=tcp:127.0.0.1:{server.getsockname()[1]}")
        yield
        await scene.set(f"ovn-remote={scene.node.southbound}")


@fault("southbound-hung", passing=f"{UNCONNECTED} southbound-slow", deadline=3)
async def ovn_remote_names_a_silent_server(scene: Scene) -> Steps:
    """external_ids:ovn-remote names a server that says nothing."""
    async with program(scene.node, sys.executable, mute_server.__file__) as server:
        assert server.stdout is not None
        port = int(await server.stdout.readline())
        await scene.set(f"ovn-remote=tcp:127.0.0.1:{port}")
        yield
        await scene.set(f"ovn-remote={scene.node.southbound}")


@contextlib.asynccontextmanager
async def _relay(node: Sandbox, source: str = "", name: str = "relay") -> AsyncIterator[tuple[str, int]]:
    """Another server of the southbound, on TCP: its remote, and its pid."""
    port = free_ports(1)[0]
    files = (f"--unixctl={node.rundir}/{name}.ctl", "-vconsole:off")
    remotes = (f"--remote=ptcp:{port}:127.0.0.1", f"relay:OVN_Southbound:{source or node.southbound}")
    async with program(node, "ovsdb-server", *files, *remotes) as server:
        remote = f"tcp:127.0.0.1:{port}"
        await node.run("ovsdb-client", "wait", remote, "OVN_Southbound", "connected")
        yield remote, server.pid


@fault("southbound-hung", passing=f"{UNCONNECTED} southbound-slow", deadline=3)
async def southbound_moved_to_a_frozen_server(scene: Scene) -> Steps:
    """external_ids:ovn-remote was changed, and the new server got SIGSTOP."""
    async with _relay(scene.node) as (remote, pid):
        await _signal(pid, "STOP")
        await scene.set(f"ovn-remote={remote}")
        yield
        await scene.set(f"ovn-remote={scene.node.southbound}")


async def _at_a_relay(scene: Scene) -> Steps:
    """The node uses another server of the southbound when the observers come."""
    async with _relay(scene.node) as (remote, pid):
        scene.remembered["pid"] = pid
        await scene.set(f"ovn-remote={remote}")
        yield
        await scene.set(f"ovn-remote={scene.node.southbound}")


@fault("healthy", view=_at_a_relay, passing=f"{UNCONNECTED} southbound-slow")
async def southbound_moved_away_from_a_frozen_server(scene: Scene) -> Steps:
    """The southbound got SIGSTOP, and external_ids:ovn-remote was changed to one that lives."""
    pid = scene.remembered["pid"]
    await _signal(pid, "STOP")
    await scene.set(f"ovn-remote={scene.node.southbound}")
    yield
    await _signal(pid, "CONT")


async def _at_a_relay_of_a_relay(scene: Scene) -> Steps:
    async with _relay(scene.node) as (source, _), _relay(scene.node, source, "relay2") as (remote, _):
        scene.remembered |= {"source": _port(source), "relay": _port(remote)}
        await scene.set(f"ovn-remote={remote}")
        yield
        await scene.set(f"ovn-remote={scene.node.southbound}")


def _port(remote: str) -> int:
    return int(remote.rpartition(":")[2])


@fault("relay-cut-off", view=_at_a_relay_of_a_relay, passing=UNCONNECTED)
async def relay_lost_its_source(scene: Scene) -> Steps:
    """The source of the relay that this node uses has been away for half a minute."""
    source = ("ovs-appctl", "-t", f"{scene.node.rundir}/relay.ctl")
    listener = f"ptcp:{scene.remembered['source']}:127.0.0.1"
    await scene.node.run(*source, "ovsdb-server/remove-remote", listener)
    remote = f"tcp:127.0.0.1:{scene.remembered['relay']}"
    async with program(scene.node, "ovsdb-client", "monitor", remote, "_Server", "Database", "connected") as told:
        assert told.stdout is not None
        while b"new" not in (line := await told.stdout.readline()) or b"false" not in line:
            assert line, "the relay is gone"
    yield
    await scene.node.run(*source, "ovsdb-server/add-remote", listener)


async def _signal(pid: int, name: str) -> None:
    process = await asyncio.create_subprocess_exec("/bin/kill", f"-{name}", str(pid))
    await process.wait()


def _mismatch(value: str) -> Callable[[Scene], Steps]:
    async def steps(scene: Scene) -> Steps:
        await scene.node.stop("ovn-northd")  # it would write its own version again
        await scene.node.run("ovn-sbctl", "set", "SB_Global", ".", "options:northd_internal_version=1.2.3-20.27.0-70.6")
        await scene.set(f"ovn-match-northd-version={value}")
        yield
        await scene.unset("ovn-match-northd-version")
        await scene.node.start("ovn-northd")

    return steps


for _value in ("true", "True"):
    fault(
        "northd-version-mismatch",
        name=f"northd-version-mismatch{'-as-ansible-writes-it' if _value == 'True' else ''}",
        about=f"ovn-northd has another version, and ovn-match-northd-version is {_value}.",
        passing="controller-not-connected",
        deadline=3,
    )(_mismatch(_value))


@fault(
    "southbound-down",
    state=State.NOT_READY,
    passing=f"{UNCONNECTED} flows-missing vswitchd-down controller-down",
    starts=True,
)
async def southbound_killed_and_flows_gone(scene: Scene) -> Steps:
    """The southbound got SIGKILL, then ovn-controller and ovs-vswitchd were restarted: nobody installs flows."""
    await scene.node.kill("ovn-sb")
    await scene.node.restart("ovn-controller")
    await scene.node.restart("ovs-vswitchd")
    yield
    await scene.node.start("ovn-sb")


@fault(
    "healthy",
    shape="raft",
    passing=f"{UNCONNECTED} southbound-slow southbound-stale",
)
async def raft_member_killed(scene: Scene) -> Steps:
    """One server of the southbound's three got SIGKILL."""
    await scene.node.kill("ovn-sb3")
    yield
    await scene.node.start("ovn-sb3")


@fault("healthy", shape="raft", passing=f"{UNCONNECTED} southbound-slow")
async def raft_member_in_use_frozen(scene: Scene) -> Steps:
    """The first of the southbound's three servers got SIGSTOP, and ovn-controller goes on to another."""
    await scene.node.freeze("ovn-sb1")
    yield
    await scene.node.thaw("ovn-sb1")


@fault("healthy", shape="raft", passing=f"{UNCONNECTED} southbound-slow")
async def raft_member_in_use_cut_off(scene: Scene) -> Steps:
    """The first of the southbound's three servers hears nothing from the others, and ovn-controller goes on to one of
    these."""
    await scene.node.run(
        "ovs-appctl", "-t", str(scene.socket("ovnsb1_db.ctl")), "cluster/failure-test", "stop-raft-rpc"
    )
    yield
    await scene.node.kill("ovn-sb1")  # nothing else ends the test
    await scene.node.start("ovn-sb1")


@fault("southbound-stale", "southbound-down", shape="raft", passing=f"{UNCONNECTED} southbound-slow", deadline=3)
async def raft_majority_killed(scene: Scene) -> Steps:
    """Two servers of the southbound's three got SIGKILL."""
    await scene.node.kill("ovn-sb2")
    await scene.node.kill("ovn-sb3")
    yield
    await scene.node.start("ovn-sb2")
    await scene.node.start("ovn-sb3")


async def _copied(scene: Scene) -> Steps:
    """Copies of the cluster's files are kept, and entries follow that these do not have."""
    await scene.node.stop("ovn-northd")  # it would write until both copies are alike
    for file in _members(scene.node).values():
        shutil.copy(file, file.with_suffix(".old"))
    for number in range(20):  # elections after the restart make a few entries, too
        await scene.node.run("ovn-sbctl", "chassis-add", f"later{number}", "geneve", f"127.0.1.{number}")
    yield
    await scene.node.start("ovn-northd")


@fault(
    "southbound-stale",
    shape="raft",
    view=_copied,
    passing=f"{UNCONNECTED} southbound-slow",
    deadline=6,
)
async def southbound_restored_from_an_old_copy(scene: Scene) -> Steps:
    """The southbound's three servers were restored from a copy: ovn-controller refuses their data."""
    await _restore(scene.node, "old", keep="new")
    with contextlib.suppress(DeadlineExceeded):  # another fault may keep it from asking at all
        await until(lambda: _refuses(scene.node), REFUSES_WITHIN, "ovn-controller did not refuse the old data.")
    yield
    await _restore(scene.node, "new", keep="old")


REFUSES_WITHIN = 10.0
"""Seconds. ovn-controller waits up to eight before it connects again, and until then it has refused nobody."""


def _refuses(node: Sandbox) -> bool:
    said = last_said(node.pid("ovn-controller"), STALE) if node.running("ovn-controller") else None
    return said is not None and time.time() - said[0] < LATELY


def _members(node: Sandbox) -> dict[str, Path]:
    return {name: Layout(node.directory).dbdir / f"{name}.db" for name in node.daemons if name.startswith("ovn-sb")}


async def _restore(node: Sandbox, name: str, *, keep: str) -> None:
    members = _members(node)
    await asyncio.gather(*(node.stop(member) for member in members))
    for file in members.values():
        old = file.with_suffix(f".{name}").read_bytes()
        shutil.copy(file, file.with_suffix(f".{keep}"))
        file.write_bytes(old)
    await asyncio.gather(*(node.start(member) for member in members))
