"""The sockets in the run directories."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ovsnet.errors import AddressError, OvsnetError, OwnLimit, PermissionDenied
from ovsnet.node.rundir import Rundir


@pytest.fixture
def rundir(tmp_path_factory: pytest.TempPathFactory) -> Rundir:
    """Two directories with short paths."""
    root = tmp_path_factory.mktemp("r")
    for name in ("openvswitch", "ovn"):
        (root / name).mkdir()
    return Rundir(root / "openvswitch", root / "ovn")


def names(rundir: Rundir, daemon: str) -> list[str]:
    return [Path(address.path).name for address in rundir.control_sockets(daemon)]


def touch(directory: Path, *files: str) -> None:
    """Make files, each newer than the one before."""
    for age, name in enumerate(files):
        (directory / name).touch()
        os.utime(directory / name, (age, age))


def test_sockets_have_the_names_of_open_vswitch(rundir: Rundir) -> None:
    assert rundir.database.path == str(rundir.ovs / "db.sock")
    assert rundir.mgmt("br-int").path == str(rundir.ovs / "br-int.mgmt")
    assert rundir.pidfile("ovs-vswitchd") == rundir.ovs / "ovs-vswitchd.pid"
    assert rundir.pidfile("ovn-controller") == rundir.ovn / "ovn-controller.pid"


def test_too_long_a_directory_is_an_address_error(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 100)
    with pytest.raises(AddressError):
        _ = Rundir(long, long).database
    with pytest.raises(AddressError):
        Rundir(long, long).mgmt("br-int")


def test_socket_of_the_pidfile_comes_first_then_the_newest(rundir: Rundir) -> None:
    touch(rundir.ovs, "ovs-vswitchd.10.ctl", "ovs-vswitchd.20.ctl", "ovs-vswitchd.30.ctl")
    assert names(rundir, "ovs-vswitchd") == ["ovs-vswitchd.30.ctl", "ovs-vswitchd.20.ctl", "ovs-vswitchd.10.ctl"]
    (rundir.ovs / "ovs-vswitchd.pid").write_text("20\n")
    assert names(rundir, "ovs-vswitchd") == ["ovs-vswitchd.20.ctl", "ovs-vswitchd.30.ctl", "ovs-vswitchd.10.ctl"]


@pytest.mark.parametrize("content", ["", "x\n", "99\n", "-1\n", "\0"])
def test_stale_or_broken_pidfile_only_loses_the_order(rundir: Rundir, content: str) -> None:
    """The pid of another namespace names no socket here; the one that accepts will be right."""
    touch(rundir.ovn, "ovn-controller.7.ctl")
    (rundir.ovn / "ovn-controller.pid").write_text(content)
    assert names(rundir, "ovn-controller") == ["ovn-controller.7.ctl"]


def test_socket_without_a_pid_in_its_name_is_taken(rundir: Rundir) -> None:
    """A daemon that was started with --unixctl=ovn-controller.ctl."""
    touch(rundir.ovn, "ovn-controller.ctl")
    assert names(rundir, "ovn-controller") == ["ovn-controller.ctl"]


def test_sockets_of_others_are_left_out(rundir: Rundir) -> None:
    touch(
        rundir.ovn,
        *("ovn-controller-vtep.9.ctl", "ovn-controller.9.ctl.tmp", "ovn-controller.x.ctl", "ovn-controller9.ctl"),
        *("xovn-controller.9.ctl", "ovn-controller..ctl", "ovn-controller.9.8.ctl"),
    )
    assert names(rundir, "ovn-controller") == []


def test_missing_directory_has_no_sockets(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for directory in (tmp_path / "none", tmp_path / "file"):
        assert Rundir(directory, directory).control_sockets("ovs-vswitchd") == []


@pytest.mark.parametrize(
    ("number", "expected"), [(errno.EACCES, PermissionDenied), (errno.EMFILE, OwnLimit), (errno.ENFILE, OwnLimit)]
)
def test_directory_that_cannot_be_read_is_no_missing_socket(
    number: int, expected: type[OvsnetError], rundir: Rundir, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(directory: object) -> list[str]:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(expected):
        rundir.control_sockets("ovs-vswitchd")


@pytest.mark.parametrize("name", ["db.sock", "br-int.mgmt", "ovs-vswitchd.12.ctl", "ovsdb-server.pid"])
def test_directory_is_blank_until_a_daemon_leaves_a_name_there(rundir: Rundir, name: str) -> None:
    touch(rundir.ovs, "conf.db.lock")
    assert rundir.is_blank()
    touch(rundir.ovs, name)
    assert not rundir.is_blank()


def test_directory_that_is_not_there_is_blank(tmp_path: Path) -> None:
    assert Rundir(tmp_path / "ovs", tmp_path / "ovn").is_blank()
