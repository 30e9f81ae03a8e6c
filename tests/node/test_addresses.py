"""The addresses of a network namespace, from files as the kernel writes them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ovsnet.node import addresses
from ovsnet.node.addresses import addresses_of, is_local

FIB_TRIE = """\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 10.0.0.0/24 2 0 2
        |-- 10.0.0.0
           /24 link UNICAST
        |-- 10.0.0.7
           /32 host LOCAL
        |-- 10.0.0.255
           /32 link BROADCAST
Id 200:
     |-- 10.9.0.0
        /16 host LOCAL
        /32 link UNICAST
"""
IF_INET6 = "20010db8000000000000000000000007 02 40 00 80     eth0\n"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (net := tmp_path / "7" / "net").mkdir(parents=True)
    (net / "fib_trie").write_text(FIB_TRIE)
    (net / "if_inet6").write_text(IF_INET6)
    return tmp_path


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("10.0.0.7", True),
        ("10.0.0.8", False),
        ("10.0.0.0", False),
        ("10.0.0.255", False),
        ("10.9.3.4", True),  # of another table, as in a VRF, and a whole network
        ("2001:db8::7", True),
        ("2001:DB8:0::7", True),
        ("2001:db8::8", False),
        ("127.0.0.1", True),
        ("::1", True),
        ("host.example", False),
    ],
)
def test_address_that_the_kernel_delivers_here_is_local(proc: Path, address: str, local: bool) -> None:
    found = addresses_of(7, proc)
    assert found is not None
    assert is_local(address, found) is local


def test_host_without_ipv6_has_its_other_addresses(proc: Path) -> None:
    (proc / "7" / "net" / "if_inet6").unlink()
    assert is_local("10.0.0.7", addresses_of(7, proc) or ())


def test_what_cannot_be_read_is_not_known(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert addresses_of(8, proc) is None
    monkeypatch.setattr(addresses, "MOST", 40)
    assert addresses_of(7, proc) is None


def test_this_host_has_its_loopback_network() -> None:
    found = addresses_of(os.getpid())
    assert found is not None
    assert not is_local("198.51.100.7", found)
