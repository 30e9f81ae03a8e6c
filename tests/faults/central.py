"""What ails the databases and ovn-northd of a central host. The node itself goes on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from ovsnet.sandbox.daemons import Layout
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.proc import free_ports, listening_ports
from tests.faults.fault import Scene, Steps, fault
from tests.faults.programs import program
from tests.faults.southbound import UNCONNECTED
from tests.patience import PATIENCE


async def central_member(scene: Scene) -> Steps:
    """The first member has the names that the one server of a host has: the node is one of three central hosts."""
    names = [(scene.socket(f"ovnsb_db.{end}"), f"ovnsb1_db.{end}") for end in ("sock", "ctl", "pid")]
    for path, target in names:
        path.symlink_to(target)
    yield
    for path, _ in names:
        path.unlink()


@fault("sb-member-away", shape="raft", view=central_member, passing=f"{UNCONNECTED} southbound-slow", deadline=24)
async def raft_member_killed_on_another_host(scene: Scene) -> Steps:
    """This host serves the southbound with two others, and the server of one of these got SIGKILL."""
    await scene.node.kill("ovn-sb3")
    yield
    await scene.node.start("ovn-sb3")


@fault("sb-member-away", shape="raft", view=central_member, passing=f"{UNCONNECTED} southbound-slow", deadline=24)
async def raft_member_frozen_on_another_host(scene: Scene) -> Steps:
    """This host serves the southbound with two others, and the server of one of these got SIGSTOP."""
    await scene.node.freeze("ovn-sb3")
    yield
    await scene.node.thaw("ovn-sb3")


@fault(
    "southbound-stale",
    "southbound-down",
    shape="raft",
    view=central_member,
    passing=f"{UNCONNECTED} southbound-slow sb-leaderless sb-member-away",
    deadline=24,
)
async def raft_majority_killed_on_other_hosts(scene: Scene) -> Steps:
    """This host serves the southbound with two others, and the servers of both got SIGKILL."""
    await scene.node.kill("ovn-sb2")
    await scene.node.kill("ovn-sb3")
    yield
    await scene.node.start("ovn-sb2")
    await scene.node.start("ovn-sb3")


@contextlib.asynccontextmanager
async def served(node: Sandbox, file: Path, stem: str) -> AsyncIterator[int]:
    """A database server at the names that the one of a host has: its pid."""
    at = node.rundir / stem
    places = (f"--remote=punix:{at}.sock", f"--unixctl={at}.ctl", f"--pidfile={at}.pid")
    async with program(node, "ovsdb-server", str(file), *places, "-vconsole:off") as server:
        await node.wait_listening(f"{stem}.sock")
        yield server.pid
    _remove(at)


def _remove(at: Path) -> None:
    for end in ("sock", "ctl", "pid"):
        at.with_suffix(f".{end}").unlink(missing_ok=True)


@fault("nb-joining", breaks="nb", passing="nb-down nb-slow database-socket-missing northd-not-connected", deadline=24)
async def northbound_that_never_joins(scene: Scene) -> Steps:
    """The northbound's server was made to join a cluster that nobody serves."""
    node = scene.node
    file = Layout(node.directory).dbdir / "joins.db"
    await node.stop("ovn-nb")
    await node.run("ovsdb-tool", "join-cluster", str(file), "OVN_Northbound", "tcp:127.0.0.1:1", "tcp:127.0.0.1:2")
    async with served(node, file, "ovnnb_db"):
        yield
    file.unlink()
    await node.start("ovn-nb")


@fault("sb-joining", shape="raft", passing=f"{UNCONNECTED} southbound-slow database-socket-missing", deadline=24)
async def southbound_that_never_joins(scene: Scene) -> Steps:
    """A server of the southbound was set up on this host, to join a cluster that nobody serves at the address it was
    given. ovn-controller uses others."""
    node = scene.node
    file = Layout(node.directory).dbdir / "joins.db"
    await node.run("ovsdb-tool", "join-cluster", str(file), "OVN_Southbound", "tcp:127.0.0.1:1", "tcp:127.0.0.1:2")
    async with served(node, file, "ovnsb_db"):
        yield
    file.unlink()


