"""Pidfiles and sockets that a killed daemon left, and those that only seem to be left."""

import os

import pytest

from ovsnet.doctor import Severity

from .conftest import RUNDIR, UNIX_HEAD, Denied, Tree


def hide_the_host(tree: Tree) -> None:
    """As in a container with a pid namespace of its own."""
    tree.process(2, "sleep")


def test_pidfiles_of_running_daemons_are_well(tree: Tree) -> None:
    tree.daemon("ovs-vswitchd", 100)
    tree.process(101, "ovsdb-server")
    tree.write(RUNDIR / "ovnsb_db.pid", "101\n")
    tree.write(RUNDIR / "unknown.pid", "1\n")
    assert tree.one("pidfile.stale").severity is Severity.OK
    assert tree.one("pidfile.reused").severity is Severity.OK


def test_pidfile_without_a_process_is_stale(tree: Tree) -> None:
    tree.write(RUNDIR / "ovs-vswitchd.pid", "100\n")
    found = tree.one("pidfile.stale")
    assert found.severity is Severity.WARNING
    assert found.evidence == ("/run/openvswitch/ovs-vswitchd.pid: 100 (no such process)",)


def test_zombie_runs_no_more(tree: Tree) -> None:
    tree.daemon("ovs-vswitchd", 100, state="Z")
    assert tree.one("pidfile.stale").severity is Severity.WARNING


def test_pidfile_without_a_number_is_stale(tree: Tree) -> None:
    tree.write(RUNDIR / "ovs-vswitchd.pid", "")
    assert "holds no pid" in tree.one("pidfile.stale").evidence[0]


def test_pid_of_another_program_is_reused(tree: Tree) -> None:
    tree.process(100, "postgres")
    tree.write(RUNDIR / "ovs-vswitchd.pid", "100\n")
    found = tree.one("pidfile.reused")
    assert found.severity is Severity.WARNING
    assert "100 (postgres)" in found.evidence[0]
    assert tree.one("pidfile.stale").severity is Severity.OK


def test_pid_of_a_container_is_found_from_its_host(tree: Tree) -> None:
    tree.process(57, "bash")
    tree.process(4242, "ovs-vswitchd", nspid="4242\t57")
    tree.write(RUNDIR / "ovs-vswitchd.pid", "57\n")
    assert tree.one("pidfile.reused").severity is Severity.OK
    assert "57, seen as 4242" in tree.one("pidfile.stale").evidence[0]


def test_pids_of_the_host_are_not_judged_from_a_container(tree: Tree) -> None:
    hide_the_host(tree)
    tree.process(100, "bash")
    tree.write(RUNDIR / "ovs-vswitchd.pid", "100\n")
    tree.write(RUNDIR / "ovsdb-server.pid", "101\n")
    assert tree.one("pidfile.reused").severity is Severity.UNSEEN
    assert tree.one("pidfile.stale").severity is Severity.UNSEEN


def test_one_daemon_that_is_seen_vouches_for_the_namespace(tree: Tree) -> None:
    hide_the_host(tree)
    tree.daemon("ovsdb-server", 101)
    tree.write(RUNDIR / "ovs-vswitchd.pid", "100\n")
    assert tree.one("pidfile.stale").severity is Severity.WARNING


def test_no_pidfiles_and_no_sockets_are_well(tree: Tree) -> None:
    assert tree.one("pidfile.stale").severity is Severity.OK
    assert tree.one("socket.stale").severity is Severity.OK


def test_socket_with_a_listener_is_well_by_any_of_its_names(tree: Tree) -> None:
    db, mgmt = tree.socket("db.sock"), tree.socket("br-int.mgmt")
    tree.listen(db, "/var/run/openvswitch/br-int.mgmt")
    assert tree.one("socket.stale").severity is Severity.OK
    assert mgmt.name == "br-int.mgmt"


