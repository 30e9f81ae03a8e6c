"""What ovs-vswitchd made of the interfaces in the database. Pure.

It writes why it could not make one into ``Interface.error``, and -1 into ``Interface.ofport`` (vswitchd/bridge.c,
``iface_clear_db_record``). The server is asked for such rows and for tunnels, which are as few as nodes and seldom
change: a port that comes or goes well is never sent.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

import msgspec

from ovsnet.ovsdb.operations import Condition
from ovsnet.ovsdb.values import Row, Uuid

COLUMNS = ("name", "type", "error", "ofport", "bfd_status")
"""None of them changes with traffic. ``statistics`` would: every five seconds, for every port."""

TUNNELS = frozenset(
    ("geneve", "vxlan", "gre", "ip6gre", "erspan", "ip6erspan", "stt", "lisp", "bareudp", "gtpu", "srv6", "ipsec_gre")
)
"""Types of tunnels, of old releases too (lib/netdev-vport.c)."""

WANTED: tuple[Condition, ...] = (
    *(("error", "!=", None), ("ofport", "==", -1)),
    *(("type", "==", each) for each in sorted(TUNNELS)),
)
"""Any of them. A port that is just being made has neither an error nor a number."""

BUSY = "Device or resource busy"
"""EBUSY, of "could not add network device eth1 to ofproto" (vswitchd/bridge.c, ``iface_do_create``)."""

IN_USE = "Address already in use"
"""EADDRINUSE, of the socket that the kernel binds for a tunnel."""

NO_PATH = ("down", "init")
"""States of BFD in which nothing comes from the other end, or nothing reaches it (RFC 5880, section 4.1). Another one,
``admin_down``, is configured."""


class Interface(msgspec.Struct, frozen=True):
    """One row of Interface. ``error`` is empty and ``ofport`` None while ovs-vswitchd has not written them; ``bfd`` is
    the state of BFD, empty where it does not run."""

    uuid: Uuid
    name: str
    type: str
    error: str
    ofport: int | None
    bfd: str = ""

    @classmethod
    def of(cls, uuid: Uuid, row: Row) -> Interface:
        """The row as it was read; a column that the server's schema has not is as if it were unset."""
        number, status = row.get("ofport"), row.get("bfd_status")
        return cls(
            uuid=uuid,
            name=str(row["name"]),
            type=str(row.get("type") or ""),
            error=str(row.get("error") or ""),
            ofport=number if isinstance(number, int) else None,
            bfd=str(status.get("state", "")) if isinstance(status, Mapping) else "",
        )

    @property
    def failed(self) -> bool:
        """Whether ovs-vswitchd tried to make it, and could not."""
        return bool(self.error) or self.ofport == -1

    @property
    def taken(self) -> bool:
        """Whether the device is there, and belongs to another master: a bond, a bridge of the kernel, a macvlan
        (net/core/dev.c, ``netdev_rx_handler_register``: EBUSY)."""
        return BUSY in self.error and not self.tunnel

    @property
    def port_taken(self) -> bool:
        """Whether it is a tunnel for whose UDP port another device was made, as Cilium makes one
        (drivers/net/geneve.c, ``geneve_configure``: EBUSY), or that another program has bound."""
        return self.tunnel and (BUSY in self.error or IN_USE in self.error)

    @property
    def tunnel(self) -> bool:
        """Whether it leads to other nodes."""
        return self.type in TUNNELS

    @property
    def path_lost(self) -> bool:
        """Whether BFD runs, and finds no path to the other end."""
        return self.bfd in NO_PATH

    @property
    def why(self) -> str:
        """What ovs-vswitchd says of it."""
        return self.error or "its ofport is -1"


def bridges_of(ports: Iterable[Row], bridges: Iterable[Row]) -> Mapping[Uuid, str]:
    """The bridge of each interface, from rows of Port (``_uuid``, ``interfaces``) and of Bridge (``name``,
    ``ports``)."""
    bridge_of_port = {port: str(bridge["name"]) for bridge in bridges for port in _members(bridge["ports"])}
    return {
        interface: bridge_of_port[port["_uuid"]]
        for port in ports
        if port["_uuid"] in bridge_of_port
        for interface in _members(port["interfaces"])
    }


def _members(value: object) -> Iterable[Uuid]:
    return value if isinstance(value, frozenset) else ()


class Lasting:
    """How long each of some things has been broken, as one observer saw them.

    A port is broken for a moment when its pod goes, so what breaks before the observer's eyes is given time. Of what
    was broken at its first look nobody can tell it the age, and it counts as old: so an agent that was there, one that
    comes later and a one-shot ``check`` end with the same word.
    """

    def __init__(self) -> None:
        self._since: dict[Hashable, float] | None = None

    @property
    def looked(self) -> bool:
        """Whether there was a first look."""
        return self._since is not None

    def look(self, broken: Iterable[Hashable], now: float) -> None:
        """These are broken at ``now``, and no others."""
        before, new = (self._since, now) if self._since is not None else ({}, float("-inf"))
        self._since = {each: before.get(each, new) for each in broken}

    def age(self, thing: Hashable, now: float) -> float:
        """For how many seconds it has been broken; 0 when it is not."""
        since = (self._since or {}).get(thing)
        return 0.0 if since is None else now - since

    def lasts(self, thing: Hashable, *, longer_than: float, now: float) -> bool:
        """Whether it is broken, and has been for more than ``longer_than`` seconds."""
        return self.age(thing, now) > longer_than
