"""What a storm counts and times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from ovsnet.bench.histogram import Histogram
from ovsnet.bench.measures import Measures, Tally


class StormMeasures(Measures, kw_only=True):
    """``done`` chassis were synced at the end, ``lost`` were not.

    A chassis ``gave_up`` on a server that left its probe unanswered; ``gave_up_unheard`` is how often the server had
    not said a word on that connection. Each of these is a false disconnect if the server lived; ``false_disconnects``
    is None when that could not be known.
    """

    titles: ClassVar[Mapping[str, str]] = {"connect_errors": "connect", "closed_by_server": "closed by the server"}

    chassis: int = 0
    false_disconnects: int | None = None
    gave_up: int = 0
    gave_up_unheard: int = 0
    connection_attempts: int = 0
    connect_timeouts: int = 0
    connect_errors: Tally = msgspec.field(default_factory=dict)
    turned_away: int = 0
    closed_by_server: int = 0
    bad_bytes: int = 0
    join_to_synced: Histogram = msgspec.field(default_factory=Histogram)
    """From when the first chassis arrived."""
    fault_to_synced: Histogram = msgspec.field(default_factory=Histogram)
    """Of those that the fault threw out."""
    outage: Histogram = msgspec.field(default_factory=Histogram)
    probe: Histogram = msgspec.field(default_factory=Histogram)
    generator_lag: Histogram = msgspec.field(default_factory=Histogram)
