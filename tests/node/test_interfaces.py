"""Which ports count as broken, and for how long: with rows and a clock of our own."""

from __future__ import annotations

import pytest

from ovsnet.node.interfaces import Interface, Lasting, bridges_of
from ovsnet.ovsdb.values import Row, Uuid

ROW: Row = {"name": "p1", "type": "", "error": None, "ofport": None}

A, B, C, D = (Uuid(f"00000000-0000-0000-0000-00000000000{digit}") for digit in "1234")


@pytest.mark.parametrize(
    ("columns", "failed", "why"),
    [
        ({"ofport": 3}, False, None),
        ({}, False, None),  # it is just being made
        ({"ofport": -1}, True, "its ofport is -1"),
        ({"ofport": -1, "error": "No such device"}, True, "No such device"),
        ({"error": "No such device"}, True, "No such device"),
    ],
)
def test_error_or_no_number_is_a_port_that_could_not_be_made(columns: Row, failed: bool, why: str | None) -> None:
    interface = Interface.of(A, {**ROW, **columns})
    assert interface.failed is failed
    assert why is None or interface.why == why


def test_row_of_an_old_schema_is_no_broken_port() -> None:
    assert not Interface.of(A, {"name": "p1"}).failed


@pytest.mark.parametrize(
    ("status", "lost"),
    [({}, False), *(({"state": state}, state in ("down", "init")) for state in ("up", "down", "init", "admin_down"))],
)
def test_bfd_that_hears_nothing_or_is_not_heard_has_lost_its_path(status: dict[str, str], lost: bool) -> None:
    interface = Interface.of(A, {**ROW, "type": "geneve", "bfd_status": status})
    assert interface.tunnel
    assert interface.path_lost is lost


def test_interface_has_the_bridge_of_its_port() -> None:
    ports: list[Row] = [
        {"_uuid": C, "interfaces": frozenset({A, B})},  # a bond
        {"_uuid": D, "interfaces": frozenset({D})},  # of no bridge
    ]
    assert bridges_of(ports, [{"name": "br-int", "ports": frozenset({C})}]) == {A: "br-int", B: "br-int"}


def test_what_breaks_before_our_eyes_is_given_time() -> None:
    lasting = Lasting()
    lasting.look([], 100.0)
    lasting.look([A], 110.0)
    assert not lasting.lasts(A, longer_than=60, now=170.0)
    lasting.look([A, B], 171.0)
    assert lasting.lasts(A, longer_than=60, now=171.0)
    assert not lasting.lasts(B, longer_than=60, now=171.0)


def test_what_was_well_meanwhile_begins_anew() -> None:
    lasting = Lasting()
    for at, broken in ((100.0, []), (110.0, [A]), (120.0, []), (130.0, [A])):
        lasting.look(broken, at)
    assert not lasting.lasts(A, longer_than=60, now=171.0)


def test_what_was_broken_at_the_first_look_is_old() -> None:
    lasting = Lasting()
    assert not lasting.looked
    lasting.look([A], 100.0)
    assert lasting.looked
    assert lasting.lasts(A, longer_than=60, now=100.0)
    lasting.look([A, B], 110.0)
    assert not lasting.lasts(B, longer_than=60, now=110.0)
