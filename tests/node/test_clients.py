"""The clients of a server, read off tables as the kernel prints them."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from ovsnet.node.clients import Client, clients

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
REST = "00:00000000 00000000     0        0"
TCP = (
    f"   0: 0100007F:19F2 00000000:0000 0A 00000000:00000000 {REST} 11 1 0 100 0 0 10 0\n"
    f"   1: 0100007F:19F2 070200C0:9C40 01 00002328:00000000 {REST} 12 1 0 20 4 30 10 -1\n"
    f"   2: 0100007F:8000 070200C0:19F4 01 00000000:00000000 {REST} 13 1 0 20 4 30 10 -1\n"
    f"   3: 0100007F:19F2 080200C0:9C40 06 00000000:00000000 {REST} 0 1 0 20 4 30 10 -1\n"
    f"   4: 0100007F:19F2 080200C0:9C41 01 00000000:00000000 {REST} 99 1 0 20 4 30 10 -1\n"
)
"""A listener, its client, a connection that the server made itself, one that ends, and another process's."""

ANY, MAPPED, REAL = "0" * 32, "0000000000000000FFFF0000090200C0", "B80D0120000000000000000001000000"
TCP6 = (
    f"   0: {ANY}:19F2 {ANY}:0000 0A 00000000:00000000 {REST} 14 1 0 100 0 0 10 0\n"
    f"   1: {MAPPED}:19F2 {MAPPED}:9C40 01 00000000:00000000 {REST} 15 1 0 20 4 30 10 -1\n"
    f"   2: {REAL}:19F2 {REAL}:9C40 01 00000000:00000000 {REST} 16 1 0 20 4 30 10 -1\n"
)

UNIX = (
    "0: 00000002 00000000 00010000 0001 01 21 /run/ovn/ovnsb_db.sock\n"
    "0: 00000003 00000000 00000000 0001 03 22 /run/ovn/ovnsb_db.sock\n"
    "0: 00000003 00000000 00000000 0001 03 23 /run/ovn/ovnsb_db.ctl\n"
    "0: 00000003 00000000 00000000 0001 03 24 /run/ovn/ovnnb_db.sock\n"
)

OPEN = (*range(11, 17), 21, 22, 23)


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "7/net").mkdir(parents=True)
    (tmp_path / "7/fd").mkdir()
    for number, inode in enumerate(OPEN):
        (tmp_path / f"7/fd/{number}").symlink_to(f"socket:[{inode}]")
    for name, text in (("tcp", HEAD + TCP), ("tcp6", HEAD + TCP6), ("unix", "Num RefCount\n" + UNIX)):
        (tmp_path / "7/net" / name).write_text(text)
    return tmp_path


@pytest.mark.skipif(socket.htons(1) == 1, reason="the tables are those of a little-endian host")
def test_each_client_is_known_by_where_it_came_in(proc: Path) -> None:
    assert clients(7, proc) == [
        Client("6642", 12, "192.0.2.7", 40000, 9000),
        Client("6642", 15, "192.0.2.9", 40000),
        Client("6642", 16, "2001:db8::1", 40000),
        Client("ovnsb_db.sock", 22),
    ]


def test_kernel_without_ipv6_has_no_such_table(proc: Path) -> None:
    (proc / "7/net/tcp6").unlink()
    assert [each.inode for each in clients(7, proc) or ()] == [12, 22]


def test_process_that_is_gone_has_none() -> None:
    assert clients(1 << 23) is None


def test_this_process_serves_who_connected(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client, server.accept()[0]:
            found = [each for each in clients(os.getpid()) or () if each.at == str(port)]
            assert [(each.host, each.port) for each in found] == [client.getsockname()]


def test_name_that_looks_like_another_line_makes_no_client(proc: Path) -> None:
    """A path may hold anything, line breaks too: what is no whole line of the table is left out."""
    odd = "0: 00000003 00000000 00000000 0001 03 98 /tmp/a\nb c d e f g 22 /run/ovn/other.sock\n"
    (proc / "7/net/unix").write_text("Num RefCount\n" + odd + UNIX)
    assert [each.at for each in clients(7, proc) or () if each.inode == 22] == ["ovnsb_db.sock"]
