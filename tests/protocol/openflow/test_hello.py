"""HELLO: what is offered, what is understood, what is agreed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovsnet.errors import UsageError
from ovsnet.protocol.openflow import ALL_VERSIONS, Message, NoCommonVersion, Version, hello
from ovsnet.protocol.openflow.hello import agree, offer, offered_versions

if TYPE_CHECKING:
    from collections.abc import Iterable

# A slow machine is not a failure, and a run leaves nothing behind.
unhurried = settings(deadline=None, database=None)

OF10_13_15 = frozenset({Version.OF10, Version.OF13, Version.OF15})


def parse(data: bytes) -> Message:
    return Message(data[0], data[1], int.from_bytes(data[4:8]), data[8:])


@pytest.mark.parametrize(
    ("versions", "wire"),
    [
        pytest.param(ALL_VERSIONS, "0600000800000000", id="all-need-no-bitmap"),
        pytest.param({Version.OF10}, "0100000800000000", id="1.0-needs-none"),
        pytest.param({Version.OF10, Version.OF11}, "0200000800000000", id="1.0-and-1.1-need-none"),
        pytest.param({Version.OF13}, "04000010000000000001000800000010", id="1.3-alone-needs-one"),
        # As ovs-vswitchd 3.1 sends it for protocols=OpenFlow10,OpenFlow13,OpenFlow15, but for the xid.
        pytest.param(OF10_13_15, "06000010000000000001000800000052", id="gaps-need-one"),
    ],
)
def test_the_bitmap_goes_along_only_where_the_header_would_lie(versions: set[Version], wire: str) -> None:
    assert hello(versions).hex() == wire


@pytest.mark.parametrize("versions", [[], None, Version.OF13, {"1.3"}, {0}, {7}])
def test_a_hello_without_versions_is_the_callers_error(versions: Iterable[Version]) -> None:
    with pytest.raises(UsageError):
        hello(versions)


def test_numbers_are_versions() -> None:
    (offered,) = offer([4])  # type: ignore[list-item]
    assert offered is Version.OF13


@unhurried
@given(st.sets(st.sampled_from(Version), min_size=1), st.integers(0, 0xFFFFFFFF))
def test_what_is_offered_is_what_is_understood(versions: set[Version], xid: int) -> None:
    assert offered_versions(parse(hello(versions, xid))) == versions


@pytest.mark.parametrize(
    ("version", "body", "versions"),
    [
        pytest.param(0x7F, "", {1, 2, 3, 4, 5, 6}, id="a-version-from-the-future"),
        pytest.param(0, "", set(), id="version-0-is-none"),
        pytest.param(4, "000100080000000c", {2, 3}, id="the-bitmap-stands-against-the-header"),
        pytest.param(4, "00010008ffffff81", {}, id="only-unknown-versions-and-0"),
        pytest.param(4, "0001000800000001", {1, 2, 3, 4}, id="an-empty-bitmap-is-passed-over"),
        pytest.param(4, "0001000400000000", {1, 2, 3, 4}, id="no-word-at-all"),
        pytest.param(4, "0001000700000c00", {1, 2, 3, 4}, id="not-whole-words"),
        pytest.param(4, "0001000c00000020ffffffff00000000", {5}, id="only-the-first-word-counts"),
        pytest.param(4, "0001000c00000020ffffffff", {1, 2, 3, 4}, id="padding-is-missing"),
        pytest.param(4, "0001000300000000", {1, 2, 3, 4}, id="length-below-its-own-header"),
        pytest.param(4, "00010010", {1, 2, 3, 4}, id="longer-than-the-message"),
        pytest.param(4, "0001", {1, 2, 3, 4}, id="half-an-element"),
        pytest.param(4, "00070006414200000001000800000040", {6}, id="an-unknown-element-comes-first"),
    ],
)
def test_malformed_elements_leave_the_header_standing(version: int, body: str, versions: set[int]) -> None:
    assert offered_versions(Message(version, 0, 0, bytes.fromhex(body))) == set(versions)


@pytest.mark.parametrize(
    ("ours", "header", "agreed"),
    [(ALL_VERSIONS, 6, 6), (ALL_VERSIONS, 4, 4), (ALL_VERSIONS, 1, 1), (OF10_13_15, 5, 4), (OF10_13_15, 0x7F, 6)],
)
def test_the_highest_common_version_is_agreed(ours: frozenset[Version], header: int, agreed: int) -> None:
    assert agree(ours, Message(header, 0, 0, b"")) == agreed


def test_nothing_in_common_names_both_sides_and_the_remedy() -> None:
    with pytest.raises(
        NoCommonVersion, match=r"speaks OpenFlow 1\.0 and we speak OpenFlow 1\.2, OpenFlow 1\.3"
    ) as caught:
        agree(frozenset({Version.OF12, Version.OF13}), Message(1, 0, 0, b""))

    assert "protocols" in caught.value.remedy
    assert caught.value.reason == "no-common-version"


@unhurried
@given(st.integers(0, 255), st.binary(max_size=64))
def test_no_hello_breaks_the_reader(version: int, body: bytes) -> None:
    assert offered_versions(Message(version, 0, 0, body)) <= ALL_VERSIONS
