"""What the daemons of a node report about themselves, as plain values, and why one of them reported nothing."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ovsnet.errors import UnfitEnvironment
from ovsnet.io.nf_tables import InputChain
from ovsnet.node.version import Version, parse_version


class DatabaseFacts(msgspec.Struct, frozen=True):
    """Of the Open_vSwitch database. ``bridges`` maps names to ``datapath_type``; ``offered_datapaths`` are the types
    that this vswitchd can do (``Open_vSwitch.datapath_types``). ``interfaces`` counts the rows of Interface."""

    ovs_version: str = ""
    other_config: Mapping[str, str] = msgspec.field(default_factory=dict)
    external_ids: Mapping[str, str] = msgspec.field(default_factory=dict)
    bridges: Mapping[str, str] = msgspec.field(default_factory=dict)
    offered_datapaths: frozenset[str] = frozenset()
    interfaces: int = 0

    @property
    def kernel_datapath(self) -> bool | None:
        """Whether a bridge forwards in the kernel; None when there is no bridge, or no vswitchd ever ran.

        A vswitchd that offers ``dummy`` runs for tests: its ``system`` may be a dummy too (lib/dummy.c).
        """
        if not self.bridges or not self.offered_datapaths:
            return None
        return "dummy" not in self.offered_datapaths and any(kind in ("", "system") for kind in self.bridges.values())


class NoAnswer(msgspec.Struct, frozen=True):
    """Why a daemon did not answer, and what to do about it; both are sentences."""

    cause: str
    remedy: str


class Live(msgspec.Struct, frozen=True):
    """``versions``, ``pids`` and ``unanswered`` are by daemon; a pid is the one behind the socket. ``firewall`` is
    that of our own network namespace, and None where nobody asked or the kernel does not show it. ``stored_in`` is the
    file that ``database`` was read from, where no server answered."""

    database: DatabaseFacts | None = None
    versions: Mapping[str, str] = msgspec.field(default_factory=dict)
    pids: Mapping[str, int] = msgspec.field(default_factory=dict)
    unanswered: Mapping[str, NoAnswer] = msgspec.field(default_factory=dict)
    firewall: tuple[InputChain, ...] | None = None
    stored_in: str = ""

    @property
    def kernel_datapath(self) -> bool | None:
        """Whether a bridge forwards in the kernel; None when nobody knows."""
        return self.database.kernel_datapath if self.database else None

    def need_database(self) -> DatabaseFacts:
        """Raises UnfitEnvironment when no database answered."""
        if self.database is not None:
            return self.database
        why = self.why_unanswered("ovsdb-server")
        raise UnfitEnvironment(f"The settings cannot be seen: {why.cause}", remedy=why.remedy)

    def why_unanswered(self, daemon: str) -> NoAnswer:
        """Why nothing is known from this daemon."""
        unasked = NoAnswer(f"{daemon} was not asked.", f"Start {daemon}, then ask again.")
        return self.unanswered.get(daemon, unasked)

    def version(self, daemon: str) -> Version | None:
        """What the daemon reports; for vswitchd else what ovs-ctl wrote down. None when neither is known."""
        text = self.versions.get(daemon, "")
        if not text and daemon == "ovs-vswitchd" and self.database is not None:
            text = self.database.ovs_version
        return parse_version(text)
