"""Databases of packages, of made-up hosts and of real ones."""

from __future__ import annotations

import sqlite3
import struct
from pathlib import Path

import pytest

from ovsnet.errors import UnfitEnvironment
from ovsnet.node.host_files import Host
from ovsnet.node.installed import OVN, OVS, packages

DPKG = """Package: openvswitch-switch
Status: install ok installed
Version: 1:3.1.0-2+deb12u1

Package: ovn-host
Status: deinstall ok config-files
Version: 23.03.1-1

Package: bash
Status: install ok installed
Version: 5.2
"""


def write(root: Path, path: str, text: str) -> Host:
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True)
    place.write_text(text)
    return Host(root)


def header(**tags: str) -> bytes:
    """A package's, as rpm keeps it."""
    numbers = {"name": 1000, "version": 1001, "release": 1002}
    data, entries = b"", b""
    for name, text in tags.items():
        entries += struct.pack(">IIII", numbers[name], 6, len(data), 1)
        data += text.encode() + b"\0"
    return struct.pack(">II", len(tags), len(data)) + entries + data


def test_nothing_is_installed_where_no_database_is(tmp_path: Path) -> None:
    assert packages(Host(tmp_path)) == []


def test_debians_packages_are_read_and_removed_ones_are_not(tmp_path: Path) -> None:
    (found,) = packages(write(tmp_path, "/var/lib/dpkg/status", DPKG))
    assert (found.product, found.version, str(found)) == (OVS, (3, 1, 0, 2), "openvswitch-switch 1:3.1.0-2+deb12u1")


def test_alpines_packages_are_read(tmp_path: Path) -> None:
    text = "C:Q1\nP:openvswitch\nV:3.1.2-r0\n\nP:musl\nV:1.2\n"
    (found,) = packages(write(tmp_path, "/lib/apk/db/installed", text))
    assert (found.product, found.version) == (OVS, (3, 1, 2))


def test_snap_of_microovn_is_read(tmp_path: Path) -> None:
    text = "name: microovn\nversion: '24.03.2+snapdb82b7b5'\n"
    (found,) = packages(write(tmp_path, "/snap/microovn/current/meta/snap.yaml", text))
    assert (found.product, found.version) == (OVN, (24, 3, 2))


def test_red_hats_packages_are_read_and_nothing_is_left_beside_the_database(tmp_path: Path) -> None:
    path = tmp_path / "var/lib/rpm/rpmdb.sqlite"
    path.parent.mkdir(parents=True)
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB)")
    database.execute("CREATE TABLE Name (key TEXT, hnum INTEGER, idx INTEGER)")
    for number, (name, version) in enumerate((("openvswitch3.1", "3.1.0"), ("ovn23.06", "23.06.1"), ("bash", "5"))):
        blob = header(name=name, version=version, release="9.el9fdp")
        database.execute("INSERT INTO Packages VALUES (?, ?)", (number, blob))
        database.execute("INSERT INTO Name VALUES (?, ?, 0)", (name, number))
    database.commit()
    database.close()
    assert [(each.product, each.version) for each in packages(Host(tmp_path))] == [(OVS, (3, 1, 0)), (OVN, (23, 6, 1))]
    assert [each.name for each in path.parent.iterdir()] == ["rpmdb.sqlite"]


def test_database_that_is_none_cannot_be_seen(tmp_path: Path) -> None:
    with pytest.raises(UnfitEnvironment, match="rpmdb"):
        packages(write(tmp_path, "/var/lib/rpm/rpmdb.sqlite", "nonsense"))


def test_this_machine_can_be_asked() -> None:
    assert all(each.version for each in packages(Host("/")))
