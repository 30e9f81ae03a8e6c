"""What a sandbox is asked to be, and what that takes of this host: ports that are free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ovsnet.errors import UsageError
from ovsnet.sandbox.daemons import RAFT_MEMBERS, Chassis, Door, RaftMember
from ovsnet.sandbox.proc import free_ports
from ovsnet.sandbox.record import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The arguments of ``Sandbox`` that say how it looks. Raises UsageError for what cannot be."""

    ports: int
    raft: bool
    ovn: bool
    bridge: bool
    door: Literal["tcp", "ssl"] | None
    chassis: Chassis | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.ports <= 60000:
            raise UsageError(f"A sandbox cannot have {self.ports} ports.", remedy="Ask for 0 to 60000.")
        if not self.ovn and (self.raft or self.door or not self.bridge):
            raise UsageError("raft, door and bridge=False need OVN.", remedy="Leave ovn=False out.")
        if self.chassis is not None and (self.ports or self.raft or self.door or not self.ovn):
            raise UsageError(
                "A chassis of another node's southbound has no central daemons and no ports of its own.",
                remedy="Use ports=0, and neither raft nor door.",
            )

    def settle(self, *, binaries_root: str | None, made_directory: bool) -> Settings:
        """The same with all that is chosen when it is made."""
        members = _members() if self.raft else ()
        return Settings(
            ports=self.ports,
            ovn=self.ovn,
            with_bridge=self.bridge,
            members=members,
            binaries_root=binaries_root,
            made_directory=made_directory,
            doors=_doors(members, tls=self.door == "ssl") if self.door else {},
            chassis=self.chassis,
        )


def _members() -> tuple[RaftMember, ...]:
    ports = free_ports(2 * len(RAFT_MEMBERS))
    return tuple(RaftMember(number, ports.pop(), ports.pop()) for number in RAFT_MEMBERS)


def _doors(members: tuple[RaftMember, ...], *, tls: bool) -> dict[str, Door]:
    names = [f"ovn-sb{member.number}" for member in members] or ["ovn-sb"]
    taken = {port for member in members for port in (member.client_port, member.raft_port)}
    ports = [port for port in free_ports(len(names) + len(taken)) if port not in taken]
    return {name: Door(port, tls) for name, port in zip(names, ports, strict=False)}
