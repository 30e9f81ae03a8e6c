"""What a server says of its cluster: the answer to ``cluster/status`` (ovsdb/raft.c, ``raft_unixctl_status``)."""

from __future__ import annotations

import re
from collections import deque

import msgspec

MEMBER = "cluster member"
JOINING = "joining cluster"

_FIELD = re.compile(r"^(?P<name>[A-Z][A-Za-z ]*):(?P<value>.*)$", re.MULTILINE)
_LOG = re.compile(r"\[(\d+), (\d+)\]")
_PEER = re.compile(r"^ +(?P<id>[0-9a-f]{4,}) \([0-9a-f]{4,} at (?P<address>[^)]*)\)(?P<rest>.*)$", re.MULTILINE)


class Peer(msgspec.Struct, frozen=True):
    """Another member: the first digits of its id, and where it listens. ``connected``: in one direction at least."""

    id: str
    address: str
    connected: bool

    def __str__(self) -> str:
        return f"{self.id} at {self.address}"


class Cluster(msgspec.Struct, frozen=True):
    """One member's word. ``status`` is MEMBER, JOINING, or why it is in touch with no leader; ``leader`` is empty while
    it knows none. ``entries`` are those of its log since the last snapshot; ``remotes`` are where it tries to join,
    ``address`` is where the other members find it."""

    server: str
    status: str
    role: str
    term: int
    leader: str
    election_timer: int
    entries: int
    uncommitted: int
    peers: tuple[Peer, ...]
    remotes: str
    address: str = ""

    @property
    def away(self) -> tuple[Peer, ...]:
        """Other members to which it has no connection."""
        return tuple(peer for peer in self.peers if not peer.connected)


def parse_cluster(text: str) -> Cluster:
    """Lines that are missing, as before a member has joined, leave their default."""
    fields = {found["name"]: found["value"].strip() for found in _FIELD.finditer(text)}
    log = _LOG.search(fields.get("Log", ""))
    leader = fields.get("Leader", "unknown")
    connections = fields.get("Connections", "").split()
    standing = {each[2:] for each in connections if each[:2] in ("->", "<-")}  # in brackets while it is being made
    return Cluster(
        server=fields.get("Server ID", "").partition(" ")[0],
        status=fields.get("Status", ""),
        role=fields.get("Role", ""),
        term=_number(fields.get("Term", "")),
        leader="" if leader == "unknown" else leader,
        election_timer=_number(fields.get("Election timer", "")),
        entries=int(log[2]) - int(log[1]) if log else 0,
        uncommitted=_number(fields.get("Entries not yet committed", "")),
        peers=tuple(
            Peer(found["id"], found["address"], found["id"] in standing)
            for found in _PEER.finditer(text)
            if "(self)" not in found["rest"]
        ),
        remotes=fields.get("Remotes for joining", ""),
        address=fields.get("Address", ""),
    )


class Elections:
    """The leaders that one observer saw come recently. A cluster without a leader for a while has one change, not many,
    whatever its members tried meanwhile."""

    def __init__(self) -> None:
        self._term: int | None = None
        self._changes: deque[float] = deque()

    def look(self, cluster: Cluster, *, now: float, window: float) -> int:
        """How many looks within ``window`` seconds, this one included, found another term than the one before."""
        if cluster.leader:
            if self._term not in (None, cluster.term):
                self._changes.append(now)
            self._term = cluster.term
        while self._changes and now - self._changes[0] > window:
            self._changes.popleft()
        return len(self._changes)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