async def _southbound_elsewhere(scene: Scene) -> Steps:
    """The observers do not ask the southbound that this node uses, but the server that runs on this host."""
    scene.environment["OVSNET_SOUTHBOUND"] = "off"
    yield
    del scene.environment["OVSNET_SOUTHBOUND"]


OWN_SOUTHBOUND = f"{UNCONNECTED} sb-slow northd-slow controller-slow database-socket-missing"


@fault("sb-down", view=_southbound_elsewhere, passing=OWN_SOUTHBOUND, deadline=6)
async def southbound_of_this_host_killed(scene: Scene) -> Steps:
    """The southbound's server got SIGKILL, and OVSNET_SOUTHBOUND is off."""
    await scene.node.kill("ovn-sb")
    yield
    await scene.node.start("ovn-sb")


@fault("sb-hung", view=_southbound_elsewhere, passing=OWN_SOUTHBOUND, deadline=12)
async def southbound_of_this_host_frozen(scene: Scene) -> Steps:
    """The southbound's server got SIGSTOP, and OVSNET_SOUTHBOUND is off."""
    await scene.node.freeze("ovn-sb")
    yield
    await scene.node.thaw("ovn-sb")


@fault("northd-not-connected", breaks="northd", passing="northd-down", deadline=20)
async def northd_at_a_wrong_address(scene: Scene) -> Steps:
    """ovn-northd was started with the address of a southbound that is not there."""
    node = scene.node
    await node.stop("ovn-northd")
    databases = (f"--ovnnb-db=unix:{node.rundir}/ovnnb_db.sock", f"--ovnsb-db=unix:{node.rundir}/nothing.sock")
    async with program(node, "ovn-northd", *databases, "--pidfile", "-vconsole:off") as northd:
        control = f"ovn-northd.{northd.pid}.ctl"
        await node.wait_listening(control)
        yield
    (node.rundir / control).unlink()
    await node.start("ovn-northd")


async def count_up(node: Sandbox) -> None:
    """Ask for a new state of the whole network."""
    before = await node.run("ovn-nbctl", "get", "NB_Global", ".", "nb_cfg")
    await node.run("ovn-nbctl", "set", "NB_Global", ".", f"nb_cfg={int(before) + 1}")


@fault("northd-behind", breaks="northd nb", observers=("held", "start", "fresh"), deadline=24)
async def northds_lock_is_held_by_the_dead(scene: Scene) -> Steps:
    """A client that is not an ovn-northd holds ovn-northd's lock, and the northbound is changed."""
    node = scene.node
    async with program(node, "ovsdb-client", "steal", f"unix:{node.rundir}/ovnsb_db.sock", "ovn_northd") as holder:
        assert holder.stdout is not None
        await holder.stdout.readline()
        await count_up(node)
        yield


@fault(
    "controller-behind",
    observers=("held", "start", "fresh"),
    passing="controller-down controller-not-connected controller-slow",
    starts=True,
    deadline=24,
    cured_since="25.09",  # controller/ofctrl.c, wait_before_clear_proceed: it finds the moment by itself
)
async def ovn_controller_waits_an_hour_with_its_flows(scene: Scene) -> Steps:
    """ovn-controller was restarted with external_ids:ovn-ofctrl-wait-before-clear of an hour, until when the flows of
    before stay; then the northbound is changed."""
    await scene.set("ovn-ofctrl-wait-before-clear=3600000")
    await scene.node.restart("ovn-controller")
    await count_up(scene.node)
    yield
    await scene.unset("ovn-ofctrl-wait-before-clear")


async def leave_chassis(node: Sandbox, name: str) -> None:
    """Register a chassis whose host is not there, as one that was switched off."""
    words = ("chassis-add", name, "geneve", "192.0.2.9", "--", "set", "Chassis", name, f"hostname={name}.example")
    await node.run("ovn-sbctl", *words)
    chassis = (await node.run("ovn-sbctl", "get", "Chassis", name, "_uuid")).strip()
    await node.run("ovn-sbctl", "create", "Chassis_Private", f"name={name}", f"chassis={chassis}")


