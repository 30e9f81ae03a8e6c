"""What a server says of its cluster."""

from __future__ import annotations

import pytest

from ovsnet.node.raft import JOINING, MEMBER, Elections, Peer, parse_cluster

LEADER = """9ffd
Name: OVN_Southbound
Cluster ID: b664 (b664122a-0680-45d5-8201-cbba6090fca0)
Server ID: 9ffd (9ffd51e1-a32f-4403-8202-446a8f9ad18a)
Address: tcp:127.0.0.1:20482
Status: cluster member
Role: leader
Term: 7
Leader: self
Vote: self

Last Election started 276 ms ago, reason: timeout
Last Election won: 276 ms ago
Election timer: 1000
Log: [2, 11]
Entries not yet committed: 1
Entries not yet applied: 0
Connections: <-0821 ->0821 (->7f42)
Disconnections: 0
Servers:
    7f42 (7f42 at tcp:127.0.0.1:29642) next_index=11 match_index=10 last msg 109 ms ago
    9ffd (9ffd at tcp:127.0.0.1:20482) (self) next_index=2 match_index=10
    0821 (0821 at tcp:[::1]:26751) next_index=11 match_index=10 last msg 110 ms ago
"""

JOINS = """a28f
Name: OVN_Southbound
Cluster ID: not yet known
Server ID: a28f (a28f51a8-022a-4603-9a5d-ff98ecddc6df)
Address: tcp:127.0.0.1:1
Status: joining cluster
Remotes for joining: tcp:127.0.0.1:2 tcp:127.0.0.1:3
Role: follower
Term: 0
Leader: unknown
Vote: unknown

Election timer: 1000
Log: [1, 1]
Entries not yet committed: 0
Entries not yet applied: 0
Connections: (->0000)
Disconnections: 0
Servers:
"""


def test_leader_names_the_others() -> None:
    found = parse_cluster(LEADER)
    assert (found.server, found.status, found.role, found.term, found.leader) == ("9ffd", MEMBER, "leader", 7, "self")
    assert (found.election_timer, found.entries, found.uncommitted) == (1000, 9, 1)
    assert found.peers == (
        Peer("7f42", "tcp:127.0.0.1:29642", incoming=False, outgoing=False, heard=0.109),
        Peer("0821", "tcp:[::1]:26751", incoming=True, outgoing=True, heard=0.11),
    )
    assert list(map(str, found.away)) == ["7f42 at tcp:127.0.0.1:29642"]


@pytest.mark.parametrize(
    ("role", "connections", "last", "away"),
    [
        ("leader", "<-7f42 ->7f42", " last msg 109 ms ago", False),
        ("leader", "<-7f42 ->7f42", " last msg 2100 ms ago", True),  # frozen, and not dropped yet
        ("leader", "->7f42", " last msg 40000 ms ago", True),  # frozen: its kernel accepts
        ("leader", "->7f42", " last msg 109 ms ago", False),  # a firewall lets through one of the two
        ("leader", "(->7f42)", " last msg 109 ms ago", True),  # it ended just now
        ("leader", "->7f42", "", True),
        ("follower", "<-7f42 ->7f42", " last msg 999999 ms ago", False),  # members hear the leader alone
        ("follower", "->7f42", "", True),
        ("follower", "(->7f42)", "", True),
        ("follower", "<-7f42 (->7f42)", "", False),
    ],
)
def test_member_is_away_that_is_silent_or_keeps_no_connection(
    role: str, connections: str, last: str, away: bool
) -> None:
    text = LEADER.replace("Role: leader", f"Role: {role}").replace("(->7f42)", connections)
    found = parse_cluster(text.replace(" last msg 109 ms ago", last))
    assert [peer.id for peer in found.away] == (["7f42"] if away else [])


def test_one_that_joins_knows_no_leader() -> None:
    found = parse_cluster(JOINS)
    assert (found.status, found.leader, found.peers) == (JOINING, "", ())
    assert found.remotes == "tcp:127.0.0.1:2 tcp:127.0.0.1:3"


def test_text_of_no_cluster_is_of_nobody() -> None:
    found = parse_cluster("")
    assert (found.server, found.status, found.term, found.entries) == ("", "", 0, 0)


def _in_term(term: int, leader: str = "self") -> str:
    return LEADER.replace("Term: 7", f"Term: {term}").replace("Leader: self", f"Leader: {leader}")


def test_leaders_are_counted_within_the_window() -> None:
    elections = Elections()
    seen = [(0.0, 1), (10.0, 1), (20.0, 2), (30.0, 5), (40.0, 6)]
    counts = [elections.look(parse_cluster(_in_term(term)), now=at, window=15.0) for at, term in seen]
    assert counts == [0, 0, 1, 2, 2]
    assert elections.look(parse_cluster(_in_term(6)), now=100.0, window=15.0) == 0


def test_terms_without_a_leader_do_not_count() -> None:
    """A member that is cut off tries one term after another."""
    elections = Elections()
    for term in range(1, 9):
        leader = "self" if term == 1 else "unknown"
        assert elections.look(parse_cluster(_in_term(term, leader)), now=term, window=60.0) == 0
    assert elections.look(parse_cluster(_in_term(9)), now=9.0, window=60.0) == 1
