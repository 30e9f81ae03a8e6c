"""The daemons that checks ask, each declared once.

Bookkeeping, control connection, wake-up on its sockets, metrics, and the three diagnoses that any daemon can earn
(down, hung, slow) follow from the declaration.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import msgspec

from ovsnet.node.rundir import Rundir


class Socket(StrEnum):
    """The kinds of sockets over which a check asks its daemon."""

    DATABASE = "database"
    CONTROL = "control"
    MGMT = "mgmt"
    NONE = "none"
    """It asks nobody: it reads files, or what another connection has already brought."""


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """One daemon. ``name`` begins its diagnosis codes; ``title`` is what sentences call it.

    ``sockets``: patterns of the names of sockets that it alone makes in its run directory.
    ``control``: it has a unixctl socket in its run directory, and the node holds a connection to it.
    ``vital``: it is Open vSwitch itself, so its proven death makes ``/ovs/livez`` fail.
    ``remote``: it may run on another host.
    ``central``: it serves the whole network. It is asked where it shows in the run directory, and not missed elsewhere.
    ``database``: the one that it serves, on the first of its ``sockets``.
    """

    daemon: str
    name: str
    title: str
    sockets: tuple[str, ...]
    program: str = ""
    ovn: bool = False
    pidfile_name: str = ""
    control: bool = False
    vital: bool = False
    remote: bool = False
    central: bool = False
    database: str = ""

    @property
    def only_degrades(self) -> bool:
        """Whether no state of it makes this node unready: what is set up here goes on without it."""
        return self.remote or self.central

    @property
    def process(self) -> str:
        """The name of its process, as /proc has it."""
        return self.program or self.daemon

    @property
    def lasting_files(self) -> tuple[str, ...]:
        """The names of its files in the run directory that are the same whichever its process."""
        return self._pidfile, *(each for each in self.sockets if "*" not in each)

    def pidfile(self, rundir: Rundir) -> Path:
        """Where it writes its pid."""
        return (rundir.ovn if self.ovn else rundir.ovs) / self._pidfile

    @property
    def _pidfile(self) -> str:
        return self.pidfile_name or f"{self.daemon}.pid"


COMPONENTS: dict[str, Component] = {}
"""By the name that checks and metrics give the daemon, in causal order."""


def declare(component: Component) -> Component:
    """Add a daemon."""
    assert component.daemon not in COMPONENTS
    COMPONENTS[component.daemon] = component
    return component


OVSDB = declare(
    Component(
        daemon="ovsdb-server",
        name="ovsdb",
        title="ovsdb-server",
        sockets=("db.sock", "ovsdb-server.*.ctl"),
        vital=True,
    )
)
VSWITCHD = declare(
    Component(
        daemon="ovs-vswitchd",
        name="vswitchd",
        title="ovs-vswitchd",
        sockets=("ovs-vswitchd.*.ctl", "*.mgmt"),
        control=True,
        vital=True,
    )
)
CONTROLLER = declare(
    Component(
        daemon="ovn-controller",
        name="controller",
        title="ovn-controller",
        sockets=("ovn-controller.*.ctl",),
        ovn=True,
        control=True,
    )
)
SOUTHBOUND = declare(
    Component(
        daemon="southbound",
        name="southbound",
        title="ovsdb-server of the southbound",
        sockets=("ovnsb_db.sock", "ovnsb_db.ctl"),
        program="ovsdb-server",
        ovn=True,
        pidfile_name="ovnsb_db.pid",
        remote=True,
    )
)
NB = declare(
    Component(
        daemon="ovnnb_db",
        name="nb",
        title="ovsdb-server of OVN_Northbound",
        sockets=("ovnnb_db.sock", "ovnnb_db.ctl"),
        program="ovsdb-server",
        ovn=True,
        control=True,
        central=True,
        database="OVN_Northbound",
    )
)
SB = declare(
    Component(
        daemon="ovnsb_db",
        name="sb",
        title="ovsdb-server of OVN_Southbound",
        sockets=("ovnsb_db.sock", "ovnsb_db.ctl"),
        program="ovsdb-server",
        ovn=True,
        control=True,
        central=True,
        database="OVN_Southbound",
    )
)
"""The server itself; SOUTHBOUND is what this node's ovn-controller uses, which may be another one."""
NORTHD = declare(
    Component(
        daemon="ovn-northd",
        name="northd",
        title="ovn-northd",
        sockets=("ovn-northd.*.ctl",),
        ovn=True,
        control=True,
        central=True,
    )
)