@fault("chassis-behind", observers=("held", "start", "fresh"), deadline=90)
async def host_of_a_chassis_is_gone(scene: Scene) -> Steps:
    """A host was switched off, and its chassis left registered; then the northbound is changed."""
    await leave_chassis(scene.node, "away")
    await count_up(scene.node)
    yield
    await scene.node.run("ovn-sbctl", "chassis-del", "away")


async def tcp_remote(node: Sandbox) -> int:
    """A port at which the northbound is served, for clients that are never asked whether they live."""
    port = free_ports(1)[0]
    words = ("set-connection", f"ptcp:{port}:127.0.0.1", "--", "set", "Connection", ".", "inactivity_probe=0")
    await node.run("ovn-nbctl", *words)
    async with asyncio.timeout(PATIENCE):
        while port not in listening_ports():  # noqa: ASYNC110 (it is another process that listens)
            await asyncio.sleep(0.02)
    return port


@contextlib.contextmanager
def silent_client(port: int) -> Iterator[int]:
    """A client that asks and asks, and takes no answer; yields its port."""
    questions = b"".join(
        json.dumps({"id": number, "method": "get_schema", "params": ["OVN_Northbound"]}).encode()
        for number in range(QUESTIONS)
    )
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", port))
        client.sendall(questions)
        yield int(client.getsockname()[1])


QUESTIONS = 600
"""The answers have 20 MB, and no more than 4 MB find room in the sockets (tcp_wmem of tcp(7))."""


async def _with_a_port(scene: Scene) -> Steps:
    scene.remembered["port"] = await tcp_remote(scene.node)
    yield
    await scene.node.run("ovn-nbctl", "del-connection")


@fault("client-stalled", view=_with_a_port, observers=("held", "start", "fresh"), deadline=45)
async def northbounds_client_reads_nothing(scene: Scene) -> Steps:
    """A client of the northbound asks much, and takes no answer, as one that is stopped."""
    with silent_client(scene.remembered["port"]):
        yield


@fault(
    "schema-old",
    breaks="southbound schema",
    deadline=20,
    passing=f"{UNCONNECTED} southbound-slow sb-slow controller-slow northd-slow",
)
async def southbound_with_an_old_schema(scene: Scene) -> Steps:
    """The southbound was converted to an older schema, as when it was restored from a file of the last release."""
    server = f"unix:{scene.node.rundir}/ovnsb_db.sock"
    schema = await scene.node.run("ovsdb-client", "get-schema", server, "OVN_Southbound")
    old, new = scene.scratch / "old.ovsschema", scene.scratch / "new.ovsschema"
    new.write_text(schema)
    old.write_text(json.dumps(json.loads(schema) | {"version": "20.0.0"}))
    await scene.node.run("ovsdb-client", "convert", server, str(old))
    yield
    await scene.node.run("ovsdb-client", "convert", server, str(new))


@fault("schema-old", deadline=20, passing="nb-slow northd-slow northd-not-connected northd-behind")
async def northbound_with_an_old_schema(scene: Scene) -> Steps:
    """The northbound was converted to a schema of before NB_Global had the column ipsec, as when it was restored from a
    file of that release."""
    server = f"unix:{scene.node.rundir}/ovnnb_db.sock"
    schema = json.loads(await scene.node.run("ovsdb-client", "get-schema", server, "OVN_Northbound"))
    old, new = scene.scratch / "old.ovsschema", scene.scratch / "new.ovsschema"
    new.write_text(json.dumps(schema))
    del schema["tables"]["NB_Global"]["columns"]["ipsec"]
    old.write_text(json.dumps(schema | {"version": "5.12.0"}))
    await scene.node.run("ovsdb-client", "convert", server, str(old))
    yield
    await scene.node.run("ovsdb-client", "convert", server, str(new))
