"""The southbound servers that a storm hits: where they are, what they hold, and what it costs them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import msgspec

from ovsnet import ovsdb
from ovsnet.bench.memory import resident_bytes
from ovsnet.bench.storm.conversation import DATABASE
from ovsnet.errors import ConnectError, PeerError
from ovsnet.io.address import Address
from ovsnet.io.tls import Tls
from ovsnet.node.process import sample

QUERY_TIMEOUT = 5.0
"""Seconds for an answer before the storm."""


class Contents(msgspec.Struct, frozen=True):
    """What a chassis has to know to ask for its part: the tables and columns of this server, and the datapaths."""

    tables: Mapping[str, Sequence[str]]
    datapaths: Sequence[str]


async def contents(remotes: Sequence[Address], tls: Tls | None) -> Contents:
    """Ask the first server that answers. Raises the PeerError of the last one when none does."""
    failure: PeerError = ConnectError("No server was named.")
    for remote in remotes:
        try:
            async with await ovsdb.connect(remote, timeout=QUERY_TIMEOUT, tls=tls) as session:
                schema = await session.get_schema(DATABASE, timeout=QUERY_TIMEOUT)
                rows = await session.select(DATABASE, "Datapath_Binding", columns=["_uuid"], timeout=QUERY_TIMEOUT)
                tables = {name: sorted(table.columns) for name, table in schema.tables.items()}
                return Contents(tables, sorted(str(row["_uuid"]) for row in rows))
        except PeerError as error:
            failure = error
    raise failure


class Meter(msgspec.Struct):
    """CPU seconds and the peak of resident memory of one daemon through restarts: each process counts from when it was
    seen first."""

    cpu_seconds: float = 0.0
    peak_bytes: int = 0
    _seen: dict[int, float] = msgspec.field(default_factory=dict)

    def read(self, pid: int) -> None:
        """Measure the process that is the daemon now. One that has ended keeps what it was last seen to have."""
        found = sample(pid, time.monotonic())
        if found is None:
            return
        # A daemon that starts within the run has used nothing before it.
        before = self._seen.get(pid, found.cpu_seconds if not self._seen else 0.0)
        self.cpu_seconds += found.cpu_seconds - before
        self._seen[pid] = found.cpu_seconds
        self.peak_bytes = max(self.peak_bytes, resident_bytes(pid))
