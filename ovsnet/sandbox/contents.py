"""What a sandbox node holds: its databases, its bridge, its ports; and the proof that they work.

Many ports go in as one transaction: a call per port would take minutes for 3000 of them.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Protocol

from ovsnet.sandbox.daemons import BRIDGE, database_file
from ovsnet.sandbox.waiting import together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ovsnet.sandbox.daemons import Layout, RaftMember

_OPENFLOW = "--protocols=OpenFlow15"  # the version that ovn-controller itself speaks since 20.06
_IN_PORT = re.compile(r"in_port=(\d+)")


class Tools(Protocol):
    """Runs a program of OVS or OVN against the node and returns its stdout."""

    async def __call__(self, program: str, /, *arguments: str) -> str: ...


async def create_databases(
    run: Tools, layout: Layout, schemas: Mapping[str, Path], members: Sequence[RaftMember]
) -> None:
    """One file per database server; ``schemas`` maps the server's name to its schema file."""
    clustered = {f"ovn-sb{member.number}": member for member in members}

    async def create(name: str) -> None:
        file, member = str(layout.dbdir / database_file(name)), clustered.get(name)
        if member is None:
            await run("ovsdb-tool", "create", file, str(schemas[name]))
        elif member is members[0]:
            await run("ovsdb-tool", "create-cluster", file, str(schemas[name]), member.raft)
        else:
            await run("ovsdb-tool", "join-cluster", file, "OVN_Southbound", member.raft, members[0].raft)

    await together(*(lambda name=name: create(name) for name in schemas))


async def configure_switch(
    run: Tools, *, southbound: str | None, bridge: bool, ports: int, name: str, address: str
) -> None:
    """Fill the Open_vSwitch database in one transaction. ``southbound`` is None for a node without OVN; ``name`` and
    ``address`` are the chassis's."""
    words = _settings(southbound, name, address)
    if bridge:
        words += _bridge("secure" if southbound else "standalone")
    if bridge and ports:
        words += _interfaces(ports)
    await run("ovs-vsctl", "--no-wait", *words)


async def add_ports_late(run: Tools, ports: int) -> None:
    """Add the ports as soon as ovn-controller has made the bridge."""
    await run("ovs-vsctl", "--no-wait", "wait-until", "Bridge", BRIDGE)
    if ports:
        await run("ovs-vsctl", "--no-wait", *_interfaces(ports))


def _settings(southbound: str | None, name: str, address: str) -> list[str]:
    """The database's one row, and, for OVN, what ovn-controller reads at its start."""
    settings = [f"external_ids:system-id={name}"]
    if southbound:
        # Quoted: a list of remotes holds commas, which ovs-vsctl would take for its own.
        settings += [f'external_ids:ovn-remote="{southbound}"']
        settings += ["external_ids:ovn-encap-type=geneve", f"external_ids:ovn-encap-ip={address}"]
    return ["--", "init", "--", "set", "Open_vSwitch", ".", *settings]


def _bridge(fail_mode: str) -> list[str]:
    """br-int as ovn-controller would make it (``create_br_int()`` in controller/ovn-controller.c).

    Made beforehand, it spares ovn-controller the failed first connect to br-int.mgmt, and its second of backoff.
    """
    settings = [f"fail-mode={fail_mode}", "other-config:disable-in-band=true", "datapath_type=system"]
    return ["--", "add-br", BRIDGE, "--", "set", "Bridge", BRIDGE, *settings]


def _interfaces(ports: int) -> list[str]:
    """Interfaces p1, p2, … on br-int, each bound to the logical port of the same name.

    ``create`` with names for the new rows, not ``add-port``: that costs time in the square of the ports, 4 s for 3000.
    """
    words: list[str] = []
    for name in port_names(ports):
        interface, settings = f"@interface_{name}", ["type=internal", f"external_ids:iface-id={name}"]
        words += ["--", f"--id={interface}", "create", "Interface", f"name={name}", *settings]
        words += ["--", f"--id=@{name}", "create", "Port", f"name={name}", f"interfaces={interface}"]
    return [*words, "--", "add", "Bridge", BRIDGE, "ports", *(f"@{name}" for name in port_names(ports))]


async def add_logical_ports(run: Tools, ports: int) -> None:
    """One logical switch with that many ports; ``create`` rather than ``lsp-add``, as for the interfaces."""
    words: list[str] = []
    for number, name in enumerate(port_names(ports), start=1):
        address = f"0a:00:00:00:{number >> 8:02x}:{number & 255:02x} 10.0.{number >> 8}.{number & 255}"
        words += ["--", f"--id=@{name}", "create", "Logical_Switch_Port", f"name={name}", f'addresses="{address}"']
    members = ",".join(f"@{name}" for name in port_names(ports))
    await run("ovn-nbctl", *words, "--", "create", "Logical_Switch", "name=ls0", f"ports=[{members}]")


def port_names(ports: int) -> list[str]:
    """p1, p2, …"""
    return [f"p{number}" for number in range(1, ports + 1)]


class Readiness:
    """Whether every port is there and, with OVN, its flows are in the switch. Ask again until it is so.

    Neither nb_cfg nor ovn-installed proves flows: both survive a restart of the switch. What proves them is the
    switch's own answer: every port is matched in table 0 (OFTABLE_PHY_TO_LOG, where OVN takes packets in), and the
    count of flows has stopped growing.
    """

    def __init__(self, run: Tools, *, ports: int, ovn: bool) -> None:
        self._run = run
        self._ports = set(port_names(ports))
        self._ovn = ovn
        self._flows = 0
        self.lacking = "nothing was checked yet"

    async def check(self) -> bool:
        """True when the node is ready; else ``lacking`` says what it still lacks."""
        interfaces = await self._rows()
        numbers = {interface["ofport"] for interface in interfaces if interface["ofport"]}
        if len(numbers) < len(self._ports):
            return self._lacks(f"{len(numbers)} of {len(self._ports)} ports are in the switch")
        return await self._has_flows(interfaces, numbers) if self._ovn else True

    async def _has_flows(self, interfaces: list[dict[str, Any]], numbers: set[int]) -> bool:
        installed = sum("ovn-installed" in interface["external_ids"] for interface in interfaces)
        if installed < len(self._ports):
            return self._lacks(f"OVN has installed {installed} of {len(self._ports)} ports")
        before, self._flows = self._flows, await self._count_flows()
        if self._flows == 0 or self._flows != before:
            return self._lacks(f"the flows have not settled at {self._flows}")
        table = await self._run("ovs-ofctl", _OPENFLOW, "--no-names", "dump-flows", BRIDGE, "table=0")
        matched = {int(number) for number in _IN_PORT.findall(table)}
        return numbers <= matched or self._lacks(f"{len(numbers - matched)} ports have no flow in table 0")

    async def _rows(self) -> list[dict[str, Any]]:
        columns = "--columns=name,ofport,external_ids"
        table = json.loads(await self._run("ovs-vsctl", "--format=json", columns, "list", "Interface"))
        rows = [
            {"name": name, "ofport": ofport if isinstance(ofport, int) else 0, "external_ids": dict(external_ids[1])}
            for name, ofport, external_ids in table["data"]
        ]
        return [row for row in rows if row["name"] in self._ports and row["ofport"] >= 0]

    async def _count_flows(self) -> int:
        answer = await self._run("ovs-ofctl", _OPENFLOW, "dump-aggregate", BRIDGE)
        return int(answer.rpartition("flow_count=")[2])

    def _lacks(self, what: str) -> bool:
        self.lacking = what
        return False
