"""Whether the beginning of a database file can be loaded."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from ovsnet.errors import PeerError
from ovsnet.node.database_file import damage, damaged, lost
from ovsnet.node.layouts import Layout
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.daemons import Layout as SandboxLayout
from ovsnet.sandbox.node import Sandbox

SHA1 = b"0" * 40
RECORD = b"OVSDB JSON 3 " + SHA1 + b"\n{}\n"


@pytest.mark.parametrize(
    ("contents", "what"),
    [
        (b"", "is empty"),
        (bytes(4096), "does not begin as a database does"),
        (b"OVSDB JSON", "does not begin as a database does"),
        (RECORD[:-1], "is cut off in its first record"),
        (RECORD, ""),
        (RECORD.replace(b"JSON", b"CLUSTER"), ""),
        (RECORD + RECORD[:20], ""),
    ],
)
def test_beginning_tells(tmp_path: Path, contents: bytes, what: str) -> None:
    (tmp_path / "conf.db").write_bytes(contents)
    assert damage(tmp_path / "conf.db") == what


def record(body: bytes, digest: str = "") -> bytes:
    return b"OVSDB JSON %d %s\n%s" % (len(body), (digest or hashlib.sha1(body).hexdigest()).encode(), body)


@pytest.mark.parametrize(
    ("contents", "count"),
    [
        (record(b"{}\n") * 3, 0),
        (record(b"{}\n") + record(b'{"a":1}\n')[:-3], len(record(b'{"a":1}\n')) - 3),
        (record(b"{}\n") + record(b"{}\n", "0" * 40) + record(b"{}\n"), 2 * len(record(b"{}\n"))),
        (record(b"{}\n") + b"OVSDB", 5),
    ],
)
def test_bytes_behind_the_last_sound_record_are_lost(tmp_path: Path, contents: bytes, count: int) -> None:
    (tmp_path / "conf.db").write_bytes(contents)
    assert lost(tmp_path / "conf.db") == count
    assert lost(tmp_path / "none") == 0


@pytest.mark.restored
async def test_server_starts_without_what_is_called_lost(node: Sandbox) -> None:
    """The change is gone, and the file is sound again once another was written."""
    file = SandboxLayout(node.directory).dbdir / "conf.db"
    await node.run("ovs-vsctl", "--no-wait", "set", "open", ".", "external_ids:last=1")
    await node.stop("ovsdb-server")
    whole = file.read_bytes()
    assert lost(file) == 0
    file.write_bytes(whole[:-5])
    assert lost(file) > 0
    await node.start("ovsdb-server")
    assert "last=" not in await node.run("ovs-vsctl", "--no-wait", "get", "open", ".", "external_ids")
    await node.run("ovs-vsctl", "--no-wait", "set", "open", ".", "external_ids:next=1")
    await node.stop("ovsdb-server")
    assert lost(file) == 0
    await node.start("ovsdb-server")


def test_what_is_no_file_or_not_there_says_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert [damage(path) for path in (tmp_path / "fifo", tmp_path, tmp_path / "none")] == ["", "", ""]


def test_file_that_was_served_counts_more_than_the_usual_one(tmp_path: Path) -> None:
    usual, served = tmp_path / "usual.db", tmp_path / "served.db"
    usual.touch()
    served.write_bytes(RECORD)
    layouts = [Layout("a", str(tmp_path), str(tmp_path), str(usual)), Layout("b", "/elsewhere", "/", "/dev/null")]
    here = Rundir(tmp_path, tmp_path)
    assert damaged([], here, layouts) == (str(usual), "is empty")
    assert damaged([str(served)], here, layouts) is None
    assert damaged([], Rundir(tmp_path / "run", tmp_path), layouts) is None


@pytest.mark.restored
async def test_server_refuses_what_is_called_damaged_and_takes_what_is_not(node: Sandbox) -> None:
    file = SandboxLayout(node.directory).dbdir / "conf.db"
    await node.stop("ovsdb-server")
    whole = file.read_bytes()
    for contents in (b"", bytes(4096), whole[:30], whole[:200], whole[:-20], whole):
        file.write_bytes(contents)
        if damage(file):
            with pytest.raises(PeerError, match="ended while it started"):
                await node.start("ovsdb-server")
        else:
            await node.start("ovsdb-server")
            await node.stop("ovsdb-server")
    await node.start("ovsdb-server")
