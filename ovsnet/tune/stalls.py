"""How long the daemons' main loops are blocked: a histogram for each daemon, and for each server of another host. Pure.

A round trip is a stall as long as itself. A silence counts once, when it is over, at its full length; the end of a
daemon is none. Buckets grow by a fifth, so that a value read back is never more than that too high.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ovsnet.errors import UsageError
from ovsnet.node import histogram

SHORTEST = 0.001
"""Seconds; all that is shorter is in the first bucket. No knob has a finer unit."""
GROWTH = 1.2
MOST_PEERS = 16
"""Servers of one database that are kept apart; a cluster has three to seven. The rest count for the daemon alone."""


class Histogram(histogram.Histogram):
    """Stalls of one daemon, in seconds, and for how many seconds it was ``observed``."""

    observed: float = 0

    def bucket_of(self, value: float) -> int:
        return max(0, math.ceil(math.log(value / SHORTEST, GROWTH) - 1e-9)) if value > 0 else 0

    def upper(self, bucket: int) -> float:
        return float(SHORTEST * GROWTH**bucket)

    def above(self, seconds: float) -> int:
        """How many were longer; those of the bucket that holds ``seconds`` count if the longest of all was longer."""
        if self.highest <= seconds:
            return 0
        return sum(count for bucket, count in self.counts.items() if self.upper(bucket) > seconds)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "count": self.count,
            "longest_seconds": self.highest,
            "sum_seconds": self.total,
            "observed_seconds": self.observed,
            "buckets": {f"{bucket}": self.counts[bucket] for bucket in sorted(self.counts)},
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Histogram:
        """The reverse; an older agent does not say for how long it has observed. Raises UsageError for what is no such
        document."""
        try:
            return cls(
                counts={int(bucket): int(count) for bucket, count in document["buckets"].items()},
                highest=float(document["longest_seconds"]),
                total=float(document["sum_seconds"]),
                observed=float(document.get("observed_seconds", 0)),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError("This holds no histogram of stalls.", remedy="Take it from an agent's /status.") from error


class Observed:
    """One daemon, or one server of a database. ``stalls`` has what was seen; a time without a word in it is observed
    only up to its end."""

    def __init__(self) -> None:
        self.stalls = Histogram()
        self._silent_since: float | None = None
        self._seen_at: float | None = None

    def answered(self, seconds: float, now: float) -> None:
        """An answer came ``seconds`` after its question. A silence before it is over, and counts up to ``now``: at most
        the time between two questions too long, and never too short."""
        if self._silent_since is not None:
            self.stalls.record(now - self._silent_since)
        self._silent_since = None
        self.stalls.record(seconds)
        self.stalls.observed += seconds if self._seen_at is None else max(now - self._seen_at, 0.0)
        self._seen_at = now

    def silent(self, seconds: float, now: float) -> None:
        """No answer has come for ``seconds``, so far."""
        since = now - seconds
        self._silent_since = since if self._silent_since is None else min(since, self._silent_since)

    def gone(self) -> None:
        """It has ended: its silence was not a stall, and until it answers again nothing is observed."""
        self._silent_since = self._seen_at = None


class Stalls:
    """What the agent has seen, by daemon, and by server where a daemon has several on other hosts."""

    def __init__(self) -> None:
        self._daemons: dict[str, Observed] = {}
        self._peers: dict[str, dict[str, Observed]] = {}

    @property
    def histograms(self) -> dict[str, Histogram]:
        """Of each daemon that ever answered."""
        return {daemon: each.stalls for daemon, each in self._daemons.items() if each.stalls.counts}

    def answered(self, daemon: str, seconds: float, now: float, peer: str = "") -> None:
        """As ``Observed.answered``; ``peer`` is the address that answered. The silence of another one has ended with
        its connection."""
        for other in self._peers.get(daemon, {}).values():
            if peer and other is not self._peers[daemon].get(peer):
                other.gone()
        for each in self._of(daemon, peer):
            each.answered(seconds, now)

    def silent(self, daemon: str, seconds: float, now: float, peer: str = "") -> None:
        """As ``Observed.silent``."""
        for each in self._of(daemon, peer):
            each.silent(seconds, now)

    def gone(self, daemon: str) -> None:
        """As ``Observed.gone``."""
        for each in (*self._of(daemon, ""), *self._peers.get(daemon, {}).values()):
            each.gone()

    def document(self) -> dict[str, Any]:
        """As JSON: by daemon, with its servers as ``peers`` where they are known."""
        return {
            daemon: stalls.document() | ({"peers": self._documents_of(daemon)} if self._peers.get(daemon) else {})
            for daemon, stalls in self.histograms.items()
        }

    def _documents_of(self, daemon: str) -> dict[str, Any]:
        return {peer: each.stalls.document() for peer, each in self._peers[daemon].items()}

    def _of(self, daemon: str, peer: str) -> list[Observed]:
        found = [self._daemons.setdefault(daemon, Observed())]
        peers = self._peers.setdefault(daemon, {})
        if peer and (peer in peers or len(peers) < MOST_PEERS):
            found.append(peers.setdefault(peer, Observed()))
        return found
