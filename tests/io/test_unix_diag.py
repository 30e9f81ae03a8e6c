"""Which unix sockets are connected to one another, as the kernel says."""

from __future__ import annotations

import os
import socket
import struct

import pytest

from ovsnet.io import unix_diag
from ovsnet.io.unix_diag import ATTRIBUTE, ENTRY, HEADER, messages, peer, unix_peers


def test_kernel_names_both_ends_of_a_pair() -> None:
    one, other = socket.socketpair()
    with one, other:
        first, second = (os.fstat(each.fileno()).st_ino for each in (one, other))
        peers = unix_peers()
        assert peers is not None
        assert (peers[first], peers[second]) == (second, first)


def test_kernel_that_does_not_answer_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unix_diag, "NETLINK_SOCK_DIAG", 31)
    assert unix_peers() is None


def test_entry_without_a_peer_has_none() -> None:
    assert peer(ENTRY.pack(1, 1, 1, 0, 4711, 0, 0)) == {}


def test_peer_is_found_behind_other_attributes() -> None:
    attributes = ATTRIBUTE.pack(7, 0) + b"abc\0" + ATTRIBUTE.pack(8, unix_diag.ATTRIBUTE_PEER) + struct.pack("=I", 5)
    assert peer(ENTRY.pack(1, 1, 1, 0, 4711, 0, 0) + attributes) == {4711: 5}


@pytest.mark.parametrize("datagram", [b"\0", HEADER.pack(8, 0, 0, 0, 0), HEADER.pack(99, 0, 0, 0, 0)])
def test_message_that_is_cut_off_is_an_error(datagram: bytes) -> None:
    with pytest.raises(struct.error):
        list(messages(datagram))
