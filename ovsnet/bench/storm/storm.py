"""What a storm is, as data. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from ovsnet.bench.result import Setting
from ovsnet.bench.shard import Shard
from ovsnet.bench.storm.sweep import title
from ovsnet.errors import UsageError
from ovsnet.io.address import parse_remotes
from ovsnet.io.tls import Tls

Scheme = Literal["unix", "tcp", "ssl"]
FaultName = Literal["kill", "freeze", "none"]

SHORTEST_HOLD = 3.0


class Storm(msgspec.Struct, frozen=True):
    """``chassis`` join within ``ramp_seconds``; all is watched for ``hold`` seconds; then the ``fault`` is injected for
    ``fault_seconds``, and all may take ``sync_timeout`` seconds to come back.

    ``address`` is a list of remotes of a real southbound; without one, a sandbox with ``ports`` ports listens on
    ``scheme``, clustered with ``raft``. With ``register`` each chassis writes its rows. A ``probe_interval`` of 0 means
    no probes.
    """

    chassis: int
    probe_interval: float
    address: str | None = None
    scheme: Scheme = "unix"
    raft: bool = False
    ports: int = 100
    fault: FaultName = "kill"
    fault_seconds: float = 2.0
    ramp_seconds: float = 0.0
    hold: float | None = None
    sync_timeout: float = 120.0
    monitor_all: bool = False
    register: bool = False
    workers: int | None = None
    tls: Tls | None = None

    @property
    def name(self) -> str:
        """Distinguishes it from the other storms of a document."""
        return f"{title(self.settings())}, probe {self.probe_interval:g} s"

    def settings(self) -> dict[str, Setting]:
        """What was asked for, as the document records it."""
        return {
            "chassis": self.chassis,
            "probe_interval": self.probe_interval,
            "address": self.address,
            "scheme": self.scheme,
            "raft": self.raft,
            "ports": None if self.address else self.ports,
            "fault": self.fault,
            "fault_seconds": self.fault_seconds,
            "ramp_seconds": self.ramp_seconds,
            "hold_seconds": self.hold_seconds,
            "monitor_all": self.monitor_all,
            "register": self.register,
        }

    @property
    def hold_seconds(self) -> float:
        """How long it is watched: two probe intervals are the time that a chassis needs to give up."""
        return max(2 * self.probe_interval, SHORTEST_HOLD) if self.hold is None else self.hold

    def operations(self, shard: Shard) -> int:
        """How many chassis are ours."""
        return shard.part(self.chassis)


def require_possible(storm: Storm, shard: Shard) -> None:
    """Raise UsageError for what cannot be."""
    if 0 < storm.probe_interval < 1:
        raise UsageError(
            f"A probe interval of {storm.probe_interval:g} s has no effect: OVS raises anything shorter to 1 s.",
            remedy="Use at least 1 s, or 0 for no probes.",
        )
    if storm.chassis < shard.of:
        raise UsageError("There are more shards than chassis.", remedy="Use more chassis or fewer shards.")
    if storm.address is None:
        if shard.of > 1:
            raise UsageError(
                "All shards must load one southbound, but each would have its own sandbox.",
                remedy="Name a southbound with --address.",
            )
        return
    if storm.fault != "none" or storm.register:
        raise UsageError(
            "--fault and --register need a sandbox, but --address names a real southbound.",
            remedy="Omit them, and inject the fault yourself during --hold.",
        )
    if not parse_remotes(storm.address):
        raise UsageError("--address names no southbound.", remedy="Write it as tcp:10.0.0.1:6642.")
