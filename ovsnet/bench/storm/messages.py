"""What the coordinator of a storm and its workers say to each other, by the protocol of ``bench.child``.

A worker reports its progress several times a second.
"""

from __future__ import annotations

import msgspec

from ovsnet.bench.storm.measures import StormMeasures

TICK = 0.2
"""Seconds between two reports of the progress."""


class TlsFiles(msgspec.Struct, frozen=True):
    """As ``ovsnet.io.tls.Tls``."""

    key: str
    certificate: str
    ca: str


class WorkerPlan(msgspec.Struct, frozen=True):
    """One worker's part: ``chassis`` of them, numbered from ``first``, which arrive evenly within ``ramp_seconds``."""

    remotes: list[str]
    first: int
    chassis: int
    probe_interval: float
    ramp_seconds: float
    tables: dict[str, list[str]]
    datapaths: list[str]
    monitor_all: bool
    register: bool
    seed: str
    tls: TlsFiles | None = None


class Join(msgspec.Struct, frozen=True, tag="join"):
    """Begin. Times are ``time.monotonic``, which all processes of a machine share."""

    at: float


class Fault(msgspec.Struct, frozen=True, tag="fault"):
    """The moment of the fault. ``remote`` is the index of a server that was killed: a chassis that was connected to it
    is not synced until it has come back, whether it knows already or not. None when the server was frozen."""

    at: float
    remote: int | None


Order = Join | Fault


class WorkerProgress(msgspec.Struct, frozen=True):
    """How many ``orders`` were obeyed. ``synced`` chassis hold what they monitor, over a connection that no order has
    made void."""

    orders: int
    synced: int
    gave_up: int


class WorkerFindings(msgspec.Struct, frozen=True):
    """All that a worker has measured, of itself too."""

    measures: StormMeasures
    cpu_seconds: float
    peak_bytes: int
