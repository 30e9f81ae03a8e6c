"""Addresses in Open vSwitch's syntax, and everything else refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnet.errors import AddressError
from ovsnet.io.address import UNIX_PATH_MAX, Address, parse_remotes, remotes_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("unix:/run/openvswitch/db.sock", Address("unix", path="/run/openvswitch/db.sock")),
        ("unix:relative:with:colons", Address("unix", path="relative:with:colons")),
        ("tcp:127.0.0.1:6640", Address("tcp", host="127.0.0.1", port=6640)),
        ("tcp:[::1]:6640", Address("tcp", host="::1", port=6640)),
        ("tcp:[fe80::1%eth0]:6640", Address("tcp", host="fe80::1%eth0", port=6640)),
        ("ssl:ovn-sb.kube-system.svc:6642", Address("ssl", host="ovn-sb.kube-system.svc", port=6642)),
        ("tcp:host:65535", Address("tcp", host="host", port=65535)),
    ],
)
def test_address_is_read_and_written_back(text: str, expected: Address) -> None:
    assert Address.parse(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "begins with none of unix:, tcp: and ssl:"),
        ("/run/openvswitch/db.sock", "begins with none"),
        ("punix:/run/db.sock", "begins with none"),
        ("TCP:127.0.0.1:1", "begins with none"),
        ("unix:", "is not the path"),
        ("unix:a\0b", "is not the path"),
        ("unix:\ud800", "is not the path"),
        ("tcp:", "lacks a host, or a port"),
        ("tcp:127.0.0.1", "lacks a host, or a port"),
        ("tcp:6640", "lacks a host, or a port"),
        ("tcp::6640", "lacks a host, or a port"),
        ("tcp:[]:6640", "lacks a host, or a port"),
        ("tcp:host:", "lacks a host, or a port"),
        ("tcp:host:0", "lacks a host, or a port"),
        ("tcp:host:65536", "lacks a host, or a port"),
        ("tcp:host:+1", "lacks a host, or a port"),
        ("tcp:host:1_0", "lacks a host, or a port"),
        ("tcp:host:٣", "lacks a host, or a port"),
        pytest.param("tcp:host:" + "9" * 5000, "lacks a host, or a port", id="digits past int()'s limit"),
        ("tcp:a..b:1", "lacks a host, or a port"),
        pytest.param(f"tcp:{'x' * 64}:1", "lacks a host, or a port", id="label past 63 bytes"),
        ("tcp:a\0b:1", "lacks a host, or a port"),
        ("tcp:::1:6640", "needs brackets"),
        ("ssl:fe80::1:6640", "needs brackets"),
    ],
)
def test_what_can_never_work_is_refused_with_cause_and_remedy(text: str, cause: str) -> None:
    with pytest.raises(AddressError, match=cause) as caught:
        Address.parse(text)
    assert caught.value.remedy


def test_port_zero_is_only_for_listening() -> None:
    assert Address.parse("tcp:127.0.0.1:0", any_port=True).port == 0


def test_longest_path_of_the_kernel_is_the_longest_here() -> None:
    """sun_path counts bytes, not characters."""
    assert Address.unix("é" * (UNIX_PATH_MAX // 2) + "x").path
    with pytest.raises(AddressError, match="has 108 bytes; the kernel takes 107"):
        Address.unix("é" * (UNIX_PATH_MAX // 2) + "xx")


def test_path_objects_are_taken() -> None:
    assert Address.unix(Path("/run/x")) == Address("unix", path="/run/x")


def test_remotes_are_a_list_with_commas() -> None:
    remotes = parse_remotes("tcp:10.0.0.1:6642, tcp:[::1]:6642,,unix:/s,")
    assert [str(remote) for remote in remotes] == ["tcp:10.0.0.1:6642", "tcp:[::1]:6642", "unix:/s"]
    assert parse_remotes("") == ()


@given(st.text() | st.from_regex(r"(unix|tcp|ssl):.*", fullmatch=True))
def test_any_text_is_an_address_or_an_address_error(text: str) -> None:
    try:
        address = Address.parse(text)
    except AddressError:
        return
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize(
    ("text", "example"),
    [
        ("tcp:10.0.0.1", "tcp:127.0.0.1:6640"),
        ("ssl:10.0.0.1", "ssl:127.0.0.1:6640"),
        ("tcp:::1:6640", "tcp:[::1]:6640"),
        ("ssl:fe80::1:6640", "ssl:[::1]:6640"),
    ],
)
def test_refused_address_of_a_daemon_has_an_example_of_its_scheme(text: str, example: str) -> None:
    with pytest.raises(AddressError) as caught:
        Address.parse(text)
    assert caught.value.remedy == f"Write it as {example}."


@pytest.mark.parametrize("place", [Path("/run/x.sock"), 6640, None, b"unix:/run/x"])
def test_what_is_neither_an_address_nor_a_text_is_refused(place: Any) -> None:
    with pytest.raises(AddressError, match="is not an address"):
        Address.of(place)
    with pytest.raises(AddressError, match="is not an address"):
        remotes_of([place])
