"""Who is connected to a socket, by the kernel's table."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ovsnet import openflow
from ovsnet.io.address import Address
from ovsnet.node.unix_peers import HeldEnds, accepted
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.waiting import until

HEAD = "Num       RefCount Protocol Flags    Type St Inode Path\n"


def line(state: str, path: str) -> str:
    return f"0000000000000000: 00000003 00000000 00000000 0001 {state} 12345 {path}\n"


def test_listeners_and_longer_paths_do_not_count(tmp_path: Path) -> None:
    table = tmp_path / "unix"
    rows = [
        line("01", "/r/br-int.mgmt"),
        line("03", "/r/br-int.mgmt"),
        line("03", "/x/r/br-int.mgmt"),
        line("03", "/r/o"),
    ]
    table.write_text(HEAD + "".join(rows) + "garbage /r/br-int.mgmt\n")
    assert accepted("/r/br-int.mgmt", table) == frozenset({12345})


def test_absent_table_tells_nothing(tmp_path: Path) -> None:
    assert accepted("/r/br-int.mgmt", tmp_path / "none") is None


async def test_session_is_counted_on_a_real_switch() -> None:
    async with Sandbox(ovn=False) as node:
        path = str(node.rundir / "br-int.mgmt")
        await until(lambda: accepted(path) == frozenset(), 30, "The sandbox's own client never left.")
        async with openflow.connect(Address.unix(path)):
            found = accepted(path)
            assert found is not None
            assert len(found) == 1
            assert HeldEnds().holds_one(os.getpid(), found) is True
            assert HeldEnds().holds_one(node.pid("ovs-vswitchd"), found) is False
            assert HeldEnds().holds_one(None, found) is None


async def test_connection_that_stands_is_seen_without_the_list_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Sandbox(ovn=False) as node:
        path, pid, ends = str(node.rundir / "br-int.mgmt"), os.getpid(), HeldEnds()
        async with openflow.connect(Address.unix(path)):
            found = accepted(path)
            assert found is not None
            assert ends.holds_one(pid, found, "br-int") is True
            monkeypatch.setattr("ovsnet.node.unix_peers.unix_peers", lambda: pytest.fail("It was read."))
            assert ends.keeps_one(pid, "br-int")
            assert not ends.keeps_one(pid, "br-ex")
            assert not ends.keeps_one(node.pid("ovs-vswitchd"), "br-int")
            assert not ends.keeps_one(None, "br-int")
        assert not ends.keeps_one(pid, "br-int")


def test_listener_that_spelt_its_path_through_a_link_is_the_same(tmp_path: Path) -> None:
    """/var/run is a link to /run, and Debian's daemons say the former."""
    (tmp_path / "run").mkdir()
    (tmp_path / "var").symlink_to(tmp_path / "run")
    table = tmp_path / "table"
    table.write_text(f"0000000000000000: 00000003 00000000 00000000 0001 03 4711 {tmp_path}/var/br-int.mgmt\n")
    assert accepted(f"{tmp_path}/run/br-int.mgmt", table) == frozenset({4711})
    assert accepted(f"{tmp_path}/run/int.mgmt", table) == frozenset()
