"""What the conductor of a storm and its workers tell each other, one JSON object a line.

A worker reads its plan, says ``Progress`` when it is ready and several times a second from then on, obeys orders, and
ends with its findings when it is told to, or when its stdin ends.
"""

from __future__ import annotations

import msgspec

from ovsnet.bench.result import Run

TICK = 0.2
"""Seconds between two words on the progress."""


class TlsFiles(msgspec.Struct, frozen=True):
    """As ``ovsnet.io.tls.Tls``."""

    key: str
    certificate: str
    ca: str


class Plan(msgspec.Struct, frozen=True):
    """One worker's part: ``chassis`` of them, numbered from ``first``, which arrive evenly within ``over`` seconds."""

    remotes: list[str]
    first: int
    chassis: int
    probe_interval: float
    over: float
    tables: dict[str, list[str]]
    datapaths: list[str]
    everything: bool
    register: bool
    seed: str
    tls: TlsFiles | None = None


class Join(msgspec.Struct, frozen=True, tag="join"):
    """Begin. Times are ``time.monotonic``, which all processes of a machine share."""

    at: float


class Fault(msgspec.Struct, frozen=True, tag="fault"):
    """A server was struck at that moment. ``remote`` is the index of one that was killed: whoever was connected to it
    is not synced until it has come back, whether it knows already or not. None when it was frozen."""

    at: float
    remote: int | None


class End(msgspec.Struct, frozen=True, tag="end"):
    """Close, tell what was found, and end."""


Order = Join | Fault | End


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """How many ``orders`` were obeyed. ``synced`` chassis hold what they monitor, over a connection that no order has
    made void."""

    orders: int
    synced: int
    gave_up: int


class Findings(msgspec.Struct, frozen=True, tag="findings"):
    """All that a worker has measured."""

    run: Run


Word = Progress | Findings
