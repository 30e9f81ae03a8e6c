"""File systems of databases, logs and sockets, and database files."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from ovsnet.doctor import Severity
from ovsnet.doctor.storage import FEW_INODES, LITTLE, LITTLE_FOR_SOCKETS, with_stored_settings
from ovsnet.node import database_file
from ovsnet.node.facts import DatabaseFacts, Live
from ovsnet.node.host_files import Host

from .conftest import Tree

SHA1 = hashlib.sha1(b"{}").hexdigest()

Sizes = dict[str, tuple[int, int]]
"""Free bytes and free inodes, by directory."""


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> Sizes:
    """File systems of made-up sizes; that of another directory has plenty."""
    made: Sizes = {}

    def space(host: Host, path: str | Path) -> os.statvfs_result:
        free, inodes = made.get(str(path), (1 << 40, 1 << 20))
        return os.statvfs_result((4096, 1, 1 << 40, free, free, 1 << 20, inodes, inodes, 0, 255))

    monkeypatch.setattr(Host, "space", space)
    return made


@pytest.mark.parametrize(
    ("place", "free", "inodes", "said"),
    [
        ("/etc/openvswitch", LITTLE - 1, 1000, "databases has hardly any room"),
        ("/var/log/openvswitch", 0, FEW_INODES - 1, "logs has hardly any room and inodes"),
        ("/run/openvswitch", LITTLE_FOR_SOCKETS - 1, 1000, "sockets has hardly any room"),
        ("/opt/logs", 0, 1000, "logs has hardly any room"),
        ("/opt/db", 0, 1000, "databases has hardly any room"),
    ],
)
def test_file_system_without_room_is_warned_of(
    tree: Tree, sizes: Sizes, place: str, free: int, inodes: int, said: str
) -> None:
    for directory in ("/etc/openvswitch", "/var/log/openvswitch", "/opt/logs", "/opt/db"):
        tree.path(directory).mkdir(parents=True)
    tree.daemon("ovsdb-server", 90)
    tree.write("/proc/90/cmdline", "ovsdb-server\0/opt/db/conf.db\0--log-file=/opt/logs/ovsdb-server.log\0")
    assert tree.one("disk.space").severity is Severity.OK
    sizes[place] = (free, inodes)
    found = tree.one("disk.space")
    assert found.severity is Severity.WARNING
    assert said in found.summary
    assert found.evidence == (f"{place}: {free >> 20} MiB free, {inodes} inodes",)


def test_file_system_that_counts_no_inodes_lacks_none(
    tree: Tree, sizes: Sizes, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = os.statvfs_result((4096, 1, 1 << 40, 1 << 40, 1 << 40, 0, 0, 0, 0, 255))
    monkeypatch.setattr(Host, "space", lambda host, path: result)
    assert tree.one("disk.space").severity is Severity.OK


MOUNTS = "1 0 8:1 / / {} - ext4 /dev/sda {}\n2 1 0:5 / /run {} - tmpfs tmpfs rw\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("rw,relatime", "rw", "rw"), ""),
        (("ro,relatime", "rw", "rw"), "/etc/openvswitch"),
        (("rw", "ro,errors=remount-ro", "rw"), "/etc/openvswitch"),
        (("rw", "rw,errors=remount-ro,emergency_ro", "rw"), "/etc/openvswitch"),
        (("rw", "rw", "ro"), "/run/openvswitch"),
    ],
)
def test_place_on_a_read_only_file_system_is_warned_of(tree: Tree, options: tuple[str, str, str], said: str) -> None:
    tree.path("/etc/openvswitch").mkdir(parents=True)
    tree.write("/proc/1/mountinfo", MOUNTS.format(*options))
    found = tree.one("disk.read-only")
    assert found.severity is (Severity.WARNING if said else Severity.OK)
    assert not said or found.summary.startswith(f"{said} is on a file system")


def test_root_of_a_container_may_be_read_only(tree: Tree) -> None:
    tree.daemon("ovsdb-server", 90)
    tree.path("/etc/openvswitch").mkdir(parents=True)
    tree.write("/proc/90/mountinfo", MOUNTS.format("ro", "rw", "rw"))
    for pid in (1, 90):
        tree.path(f"/proc/{pid}/ns").mkdir(parents=True)
        tree.path(f"/proc/{pid}/ns/mnt").symlink_to(f"mnt:[{pid}]")
    assert tree.one("disk.read-only").severity is Severity.OK


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("/etc/openvswitch/conf.db", "", "is empty"),
        ("/etc/ovn/ovnsb_db.db", "\0" * 100, "does not begin as a database does"),
        ("/etc/openvswitch/conf.db", f"OVSDB JSON 500 {'0' * 40}\n{{}}", "is cut off in its first record"),
        ("/etc/openvswitch/conf.db", f"OVSDB CLUSTER 2 {SHA1}\n{{}}", ""),
    ],
)
def test_database_file_that_cannot_be_loaded_is_named(tree: Tree, path: str, text: str, said: str) -> None:
    assert tree.one("database.file").severity is Severity.OK
    tree.write(path, text)
    found = tree.one("database.file")
    assert found.severity is (Severity.WARNING if said else Severity.OK)
    assert found.evidence == ((f"{path} {said}",) if said else (path,))


def test_changes_that_were_cut_off_are_named_while_nobody_writes(tree: Tree) -> None:
    tree.write("/etc/openvswitch/conf.db", f"OVSDB JSON 2 {SHA1}\n{{}}OVSDB JSON 2 {SHA1}\n{{")
    found = tree.one("database.file")
    assert (found.severity, found.evidence) == (Severity.WARNING, ("/etc/openvswitch/conf.db: 55 bytes",))
    tree.daemon("ovsdb-server", 90)
    assert tree.one("database.file").severity is Severity.OK


TYPES = {"key": "string", "value": "string", "min": 0, "max": "unlimited"}
SCHEMA = {
    "name": "Open_vSwitch",
    "version": "8.3.0",
    "tables": {
        "Open_vSwitch": {"columns": {"external_ids": {"type": TYPES}, "other_config": {"type": TYPES}}},
        "Bridge": {"columns": {"name": {"type": "string"}, "datapath_type": {"type": "string"}}},
        "Interface": {"columns": {"name": {"type": "string"}}},
    },
}
ROW = {"external_ids": ["map", [["ovn-encap-type", "geneve"]]]}
CONTENT = {"Open_vSwitch": {"5e1f9bd0-4f2b-4cb8-a4f4-5fef2a1e2f8a": ROW}}


def record(document: object) -> str:
    body = json.dumps(document)
    return f"OVSDB JSON {len(body)} {hashlib.sha1(body.encode()).hexdigest()}\n{body}"


def test_settings_are_those_of_the_file_before_ovsdb_server_is_started(tree: Tree) -> None:
    tree.live = with_stored_settings(Host(tree.root), Live())
    assert tree.one("database.settings").severity is Severity.UNSEEN
    tree.write("/etc/openvswitch/conf.db", record(SCHEMA) + record(CONTENT))
    tree.live = with_stored_settings(Host(tree.root), Live())
    assert tree.live.need_database().external_ids == {"ovn-encap-type": "geneve"}
    found = tree.one("database.settings")
    assert (found.severity, "/etc/openvswitch/conf.db" in found.summary) == (Severity.NOTE, True)


def test_server_that_answers_knows_better_than_its_file(tree: Tree) -> None:
    tree.write("/etc/openvswitch/conf.db", record(SCHEMA) + record(CONTENT))
    answered = Live(DatabaseFacts(external_ids={"ovn-encap-type": "vxlan"}))
    assert with_stored_settings(Host(tree.root), answered) == answered


def test_file_that_may_not_be_read_is_unseen(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a user that is not root."""
    tree.write("/etc/origin/ovn/ovnnb_db.db", f"OVSDB JSON 2 {SHA1}\n{{}}")
    found = tree.one("database.file")
    assert (found.severity, found.evidence) == (Severity.OK, ("/etc/origin/ovn/ovnnb_db.db",))

    def refused(path: Path) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(database_file, "open_regular", refused)
    assert tree.one("database.file").severity is Severity.UNSEEN


def test_databases_of_a_server_that_are_not_seen_are_not_well(tree: Tree) -> None:
    assert tree.one("database.file").summary == "There is no database file yet."
    tree.daemon("ovsdb-server", 90)
    tree.write("/proc/90/cmdline", "ovsdb-server\0/in/its/container/conf.db\0")
    assert tree.one("database.file").severity is Severity.UNSEEN
