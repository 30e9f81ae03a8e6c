"""Whether another node is registered as this one: the decision."""

from __future__ import annotations

from ovsnet.node.registration import Conflict, Ours, Registered, conflicts

OURS = Ours("node1", "", frozenset({"10.0.0.1", "10.1.0.1"}))


def row(*addresses: str, hostname: str = "one") -> Registered:
    return Registered(hostname, frozenset(addresses), "some-version")


def test_own_row_is_no_conflict() -> None:
    assert conflicts(OURS, [row("10.0.0.1", "10.1.0.1"), row("10.0.0.1")]) == {}, "an address may be left out"
    assert conflicts(OURS, [Registered()]) == {}, "it may not be registered yet"


def test_own_row_outlives_an_address_that_was_unset() -> None:
    unset = Ours("node1", "one", frozenset())
    assert conflicts(unset, [row("10.0.0.1")]) == {}
    assert conflicts(unset, [row("10.0.0.1", hostname="before")]) == {}


def test_row_that_is_anothers_for_a_moment_is_a_conflict() -> None:
    found = conflicts(OURS, [row("10.0.0.1"), row("10.0.0.2", hostname="two"), row("10.0.0.1")])
    assert found == {"name": Conflict("node1", "two", its_addresses=("10.0.0.2",))}


def test_host_name_counts_where_it_is_configured() -> None:
    named = Ours("node1", "one", OURS.addresses)
    assert conflicts(named, [row("10.0.0.1")]) == {}
    assert conflicts(named, [row("10.0.0.1", hostname="two")]) == {"name": Conflict("node1", "two")}
    assert conflicts(OURS, [row("10.0.0.1", hostname="two")]) == {}


def test_address_is_taken_as_long_as_the_last_look_says_so() -> None:
    taken = Registered(taken={"10.1.0.1": "node7"})
    assert conflicts(OURS, [taken]) == {"10.1.0.1": Conflict("node7", "", "10.1.0.1")}
    assert conflicts(OURS, [taken, Registered()]) == {}
