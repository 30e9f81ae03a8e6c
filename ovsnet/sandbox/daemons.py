"""The daemons of a node, as data: what each is called, how it is started, and by which sockets it is known to be up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from ovsnet.io.tls import Tls

RAFT_MEMBERS = (1, 2, 3)
BRIDGE = "br-int"


class Layout(msgspec.Struct, frozen=True):
    """Where things are in a sandbox directory. Open vSwitch and OVN share one run directory."""

    directory: Path

    @property
    def rundir(self) -> Path:
        """Sockets and pidfiles."""
        return self.directory / "run"

    @property
    def dbdir(self) -> Path:
        """Database files."""
        return self.directory / "db"

    @property
    def logdir(self) -> Path:
        """One log file per daemon."""
        return self.directory / "log"

    @property
    def tlsdir(self) -> Path:
        """Keys and certificates, where a server listens on ``ssl:``."""
        return self.directory / "tls"

    @property
    def tls(self) -> Tls:
        """One pair, for the servers and for their clients."""
        return Tls(*(str(self.tlsdir / name) for name in ("node.key", "node.pem", "ca.pem")))

    def unix(self, socket: str) -> str:
        """A socket of the run directory, in the form that OVS takes for a remote."""
        return f"unix:{self.rundir / socket}"

    def variables(self) -> dict[str, str]:
        """What sends every program of OVS and OVN to this directory (``ovs_rundir()`` in lib/dirs.c, and its kin)."""
        places = {"RUNDIR": self.rundir, "DBDIR": self.dbdir, "LOGDIR": self.logdir, "SYSCONFDIR": self.dbdir}
        return {f"{family}_{name}": str(place) for family in ("OVS", "OVN") for name, place in places.items()}


class RaftMember(msgspec.Struct, frozen=True):
    """One server of a clustered southbound: the port for its clients, and the one for the other members."""

    number: int
    client_port: int
    raft_port: int

    @property
    def client(self) -> str:
        """Remote for clients."""
        return f"tcp:127.0.0.1:{self.client_port}"

    @property
    def raft(self) -> str:
        """Address for the other members."""
        return f"tcp:127.0.0.1:{self.raft_port}"


class Door(msgspec.Struct, frozen=True):
    """One more place, on the loopback, where a southbound server listens; ``tls`` for ``ssl:``."""

    port: int
    tls: bool

    @property
    def client(self) -> str:
        """Remote for clients."""
        return f"{'ssl' if self.tls else 'tcp'}:127.0.0.1:{self.port}"

    def arguments(self, layout: Layout) -> tuple[str, ...]:
        """Of the server."""
        if not self.tls:
            return (f"--remote=ptcp:{self.port}:127.0.0.1",)
        files = layout.tls
        return (
            f"--remote=pssl:{self.port}:127.0.0.1",
            f"--private-key={files.key}",
            f"--certificate={files.certificate}",
            f"--ca-cert={files.ca}",
        )


class Chassis(msgspec.Struct, frozen=True):
    """A node as the southbound of another one knows it: its name there, that southbound's remote, and an address for
    its tunnels. Two chassis of one address are a fault of their own (ovn-controller 26.03 dies of it)."""

    name: str
    southbound: str
    address: str


class Daemon(msgspec.Struct, frozen=True):
    """One daemon. ``sockets`` and ``ports`` listen once it is up; ``{pid}`` in a name stands for its pid.

    ``pidfile`` and ``sockets`` are names in the run directory. ``schema`` is the schema file of a database server.
    """

    name: str
    program: str
    arguments: tuple[str, ...]
    pidfile: str
    sockets: tuple[str, ...]
    ports: tuple[int, ...] = ()
    schema: str = ""


def declare(
    layout: Layout,
    *,
    ovn: bool,
    members: tuple[RaftMember, ...],
    doors: Mapping[str, Door] = MappingProxyType({}),
    chassis: Chassis | None = None,
) -> dict[str, Daemon]:
    """The daemons of such a node by name, in the order of their start. A ``chassis`` of another node has no central
    ones."""
    daemons = [_database(layout)]
    if chassis is not None:
        daemons += [_vswitchd(layout), _controller(layout)]
        return {daemon.name: daemon for daemon in daemons}
    if ovn:
        daemons += [_ovn_database(layout, "nb", "OVN_Northbound", "NB_Global")]
        for name, member in _southbound(members).items():
            door = doors[name].arguments(layout) if name in doors else ()
            daemons.append(_ovn_database(layout, "sb", "OVN_Southbound", "SB_Global", member, door))
    daemons.append(_vswitchd(layout))
    if ovn:
        daemons += [_northd(layout, southbound_remote(layout, members)), _controller(layout)]
    return {daemon.name: daemon for daemon in daemons}


def southbound_servers(layout: Layout, members: tuple[RaftMember, ...]) -> dict[str, str]:
    """The daemons that serve the southbound, each with the remote of its unix socket."""
    return {
        name: layout.unix(f"ovnsb{member.number if member else ''}_db.sock")
        for name, member in _southbound(members).items()
    }


def _southbound(members: tuple[RaftMember, ...]) -> dict[str, RaftMember | None]:
    return {f"ovn-sb{member.number}": member for member in members} or {"ovn-sb": None}


def southbound_remote(layout: Layout, members: tuple[RaftMember, ...]) -> str:
    """Where clients find the southbound database: every member of the cluster, or the one socket."""
    return ",".join(member.client for member in members) or layout.unix("ovnsb_db.sock")


def database_file(name: str) -> str:
    """Name of the file behind a database server."""
    return "conf.db" if name == "ovsdb-server" else f"{name}.db"


def _database(layout: Layout) -> Daemon:
    arguments = (
        str(layout.dbdir / database_file("ovsdb-server")),
        f"--remote=p{layout.unix('db.sock')}",
        "--remote=db:Open_vSwitch,Open_vSwitch,manager_options",
    )
    sockets = ("db.sock", "ovsdb-server.{pid}.ctl")
    return Daemon("ovsdb-server", "ovsdb-server", arguments, "ovsdb-server.pid", sockets, schema="vswitch.ovsschema")


def _ovn_database(
    layout: Layout,
    which: str,
    database: str,
    root: str,
    member: RaftMember | None = None,
    door: tuple[str, ...] = (),
) -> Daemon:
    number = member.number if member else ""
    name, stem = f"ovn-{which}{number}", f"ovn{which}{number}_db"
    remotes = [f"--remote=p{layout.unix(f'{stem}.sock')}", f"--remote=db:{database},{root},connections", *door]
    if member:
        remotes.append(f"--remote=ptcp:{member.client_port}:127.0.0.1")
    arguments = (str(layout.dbdir / database_file(name)), *remotes, f"--unixctl={layout.rundir / stem}.ctl")
    ports = (member.client_port, member.raft_port) if member else ()
    sockets = (f"{stem}.sock", f"{stem}.ctl")
    return Daemon(name, "ovsdb-server", arguments, f"{stem}.pid", sockets, ports, f"ovn-{which}.ovsschema")


def _vswitchd(layout: Layout) -> Daemon:
    # In override mode every interface and datapath type is a dummy, and nothing privileged is opened; without
    # --disable-system the kernel datapath would be tried first (lib/dummy.c, vswitchd/ovs-vswitchd.c).
    arguments = (layout.unix("db.sock"), "--enable-dummy=override", "--disable-system")
    return Daemon("ovs-vswitchd", "ovs-vswitchd", arguments, "ovs-vswitchd.pid", ("ovs-vswitchd.{pid}.ctl",))


def _northd(layout: Layout, southbound: str) -> Daemon:
    arguments = (f"--ovnnb-db={layout.unix('ovnnb_db.sock')}", f"--ovnsb-db={southbound}")
    return Daemon("ovn-northd", "ovn-northd", arguments, "ovn-northd.pid", ("ovn-northd.{pid}.ctl",))


def _controller(layout: Layout) -> Daemon:
    arguments = (layout.unix("db.sock"),)
    return Daemon("ovn-controller", "ovn-controller", arguments, "ovn-controller.pid", ("ovn-controller.{pid}.ctl",))
