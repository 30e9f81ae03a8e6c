"""Patches between bridges: which carry nothing."""

from __future__ import annotations

from ovsnet.node.patches import Apart, Patch, apart

ENDS = Patch("a", "b", "br-a"), Patch("b", "a", "br-b")


def test_patch_between_two_types_carries_nothing() -> None:
    assert apart(ENDS, {"br-a": "", "br-b": "netdev"}) == [Apart(*ENDS, ("system", "netdev"))]
    assert apart(ENDS[::-1], {"br-a": "", "br-b": "netdev"}) == [Apart(*ENDS, ("system", "netdev"))]


def test_no_type_is_that_of_the_kernel() -> None:
    assert apart(ENDS, {"br-a": "", "br-b": "system"}) == []
    assert apart(ENDS, {"br-a": "netdev", "br-b": "netdev"}) == []


def test_end_without_another_that_leads_back_is_no_patch() -> None:
    types = {"br-a": "", "br-b": "netdev"}
    assert apart([ENDS[0]], types) == []
    assert apart([ENDS[0], Patch("b", "c", "br-b")], types) == []
    assert apart([ENDS[0], Patch("b", "a", "")], types) == []


def test_row_is_read_as_it_comes() -> None:
    assert Patch.of({"name": "a", "options": {"peer": "b"}}, "br-a") == ENDS[0]
    assert Patch.of({"name": "a", "options": {}}, "br-a") == Patch("a", "", "br-a")
