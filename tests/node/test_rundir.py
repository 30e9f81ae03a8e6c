"""Finding the run directories and the sockets in them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ovsnet.errors import AddressError, UnfitEnvironment
from ovsnet.node.rundir import Rundir, find_rundir


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


def test_named_directory_wins_over_environment_over_usual_places(rundir: Rundir, tmp_path: Path) -> None:
    usual = [str(tmp_path / "none"), str(rundir.ovs)]
    environ = {"OVS_RUNDIR": str(rundir.ovn), "OVN_RUNDIR": str(tmp_path)}
    assert find_rundir("", "", {}, usual).ovs == rundir.ovs
    assert find_rundir("", "", environ, usual) == Rundir(rundir.ovn, tmp_path)
    assert find_rundir(str(tmp_path), str(rundir.ovs), environ, usual) == Rundir(tmp_path, rundir.ovs)


def test_ovn_is_looked_for_beside_openvswitch(rundir: Rundir) -> None:
    assert find_rundir(str(rundir.ovs), "", {}) == rundir


def test_ovn_shares_a_directory_of_another_name(tmp_path: Path) -> None:
    assert find_rundir(str(tmp_path), "", {}) == Rundir(tmp_path, tmp_path)


def test_ovn_shares_the_directory_in_which_it_is_seen(rundir: Rundir) -> None:
    """As it did before 2.12."""
    rundir.ovn.rmdir()
    (rundir.ovs / "ovn-controller.pid").touch()
    assert find_rundir(str(rundir.ovs), "", {}) == Rundir(rundir.ovs, rundir.ovs)


def test_ovn_is_expected_beside_before_its_first_start(rundir: Rundir) -> None:
    """At a boot ovsnet is up before ovn-controller has made its directory."""
    rundir.ovn.rmdir()
    assert find_rundir(str(rundir.ovs), "", {}) == rundir


@pytest.mark.parametrize("source", ["rundir", "ovn_rundir", "OVS_RUNDIR", "OVN_RUNDIR"])
def test_named_directory_must_exist(source: str, tmp_path: Path) -> None:
    named = {"rundir": "", "ovn_rundir": "", source: str(tmp_path / "none")}
    with pytest.raises(UnfitEnvironment, match=r"no run directory .*/none") as caught:
        find_rundir(named.pop("rundir"), named.pop("ovn_rundir"), named, [str(tmp_path)])
    assert caught.value.remedy


def test_directory_below_one_that_may_not_be_searched_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for hidden in (tmp_path / "file" / "run", Path("/\0")):
        with pytest.raises(UnfitEnvironment):
            find_rundir(str(hidden), "", {})


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
    assert Rundir(tmp_path / "none", tmp_path / "none").control_sockets("ovs-vswitchd") == []
