"""Starting, stopping, freezing and killing daemons."""

import os
import subprocess
import sys

import pytest

from ovsnet.errors import UsageError
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.proc import listening_paths
from ovsnet.sandbox.supervisor import die_with_parent


async def test_stopped_daemon_is_gone_and_took_its_socket_along(node: Sandbox) -> None:
    pid = node.pid("ovs-vswitchd")
    await node.stop("ovs-vswitchd")
    assert not node.running("ovs-vswitchd")
    assert not (node.rundir / "br-int.mgmt").exists()
    with pytest.raises(ProcessLookupError):  # reaped: not even a zombie has that pid
        os.kill(pid, 0)


async def test_killed_daemon_leaves_stale_sockets_and_pidfile(node: Sandbox) -> None:
    await node.kill("ovs-vswitchd")
    mgmt = node.rundir / "br-int.mgmt"
    assert mgmt.is_socket()
    assert (node.rundir / "ovs-vswitchd.pid").exists()
    assert str(mgmt) not in listening_paths()


async def test_frozen_daemon_runs_and_goes_on_when_thawed(node: Sandbox) -> None:
    await node.freeze("ovs-vswitchd")
    assert node.running("ovs-vswitchd")
    assert node.frozen("ovs-vswitchd")
    assert node.status()["ovs-vswitchd"] == ("frozen", node.pid("ovs-vswitchd"))
    await node.thaw("ovs-vswitchd")
    assert not node.frozen("ovs-vswitchd")
    await node.wait_ready()


async def test_restarted_switch_is_another_process_and_gets_its_flows_back(node: Sandbox) -> None:
    before = node.pid("ovs-vswitchd")
    await node.restart("ovs-vswitchd")
    assert node.pid("ovs-vswitchd") != before
    await node.wait_ready()


@pytest.mark.parametrize("name", ["ovsdb-server", "ovn-sb", "ovn-northd", "ovn-controller"])
async def test_every_daemon_starts_again_after_a_crash(node: Sandbox, name: str) -> None:
    await node.kill(name)
    assert node.status()[name] == ("gone", None)
    await node.start(name)
    assert node.running(name)


async def test_unknown_daemon_is_refused_with_the_names_there_are(shared_node: Sandbox) -> None:
    with pytest.raises(UsageError, match="no daemon 'xyzzy'") as caught:
        await shared_node.stop("xyzzy")
    assert caught.value.remedy.startswith("Its daemons are: ")
    assert "ovs-vswitchd" in caught.value.remedy


async def test_misspelt_daemon_is_refused_with_the_one_that_was_meant(shared_node: Sandbox) -> None:
    with pytest.raises(UsageError) as caught:
        await shared_node.stop("ovs-vswitch")
    assert caught.value.remedy == "Did you mean ovs-vswitchd?"


async def test_running_daemon_is_not_started_twice(shared_node: Sandbox) -> None:
    with pytest.raises(UsageError, match="runs already"):
        await shared_node.start("ovn-northd")


async def test_daemon_that_does_not_run_has_no_pid_and_takes_no_signal(node: Sandbox) -> None:
    await node.stop("ovn-northd")
    with pytest.raises(UsageError, match="does not run"):
        node.pid("ovn-northd")
    with pytest.raises(UsageError, match="does not run"):
        await node.freeze("ovn-northd")


async def test_log_is_the_end_of_the_daemons_log(shared_node: Sandbox) -> None:
    assert "connected" in shared_node.log("ovn-controller", lines=1000)
    assert len(shared_node.log("ovn-controller", lines=3).splitlines()) == 3


@pytest.mark.parametrize("setpriv", [True, False])
def test_child_dies_with_its_parent_with_and_without_setpriv(setpriv: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not setpriv:
        monkeypatch.setattr("ovsnet.sandbox.supervisor._setpriv", lambda: None)
    prefix = die_with_parent()
    # Its parent-death signal is in no file of /proc, so the child itself asks: prctl(PR_GET_PDEATHSIG).
    ask = "import ctypes; n = ctypes.c_int(); ctypes.CDLL(None).prctl(2, ctypes.byref(n)); print(n.value)"
    done = subprocess.run([*prefix, sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "9"
