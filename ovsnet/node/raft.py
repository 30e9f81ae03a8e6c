"""What a server says of its cluster: the answer to ``cluster/status`` (ovsdb/raft.c, ``raft_unixctl_status``)."""

from __future__ import annotations

import re
from collections import deque

import msgspec

from ovsnet.texts import whole_number

MEMBER = "cluster member"
JOINING = "joining cluster"
STOPPED = "failed"
"""A leader that could not write its file takes no part from then on (ovsdb/raft.c, ``raft_handle_write_error``)."""
LEADER = "leader"

_FIELD = re.compile(r"^(?P<name>[A-Z][A-Za-z ]*):(?P<value>.*)$", re.MULTILINE)
_LOG = re.compile(r"\[(\d{1,20}), (\d{1,20})\]")
_HEARD = re.compile(r" last msg (\d{1,20}) ms ago")
_PEER = re.compile(r"^ +(?P<id>[0-9a-f]{4,}) \([0-9a-f]{4,} at (?P<address>[^)]*)\)(?P<rest>.*)$", re.MULTILINE)


SILENT = 2
"""Times the election timer, in which a leader's heartbeat is answered six times (ovsdb/raft.c, ``raft_run``). A server
whose member is silent for that long drops their connection (``raft_conn_update_probe_interval``)."""


class Peer(msgspec.Struct, frozen=True):
    """Another member: the first digits of its id, and where it listens. Each of the two connects to the other:
    ``incoming`` and ``outgoing`` say which connections stand. ``heard`` is how many seconds ago it sent something, None
    where it never did or the server is too old to say."""

    id: str
    address: str
    incoming: bool
    outgoing: bool
    heard: float | None = None

    def __str__(self) -> str:
        return f"{self.id} at {self.address}"


class Cluster(msgspec.Struct, frozen=True):
    """One member's word. ``status`` is MEMBER, JOINING, STOPPED, or why it is in touch with no leader; ``leader`` is
    empty while it knows none. ``election_timer`` is in milliseconds. ``entries`` are those of its log since the last
    snapshot; ``remotes`` are where it tries to join, ``address`` is where the other members find it."""

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
        """Other members that do not take part."""
        return tuple(peer for peer in self.peers if self._is_away(peer))

    def is_silent(self, peer: Peer) -> bool:
        """Whether this is the leader, to which each member answers, and that one has not for long."""
        return self.role == LEADER and peer.heard is not None and peer.heard > SILENT * self.election_timer / 1000

    def _is_away(self, peer: Peer) -> bool:
        """A connection that this server made proves nothing: the kernel of a frozen member accepts it. Only a leader
        hears each member; for another the connection that the peer made has to do."""
        if self.role == LEADER and peer.heard is not None:
            return self.is_silent(peer) or not (peer.incoming or peer.outgoing)
        return not peer.incoming


def parse_cluster(text: str) -> Cluster:
    """Lines that are missing, as before a member has joined, leave their default."""
    fields = {found["name"]: found["value"].strip() for found in _FIELD.finditer(text)}
    log = _LOG.search(fields.get("Log", ""))
    leader = fields.get("Leader", "unknown")
    connections = fields.get("Connections", "").split()
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
            Peer(
                found["id"],
                found["address"],
                incoming=f"<-{found['id']}" in connections,  # in brackets while it is being made
                outgoing=f"->{found['id']}" in connections,
                heard=int(heard[1]) / 1000 if (heard := _HEARD.search(found["rest"])) else None,
            )
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
    return whole_number(text) or 0