def test_socket_without_a_listener_is_stale(tree: Tree) -> None:
    db, mgmt = tree.socket("db.sock"), tree.socket("br-int.mgmt")
    tree.listen(db, "/elsewhere/br-int.mgmt")
    found = tree.one("socket.stale")
    assert found.severity is Severity.WARNING
    assert found.evidence == (str(mgmt),)


def test_connection_is_no_listener(tree: Tree) -> None:
    mgmt = tree.socket("br-int.mgmt")
    tree.write("/proc/net/unix", f"{UNIX_HEAD}0: 00000003 00000000 00000000 0001 03 5 {mgmt}\n")
    assert tree.one("socket.stale").severity is Severity.WARNING


def test_socket_bound_by_a_shortened_path_is_not_condemned(tree: Tree) -> None:
    tree.socket("br-int.mgmt")
    tree.listen("/proc/self/fd/7/br-int.mgmt")
    assert tree.one("socket.stale").severity is Severity.UNSEEN


def test_listener_in_a_containers_file_system_is_found(tree: Tree) -> None:
    mgmt = tree.socket("br-int.mgmt")
    tree.process(100, "ovs-vswitchd")
    inside = tree.path("/proc/100/root/ovs/br-int.mgmt")
    inside.parent.mkdir(parents=True)
    os.link(tree.path(mgmt), inside)
    tree.path("/proc/100/ns").mkdir()
    tree.path("/proc/100/ns/net").symlink_to("net:[2]")
    tree.path("/proc/100/ns/mnt").symlink_to("mnt:[2]")
    assert tree.one("socket.stale").severity is Severity.WARNING
    tree.write("/proc/100/net/unix", f"{UNIX_HEAD}0: 00000002 00000000 00010000 0001 01 5 /ovs/br-int.mgmt\n")
    assert tree.one("socket.stale").severity is Severity.OK


def test_listener_whose_file_system_may_not_be_entered_is_said(tree: Tree, deny: Denied) -> None:
    tree.socket("br-int.mgmt")
    tree.process(100, "ovs-vswitchd")
    tree.listen("/ovs/br-int.mgmt")
    deny("/proc/100/ns")
    assert tree.one("socket.stale").severity is Severity.UNSEEN


def test_sockets_of_an_unseen_namespace_are_not_condemned(tree: Tree) -> None:
    hide_the_host(tree)
    db, mgmt = tree.socket("db.sock"), tree.socket("br-int.mgmt")
    assert tree.one("socket.stale").severity is Severity.UNSEEN
    tree.listen(db)
    found = tree.one("socket.stale")
    assert found.severity is Severity.WARNING
    assert found.evidence == (str(mgmt),)


def test_sockets_are_not_judged_without_the_kernels_table(tree: Tree) -> None:
    tree.socket("db.sock")
    tree.path("/proc/net/unix").unlink()
    assert tree.one("socket.stale").severity is Severity.UNSEEN


def test_socket_that_anybody_may_open_is_warned_of(tree: Tree) -> None:
    tree.socket("db.sock", mode=0o750)
    assert tree.one("socket.owner").severity is Severity.OK
    mgmt = tree.socket("br-int.mgmt", mode=0o777)
    found = tree.one("socket.owner")
    assert found.severity is Severity.WARNING
    assert found.evidence == (f"{mgmt} srwxrwxrwx",)


def test_socket_of_a_user_who_runs_no_daemon_is_noted(tree: Tree) -> None:
    owner = tree.path(tree.socket("db.sock")).stat().st_uid
    tree.daemon("ovsdb-server", 100, uid=owner + 998)
    expected = Severity.OK if owner == 0 else Severity.NOTE
    assert tree.one("socket.owner").severity is expected


@pytest.mark.parametrize("text", ["²\n", "9" * 5000])
def test_pidfile_with_digits_that_are_no_number_is_one_without_a_number(tree: Tree, text: str) -> None:
    tree.write(RUNDIR / "ovs-vswitchd.pid", text)
    assert tree.one("pidfile.stale").severity is not Severity.UNSEEN
